"""The layers of heads: a linear layer or a small MLP over the hidden states of a text's tokens, or over one vector of them."""

import itertools
from collections.abc import Callable
from typing import TYPE_CHECKING

import torch
from torch import nn

from dadeum.model.heads._settings import Pooling, Topped

if TYPE_CHECKING:
    from torch import Tensor

ACTIVATIONS: dict[str, Callable[[torch.Tensor], torch.Tensor]] = {
    "gelu": nn.functional.gelu,
    "relu": nn.functional.relu,
    "silu": nn.functional.silu,
    "tanh": torch.tanh,
}
SPREAD = 0.02  # of the first values of the last layer, as transformers draws those of its heads


class Top(nn.Module):
    """Hidden states to numbers, in float32 whatever the body computes in. `pooling` None: one row for each token."""

    def __init__(self, settings: Topped, width: int, size: int, pooling: Pooling | None, *, bias: bool) -> None:
        super().__init__()
        self.pooling, self.dropout = pooling, settings.dropout
        self.activation = ACTIVATIONS[settings.activation]
        self.attend = nn.Linear(width, 1) if pooling == "attention" else None
        widths = (width, *settings.hidden_sizes)
        self.hidden = nn.ModuleList(nn.Linear(a, b) for a, b in itertools.pairwise(widths))
        self.score = nn.Linear(widths[-1], size, bias=bias or bool(settings.hidden_sizes))
        nn.init.normal_(self.score.weight, std=SPREAD)
        if self.score.bias is not None:
            nn.init.zeros_(self.score.bias)

    @property
    def linear(self) -> bool:
        """Whether it is one layer on the last token or on each, which is what transformers' own classes have."""
        return not len(self.hidden) and self.pooling in (None, "last")

    def forward(self, tokens_NH: "Tensor", borders: "Tensor") -> "Tensor":
        """Of documents end to end, which begin at `borders` (n+1,): (n, size), or (N, size) without pooling."""
        with torch.autocast(tokens_NH.device.type, enabled=False):
            x = pool(tokens_NH.float(), borders, self.pooling, self.attend)
            for layer in self.hidden:
                x = self.activation(layer(self._dropped(x)))
            out: Tensor = self.score(self._dropped(x))
        return out

    def _dropped(self, x: "Tensor") -> "Tensor":
        return nn.functional.dropout(x, self.dropout, self.training) if self.dropout else x


def pool(tokens_NH: "Tensor", borders: "Tensor", pooling: Pooling | None, attend: nn.Linear | None = None) -> "Tensor":
    """The vectors (n, H) of documents end to end, or all tokens as they are."""
    if pooling is None:
        return tokens_NH
    if pooling == "last":
        return tokens_NH[borders[1:] - 1]
    lengths = borders.diff()
    if pooling == "mean":
        return _sums(tokens_NH, lengths) / lengths[:, None]
    assert attend is not None
    scores = attend(tokens_NH)
    document = torch.repeat_interleave(torch.arange(len(lengths), device=lengths.device), lengths)
    highest = torch.segment_reduce(scores.detach(), "max", lengths=lengths, axis=0)
    shares = (scores - highest[document]).exp()
    return _sums(shares * tokens_NH, lengths) / _sums(shares, lengths)


def _sums(values: "Tensor", lengths: "Tensor") -> "Tensor":
    """Sums over the tokens of each document; the order in which they are added does not depend on the batch."""
    return torch.segment_reduce(values, "sum", lengths=lengths, axis=0)
