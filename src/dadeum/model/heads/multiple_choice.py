"""`multiple_choice`: which of some answers to a question is the right one; each is scored by itself."""

from typing import TYPE_CHECKING, Any, Literal

from dadeum.config.purpose import Takes, Target
from dadeum.core.settings import setting
from dadeum.model.heads import Gives, Outlet
from dadeum.model.heads._settings import Pooled

if TYPE_CHECKING:
    from torch import Tensor

    from dadeum.model.heads._layers import Top

takes: Takes = "choices"
gives: Gives = "labels"
objective = "head"
size = 1


class Settings(Pooled):
    """A score for each of the answers; rows may have unequal numbers of them."""

    type: Literal["multiple_choice"] = "multiple_choice"
    column: str | None = setting(
        None,
        "Column of the right answer: its number, letter or text; none: the one that is known by its name.",
        "정답이 든 열: 번호, 글자 또는 내용. 없으면 이름으로 알아봅니다.",
    )


def targets(settings: Settings) -> tuple[Target, ...]:
    """The place of the right answer."""
    return (Target(settings.type, "class", settings.column),)


def build(settings: Settings, width: int, outlet: Outlet) -> "Top":
    """One number for each answer."""
    from dadeum.model.heads._layers import Top

    return Top(settings, width, outlet.size, settings.pooling, bias=False)


def weigh(settings: Settings, outlet: Outlet, targets: "Tensor") -> float:
    """Questions."""
    from dadeum.model.heads import _losses

    return _losses.class_weight(targets, None)


def total(settings: Settings, outlet: Outlet, out: "Tensor", targets: "Tensor") -> "Tensor":
    """Cross-entropy over the answers of each question."""
    from dadeum.model.heads import _losses

    return _losses.cross_entropy(out, targets)


def says(settings: Settings, outlet: Outlet, out: "Tensor") -> dict[str, Any]:
    """The place of the likeliest answer, from 0, and the probability of each."""
    return {"choice": int(out.argmax()), "probabilities": [float(p) for p in out.softmax(-1)]}
