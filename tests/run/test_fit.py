"""What cannot go together ends a run before anything is made: exit 2, one sentence, both names."""

import re
from pathlib import Path

import pytest

from dadeum.core.errors import ConfigError, ModelError
from dadeum.model import quantize
from dadeum.model.adapters import ADAPTERS
from dadeum.model.save import save_model
from dadeum.run.fit import fits, mergeable
from dadeum.tokenizer.load import load_tokenizer
from tests.model.tiny import tiny
from tests.run.lab import NAME, cli, lab_of, plan_of, runs_of, stale

PREFIX = "adapter={type: prefix_tuning, num_virtual_tokens: 4}"
DRAWN = "adapter={type: lora, init_lora_weights: pissa_niter_2}"


@pytest.mark.parametrize(
    ("overrides", "said"),
    [
        ((PREFIX, "export=[]"), "found 'prefix_tuning' beside 'data.packing: true', which cannot go together; set data.packing to false"),
        ((PREFIX, "export=[]", "data.packing=false", "train.gradient_checkpointing=true"), "beside 'train.gradient_checkpointing: true'"),
        ((PREFIX, "data.packing=false"), "export: found 'merged', which is a whole model, but adapter 'prefix_tuning'"),
        (("adapter={type: peft, peft_type: BEFT}",), "adapter 'BEFT' with these settings cannot be merged"),
        (("adapter={type: peft, peft_type: LOHA, rank: 3}",), "adapter.rank: PEFT's 'LOHA' has no such setting"),
        (("adapter={type: peft, peft_type: LOHAA}",), "found 'LOHAA', expected one of PEFT's: .*did you mean 'LOHA'"),
        (("adapter={type: lora, target_modules: [c_attn]}",), r"found 'c_attn', which this model cannot take; its linear layers are"),
        (("adapter={type: lora, layers_to_transform: [2]}",), "layers_to_transform: found 2, expected numbers from 0 to 1"),
        (("adapter={type: lora, init_lora_weights: loftq}", "export=[]"), "found 'loftq' beside 'model.quantization: null'"),
        (("adapter={type: full, freeze: [wte]}",), "adapter.freeze: found 'wte'"),
    ],
)  # fmt: skip
def test_a_run_ends_before_its_data_are_made(overrides: tuple[str, ...], said: str, written: Path) -> None:
    found = cli(written, "run", NAME, *overrides)
    assert found.code == 2 and len(found.errors) == 1, found
    assert re.search(said, found.errors[0].replace("\n", " ")), found.errors
    assert not (written / "data" / "processed").exists() and not (written / "checkpoints").exists()


def test_the_plan_says_so_too(written: Path) -> None:
    found = cli(written, "plan", NAME, PREFIX, "--no-data")
    assert found.code == 2 and "data.packing" in found.errors[0]


@pytest.mark.parametrize(
    "adapter", ["adapter=ia3", DRAWN, "adapter={type: peft, peft_type: UNILORA, target_modules: [q_proj]}"]
)
def test_what_fits_is_let_through(adapter: str, written: Path) -> None:
    """First values of weights and methods that look at them find none on the meta device, and that is no misfit."""
    fits(lab_of(written, adapter), plan_of(written, adapter))


def test_an_output_layer_that_is_untied_may_be_adapted(written: Path) -> None:
    tied = "model.config.tie_word_embeddings=true"
    lora = "adapter={type: lora, target_modules: [lm_head]}"
    with pytest.raises(ModelError, match="found 'lm_head', whose weights are also those of another layer"):
        fits(lab_of(written, tied, lora), plan_of(written, tied, lora))
    untied = "model.untie_embeddings=true"
    fits(lab_of(written, tied, lora, untied), plan_of(written, tied, lora, untied))


def test_a_whole_model_needs_an_adapter_that_can_be_merged() -> None:
    for named in ("full", "lora", "adalora", "vera", "ia3"):
        mergeable(ADAPTERS.validate(named), "merged")
    for named in ("prompt_tuning", "prefix_tuning"):
        with pytest.raises(ConfigError, match=r"found 'gguf'.*set export to \[\]"):
            mergeable(ADAPTERS.validate(named), "gguf")


