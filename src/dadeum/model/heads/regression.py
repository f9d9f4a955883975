"""`regression`: a number that is said of a text, or several."""

from typing import TYPE_CHECKING, Any, Literal

from dadeum.config.purpose import Takes, Target
from dadeum.core.settings import setting
from dadeum.model.heads import Gives, Outlet
from dadeum.model.heads._settings import Weighted

if TYPE_CHECKING:
    from torch import Tensor

    from dadeum.model.heads._layers import Top

takes: Takes = "labels"
gives: Gives = "labels"
objective = "head"


class Settings(Weighted):
    """Numbers of a text, or of two sentences."""

    type: Literal["regression"] = "regression"
    column: str | None = setting(
        None,
        "Column of the number, or of a list of them; none: the only one that the rows have.",
        "수(또는 수의 목록)가 든 열. 없으면 행에 하나뿐인 라벨 열.",
    )
    numbers: int = setting(
        0,
        "How many numbers a row has; 0: as many as the rows show.",
        "행마다 수가 몇 개인지. 0이면 행에 있는 만큼.",
        ge=0,
    )
    loss: Literal["mse", "l1", "huber"] = setting(
        "mse",
        "Squared difference, absolute difference, or Huber's: squared up to `huber_delta`, then absolute.",
        "차이의 제곱, 절댓값, 또는 `huber_delta`까지는 제곱이고 그 뒤는 절댓값인 후버 손실.",
    )
    huber_delta: float = setting(1.0, "Where Huber's loss becomes linear.", "후버 손실이 직선이 되는 곳.", gt=0)


def targets(settings: Settings) -> tuple[Target, ...]:
    """Numbers."""
    return (Target(settings.type, "numbers", settings.column, size=settings.numbers),)


def build(settings: Settings, width: int, outlet: Outlet) -> "Top":
    """As transformers' class, which has no bias, where it is one linear layer."""
    from dadeum.model.heads._layers import Top

    return Top(settings, width, outlet.size, settings.pooling, bias=False)


def weigh(settings: Settings, outlet: Outlet, targets: "Tensor") -> float:
    """The numbers that are known."""
    from dadeum.model.heads import _losses

    return _losses.count(targets)


def total(settings: Settings, outlet: Outlet, out: "Tensor", targets: "Tensor") -> "Tensor":
    """The sum of the distances."""
    from dadeum.model.heads import _losses

    return _losses.distance(out, targets, settings.loss, settings.huber_delta)


def says(settings: Settings, outlet: Outlet, out: "Tensor") -> dict[str, Any]:
    """The number, or all of them."""
    found = [float(value) for value in out]
    return {"value": found[0]} if outlet.size == 1 else {"values": found}
