"""Adapters that put tokens before each text which no one wrote."""

from dadeum.model.adapters import Beside, together


def refuse_packing(kind: str, beside: Beside) -> None:
    """Raises ModelError: only the first text of a packed row would have them."""
    if beside.packing:
        raise together(
            "adapter", kind, "data.packing", "true", "set data.packing to false", "data.packing을 false로 하세요"
        )
