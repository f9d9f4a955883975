"""Packed documents give what separate ones give, and nothing crosses: the house's own attention."""

from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.nn.functional import cross_entropy
from transformers import AttentionInterface

from dadeum.core.errors import ModelError
from dadeum.model.adapters import ADAPTERS
from dadeum.model.attention import NAME, packed_attention, running
from dadeum.model.layout import make_plan
from dadeum.model.load import enable_checkpointing
from dadeum.model.nll import token_nll
from dadeum.model.packing import packed_inputs, unwrap, use_packing
from tests.model.tiny import SHAPES, documents, packed, tiny


def run_packed(model: Any, batch: dict[str, torch.Tensor], **more: Any) -> torch.Tensor:
    inputs = packed_inputs(model, batch["input_ids"], batch["position_ids"], batch["cu_seqlens"]) | more
    if "inputs_embeds" in inputs:
        del inputs["input_ids"]
    with running(inputs.get("packed_plan")):
        logits: torch.Tensor = model(**inputs).logits[0]
    return logits


@torch.no_grad()
def separate(model: Any, docs: list[torch.Tensor]) -> torch.Tensor:
    return torch.cat([model(input_ids=d[None], use_cache=False).logits[0] for d in docs])


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize(("dtype", "limit"), [(torch.float64, 1e-10), (torch.float32, 1e-5)])
def test_packed_logits_equal_separate_ones(shape: str, dtype: torch.dtype, limit: float) -> None:
    model, docs = tiny(shape, dtype), documents()
    if shape == "gemma2":
        # transformers' own eager attention rounds its softmax to float32; sdpa refuses the cap.
        model.config._attn_implementation = NAME
    expected = separate(model, docs)
    assert use_packing(model) == NAME
    with torch.no_grad():
        got = run_packed(model, packed(docs))
    assert (got - expected).abs().max() <= limit * expected.abs().max()


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("adapter", ["full", "lora"])
@pytest.mark.parametrize("checkpointing", [False, True])
def test_gradients_do_not_cross(shape: str, adapter: str, checkpointing: bool) -> None:
    model: Any = ADAPTERS.of(ADAPTERS.validate(adapter)).apply(ADAPTERS.validate(adapter), tiny(shape))
    use_packing(model)
    if checkpointing:
        enable_checkpointing(model)
    model.train()
    docs = documents((7, 11, 8))
    batch = packed(docs)
    embeds = unwrap(model).get_input_embeddings()(batch["input_ids"]).detach().requires_grad_()
    logits = run_packed(model, batch, inputs_embeds=embeds)
    cross_entropy(logits[7:17], batch["input_ids"][0, 8:18]).backward()
    assert embeds.grad is not None
    assert embeds.grad[0, 7:17].abs().min(dim=-1).values.max() > 0
    assert torch.count_nonzero(embeds.grad[0, :7]) == 0
    assert torch.count_nonzero(embeds.grad[0, 18:]) == 0


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("checkpointing", [False, True])
def test_parameter_gradients_are_the_sum_of_the_separate_ones(shape: str, checkpointing: bool) -> None:
    docs = documents()
    alone, together = tiny(shape, torch.float64), tiny(shape, torch.float64)
    if shape == "gemma2":
        alone.config._attn_implementation = NAME
    for doc in docs:
        if len(doc) > 1:
            token_nll(alone, padded_one(doc)).nll.double().sum().backward()
    use_packing(together)
    if checkpointing:
        enable_checkpointing(together)
    together.train()
    logits = run_packed(together, packed(docs))
    trained = packed(docs)["weights"][0, 1:] > 0
    cross_entropy(logits[:-1][trained], packed(docs)["input_ids"][0, 1:][trained], reduction="sum").backward()
    for (name, one), other in zip(alone.named_parameters(), together.parameters(), strict=True):
        assert one.grad is not None and other.grad is not None, name
        assert torch.allclose(one.grad, other.grad, rtol=1e-4, atol=1e-6), name


def padded_one(doc: torch.Tensor) -> dict[str, torch.Tensor]:
    weights = torch.ones(1, len(doc))
    weights[0, 0] = 0
    return {"input_ids": doc[None], "attention_mask": torch.ones_like(doc)[None], "weights": weights}


@settings(max_examples=80, deadline=None)
@given(st.lists(st.integers(1, 60), min_size=1, max_size=24))
def test_a_plan_places_every_token_once_and_pads_from_its_own_document(lengths: list[int]) -> None:
    borders = torch.tensor([0, *lengths]).cumsum(0)
    plan = make_plan(borders.int())
    document = torch.repeat_interleave(torch.arange(len(lengths)), torch.tensor(lengths))
    assert torch.equal(plan.gather[plan.scatter], torch.arange(sum(lengths)))
    assert len(set(plan.scatter.tolist())) == sum(lengths)
    assert sum(g.documents for g in plan.groups) == len(lengths)
    for group in plan.groups:
        slots = plan.gather[group.start : group.start + group.documents * group.length].view(group.documents, -1)
        for row in slots:
            own = document[row[0]]
            assert set(document[row].tolist()) == {int(own)}
            real = lengths[int(own)]
            assert torch.equal(row[:real], borders[own] + torch.arange(real))
            assert 2 * real >= group.length
    assert plan.longest[1] == max(lengths)


