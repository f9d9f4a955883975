"""Adapters that put tokens before each text which no one wrote."""

import warnings
from typing import Any

from dadeum.model.adapters import Beside, together


def refuse_packing(kind: str, beside: Beside) -> None:
    """Raises ModelError: only the first text of a packed row would have them."""
    if beside.packing:
        raise together(
            "adapter", kind, "data.packing", "true", "set data.packing to false", "data.packing을 false로 하세요"
        )


def hush(config: Any) -> None:
    """PEFT says at each token that it leaves positions to the model: they are right for a prompt that is answered alone.

    The engine finds out that these answers depend on their neighbours in a batch, and makes each of them alone.
    """
    if config.is_prompt_learning:
        warnings.filterwarnings("ignore", message="Position ids are not supported")
