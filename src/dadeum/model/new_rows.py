"""Rows of the embedding for tokens that the base did not know: they are trained and saved, or the adapter is refused."""

from collections.abc import Mapping, Sequence
from typing import Any

import torch

from dadeum.core.errors import ModelError
from dadeum.core.language import say
from dadeum.model.configuration import check_vocabulary

CHUNK = 8192  # rows in float32 at once


def add_rows(model: Any, tokenizer: Any, tokens: Mapping[str, str]) -> tuple[int, ...]:
    """Give each of `tokens`, all known to the tokenizer, a row; returns their ids. All other rows stay as they are.

    A row starts from the mean of the rows of the pieces of the token's description, without one from that of the whole
    vocabulary; so does its part of an output layer with weights of its own. Where the base has rows to spare they are
    used. Raises ModelError where the tokenizer has other ids that the base has no row for.
    """
    if not tokens:
        return ()
    vocabulary = tokenizer.get_vocab()
    new = {token: int(vocabulary[token]) for token in tokens}
    known = sorted(set(vocabulary.values()) - set(new.values()))
    check_vocabulary(rows_of(model), tokenizer, new=new.values())
    set_rows(model, max(rows_of(model), *(number + 1 for number in new.values())))
    starts = {number: _pieces(tokenizer, tokens[token], new.values()) for token, number in new.items()}
    inside, outside = model.get_input_embeddings(), model.get_output_embeddings()
    own = outside is not None and outside.weight is not inside.weight
    tensors = [inside.weight, *([outside.weight] if own else [])]
    if outside is not None and getattr(outside, "bias", None) is not None:
        tensors.append(outside.bias)
    with torch.no_grad():
        for tensor in tensors:
            whole = _mean(tensor, known)
            for number, pieces in starts.items():
                tensor[number] = (_mean(tensor, pieces) if pieces else whole).to(tensor.dtype)
    return tuple(new.values())


def rows_of(model: Any) -> int:
    """Rows of the embedding."""
    return int(model.get_input_embeddings().weight.shape[0])


def set_rows(model: Any, rows: int) -> None:
    """Give embedding and output layer so many rows; those that are there stay, further ones are anything."""
    if rows != rows_of(model):
        trained = model.get_input_embeddings().weight.requires_grad
        model.resize_token_embeddings(rows, mean_resizing=False)
        for layer in (model.get_input_embeddings(), model.get_output_embeddings()):
            if layer is not None:
                layer.requires_grad_(trained)


def _pieces(tokenizer: Any, description: str, new: Any) -> list[int]:
    found = tokenizer(description, add_special_tokens=False)["input_ids"] if description else []
    return [number for number in found if number not in new]


def _mean(tensor: torch.Tensor, rows: Sequence[int]) -> torch.Tensor:
    """Mean of these rows in float64, a part at a time."""
    total = torch.zeros(tensor.shape[1:], dtype=torch.float64, device="cpu")
    for start in range(0, len(rows), CHUNK):
        chosen = torch.tensor(rows[start : start + CHUNK], device=tensor.device)
        total += tensor[chosen].float().sum(0).double().cpu()
    return (total / len(rows)).to(tensor.device)


def token_indices(model: Any, ids: Sequence[int], whole: Sequence[str] = ()) -> dict[str, list[int]] | None:
    """PEFT's `trainable_token_indices`: these rows of the embedding, and of an output layer with weights of its own.

    `whole` are layers that are trained in full (`modules_to_save`), whose rows need no mention. None where none is left.
    Raises ModelError for an output layer with a bias, which PEFT would leave out.
    """
    if not ids:
        return None
    inside, outside = model.get_input_embeddings(), model.get_output_embeddings()
    tied = outside is not None and outside.weight is inside.weight
    groups = [[inside, outside]] if tied else [[layer] for layer in (inside, outside) if layer is not None]
    names = {id(module): name for name, module in model.named_modules()}
    left = [
        group
        for group in groups
        if not any(f".{names[id(layer)]}".endswith(f".{name}") for layer in group for name in whole)
    ]
    if any(getattr(layer, "bias", None) is not None for group in left for layer in group):
        raise ModelError(
            say(
                "tokenizer.add_special_tokens: the model's output layer has a bias, beside which no rows can be trained alone; "
                "use adapter: full",
                "tokenizer.add_special_tokens: 이 모델의 출력층에는 편향이 있어 새 행만 학습할 수 없습니다. adapter: full을 쓰세요",
            )
        )
    return {names[id(first)]: sorted(ids) for first, *_ in left} or None


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
