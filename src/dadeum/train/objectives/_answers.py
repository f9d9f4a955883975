"""What objectives have in common that judge whole answers: units laid out, the log-probability of each answer, what is shown.

The sequences of all units stand one after the other: of pairs the better and the worse answer in turn.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Literal, NamedTuple

from dadeum.core.language import say
from dadeum.core.settings import MemberSettings, setting
from dadeum.train.context import Layout

if TYPE_CHECKING:
    from torch import Tensor, nn

    from dadeum.data.samples import Entry
    from dadeum.train.loop import Loop

PairLoss = Literal["sigmoid", "hinge", "ipo", "robust"]


class AnswerSettings(MemberSettings):
    """What every objective has that judges whole answers."""

    disable_dropout: bool = setting(
        True,
        "Train without dropout, that of adapter and head too: it would be noise in what is compared.",
        "드롭아웃(어댑터와 헤드의 것도) 없이 학습합니다. 비교하는 값에 잡음이 되기 때문입니다.",
    )


class Answers(NamedTuple):
    """Of each sequence of a batch the summed log-probability of its trained tokens, and how many these are."""

    logps: "Tensor"  # (S,)
    tokens: "Tensor"  # (S,)

    @property
    def means(self) -> "Tensor":
        """The log-probability of a token."""
        return self.logps / self.tokens


def collate(settings: MemberSettings, samples: "Sequence[Entry]", layout: Layout) -> "dict[str, Tensor]":
    """All sequences of the units in one packed or padded batch."""
    from dadeum.data.batch import collate as lay_out

    sequences = [sequence for sample in samples for sequence in sample.sequences]
    return lay_out(sequences, packing=layout.packing, pad_id=layout.pad_id)


def trained_tokens(batch: "dict[str, Tensor]") -> "Tensor":
    """How many tokens of each sequence are trained."""
    import torch

    trained = batch["weights"] > 0
    if "cu_seqlens" not in batch:
        return trained.sum(1)
    sums = torch.nn.functional.pad(trained[0].cumsum(0), (1, 0))
    return sums[batch["cu_seqlens"].long()].diff()


def log_probabilities(model: "nn.Module", batch: "dict[str, Tensor]") -> Answers:
    """Of the trained tokens of each sequence, all alike. Summed in float64 where the device has it."""
    import torch

    from dadeum.model.nll import token_nll

    found = token_nll(model, batch)
    tokens = trained_tokens(batch).to(found.nll.device)
    exact = torch.float32 if found.nll.device.type == "mps" else torch.float64
    logps = torch.zeros(len(tokens), dtype=exact, device=found.nll.device)
    return Answers(logps.index_add(0, found.document, -found.nll.to(exact)), tokens)


def halves(values: "Tensor") -> "tuple[Tensor, Tensor]":
    """Of pairs the better ones and the worse ones."""
    better, worse = values.view(-1, 2).unbind(1)
    return better, worse


def pair_losses(kind: PairLoss, margin: "Tensor", beta: float, label_smoothing: float = 0.0) -> "Tensor":
    """The loss of each pair, whose better answer is ahead by `margin`.

    sigmoid: arXiv 2305.18290, with smoothing its appendix's conservative form; hinge: 2305.10425; ipo: 2310.12036, equation
    17; robust: 2403.00409, equation 7.
    """
    from torch.nn.functional import logsigmoid

    if kind == "hinge":
        return (1 - beta * margin).relu()
    if kind == "ipo":
        return (margin - 1 / (2 * beta)) ** 2
    right, wrong = -logsigmoid(beta * margin), -logsigmoid(-beta * margin)
    if kind == "sigmoid":
        return (1 - label_smoothing) * right + label_smoothing * wrong
    return ((1 - label_smoothing) * right - label_smoothing * wrong) / (1 - 2 * label_smoothing)


def smooths(kind: str, label_smoothing: float) -> None:
    """Raises ValueError where a loss has no use for `label_smoothing`."""
    if label_smoothing and kind in ("hinge", "ipo"):
        raise ValueError(
            say(
                f"label_smoothing {label_smoothing:g} does nothing under loss_type {kind}; use loss_type sigmoid or robust, or "
                "take label_smoothing out",
                f"label_smoothing {label_smoothing:g}은(는) loss_type {kind}에서 쓰이지 않습니다. loss_type을 sigmoid나 robust로 "
                "하거나 label_smoothing을 지우세요",
            )
        )


def mean_of(values: "Tensor") -> "Tensor":
    """Sum and count of values that are only shown (2,)."""
    import torch

    values = values.detach().float()
    return torch.stack([values.sum(), values.new_tensor(float(len(values)))])


def rewards(better: "Tensor", worse: "Tensor") -> "dict[str, Tensor]":
    """What is shown of the rewards of pairs."""
    return {
        "rewards/chosen": mean_of(better),
        "rewards/rejected": mean_of(worse),
        "rewards/accuracies": mean_of(better > worse),
        "rewards/margins": mean_of(better - worse),
    }


def quiet(settings: AnswerSettings, loop: "Loop") -> None:
    """Take dropout out of the model where the settings say so, and tell where there was any. What is saved knows nothing of it."""
    if not settings.disable_dropout:
        return
    from torch import nn

    found = False
    for module in loop.module.modules():
        # Layers of transformers, and heads, may also hold it as a number (`attention_dropout`, OPT's `dropout`).
        names = ["p"] if isinstance(module, nn.Dropout) else [n for n in vars(module) if n.endswith("dropout")]
        for name in names:
            share = getattr(module, name)
            if isinstance(share, float) and share > 0:
                found = True
                setattr(module, name, 0.0)
    if found:
        loop.reporter.note(
            say(
                f"no dropout under train.objective={settings.type} (disable_dropout)",
                f"train.objective={settings.type}에서는 드롭아웃을 쓰지 않습니다 (disable_dropout)",
            )
        )
