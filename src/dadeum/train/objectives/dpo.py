"""Direct preference optimisation (arXiv 2305.18290): the better answer gains on the worse, beside what the reference says of both."""

from typing import TYPE_CHECKING, Literal

from pydantic import model_validator

from dadeum.config.purpose import Takes
from dadeum.core.settings import setting
from dadeum.model.heads import Gives
from dadeum.train.context import Context
from dadeum.train.objectives import _answers, _reference
from dadeum.train.objectives._answers import collate
from dadeum.train.objectives._reference import Reference, ReferenceSettings, refuse

if TYPE_CHECKING:
    from torch import Tensor, nn

    from dadeum.train.loop import Loop

__all__ = ["Settings", "collate", "compute", "needs", "prepare", "refuse", "takes", "weigh"]

takes: Takes | None = "pair"
needs: Gives = "tokens"


class Settings(ReferenceSettings):
    """The names are those of TRL's `DPOConfig`. Compared is the last answer of each conversation."""

    type: Literal["dpo"] = "dpo"
    loss_type: _answers.PairLoss = setting(
        "sigmoid",
        "The loss of a pair; `ipo` counts by token, `robust` expects that a share `label_smoothing` of the pairs is the wrong way round.",
        "쌍의 손실. `ipo`는 토큰당으로 세고, `robust`는 쌍의 `label_smoothing`만큼이 뒤바뀌었다고 봅니다.",
    )
    beta: float = setting(
        0.1,
        "How closely the reference is followed: the larger, the closer; of `ipo` its τ.",
        "기준 모델을 얼마나 따를지. 클수록 가깝습니다. `ipo`에서는 τ입니다.",
        gt=0,
    )
    label_smoothing: float = setting(
        0.0, "Share of the pairs that may be the wrong way round.", "뒤바뀌었을 수 있는 쌍의 비율.", ge=0, lt=0.5
    )
    rpo_alpha: float = setting(
        0.0,
        "Weight of the mean NLL of the chosen answers beside it; 0: none.",
        "나은 답의 평균 NLL을 함께 학습하는 비중. 0이면 없습니다.",
        ge=0,
    )

    @model_validator(mode="after")
    def _smooths(self) -> "Settings":
        _answers.smooths(self.loss_type, self.label_smoothing)
        return self


def prepare(settings: Settings, loop: "Loop") -> Reference:
    """The reference."""
    return _reference.prepare(settings, loop, _read)


def _read(model: "nn.Module", batch: "dict[str, Tensor]") -> "Tensor":
    return _answers.log_probabilities(model, batch).logps.view(-1, 2)


def weigh(settings: Settings, batch: "dict[str, Tensor]") -> dict[str, tuple[float, float]]:
    """The pairs, and the trained tokens of the chosen answers."""
    chosen, _ = _answers.halves(_answers.trained_tokens(batch))
    found = {"dpo": (float(len(chosen)), 1.0)}
    return found | ({"nll": (float(chosen.sum()), settings.rpo_alpha)} if settings.rpo_alpha else {})


def compute(
    settings: Settings, model: "nn.Module", batch: "dict[str, Tensor]", context: Context
) -> "tuple[dict[str, Tensor], dict[str, Tensor]]":
    """The losses of the pairs; a reward is beta × how much likelier an answer is than under the reference."""
    found = _answers.log_probabilities(model, batch)
    ratios = found.logps - context.prepared.of(batch, _read).reshape(-1)
    chosen, rejected = _answers.halves(ratios / found.tokens if settings.loss_type == "ipo" else ratios)
    losses = _answers.pair_losses(settings.loss_type, chosen - rejected, settings.beta, settings.label_smoothing)
    sums = {"dpo": losses.sum()}
    if settings.rpo_alpha:
        sums["nll"] = -_answers.halves(found.logps)[0].sum()
    return sums, _answers.rewards(*_answers.halves(settings.beta * ratios))
