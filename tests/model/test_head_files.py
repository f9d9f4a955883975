"""Heads on disk: saved and loaded again, in transformers' layout where it has a class, and what is damaged is told."""

import json
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file, save_file
from transformers import AutoModel, AutoModelForSequenceClassification, AutoModelForTokenClassification

from dadeum.core.errors import ModelError
from dadeum.export.whole import copy_whole
from dadeum.model.head_files import HeadNote, head_tensors, own_class
from dadeum.model.headed import Headed, head_outputs, without_output
from dadeum.model.heads import HEADS
from dadeum.model.load import load_for_inference
from dadeum.model.merge import merge
from dadeum.model.save import save_model
from scripts.head_cases import padded
from tests.model.adapted import adapted
from tests.model.tiny import SHAPES, documents, tiny

NAMES = ["나쁨", "보통", "좋음"]
KINDS: dict[str, tuple[dict[str, Any], dict[str, Any], Any]] = {
    "single": ({"type": "sequence_classification"}, {"kind": "class", "size": 3, "names": NAMES}, "single_label_classification"),
    "several": (
        {"type": "sequence_classification", "problem": "multi_label"}, {"kind": "classes", "size": 3, "names": NAMES},
        "multi_label_classification",
    ),
    "numbers": ({"type": "regression"}, {"kind": "numbers", "size": 2, "names": None}, "regression"),
    "words": ({"type": "token_classification"}, {"kind": "words", "size": 3, "names": NAMES}, None),
    "reward": ({"type": "reward"}, {"kind": "", "size": 1, "names": None}, None),
}  # fmt: skip
BATCH = padded([doc.numpy() for doc in documents()], pad=1)


def headed(kind: str, core: Any = None) -> Headed:
    settings, labels, _ = KINDS[kind]
    torch.manual_seed(0)
    model = Headed(
        core if core is not None else without_output(tiny("llama")),
        HEADS.validate(settings),
        [{"head": settings["type"], **labels}],
    )
    model.padding = ("<pad>", 1)
    return model.eval()


def said(model: Any) -> dict[str, torch.Tensor]:
    with torch.no_grad():
        return head_outputs(model, BATCH).heads


def equal(some: dict[str, torch.Tensor], others: dict[str, torch.Tensor], bound: float = 0.0) -> None:
    assert some.keys() == others.keys()
    assert all(float((some[name] - others[name]).abs().max()) <= bound for name in some)


@pytest.mark.parametrize("kind", KINDS)
def test_a_whole_model_loads_by_transformers_own_class(kind: str, tmp_path: Path) -> None:
    model = headed(kind)
    save_model(model, tmp_path, pad_id=0)
    config = json.loads((tmp_path / "config.json").read_text(encoding="utf-8"))
    auto = AutoModelForTokenClassification if kind == "words" else AutoModelForSequenceClassification
    theirs, info = auto.from_pretrained(tmp_path, output_loading_info=True)
    assert not info["missing_keys"] and not info["unexpected_keys"] and not info["mismatched_keys"]
    assert config["architectures"] == [type(theirs).__name__] and config["pad_token_id"] == 1
    assert config.get("problem_type") == KINDS[kind][2]
    names = KINDS[kind][1]["names"]
    if names:
        assert theirs.config.id2label == dict(enumerate(names)) and theirs.config.label2id["보통"] == 1
    with torch.no_grad():
        logits = theirs.eval()(**BATCH).logits
    ours = next(iter(said(model).values()))
    mask = BATCH["attention_mask"].bool()
    torch.testing.assert_close(logits[mask] if kind == "words" else logits, ours, rtol=0, atol=1e-6)
    equal(said(load_for_inference(tmp_path)), said(model))
    assert not (tmp_path / "head.safetensors").exists() and not (tmp_path / "generation_config.json").exists()


@pytest.mark.parametrize("shape", SHAPES)
def test_every_family_is_written_and_read_in_both_layouts(shape: str, tmp_path: Path) -> None:
    for more in ({}, {"hidden_sizes": [5]}):
        core = without_output(tiny(shape))
        made = HEADS.validate({"type": "sequence_classification", **more})
        model = Headed(core, made, [{"head": made.type, "kind": "class", "size": 3, "names": NAMES}])
        model.padding = ("<pad>", 1)
        place = tmp_path / str(bool(more))
        save_model(model.eval(), place)
        equal(said(load_for_inference(place)), said(model), 1e-6)
        plain, info = (AutoModel if more else own_class(model)).from_pretrained(place, output_loading_info=True)
        assert not info["missing_keys"] and not info["unexpected_keys"]
        if not more:
            with torch.no_grad():
                logits = plain.eval()(**BATCH).logits
            torch.testing.assert_close(logits, said(model)["sequence_classification"], rtol=0, atol=1e-6)


