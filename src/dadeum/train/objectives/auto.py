"""`auto`: the objective of the head. For a language model it is `sft`; for any other head `run/purpose.py` puts the head's own
in its place.
"""

from typing import Literal

from dadeum.config.purpose import Takes
from dadeum.core.settings import MemberSettings
from dadeum.model.heads import Gives
from dadeum.train.objectives.sft import collate, compute, weigh

__all__ = ["Settings", "collate", "compute", "needs", "takes", "weigh"]

takes: Takes | None = "messages"
needs: Gives = "tokens"


class Settings(MemberSettings):
    """Has none of its own."""

    type: Literal["auto"] = "auto"