@pytest.fixture
def stored(written: Path) -> Path:
    """The workspace with a base in a folder."""
    save_model(tiny("llama", vocab_size=400), written / "base")
    return written


BASE = "model={name_or_path: base"


@pytest.mark.parametrize(
    ("overrides", "said"),
    [
        ((f"{BASE}, quantization: {{bits: 4}}}}", "adapter=full"), r"model\.quantization: not with adapter 'full'"),
        ((f"{BASE}, quantization: {{bits: 8, type: nf4}}}}",), r"type: only with 'bits: 4'; leave it out"),
        ((f"{BASE}, quantization: {{bits: 4}}}}", "train.precision=fp16"), r"train\.precision: found 'fp16', which needs a GPU"),
        ((f"{BASE}}}", "adapter={type: vera}", "tokenizer.add_special_tokens=[<a>]"),
         r"tokenizer\.add_special_tokens: adapter 'vera' with these settings would not train the rows"),
        ((f"{BASE}}}", "tokenizer.add_special_tokens=['<|im_end|>']"), "found '<|im_end|>', which the tokenizer has already"),
    ],
)  # fmt: skip
def test_a_base_that_is_held_otherwise(overrides: tuple[str, ...], said: str, stored: Path) -> None:
    """Faults A13, B7: refused with one sentence; no weight is read, nothing is left behind."""
    found = cli(stored, "run", NAME, *overrides)
    assert found.code == 2 and len(found.errors) == 1, found
    assert re.search(said.replace("|", r"\|"), found.errors[0].replace("\n", " ")), found.errors
    assert not list((stored / "checkpoints").glob("*/*/final"))


def test_without_bitsandbytes_the_plan_says_how_to_get_it(stored: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(quantize, "PACKAGE", "bitsandbytes_that_nobody_has")
    for verb in ("plan", "run"):
        words = (verb, NAME, f"{BASE}, quantization: {{bits: 4}}}}", *(["--no-data"] if verb == "plan" else []))
        found = cli(stored, *words)
        assert found.code == 2 and 'pip install "dadeum[quantize]"' in found.errors[0]


def a_teacher(root: Path, *more: str) -> str:
    """A small model with the workspace's tokenizer, which may have more tokens; the objective that learns from it."""
    folder = root / "teacher"
    tokenizer = load_tokenizer(root / "tokenizer")
    tokenizer.add_tokens(list(more))
    save_model(tiny("llama", vocab_size=len(tokenizer)), folder)
    tokenizer.save_pretrained(str(folder))
    return "train.objective={type: distillation, teacher_model_name_or_path: teacher}"


def test_a_teacher_with_another_vocabulary_ends_a_run_before_its_data_are_made(written: Path) -> None:
    found = cli(written, "run", NAME, a_teacher(written, "<think>"))
    assert found.code == 2 and len(found.errors) == 1, found
    assert (
        "has another vocabulary than the model (1 tokens differ, first '<think>' is not in the model's"
        in found.errors[0]
    )
    assert not (written / "data" / "processed").exists() and not (written / "checkpoints").exists()


def test_a_teacher_trains_a_model_through_a_whole_run(written: Path) -> None:
    """And one byte of its weights makes the training stale, and nothing that stands before it."""
    objective = a_teacher(written)
    words = (objective, "train.objective.store_top_k=3", "train.max_steps=2", "evaluate.limit=1")
    cli(written, "run", NAME, *words)
    (run,) = runs_of(written)
    assert run.record()["status"] == "finished" and run.record()["materials"]["teacher"]["name"] == "teacher"
    assert (run.checkpoints / "teacher" / "train-00000.safetensors").is_file()
    assert stale(written, *words) == []
    weights = written / "teacher" / "model.safetensors"
    data = weights.read_bytes()
    weights.write_bytes(data[:-1] + bytes([data[-1] ^ 1]))
    assert plan_of(written, *words).step("train").why == "changed: teacher"
    assert plan_of(written, *words).step("format").fresh
