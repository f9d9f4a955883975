"""`auto`: the objective of the head, `sft` for a language model. It stands for another, and computes nothing itself."""

from typing import Literal

from dadeum.core.settings import MemberSettings


class Settings(MemberSettings):
    """Has none of its own."""

    type: Literal["auto"] = "auto"