def test_every_tensor_is_written_once(tmp_path: Path) -> None:
    """faults A13: head and body, and nothing of the layer that is gone."""
    for kind, more in (("single", {}), ("single", {"hidden_sizes": [5], "pooling": "attention"})):
        model = headed(kind)
        if more:
            made = HEADS.validate({"type": "sequence_classification", **more})
            model = Headed(model.module, made, [{"head": made.type, "kind": "class", "size": 3, "names": NAMES}])
        place = tmp_path / str(len(more))
        save_model(model, place)
        stored = sum(t.numel() for file in place.glob("*.safetensors") for t in load_file(file).values())
        assert stored == sum(p.numel() for p in model.parameters())


def test_an_adapter_is_saved_with_its_head_and_merged(tmp_path: Path) -> None:
    """faults A16: nothing of the head is drawn anew."""
    save_model(tiny("llama"), tmp_path / "base")
    model = headed("single", adapted(model=without_output(tiny("llama"))))
    save_model(model, tmp_path / "adapter")
    assert {f.name for f in (tmp_path / "adapter").iterdir()} == {
        "adapter_config.json", "adapter_model.safetensors", "head.json", "head.safetensors",
    }  # fmt: skip
    back = load_for_inference(tmp_path / "adapter", base=tmp_path / "base")
    equal(said(back), said(model))
    merge(tmp_path / "adapter", tmp_path / "base", tmp_path / "merged")
    merged = load_for_inference(tmp_path / "merged")
    equal(said(merged), said(model), 1e-5)
    theirs = AutoModelForSequenceClassification.from_pretrained(tmp_path / "merged").eval()
    with torch.no_grad():
        equal({"sequence_classification": theirs(**BATCH).logits}, said(merged))
    assert theirs.config.pad_token_id == 1 and theirs.config.id2label[0] == "나쁨"
    copy_whole(tmp_path / "merged", tmp_path / "short", "bfloat16")
    assert load_file(tmp_path / "short" / "model.safetensors")["model.norm.weight"].dtype == torch.bfloat16
    equal(said(load_for_inference(tmp_path / "short", dtype="float32")), said(model), 0.05)


def test_a_model_with_a_head_is_no_language_model(tmp_path: Path) -> None:
    save_model(headed("single"), tmp_path)
    (tmp_path / "head.json").rename(tmp_path / "aside.json")
    with pytest.raises(ModelError, match=r"tensors are absent or of another shape and would be random: lm_head.weight"):
        load_for_inference(tmp_path)
    (tmp_path / "aside.json").rename(tmp_path / "head.json")
    from dadeum.generate.engine import Engine

    with pytest.raises(ModelError, match=r"has a head .* writes no text; use `dadeum predict FILE`"):
        Engine.open(tmp_path)


def test_what_is_damaged_or_of_another_head_is_told(tmp_path: Path) -> None:
    """faults A16: a tensor of the head that is not there is an error, not a random one."""
    save_model(tiny("llama"), tmp_path / "base")
    place = tmp_path / "adapter"
    model = headed("single", adapted(model=without_output(tiny("llama"))))
    save_model(model, place)
    kept = head_tensors(model)
    name = "sequence_classification.score.weight"
    for tensors, sentence in (
        ({name: kept[name][:2].contiguous()}, rf"tensors of the head do not fit head.json \({name}\)"),
        ({}, rf"tensors of the head do not fit head.json \({name}\)"),
        ({**kept, "other": torch.zeros(1)}, r"tensors of the head do not fit head.json \(other\)"),
        ({name: kept[name] * float("inf")}, rf"tensor '{name}' of the head holds values that are not finite"),
    ):
        save_file(tensors, place / "head.safetensors")
        with pytest.raises(ModelError, match=sentence):
            load_for_inference(place, base=tmp_path / "base")
    (place / "head.safetensors").write_bytes(b"x" * 20)
    with pytest.raises(ModelError, match=r"head.safetensors: cannot be read"):
        load_for_inference(place, base=tmp_path / "base")
    for value in ({"version": 2}, {"version": 1, "head": {"type": "nothing"}}, {}):
        (place / "head.json").write_text(json.dumps(value), encoding="utf-8")
        with pytest.raises(ModelError, match=r"head.json: no head that this dadeum can read"):
            load_for_inference(place, base=tmp_path / "base")


def test_the_note_is_read_as_it_was_written(tmp_path: Path) -> None:
    model = headed("several")
    save_model(model, tmp_path)
    note = HeadNote.load(tmp_path)
    assert note is not None
    assert (note.settings, note.outlets, note.padding) == (model.settings, model.outlets, ("<pad>", 1))
    assert HeadNote.load(tmp_path / "nowhere") is None
