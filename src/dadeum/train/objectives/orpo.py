"""ORPO (arXiv 2403.07691): fine-tuning on the better answer, and its odds are to be above those of the worse; no reference.

As in TRL every token of the better conversation is learnt, that of the prompt too.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Literal

from dadeum.config.purpose import Takes
from dadeum.core.settings import setting
from dadeum.model.heads import Gives
from dadeum.train.context import Context, Layout
from dadeum.train.objectives import _answers
from dadeum.train.objectives._answers import AnswerSettings
from dadeum.train.objectives.cpo import prepare

if TYPE_CHECKING:
    from torch import Tensor, nn

    from dadeum.data.samples import Entry

__all__ = ["Settings", "collate", "compute", "needs", "prepare", "takes", "weigh"]

takes: Takes | None = "pair"
needs: Gives = "tokens"

# Weights of tokens, which only tell them apart: learnt, and of an answer whose odds count.
LEARNT, OF_ANSWER = 1.0, 2.0


class Settings(AnswerSettings):
    """The names are those of TRL's `ORPOConfig`. Compared is the last answer of each conversation."""

    type: Literal["orpo"] = "orpo"
    beta: float = setting(
        0.1, "Weight of the odds beside the NLL; λ in the paper.", "NLL에 견준 승산(odds)의 비중. 논문의 λ입니다.", gt=0
    )


def collate(settings: Settings, samples: "Sequence[Entry]", layout: Layout) -> "dict[str, Tensor]":
    """All sequences of the units in one packed or padded batch; of the better conversation each token is learnt."""
    import numpy as np

    marked = []
    for sample in samples:
        better, worse = (np.where(weights > 0, OF_ANSWER, 0).astype(np.float32) for _, weights in sample.sequences)
        marked.append(sample._replace(weights=np.concatenate([np.maximum(better, LEARNT), worse])))
    return _answers.collate(settings, marked, layout)


def weigh(settings: Settings, batch: "dict[str, Tensor]") -> dict[str, tuple[float, float]]:
    """The tokens of the better conversations, and the pairs."""
    chosen, _ = _answers.halves(_answers.trained_tokens(batch))
    return {"nll": (float(chosen.sum()), 1.0), "odds": (float(len(chosen)), settings.beta)}


def compute(
    settings: Settings, model: "nn.Module", batch: "dict[str, Tensor]", context: Context
) -> "tuple[dict[str, Tensor], dict[str, Tensor]]":
    """The NLL, and minus the log-sigmoid of the logarithm of the odds ratio; a reward is beta × the mean log-probability."""
    import torch
    from torch.nn.functional import logsigmoid

    from dadeum.model.nll import token_nll

    found = token_nll(model, batch)
    answers = batch | {"weights": (batch["weights"] == OF_ANSWER).float()}
    tokens = _answers.trained_tokens(answers).to(found.nll.device)
    exact = torch.float32 if found.nll.device.type == "mps" else torch.float64
    none = torch.zeros(len(tokens), dtype=exact, device=found.nll.device)
    nll = found.nll.to(exact)
    means = none.index_add(0, found.document, -nll * (found.weights == OF_ANSWER)) / tokens
    chosen, rejected = _answers.halves(means)
    odds = (chosen - rejected) - (_log1mexp(chosen) - _log1mexp(rejected))
    learnt, _ = _answers.halves(none.index_add(0, found.document, nll))
    shown = _answers.rewards(*_answers.halves(settings.beta * means))
    return {"nll": learnt.sum(), "odds": -logsigmoid(odds).sum()}, shown


def _log1mexp(values: "Tensor") -> "Tensor":
    """`log(1 - exp(x))` of x below 0, exact near 0 and far from it."""
    import torch

    near = torch.log(-torch.expm1(values.clamp(min=-1)))
    return torch.where(values > -0.693147, near, torch.log1p(-torch.exp(values)))
