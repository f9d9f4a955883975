"""An exported model with a head is held against its source, and one that is another model is refused."""

import shutil
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file

from dadeum.core.artifact import read_json, write_json
from dadeum.core.errors import ConfigError, ModelError
from dadeum.core.progress import Silent
from dadeum.export.head_parity import head_parity
from dadeum.export.step import export
from dadeum.export.targets import TARGETS, Source
from dadeum.train.step import train
from scripts.head_cases import CASES, LORA, head_job, make_base, make_formatted


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> dict[str, tuple[Path, Path]]:
    """`final/` and its base, by head."""
    root = tmp_path_factory.mktemp("trained")
    base, found = make_base(root), {}
    for name in ("sequence_classification", "token_classification", "multi"):
        formatted = make_formatted(root / name, base, CASES[name])
        quantization = {"bits": 8} if name == "multi" else None
        job = head_job(root / name, base, CASES[name], formatted, adapter=LORA, quantization=quantization)
        found[name] = (train(job, Silent()).final, base)
    return found


def test_what_is_exported_is_what_was_trained(
    trained: dict[str, tuple[Path, Path]], tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    for name, (final, base) in trained.items():
        out = tmp_path / name
        found = export(TARGETS.validate("merged"), final=final, base=base, out=out, reporter=Silent())
        assert found["dtype"] == "float32" and found["max_output_difference"] <= 1e-5
        own = {
            "sequence_classification": "LlamaForSequenceClassification",
            "token_classification": "LlamaForTokenClassification",
        }
        assert found.get("transformers_class") == own.get(name)
        assert found.get("transformers_difference", 0.0) <= 1e-5
        # What the merged model is from the one on eight bits is told, not hidden.
        assert ("difference_from_quantised" in found) == (name == "multi")
        assert (out / "labels.json").is_file() and (out / "tokenizer.json").is_file()
    assert "Loading weights" not in capfd.readouterr().err  # progress is drawn by dadeum alone


def test_another_model_is_refused(trained: dict[str, tuple[Path, Path]], tmp_path: Path) -> None:
    final, base = trained["sequence_classification"]
    export(TARGETS.validate("merged"), final=final, base=base, out=tmp_path / "out", reporter=Silent())
    file = tmp_path / "out" / "model.safetensors"
    tensors = load_file(file)
    save_file({**tensors, "score.weight": tensors["score.weight"] + 0.01}, file, metadata={"format": "pt"})
    with pytest.raises(ModelError, match=r"what the head says differs by .* not the trained one and was not kept"):
        head_parity(Source(final, base), tmp_path / "out", exact=True)
    assert torch.isfinite(tensors["score.weight"]).all()


def test_a_file_for_text_alone_is_refused_by_name(trained: dict[str, tuple[Path, Path]], tmp_path: Path) -> None:
    final, base = trained["multi"]
    with pytest.raises(ConfigError, match=r"export: found 'gguf', which takes models that write text, .* use: merged"):
        export(TARGETS.validate("gguf"), final=final, base=base, out=tmp_path / "out", reporter=Silent())


def test_a_model_that_no_token_pads_is_held_against_transformers_as_well(
    trained: dict[str, tuple[Path, Path]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("sequence_classification", "token_classification"):
        final, base = trained[name]
        alone = tmp_path / f"{name}-final"
        shutil.copytree(final, alone)
        note = read_json(alone / "head.json")
        write_json(alone / "head.json", {**note, "pad_token": None, "pad_token_id": None})
        found = export(TARGETS.validate("merged"), final=alone, base=base, out=tmp_path / name, reporter=Silent())
        assert read_json(tmp_path / name / "config.json").get("pad_token_id") is None
        assert found["transformers_difference"] <= 1e-5
