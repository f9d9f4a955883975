"""`auto`: the objective of the head. For a language model it is `sft`; for any other head `run/purpose.py` puts the head's own
in its place.
"""

from typing import Literal

from dadeum.config.purpose import Takes
from dadeum.model.heads import Gives
from dadeum.train.objectives._tokens import TokenSettings
from dadeum.train.objectives.sft import collate, compute, weigh

__all__ = ["Settings", "collate", "compute", "needs", "takes", "weigh"]

takes: Takes | None = "messages"
needs: Gives = "tokens"


class Settings(TokenSettings):
    """Those of `sft`; another head's objective that has no such setting refuses it."""

    type: Literal["auto"] = "auto"
