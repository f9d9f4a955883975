"""A reward model (Bradley–Terry): the score of the better answer is to be above that of the worse."""

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
needs: Gives = "scores"


class Settings(AnswerSettings):
    """The names are those of TRL's `RewardConfig`."""

    type: Literal["reward"] = "reward"
    center_rewards_coefficient: float = setting(
        0.0,
        "Weight of the square of the sum of a pair's scores, which keeps scores around 0 (arXiv 2312.09244); 0: none.",
        "쌍의 점수 합의 제곱에 줄 비중. 점수를 0 둘레에 둡니다(arXiv 2312.09244). 0이면 없습니다.",
        ge=0,
    )


def weigh(settings: Settings, batch: "dict[str, Tensor]") -> dict[str, tuple[float, float]]:
    """The pairs."""
    pairs = float(len(_answers.trained_tokens(batch)) // 2)
    coefficient = settings.center_rewards_coefficient
    return {"reward": (pairs, 1.0)} | ({"center": (pairs, coefficient)} if coefficient else {})


def compute(
    settings: Settings, model: "nn.Module", batch: "dict[str, Tensor]", context: Context
) -> "tuple[dict[str, Tensor], dict[str, Tensor]]":
    """Minus the log-sigmoid of what the better answer is ahead."""
    from torch.nn.functional import logsigmoid

    from dadeum.model.headed import head_outputs

    chosen, rejected = _answers.halves(head_outputs(model, batch).scores.float())
    sums = {"reward": -logsigmoid(chosen - rejected).sum()}
    if settings.center_rewards_coefficient:
        sums["center"] = ((chosen + rejected) ** 2).sum()
    return sums, _answers.rewards(chosen, rejected)
