"""`token_classification`: a class for each word of a text, such as the names of people and places."""

from typing import TYPE_CHECKING, Any, Literal

from dadeum.config.purpose import Takes, Target
from dadeum.model.heads import Gives, Outlet
from dadeum.model.heads._settings import Labelled

if TYPE_CHECKING:
    from torch import Tensor

    from dadeum.model.heads._layers import Top

takes: Takes = "words"
gives: Gives = "labels"
objective = "head"


class Settings(Labelled):
    """Classes of words; the first token of a word carries its label."""

    type: Literal["token_classification"] = "token_classification"


def targets(settings: Settings) -> tuple[Target, ...]:
    """A class for each word."""
    return (Target(settings.type, "class", settings.column, settings.labels),)


def build(settings: Settings, width: int, outlet: Outlet) -> "Top":
    """As transformers' class, which has a bias."""
    from dadeum.model.heads._layers import Top

    return Top(settings, width, outlet.size, None, bias=True)


def weigh(settings: Settings, outlet: Outlet, targets: "Tensor") -> float:
    """Words, by the weight of their class."""
    from dadeum.model.heads import _losses

    return _losses.class_weight(targets, _losses.by_class("class_weights", settings.class_weights, outlet, targets))


def total(settings: Settings, outlet: Outlet, out: "Tensor", targets: "Tensor") -> "Tensor":
    """Cross-entropy over the classes of each word."""
    from dadeum.model.heads import _losses

    weights = _losses.by_class("class_weights", settings.class_weights, outlet, out)
    return _losses.cross_entropy(out, targets, weights, settings.label_smoothing)


def says(settings: Settings, outlet: Outlet, out: "Tensor") -> dict[str, Any]:
    """The likeliest class of each word, and its probability."""
    best = out.softmax(-1).max(-1)
    return {
        "labels": [outlet.names[int(index)] for index in best.indices],
        "probabilities": [float(p) for p in best.values],
    }
