"""Rows of the embedding for tokens that the base did not know: they are trained and saved, or the adapter is refused."""

from collections.abc import Sequence
from typing import Any

from dadeum.core.errors import ModelError
from dadeum.core.language import say


def token_indices(model: Any, ids: Sequence[int]) -> dict[str, list[int]] | None:
    """PEFT's `trainable_token_indices`: these rows of the embedding, and of an output layer with weights of its own.

    None without ids. Raises ModelError for an output layer with a bias, which PEFT would leave out.
    """
    if not ids:
        return None
    inside, outside = model.get_input_embeddings(), model.get_output_embeddings()
    layers = [inside] if outside is None or outside.weight is inside.weight else [inside, outside]
    if getattr(outside, "bias", None) is not None:
        raise ModelError(
            say(
                "tokenizer.add_special_tokens: the model's output layer has a bias, beside which no rows can be trained alone; "
                "use adapter: full",
                "tokenizer.add_special_tokens: 이 모델의 출력층에는 편향이 있어 새 행만 학습할 수 없습니다. adapter: full을 쓰세요",
            )
        )
    names = {id(module): name for name, module in model.named_modules()}
    return {names[id(layer)]: sorted(ids) for layer in layers}


def check_trained(model: Any, ids: Sequence[int], adapter: str) -> None:
    """Raises ModelError where `adapter` would leave the rows of new tokens as they were made."""
    if not ids:
        return
    core = model.get_base_model() if hasattr(model, "peft_config") else model
    outside = core.get_output_embeddings()
    layers = [layer for layer in (core.get_input_embeddings(), outside) if layer is not None]
    if all(_trains(layer, ids) for layer in layers):
        return
    raise ModelError(
        say(
            f"tokenizer.add_special_tokens: adapter '{adapter}' with these settings would not train the rows of the new "
            "tokens; use adapter: lora or full, without freezing the embedding",
            f"tokenizer.add_special_tokens: 이 설정의 '{adapter}' 어댑터는 새 토큰의 행을 학습하지 않습니다. "
            "임베딩을 고정하지 말고 adapter: lora나 full을 쓰세요",
        )
    )


def _trains(layer: Any, ids: Sequence[int]) -> bool:
    rows = getattr(layer, "token_adapter", None)
    if rows is not None:
        return all(set(ids) <= set(known) for known in rows.token_indices.values())
    whole = getattr(layer, "modules_to_save", None)
    inner = whole["default"] if whole is not None and "default" in whole else layer
    return bool(inner.weight.requires_grad)
