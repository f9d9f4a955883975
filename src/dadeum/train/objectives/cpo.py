"""Contrastive preference optimisation (arXiv 2401.08417): the better answer gains on the worse without a reference, and is learnt."""

from typing import TYPE_CHECKING, Literal

from pydantic import model_validator

from dadeum.config.purpose import Takes
from dadeum.core.settings import setting
from dadeum.model.heads import Gives
from dadeum.train.context import Context
from dadeum.train.objectives import _answers
from dadeum.train.objectives._answers import AnswerSettings, collate

if TYPE_CHECKING:
    from torch import Tensor, nn

    from dadeum.train.loop import Loop

__all__ = ["Settings", "collate", "compute", "needs", "prepare", "takes", "weigh"]

takes: Takes | None = "pair"
needs: Gives = "tokens"


class Settings(AnswerSettings):
    """The names are those of TRL's `CPOConfig`. Compared is the last answer of each conversation."""

    type: Literal["cpo"] = "cpo"
    loss_type: Literal["sigmoid", "hinge", "ipo"] = setting(
        "sigmoid", "The loss of a pair; `ipo` counts by token.", "쌍의 손실. `ipo`는 토큰당으로 셉니다."
    )
    beta: float = setting(
        0.1, "How much a difference between the answers counts.", "두 답의 차이를 얼마나 크게 볼지.", gt=0
    )
    label_smoothing: float = setting(
        0.0, "Share of the pairs that may be the wrong way round.", "뒤바뀌었을 수 있는 쌍의 비율.", ge=0, lt=0.5
    )
    cpo_alpha: float = setting(1.0, "Weight of the mean NLL of the chosen answers.", "나은 답의 평균 NLL의 비중.", ge=0)

    @model_validator(mode="after")
    def _smooths(self) -> "Settings":
        _answers.smooths(self.loss_type, self.label_smoothing)
        return self


def prepare(settings: AnswerSettings, loop: "Loop") -> None:
    """Nothing is known beforehand."""
    _answers.quiet(settings, loop)


def weigh(settings: Settings, batch: "dict[str, Tensor]") -> dict[str, tuple[float, float]]:
    """The pairs, and the trained tokens of the chosen answers."""
    chosen, _ = _answers.halves(_answers.trained_tokens(batch))
    found = {"cpo": (float(len(chosen)), 1.0)}
    return found | ({"nll": (float(chosen.sum()), settings.cpo_alpha)} if settings.cpo_alpha else {})


def compute(
    settings: Settings, model: "nn.Module", batch: "dict[str, Tensor]", context: Context
) -> "tuple[dict[str, Tensor], dict[str, Tensor]]":
    """The losses of the pairs; a reward is beta × the log-probability."""
    found = _answers.log_probabilities(model, batch)
    values = found.means if settings.loss_type == "ipo" else found.logps
    chosen, rejected = _answers.halves(values)
    losses = _answers.pair_losses(settings.loss_type, chosen - rejected, settings.beta, settings.label_smoothing)
    sums = {"cpo": losses.sum()}
    if settings.cpo_alpha:
        sums["nll"] = -_answers.halves(found.logps)[0].sum()
    return sums, _answers.rewards(*_answers.halves(settings.beta * values))
