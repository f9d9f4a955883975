"""Every causal language model of transformers that can be made small by its configuration alone.

What packs gives the logits of separate documents, what batches gives the answers alone, what takes LoRA merges to the same
logits; whatever else is one sentence of ours. Of those that cannot be made from these sizes nothing is said.
"""

import inspect
from typing import Any

import pytest
import torch
from transformers import CONFIG_MAPPING, AutoModelForCausalLM
from transformers.models.auto.modeling_auto import MODEL_FOR_CAUSAL_LM_MAPPING_NAMES

from dadeum.core.errors import ModelError
from dadeum.generate.neighbours import ignores_neighbours
from dadeum.model.adapters import ADAPTERS
from dadeum.model.packing import use_packing
from tests.model.test_attention import run_packed, separate
from tests.model.tiny import documents, packed

LARGEST = 3_000_000
# By the names that configuration classes give them; each takes those that it knows.
SIZES: dict[str, Any] = {
    **dict.fromkeys(("hidden_size", "n_embd", "d_model", "dim", "embedding_size", "lru_width", "attention_hidden_size"), 32),
    **dict.fromkeys(("intermediate_size", "ffn_dim", "decoder_ffn_dim", "encoder_ffn_dim"), 48),
    **dict.fromkeys(("num_hidden_layers", "n_layer", "num_layers", "n_layers", "num_attention_heads", "n_head", "n_heads"), 4),
    **dict.fromkeys(("decoder_attention_heads", "encoder_attention_heads", "num_local_experts", "num_experts"), 4),
    **dict.fromkeys(("n_routed_experts", "state_size", "mamba_d_state", "mamba_n_heads", "index_topk"), 4),
    **dict.fromkeys(("num_key_value_heads", "num_experts_per_tok", "decoder_layers", "encoder_layers", "mamba_expand"), 2),
    **dict.fromkeys(("linear_num_key_heads", "linear_num_value_heads", "index_n_heads"), 2),
    **dict.fromkeys(("head_dim", "q_lora_rank", "kv_lora_rank", "qk_nope_head_dim", "qk_rope_head_dim", "v_head_dim"), 8),
    **dict.fromkeys(("linear_key_head_dim", "linear_value_head_dim", "index_head_dim", "hidden_size_per_layer_input"), 8),
    **dict.fromkeys(("moe_intermediate_size", "shared_expert_intermediate_size", "mamba_d_head"), 16),
    **dict.fromkeys(("n_group", "topk_group", "first_k_dense_replace", "num_shared_experts", "n_shared_experts"), 1),
    **dict.fromkeys(("max_position_embeddings", "n_positions"), 256),
    **dict.fromkeys(("vocab_size", "vocab_size_per_layer_input"), 97),
    # Shorter than the documents: windows and chunks matter.
    **dict.fromkeys(("sliding_window", "attention_chunk_size", "attention_window_size"), 6),
    **dict.fromkeys(("attention_dropout", "resid_pdrop", "embd_pdrop", "attn_pdrop", "hidden_dropout", "dropout"), 0.0),
    **{"bos_token_id": 1, "eos_token_id": 2, "pad_token_id": 0, "use_sliding_window": True, "is_decoder": True},
}  # fmt: skip


def made(kind: str) -> Any:
    """A small model whose layers matter, or a skip."""
    taken = inspect.signature(CONFIG_MAPPING[kind]).parameters
    try:
        config = CONFIG_MAPPING[kind](**{name: value for name, value in SIZES.items() if name in taken})
        config.eos_token_id = None
        with torch.device("meta"):
            weights = sum(p.numel() for p in AutoModelForCausalLM.from_config(config).parameters())
        if weights <= LARGEST:
            torch.manual_seed(0)
            model = AutoModelForCausalLM.from_config(config, dtype=torch.float32).eval()
            model(input_ids=torch.arange(3, 26)[None], use_cache=False)
    except Exception as error:
        pytest.skip(f"{type(error).__name__}: {error}"[:120])
    if weights > LARGEST:
        pytest.skip(f"{weights:,} weights")
    with torch.no_grad():
        for parameter in model.parameters():
            if parameter.ndim > 1:
                parameter.normal_(std=0.2)
    model.generation_config.eos_token_id = None
    return model


KINDS = sorted(kind for kind in MODEL_FOR_CAUSAL_LM_MAPPING_NAMES if kind in CONFIG_MAPPING)


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("kind", KINDS)
def test_packed_is_separate_or_refused(kind: str) -> None:
    model, docs = made(kind), documents()
    expected = separate(model, docs)
    try:
        use_packing(model)
    except ModelError as refusal:
        assert f"'{model.config.model_type}'" in str(refusal) and "\n" not in str(refusal)
        return
    with torch.no_grad():
        found = run_packed(model, packed(docs))
    assert (found - expected).abs().max() <= 1e-4 * expected.abs().max()


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("kind", KINDS)
def test_all_linear_merges_to_the_same_logits_or_is_refused(kind: str) -> None:
    model, lora = made(kind), ADAPTERS.validate({"type": "lora", "r": 2})
    ids = documents()[1][None]
    try:
        adapted: Any = ADAPTERS.of(lora).apply(lora, model)
    except ModelError as refusal:
        assert "name some of them" in str(refusal) and "\n" not in str(refusal)
        return
    adapted(input_ids=ids, use_cache=False).logits.sum().backward()
    reached = [name for name, p in adapted.named_parameters() if p.grad is not None]
    with torch.no_grad():
        for name, parameter in adapted.named_parameters():
            # Those that no gradient reaches stay as they are: the first step of a training refuses them by name.
            if "lora_B" in name and name in reached:
                parameter.normal_(std=0.1)
        expected = adapted(input_ids=ids, use_cache=False).logits
        merged = adapted.merge_and_unload()(input_ids=ids, use_cache=False).logits
    assert (merged - expected).abs().max() <= 1e-4 * expected.abs().max()


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("kind", KINDS)
def test_a_batch_answers_as_its_rows_alone_or_is_not_made(kind: str) -> None:
    model, docs = made(kind), [d for d in documents() if len(d) > 1]
    more = {"max_new_tokens": 12, "do_sample": False, "pad_token_id": 0}
    try:
        alone = [model.generate(d[None], attention_mask=torch.ones_like(d)[None], **more)[0, len(d) :] for d in docs]
    except Exception as error:  # transformers cannot generate with it at all
        pytest.skip(f"{type(error).__name__}: {error}"[:120])
    if not ignores_neighbours(model):
        return
    width = max(len(d) for d in docs)
    ids, mask = torch.zeros(len(docs), width, dtype=torch.int64), torch.zeros(len(docs), width, dtype=torch.int64)
    for row, doc in enumerate(docs):
        ids[row, width - len(doc) :], mask[row, width - len(doc) :] = doc, 1
    together = model.generate(ids, attention_mask=mask, **more)[:, width:]
    for one, other in zip(alone, together, strict=True):
        assert one.tolist() == other.tolist()
