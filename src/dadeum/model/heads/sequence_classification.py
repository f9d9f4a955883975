"""`sequence_classification`: which of some classes a text belongs to, or to which of them (`problem: multi_label`)."""

from typing import TYPE_CHECKING, Any, Literal

from pydantic import model_validator

from dadeum.config.purpose import Takes, Target
from dadeum.core.language import say
from dadeum.core.settings import setting
from dadeum.model.heads import Gives, Outlet
from dadeum.model.heads._settings import Amount, Labelled, Weighted, check_classes

if TYPE_CHECKING:
    from torch import Tensor

    from dadeum.model.heads._layers import Top

takes: Takes = "labels"
gives: Gives = "labels"
objective = "head"


class Settings(Labelled, Weighted):
    """Classes of a text, or of two sentences."""

    type: Literal["sequence_classification"] = "sequence_classification"
    problem: Literal["single_label", "multi_label"] = setting(
        "single_label",
        "`single_label`: one class is right; `multi_label`: any of them are, each by itself.",
        "`single_label`: 클래스 하나가 정답. `multi_label`: 여럿이 정답일 수 있고 저마다 따로 봅니다.",
    )
    pos_weight: dict[str, Amount] = setting(
        {},
        "With `multi_label`: how much a row that a class holds of weighs against one that it does not; 1 where nothing is said.",
        "`multi_label`일 때: 클래스가 맞는 행이 아닌 행보다 얼마나 무거운지. 적지 않은 클래스는 1.",
    )

    @model_validator(mode="after")
    def _fits_the_problem(self) -> "Settings":
        if self.labels:
            check_classes("pos_weight", self.pos_weight, self.labels)
        unfit = ("class_weights", "label_smoothing") if self.problem == "multi_label" else ("pos_weight",)
        for key in unfit:
            if getattr(self, key):
                raise ValueError(
                    say(
                        f"{key}: found beside 'problem: {self.problem}', which cannot go together; leave one of them out",
                        f"{key}: 'problem: {self.problem}'와 함께 쓸 수 없습니다. 하나를 빼세요",
                    )
                )
        return self


def targets(settings: Settings) -> tuple[Target, ...]:
    """A class, or whether each holds."""
    kind: Literal["class", "classes"] = "class" if settings.problem == "single_label" else "classes"
    return (Target(settings.type, kind, settings.column, settings.labels),)


def build(settings: Settings, width: int, outlet: Outlet) -> "Top":
    """As transformers' class, which has no bias, where it is one linear layer."""
    from dadeum.model.heads._layers import Top

    return Top(settings, width, outlet.size, settings.pooling, bias=False)


def weigh(settings: Settings, outlet: Outlet, targets: "Tensor") -> float:
    """Rows, by the weight of their class; or the numbers of all classes."""
    from dadeum.model.heads import _losses

    if settings.problem == "multi_label":
        return _losses.count(targets)
    return _losses.class_weight(targets, _losses.by_class("class_weights", settings.class_weights, outlet, targets))


def total(settings: Settings, outlet: Outlet, out: "Tensor", targets: "Tensor") -> "Tensor":
    """Cross-entropy over the classes, or of each by itself."""
    from dadeum.model.heads import _losses

    if settings.problem == "multi_label":
        return _losses.binary(out, targets, _losses.by_class("pos_weight", settings.pos_weight, outlet, out))
    weights = _losses.by_class("class_weights", settings.class_weights, outlet, out)
    return _losses.cross_entropy(out, targets, weights, settings.label_smoothing)


def says(settings: Settings, outlet: Outlet, out: "Tensor") -> dict[str, Any]:
    """The likeliest class, or all that are likelier than not; and the probability of each."""
    several = settings.problem == "multi_label"
    shares = [float(p) for p in (out.sigmoid() if several else out.softmax(-1))]
    probabilities = dict(zip(outlet.names, shares, strict=True))
    if several:
        return {"labels": [name for name, p in probabilities.items() if p > 0.5], "probabilities": probabilities}
    return {"label": outlet.names[int(out.argmax())], "probabilities": probabilities}
