"""SimPO (arXiv 2405.14734): by its mean log-probability the better answer is to be ahead of the worse by a margin; no reference."""

from typing import TYPE_CHECKING, Literal

from dadeum.config.purpose import Takes
from dadeum.core.settings import setting
from dadeum.model.heads import Gives
from dadeum.train.context import Context
from dadeum.train.objectives import _answers
from dadeum.train.objectives._answers import AnswerSettings, collate
from dadeum.train.objectives.cpo import prepare

if TYPE_CHECKING:
    from torch import Tensor, nn

__all__ = ["Settings", "collate", "compute", "needs", "prepare", "takes", "weigh"]

takes: Takes | None = "pair"
needs: Gives = "tokens"


class Settings(AnswerSettings):
    """The names are those of TRL's `CPOConfig` with `loss_type: simpo`. Compared is the last answer of each conversation."""

    type: Literal["simpo"] = "simpo"
    beta: float = setting(
        0.1,
        "How much a difference between the answers counts; the default is TRL's, the paper takes 2.0 to 2.5.",
        "두 답의 차이를 얼마나 크게 볼지. 기본값은 TRL의 것이고 논문은 2.0~2.5를 씁니다.",
        gt=0,
    )
    simpo_gamma: float = setting(
        0.5,
        "The margin: beta × the difference of the means is to be more than this.",
        "여유: beta × 평균의 차이가 이보다 커야 합니다.",
        ge=0,
    )
    label_smoothing: float = setting(
        0.0, "Share of the pairs that may be the wrong way round.", "뒤바뀌었을 수 있는 쌍의 비율.", ge=0, lt=0.5
    )
    cpo_alpha: float = setting(
        0.0,
        "Weight of the mean NLL of the chosen answers beside it; 0: none.",
        "나은 답의 평균 NLL을 함께 학습하는 비중. 0이면 없습니다.",
        ge=0,
    )


def weigh(settings: Settings, batch: "dict[str, Tensor]") -> dict[str, tuple[float, float]]:
    """The pairs, and the trained tokens of the chosen answers."""
    chosen, _ = _answers.halves(_answers.trained_tokens(batch))
    found = {"simpo": (float(len(chosen)), 1.0)}
    return found | ({"nll": (float(chosen.sum()), settings.cpo_alpha)} if settings.cpo_alpha else {})


def compute(
    settings: Settings, model: "nn.Module", batch: "dict[str, Tensor]", context: Context
) -> "tuple[dict[str, Tensor], dict[str, Tensor]]":
    """The losses of the pairs; a reward is beta × the mean log-probability."""
    found = _answers.log_probabilities(model, batch)
    chosen, rejected = _answers.halves(found.means)
    margin = chosen - rejected - settings.simpo_gamma / settings.beta
    sums = {"simpo": _answers.pair_losses("sigmoid", margin, settings.beta, settings.label_smoothing).sum()}
    if settings.cpo_alpha:
        sums["nll"] = -_answers.halves(found.logps)[0].sum()
    return sums, _answers.rewards(*_answers.halves(settings.beta * found.means))
