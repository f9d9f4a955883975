"""Tiny random models of the shapes that dadeum meets, and documents for them."""

from typing import Any

import torch
from transformers import AutoConfig, AutoModelForCausalLM

ROWS = 97
SMALL = {
    "vocab_size": ROWS, "hidden_size": 32, "intermediate_size": 48, "num_hidden_layers": 3, "num_attention_heads": 4,
    "num_key_value_heads": 2, "head_dim": 8, "max_position_embeddings": 256,
    "bos_token_id": 1, "eos_token_id": 2, "pad_token_id": None,
}  # fmt: skip
# Windows of 6 tokens, documents of up to 23: the windows matter.
WINDOWED = {"sliding_window": 6, "layer_types": ["sliding_attention", "full_attention", "sliding_attention"]}
SHAPES: dict[str, dict[str, Any]] = {
    "llama": {"model_type": "llama", **SMALL},
    "qwen2": {"model_type": "qwen2", **{k: v for k, v in SMALL.items() if k != "head_dim"}, "use_sliding_window": True, **WINDOWED},
    "gemma": {"model_type": "gemma", **SMALL, "num_key_value_heads": 1},
    "gemma2": {"model_type": "gemma2", **SMALL, **WINDOWED},
    "gemma3": {"model_type": "gemma3_text", **SMALL, **WINDOWED},
    "gpt2": {
        "model_type": "gpt2", "vocab_size": ROWS, "n_embd": 32, "n_layer": 3, "n_head": 4, "n_positions": 256,
        "bos_token_id": 1, "eos_token_id": 2, "resid_pdrop": 0.0, "embd_pdrop": 0.0, "attn_pdrop": 0.0,
    },
}  # fmt: skip


def tiny(shape: str, dtype: torch.dtype = torch.float32, seed: int = 0, **changes: Any) -> Any:
    """A model in evaluation mode whose layers matter: weights are larger than transformers draws them."""
    torch.manual_seed(seed)
    config = AutoConfig.for_model(**{**SHAPES[shape], **changes})
    model = AutoModelForCausalLM.from_config(config, dtype=torch.float32)
    with torch.no_grad():
        for parameter in model.parameters():
            if parameter.ndim > 1:
                parameter.normal_(std=0.2)
    return model.to(dtype).eval()


def documents(lengths: tuple[int, ...] = (5, 23, 1, 9, 12, 2), seed: int = 1) -> list[torch.Tensor]:
    """Random documents (L,) of these lengths."""
    generator = torch.Generator().manual_seed(seed)
    return [torch.randint(3, ROWS, (length,), generator=generator) for length in lengths]


def packed(docs: list[torch.Tensor]) -> dict[str, torch.Tensor]:
    """The row of these documents, every token but each first a target."""
    lengths = [len(d) for d in docs]
    places = torch.cat([torch.arange(n) for n in lengths])
    return {
        "input_ids": torch.cat(docs)[None],
        "position_ids": places[None],
        "cu_seqlens": torch.tensor([0, *lengths]).cumsum(0).int(),
        "weights": (places > 0).float()[None],
    }
