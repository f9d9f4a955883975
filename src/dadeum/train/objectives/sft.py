"""Supervised fine-tuning: the weighted negative log-likelihood of the trained tokens."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Literal

from dadeum.config.purpose import Takes
from dadeum.core.settings import MemberSettings
from dadeum.model.heads import Gives
from dadeum.train.context import Context, Layout
from dadeum.train.objectives._tokens import TokenSettings

if TYPE_CHECKING:
    from torch import Tensor, nn

    from dadeum.data.samples import Entry


takes: Takes | None = "messages"
needs: Gives = "tokens"


class Settings(TokenSettings):
    """The loss is the sum of weight × NLL over the sum of the weights."""

    type: Literal["sft"] = "sft"


def collate(settings: MemberSettings, samples: "Sequence[Entry]", layout: Layout) -> "dict[str, Tensor]":
    """Samples (ids, weights) to one packed or padded batch."""
    from dadeum.data.batch import collate as lay_out

    return lay_out([(s.input_ids, s.weights) for s in samples], packing=layout.packing, pad_id=layout.pad_id)


def weigh(settings: MemberSettings, batch: "dict[str, Tensor]") -> dict[str, tuple[float, float]]:
    """One term: the sum of the token weights."""
    return {"nll": (float(batch["weights"].double().sum()), 1.0)}


def compute(
    settings: TokenSettings, model: "nn.Module", batch: "dict[str, Tensor]", context: Context
) -> "tuple[dict[str, Tensor], dict[str, Tensor]]":
    """The weighted sum of the negative log-likelihoods, in fp32."""
    from dadeum.model.nll import token_nll
    from dadeum.model.noise import noisy

    with noisy(model, batch, settings.neftune_noise_alpha):
        nll, weights, _ = token_nll(model, batch, label_smoothing=settings.label_smoothing)
    return {"nll": (nll * weights).sum()}, {}
