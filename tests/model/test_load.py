"""The one loader: types, seeds, fresh and stored weights, and what it refuses."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file, save_file

from dadeum.config.model import ModelSettings
from dadeum.core.errors import ModelError
from dadeum.model.adapters import ADAPTERS
from dadeum.model.attention import NAME
from dadeum.model.configuration import made_config, read_config, without_code
from dadeum.model.load import enable_checkpointing, load_for_inference, load_for_training, make_base
from dadeum.model.save import save_model
from tests.model.tiny import SHAPES, tiny
from tests.model.words import words

FRESH = {
    "model_type": "llama", "hidden_size": 32, "intermediate_size": 48, "num_hidden_layers": 2, "num_attention_heads": 4,
    "tie_word_embeddings": True,
}  # fmt: skip


PRETRAINED = ModelSettings(name_or_path="x")


def load(model: ModelSettings, adapter: str = "full", place: Path | None = None, **more: Any) -> Any:
    options: dict[str, Any] = {"tokenizer": words(), "precision": "fp32", "device": "cpu", "seed": 7, **more}
    return load_for_training(model, ADAPTERS.validate(adapter), place=place, **options)


def fresh(**changes: Any) -> ModelSettings:
    return ModelSettings(init="random", config={**FRESH, **changes})


def weights(model: Any) -> dict[str, torch.Tensor]:
    return {name: p.detach().clone() for name, p in model.named_parameters()}


def same(one: Any, other: Any) -> bool:
    a, b = weights(one), weights(other)
    return a.keys() == b.keys() and all(torch.equal(a[name], b[name]) for name in a)


@pytest.fixture(scope="module")
def stored(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("stored") / "base"
    save_model(tiny("llama", torch.bfloat16), folder)
    return folder


def test_fresh_weights_take_vocabulary_and_ids_from_the_tokenizer() -> None:
    model = load(fresh(), tokenizer=words(61, pad="</s>"))
    assert model.config.vocab_size == 61 == model.get_input_embeddings().weight.shape[0]
    assert (model.config.bos_token_id, model.config.eos_token_id) == (1, 2)
    assert model.config.pad_token_id is None, "padding that is the end token must not freeze its embedding"
    assert model.get_input_embeddings().weight[2].abs().sum() > 0
    assert model.get_input_embeddings().weight is model.get_output_embeddings().weight
    assert load(fresh(vocab_size=128)).config.vocab_size == 128
    assert load(fresh(), tokenizer=words(pad="w5")).config.pad_token_id == 5


def test_fresh_weights_with_the_configuration_of_a_folder(stored: Path) -> None:
    model = load(ModelSettings(init="random", name_or_path=str(stored)), place=stored, tokenizer=words(50))
    assert model.config.num_hidden_layers == 3 and model.config.vocab_size == 50
    assert not torch.equal(model.lm_head.weight[:50], load_for_inference(stored).lm_head.weight[:50])


def test_the_seed_decides_and_nothing_before_it() -> None:
    for adapter in ("full", "lora"):
        torch.manual_seed(1)
        one = load(fresh(), adapter)
        torch.manual_seed(2)
        assert same(one, load(fresh(), adapter))
        assert not same(one, load(fresh(), adapter, seed=8))


def test_a_base_written_first_gives_the_weights_of_the_model_made_in_memory(tmp_path: Path) -> None:
    out = make_base(
        fresh(), place=None, tokenizer=words(), seed=7, out=tmp_path / "base", fingerprint="f", stop_ids=(2, 5)
    )
    assert json.loads((out / "generation_config.json").read_text("utf-8"))["eos_token_id"] == [2, 5]
    for adapter in ("full", "lora"):
        assert same(load(fresh(), adapter), load(fresh(), adapter, place=out))
    lora = load(fresh(), "lora", place=out)
    assert lora.peft_config["default"].base_model_name_or_path == str(out)


@pytest.mark.parametrize(
    ("adapter", "precision", "dtype", "frozen"),
    [
        ("full", "bf16", "auto", None),
        ("full", "fp32", "bfloat16", None),
        ("lora", "fp32", "auto", torch.float32),
        ("lora", "bf16", "auto", torch.bfloat16),
        ("lora", "fp16", "auto", torch.float16),
        ("lora", "bf16", "float32", torch.float32),
        ("lora", "fp32", "bfloat16", torch.bfloat16),
    ],
)
@pytest.mark.parametrize("init", ["random", "pretrained"])
def test_trainable_weights_are_float32_and_frozen_ones_as_set(
    adapter: str, precision: str, dtype: Any, frozen: torch.dtype | None, init: str, stored: Path
) -> None:
    if init == "random":
        model = load(ModelSettings(init="random", config=FRESH, dtype=dtype), adapter, precision=precision)
    else:
        model = load(ModelSettings(name_or_path="x", dtype=dtype), adapter, place=stored, precision=precision)
    assert {p.dtype for p in model.parameters() if p.requires_grad} == {torch.float32}
    assert {p.dtype for p in model.parameters() if not p.requires_grad} == ({frozen} if frozen else set())
    assert model.training


def test_a_short_arithmetic_does_not_shorten_weights_that_are_trained(tmp_path: Path) -> None:
    save_model(tiny("llama"), tmp_path)
    assert same(load(PRETRAINED, place=tmp_path, precision="bf16"), tiny("llama"))


def test_the_adapter_names_its_base_and_revision(stored: Path, tmp_path: Path) -> None:
    hub = load(ModelSettings(name_or_path="some/model", revision="abc"), "lora", place=stored)
    assert (hub.peft_config["default"].base_model_name_or_path, hub.peft_config["default"].revision) == (
        "some/model",
        "abc",
    )
    snapshot = shutil.copytree(stored, tmp_path / "snapshots" / ("a" * 40))
    fetched = load(ModelSettings(name_or_path="some/model"), "lora", place=snapshot)
    assert fetched.peft_config["default"].revision == "a" * 40
    local = load(ModelSettings(name_or_path=str(stored)), "lora", place=stored)
    assert (local.peft_config["default"].base_model_name_or_path, local.peft_config["default"].revision) == (
        str(stored),
        None,
    )


def test_packing_chooses_the_attention_and_can_be_left_out() -> None:
    assert load(fresh()).config._attn_implementation == NAME
    assert load(fresh(), packing=False).config._attn_implementation == "sdpa"
    eager = ModelSettings(init="random", config=FRESH, attn_implementation="eager")
    assert load(eager).config._attn_implementation == "eager"
    recurrent = ModelSettings(
        init="random", config={"model_type": "mamba", "hidden_size": 16, "num_hidden_layers": 2, "state_size": 4}
    )
    load(recurrent, packing=False)
    with pytest.raises(ModelError, match=r"type 'mamba'.*data\.packing"):
        load(recurrent)


def test_attention_dropout_of_the_configuration_acts() -> None:
    model = load(fresh(attention_dropout=0.5))
    ids = torch.arange(3, 23)[None]
    assert not torch.equal(model(ids).logits, model(ids).logits)
    model.eval()
    assert torch.equal(model(ids).logits, model(ids).logits)


def test_the_token_that_is_also_padding_learns(tmp_path: Path) -> None:
    base = tiny("llama", pad_token_id=2)
    assert base.get_input_embeddings().padding_idx == 2
    save_model(base, tmp_path)
    model = load(ModelSettings(name_or_path="x"), place=tmp_path)
    model(torch.tensor([[5, 2, 6]])).logits.sum().backward()
    assert model.get_input_embeddings().weight.grad[2].abs().sum() > 0


@pytest.mark.parametrize("shape", ["llama", "gpt2"])
def test_checkpointing_gives_the_same_gradients_to_adapters(shape: str) -> None:
    def gradients(checkpointing: bool) -> dict[str, torch.Tensor]:
        torch.manual_seed(0)
        lora = ADAPTERS.validate({"type": "lora", "r": 2})
        model: Any = ADAPTERS.of(lora).apply(lora, tiny(shape)).train()
        if checkpointing:
            enable_checkpointing(model)
            assert model.get_base_model().base_model._gradient_checkpointing_func.keywords == {"use_reentrant": False}
            assert model.get_input_embeddings()(torch.tensor([3])).requires_grad
        with torch.no_grad():
            for name, parameter in model.named_parameters():
                if "lora_B" in name:
                    parameter.fill_(0.01)
        model(torch.arange(3, 20)[None], use_cache=False).logits.logsumexp(-1).sum().backward()
        return {name: p.grad for name, p in model.named_parameters() if p.requires_grad}

    plain, saved = gradients(False), gradients(True)
    assert plain.keys() == saved.keys()
    for name, gradient in plain.items():
        assert gradient.abs().max() > 0 and torch.allclose(gradient, saved[name], rtol=1e-4, atol=1e-6), name


def test_a_model_that_cannot_checkpoint_is_refused() -> None:
    model = tiny("llama")
    type(model).supports_gradient_checkpointing, before = False, type(model).supports_gradient_checkpointing
    try:
        with pytest.raises(ModelError, match=r"train\.gradient_checkpointing.*'llama'"):
            enable_checkpointing(model)
    finally:
        type(model).supports_gradient_checkpointing = before


def test_inference_types(stored: Path) -> None:
    model: Any = load_for_inference(stored)
    assert model.dtype == torch.float32 and not model.training
    half: Any = load_for_inference(stored, dtype="bfloat16")
    assert half.dtype == torch.bfloat16


def change(stored: Path, tmp_path: Path, drop: tuple[str, ...] = (), **config: Any) -> Path:
    """A copy of the stored model with other values in its configuration and without some tensors."""
    place = tmp_path / "changed"
    shutil.copytree(stored, place)
    values = json.loads((place / "config.json").read_text("utf-8"))
    (place / "config.json").write_text(json.dumps({**values, **config}), encoding="utf-8")
    if drop:
        tensors = {name: t for name, t in load_file(place / "model.safetensors").items() if name not in drop}
        save_file(tensors, place / "model.safetensors", metadata={"format": "pt"})
    return place


def test_what_is_wrong_with_a_stored_model_is_one_sentence(stored: Path, tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=r"found no config\.json, expected the folder of a model"):
        load(PRETRAINED, place=tmp_path / "nowhere")
    with pytest.raises(ModelError, match=r"model\.name_or_path"):
        load(PRETRAINED)
    cases: list[tuple[dict[str, Any], str]] = [
        ({"hidden_size": 64}, "another shape|size"),
        ({"model_type": "lama"}, "found model_type 'lama'.*did you mean 'llama'"),
        ({"model_type": "strange", "auto_map": {"AutoConfig": "c.C"}}, r"model\.trust_remote_code"),
        ({"model_type": None}, "no 'model_type'"),
        ({"num_hidden_layers": "many"}, "num_hidden_layers"),
        ({"quantization_config": {"quant_method": "bitsandbytes", "load_in_4bit": True}}, "quantised"),
    ]
    for number, (values, pattern) in enumerate(cases):
        place = change(stored, tmp_path / str(number), **values)
        with pytest.raises(ModelError, match=pattern) as caught:
            load(PRETRAINED, place=place)
        assert "\n" not in str(caught.value) and str(place) in str(caught.value)


def test_a_damaged_file_of_weights_is_one_sentence(stored: Path, tmp_path: Path) -> None:
    place = change(stored, tmp_path)
    whole = (place / "model.safetensors").read_bytes()
    for part in (whole[:100], whole[:-50], b""):
        (place / "model.safetensors").write_bytes(part)
        with pytest.raises(ModelError, match="cannot be loaded"):
            load(PRETRAINED, place=place)


@pytest.mark.parametrize(
    ("config", "pattern"),
    [
        ({"model_type": "lama"}, "model.config: found model_type 'lama'.*did you mean 'llama'"),
        ({"hiden_size": 64}, r"model\.config\.hiden_size: unknown key of a 'llama'.*did you mean 'hidden_size'"),
        ({"_attn_implementation": "someone/kernel"}, "unknown key"),
        ({"_attn_implementation_internal": "someone/kernel"}, "unknown key"),
        ({"auto_map": {"AutoConfig": "c.C"}}, "unknown key"),
        ({"hidden_size": 30}, "not a multiple"),
        ({"hidden_size": "wide"}, "hidden_size"),
        ({"hidden_act": "nothing"}, r"model\.config"),
        ({"model_type": "exaone4", "sliding_window": None}, "cannot make a 'exaone4' model's configuration .*by zero"),
        ({"partial_rotary_factor": 0.5}, "partial_rotary_factor: unknown key of a 'llama'"),
        ({"vocab_size": 96}, "largest id is 96, but the model's embedding has 96 rows"),
    ],
)
def test_what_is_wrong_with_a_configuration_is_one_sentence(config: dict[str, Any], pattern: str) -> None:
    with pytest.raises(ModelError, match=pattern) as caught:
        load(fresh(**config))
    assert "\n" not in str(caught.value)


def test_keys_that_name_code_are_left_behind(stored: Path, tmp_path: Path) -> None:
    code = {"auto_map": {"AutoConfig": "c.C"}, "_attn_implementation_internal": "nobody/kernel", "_name": 1}
    assert without_code({**code, "a": {**code, "b": 2}, "c": [1]}) == {"a": {"b": 2}, "c": [1]}
    config = read_config(change(stored, tmp_path, **code))
    assert (
        config._attn_implementation_internal is None
        and not hasattr(config, "auto_map")
        and not hasattr(config, "_name")
    )


def test_general_names_of_a_configuration_are_taken() -> None:
    model = load(
        ModelSettings(
            init="random", config={"model_type": "gpt2", "hidden_size": 32, "n_layer": 2, "num_attention_heads": 4}
        )
    )
    assert (model.config.n_embd, model.config.n_head) == (32, 4)


@pytest.mark.parametrize(
    ("kind", "key", "value", "found"),
    [
        ("gpt_neox", "rotary_pct", 0.5, lambda c: c.rope_parameters["partial_rotary_factor"]),
        ("gpt_neox", "rotary_emb_base", 500.0, lambda c: c.rope_parameters["rope_theta"]),
        ("phi3", "partial_rotary_factor", 0.75, lambda c: c.rope_parameters["partial_rotary_factor"]),
        ("gemma3_text", "rope_local_base_freq", 500.0, lambda c: c.rope_parameters["sliding_attention"]["rope_theta"]),
        ("gemma3_text", "sliding_window_pattern", 2, lambda c: 1 + c.layer_types.index("full_attention")),
        ("smollm3", "rope_theta", 500.0, lambda c: c.rope_parameters["rope_theta"]),
    ],
)
def test_names_that_published_files_hold_are_taken_and_heeded(
    kind: str, key: str, value: Any, found: Callable[[Any], Any]
) -> None:
    assert found(made_config({"model_type": kind, key: value})) == value != found(made_config({"model_type": kind}))


@pytest.mark.parametrize("kind", ["gpt2", "gpt_neox"])
def test_a_name_that_the_class_would_pass_over_in_silence_is_refused(kind: str) -> None:
    with pytest.raises(ModelError, match=f"rope_theta: unknown key of a '{kind}'"):
        made_config({"model_type": kind, "rope_theta": 500.0})


def test_a_real_model(material: Path) -> None:
    place = material / "weights" / "stories260K" / "hf"
    model = load(ModelSettings(name_or_path=str(place)), "lora", place=place, tokenizer=words(512))
    assert model.get_base_model().config._attn_implementation == NAME
    assert sum(p.numel() for p in model.parameters() if not p.requires_grad) > 200_000


def test_shapes_are_read_back(tmp_path: Path) -> None:
    for shape in SHAPES:
        one = tiny(shape)
        save_model(one, tmp_path / shape)
        two: Any = load_for_inference(tmp_path / shape)
        ids = torch.arange(3, 20)[None]
        assert torch.equal(one(ids).logits, two(ids).logits), shape
        written = json.loads((tmp_path / shape / "config.json").read_text("utf-8"))
        assert not any("attn_impl" in key for key in written) and "auto_map" not in written
