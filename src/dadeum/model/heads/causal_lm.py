"""`causal_lm`: the model's own output layer, which says the next token."""

from typing import Literal

from dadeum.config.purpose import Takes, Target
from dadeum.core.settings import MemberSettings
from dadeum.model.heads import Gives

takes: Takes = "messages"
gives: Gives = "tokens"
objective = "sft"


class Settings(MemberSettings):
    """The model's own output layer."""

    type: Literal["causal_lm"] = "causal_lm"


def targets(settings: Settings) -> tuple[Target, ...]:
    """The tokens are its targets."""
    return ()
