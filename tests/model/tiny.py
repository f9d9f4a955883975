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
WIDE = {key: value for key, value in SMALL.items() if key != "head_dim"}  # heads share the hidden size
# Windows of 6 tokens, documents of up to 23: the windows matter.
WINDOWED = {"sliding_window": 6, "layer_types": ["sliding_attention", "full_attention", "sliding_attention"]}
SHAPES: dict[str, dict[str, Any]] = {
    "llama": {"model_type": "llama", **SMALL},
    "llama3": {  # Llama 3.2: scaled rotations, of which the short context meets the slow ones too; tied
        "model_type": "llama", **SMALL, "tie_word_embeddings": True, "rope_parameters": {
            "rope_type": "llama3", "rope_theta": 500000.0, "factor": 32.0, "low_freq_factor": 1.0, "high_freq_factor": 4.0,
            "original_max_position_embeddings": 64,
        },
    },
    "smollm2": {  # three heads on one, tied
        "model_type": "llama", **WIDE, "hidden_size": 48, "num_attention_heads": 3, "num_key_value_heads": 1,
        "rope_theta": 100000.0, "tie_word_embeddings": True,
    },
    "smollm3": {  # its third layer does not rotate; tied
        "model_type": "smollm3", **WIDE, "no_rope_layers": [1, 1, 0], "rope_theta": 5000000.0, "tie_word_embeddings": True,
    },
    "qwen2": {"model_type": "qwen2", **WIDE, "use_sliding_window": True, **WINDOWED},
    "qwen3": {"model_type": "qwen3", **SMALL, "head_dim": 16, "tie_word_embeddings": True},
    "mistral": {"model_type": "mistral", **SMALL, "sliding_window": 6},
    "phi3": {"model_type": "phi3", **WIDE, "sliding_window": 6, "partial_rotary_factor": 0.75},
    "exaone4": {  # EXAONE 4.0 32B: three layers with a window that rotate, one without that does not
        "model_type": "exaone4", **WIDE, "num_hidden_layers": 4, "sliding_window": 6, "sliding_window_pattern": 4,
    },
    "gemma": {"model_type": "gemma", **SMALL, "num_key_value_heads": 1},
    "gemma2": {  # caps that these scores and logits reach
        "model_type": "gemma2", **SMALL, **WINDOWED, "attn_logit_softcapping": 4.0, "final_logit_softcapping": 3.0,
        "query_pre_attn_scalar": 12,
    },
    "gemma3": {"model_type": "gemma3_text", **SMALL, **WINDOWED},
    "gpt_neox": {  # Polyglot-Ko: a part of each head rotates
        "model_type": "gpt_neox", **{k: v for k, v in WIDE.items() if k != "num_key_value_heads"}, "rotary_pct": 0.5,
    },
    "gpt2": {
        "model_type": "gpt2", "vocab_size": ROWS, "n_embd": 32, "n_layer": 3, "n_head": 4, "n_positions": 256,
        "bos_token_id": 1, "eos_token_id": 2, "resid_pdrop": 0.0, "embd_pdrop": 0.0, "attn_pdrop": 0.0,
    },
}  # fmt: skip


def seeing(seed: int = 0, **changes: Any) -> Any:
    """A model of Gemma 3's larger kind: `gemma3` below a small tower for pictures. `changes` are of the text model."""
    text = {key: value for key, value in {**SHAPES["gemma3"], **changes}.items() if key != "model_type"}
    sizes = {"hidden_size": 16, "intermediate_size": 16, "num_hidden_layers": 1, "num_attention_heads": 2}
    marks = {"image_token_index": 5, "boi_token_index": 6, "eoi_token_index": 7, "mm_tokens_per_image": 4}
    config = {"text_config": text, "vision_config": {**sizes, "image_size": 28, "patch_size": 14}, **marks}
    return _made({"model_type": "gemma3", **config}, torch.float32, seed)


def longrope(original: int) -> dict[str, Any]:
    """Changes of `phi3` (Phi-3.5, Phi-3 128k): past `original` tokens every row of a pass is rotated otherwise."""
    factors = {"short_factor": [1.0] * 4, "long_factor": [1.5, 2.0, 4.0, 8.0]}
    return {
        "partial_rotary_factor": 1.0,
        "original_max_position_embeddings": original,
        "rope_scaling": {"rope_type": "longrope", **factors},
    }


def tiny(shape: str, dtype: torch.dtype = torch.float32, seed: int = 0, **changes: Any) -> Any:
    """A model in evaluation mode whose layers matter: weights are larger than transformers draws them."""
    return _made({**SHAPES[shape], **changes}, dtype, seed)


def _made(values: dict[str, Any], dtype: torch.dtype, seed: int) -> Any:
    torch.manual_seed(seed)
    model = AutoModelForCausalLM.from_config(AutoConfig.for_model(**values), dtype=torch.float32)
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
