"""KTO (arXiv 2402.01306): answers rated good or bad one by one, each against how far the model has moved on the whole.

That divergence is estimated from answers that stand beside questions of other rows (`data/units.py`). Its pool is the whole
optimizer step, over all micro-batches and processes: the cut of a step changes nothing. TRL takes it from one micro-batch.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Literal

from dadeum.config.purpose import Takes
from dadeum.core.errors import DataError
from dadeum.core.language import say
from dadeum.core.settings import setting
from dadeum.model.heads import Gives
from dadeum.train.context import Context, Layout
from dadeum.train.objectives import _answers, _reference
from dadeum.train.objectives._reference import Reference, ReferenceSettings, refuse

if TYPE_CHECKING:
    from torch import Tensor, nn

    from dadeum.data.samples import Entry
    from dadeum.train.loop import Loop, Rows

__all__ = ["Settings", "collate", "compute", "needs", "prepare", "refuse", "survey", "takes", "weigh"]

takes: Takes | None = "rated"
needs: Gives = "tokens"

BESIDE = "beside_"


class Settings(ReferenceSettings):
    """The names are those of TRL's `KTOConfig`. Rated is the last answer of a conversation; a pair is a good and a bad one."""

    type: Literal["kto"] = "kto"
    beta: float = setting(
        0.1,
        "How closely the reference is followed: the larger, the closer.",
        "기준 모델을 얼마나 따를지. 클수록 가깝습니다.",
        gt=0,
    )
    desirable_weight: float = setting(1.0, "Weight of the good answers' losses.", "좋은 답의 손실에 곱할 값.", gt=0)
    undesirable_weight: float = setting(1.0, "Weight of the bad answers' losses.", "나쁜 답의 손실에 곱할 값.", gt=0)


def collate(settings: Settings, samples: "Sequence[Entry]", layout: Layout) -> "dict[str, Tensor]":
    """The answers in one batch; the answers of others beside the same questions in another, and to which rows they belong."""
    import torch

    from dadeum.data.batch import collate as lay_out

    own = lay_out([s.sequences[0] for s in samples], packing=layout.packing, pad_id=layout.pad_id)
    own["good"] = torch.tensor([bool(s.targets[0]) for s in samples])
    places = [place for place, sample in enumerate(samples) if sample.cuts]
    if places:
        others = lay_out([samples[p].sequences[1] for p in places], packing=layout.packing, pad_id=layout.pad_id)
        own |= {f"{BESIDE}{name}": value for name, value in others.items()}
        own["beside"] = torch.tensor(places)
    return own


def _beside(batch: "dict[str, Tensor]") -> "dict[str, Tensor]":
    return {name.removeprefix(BESIDE): value for name, value in batch.items() if name.startswith(BESIDE)}


def prepare(settings: Settings, loop: "Loop") -> Reference:
    """The reference. Raises DataError where all answers are rated alike."""
    _refuse_one_kind(loop.samples)
    return _reference.prepare(settings, loop, _both)


def _refuse_one_kind(samples: "Rows") -> None:
    kinds: set[bool] = set()
    for place in range(len(samples)):
        kinds.add(bool(samples[place].targets[0]))
        if len(kinds) == 2:
            return
    if kinds:
        kind = "true" if True in kinds else "false"
        raise DataError(
            say(
                f"train.objective=kto: all {len(samples)} training answers are rated {kind}, expected some of both; add rows of the "
                "other rating, or take another objective",
                f"train.objective=kto: 학습할 답 {len(samples)}개가 모두 {kind}입니다. 참과 거짓이 다 있어야 합니다. 다른 평가의 행을 "
                "더하거나 다른 목적을 쓰세요",
            )
        )


def _both(model: "nn.Module", batch: "dict[str, Tensor]") -> "Tensor":
    """Log-probabilities (answers, 2): of each one, and of the other beside its question, NaN where there is none."""
    import torch

    own = _own(model, batch)[:, 0]
    other = torch.full_like(own, torch.nan)
    if "beside" in batch:
        other[batch["beside"]] = _answers.log_probabilities(model, _beside(batch)).logps
    return torch.stack([own, other], 1)


def _own(model: "nn.Module", batch: "dict[str, Tensor]") -> "Tensor":
    return _answers.log_probabilities(model, batch).logps[:, None]


def survey(
    settings: Settings, model: "nn.Module", batch: "dict[str, Tensor]", context: Context
) -> dict[str, tuple[float, float]]:
    """By how much the model finds the answers of others likelier than the reference does."""
    if "beside" not in batch:
        return {"kl": (0.0, 0.0)}
    found = _answers.log_probabilities(model, _beside(batch)).logps
    if "reference" in batch:
        before = batch["reference"][batch["beside"], 1]
    else:
        before = context.prepared.of(_beside(batch), _own)[:, 0]
    return {"kl": (float((found - before).double().sum()), float(len(found)))}


def weigh(settings: Settings, batch: "dict[str, Tensor]") -> dict[str, tuple[float, float]]:
    """The answers."""
    return {"kto": (float(len(batch["good"])), 1.0)}


def compute(
    settings: Settings, model: "nn.Module", batch: "dict[str, Tensor]", context: Context
) -> "tuple[dict[str, Tensor], dict[str, Tensor]]":
    """The losses of the answers; a reward is beta × how much likelier an answer is than under the reference."""
    import torch

    logps = _answers.log_probabilities(model, batch).logps
    ratios = logps - context.prepared.of(batch, _own)[:, 0]
    divergence, good = max(0.0, context.facts.get("kl", 0.0)), batch["good"]
    ahead = torch.where(good, ratios - divergence, divergence - ratios)
    weights = torch.where(good, settings.desirable_weight, settings.undesirable_weight)
    rewards = settings.beta * ratios
    shown = {
        "rewards/chosen": _answers.mean_of(rewards[good]),
        "rewards/rejected": _answers.mean_of(rewards[~good]),
        "rewards/accuracies": _answers.mean_of(ahead > 0),
        "kl": _answers.mean_of(torch.full_like(ratios, divergence)),
    }
    return {"kto": (weights * (1 - torch.sigmoid(settings.beta * ahead))).sum()}, shown