@pytest.mark.parametrize("shape", SHAPES)
def test_generation_and_padded_rows_are_those_of_sdpa(shape: str) -> None:
    plain, ours = tiny(shape), tiny(shape)
    exact = plain.config._attn_implementation == "sdpa"
    assert exact == (shape != "gemma2")
    use_packing(ours)
    ids = torch.stack(documents((9, 9)))
    mask = torch.ones_like(ids)
    mask[0, :4] = 0
    with torch.no_grad():
        expected, got = (model(ids, attention_mask=mask).logits[mask > 0] for model in (plain, ours))
        assert torch.equal(expected, got) if exact else torch.allclose(expected, got, atol=1e-5)
        options = {"attention_mask": mask, "max_new_tokens": 12, "do_sample": False, "pad_token_id": 0}
        assert torch.equal(plain.generate(ids, **options), ours.generate(ids, **options))


def test_attention_dropout_acts_in_training_and_is_seeded() -> None:
    model = tiny("llama", attention_dropout=0.5)
    use_packing(model)
    batch = packed(documents())

    def run(seed: int) -> torch.Tensor:
        torch.manual_seed(seed)
        return run_packed(model, batch).detach()

    quiet = run(0)
    assert torch.equal(quiet, run(1))
    model.train()
    assert torch.equal(run(0), run(0))
    assert not torch.allclose(run(0), run(1)) and not torch.allclose(run(0), quiet)


class Layer(torch.nn.Module):
    """What a model hands to its attention function."""

    is_causal = True


def call(**more: Any) -> torch.Tensor:
    part = torch.randn(1, 2, 8, 4)
    plan = make_plan(torch.tensor([0, 3, 8], dtype=torch.int32))
    mask = more.pop("attention_mask", None)
    return packed_attention(Layer(), part, part, part, mask, packed_plan=plan, **more)[0]


@pytest.mark.parametrize(
    "argument",
    [{"s_aux": torch.ones(2)}, {"position_bias": torch.ones(1)}, {"head_mask": torch.ones(2)}, {"is_causal": False}],
)
def test_an_argument_that_would_change_the_result_is_refused(argument: dict[str, Any]) -> None:
    assert call().shape == (1, 8, 2, 4)
    call(softcap=None, position_ids=torch.arange(8)[None], use_cache=False)
    with pytest.raises(ModelError, match=r"set data\.packing to false"):
        call(**argument)


def test_windows_that_disagree_and_cached_keys_are_refused() -> None:
    with pytest.raises(ModelError, match="a window of 3 where the mask has 4"):
        call(attention_mask=torch.tensor(4), sliding_window=3)
    with pytest.raises(ModelError, match="a window of 3 where the mask has None"):
        call(sliding_window=3)
    call(sliding_window=5)
    longer = torch.randn(1, 2, 9, 4)
    plan = make_plan(torch.tensor([0, 8], dtype=torch.int32))
    with pytest.raises(ModelError, match="queries"):
        packed_attention(Layer(), longer[:, :, :8], longer, longer, None, packed_plan=plan)


def test_a_layer_that_loses_the_plan_is_refused() -> None:
    part = torch.randn(1, 2, 8, 4)
    with running(make_plan(torch.tensor([0, 8], dtype=torch.int32))), pytest.raises(ModelError, match="does not reach"):
        packed_attention(Layer(), part, part, part, None)


@pytest.mark.parametrize("shape", ["qwen2", "gemma3"])
def test_the_window_comes_from_the_mask_even_if_a_layer_does_not_say_it(
    shape: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def silent(*args: Any, sliding_window: int | None = None, **more: Any) -> Any:
        return packed_attention(*args, **more)

    model, docs = tiny(shape, torch.float64), documents()
    expected = separate(model, docs)
    use_packing(model)
    monkeypatch.setitem(AttentionInterface._global_mapping, NAME, silent)
    with torch.no_grad():
        got = run_packed(model, packed(docs))
    assert (got - expected).abs().max() <= 1e-10 * expected.abs().max()


def test_a_mask_of_the_models_own_is_refused() -> None:
    from transformers.masking_utils import create_causal_mask

    model = tiny("llama")
    use_packing(model)
    batch = packed(documents((10, 3)))
    options = {"inputs_embeds": torch.zeros(1, 13, 4), "attention_mask": None, "past_key_values": None}
    options["position_ids"] = batch["position_ids"]
    with running(make_plan(batch["cu_seqlens"])):
        assert create_causal_mask(config=model.config, **options) is None
        with pytest.raises(ModelError, match="a mask of the model's own"):
            create_causal_mask(config=model.config, or_mask_function=lambda b, h, q, k: k == q + 1, **options)


def test_chunked_attention_is_no_window() -> None:
    from transformers.masking_utils import create_chunked_causal_mask

    model = tiny("llama")
    use_packing(model)
    model.config.attention_chunk_size = 4
    batch = packed(documents((10, 3)))
    with (
        running(make_plan(batch["cu_seqlens"])),
        pytest.raises(ModelError, match="neither causal nor a sliding window"),
    ):
        create_chunked_causal_mask(
            config=model.config, inputs_embeds=torch.zeros(1, 13, 4), attention_mask=None, past_key_values=None,
            position_ids=batch["position_ids"],
        )  # fmt: skip
