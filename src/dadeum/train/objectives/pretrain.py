"""Pretraining: the negative log-likelihood of every token of plain text.

The loss is that of `sft`; what differs was settled when the rows were formatted: each token weighs 1.
"""

from typing import Literal

from dadeum.config.purpose import Takes
from dadeum.model.heads import Gives
from dadeum.train.objectives._tokens import TokenSettings
from dadeum.train.objectives.sft import collate, compute, weigh

__all__ = ["Settings", "collate", "compute", "needs", "takes", "weigh"]

takes: Takes | None = "plain"
needs: Gives = "tokens"


class Settings(TokenSettings):
    """Those of all that learn the next token."""

    type: Literal["pretrain"] = "pretrain"
