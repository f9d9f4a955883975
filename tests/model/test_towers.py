"""What text does not pass through is found, and neither adapted nor trained."""

from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file

from dadeum.core.errors import ModelError
from dadeum.model.adapters import ADAPTERS
from dadeum.model.merge import merge
from dadeum.model.packing import use_packing
from dadeum.model.save import save_model
from dadeum.model.towers import towers
from tests.model.adapted import IDS, adapted
from tests.model.tiny import SHAPES, seeing, tiny


def test_a_model_of_text_has_none() -> None:
    assert all(towers(tiny(shape)) == [] for shape in SHAPES)


def test_the_part_for_pictures_is_one() -> None:
    assert towers(seeing()) == ["model.vision_tower", "model.multi_modal_projector"]


def reached(model: Any) -> None:
    """Every trainable weight gets a gradient from text."""
    use_packing(model)
    model.train()(input_ids=IDS, use_cache=False).logits.logsumexp(-1).sum().backward()
    assert [name for name, p in model.named_parameters() if p.requires_grad and p.grad is None] == []


@pytest.mark.parametrize("targets", ["all-linear", ["q_proj", "v_proj"], r".*\.q_proj"])
def test_matrices_stand_in_the_text_model_only(targets: Any, tmp_path: Path) -> None:
    model = adapted(model=seeing(), target_modules=targets)
    names = [name for name, p in model.named_parameters() if p.requires_grad]
    assert names and all(".language_model." in name for name in names)
    with torch.no_grad():
        expected = model(IDS).logits
    save_model(seeing(), tmp_path / "base")
    save_model(model, tmp_path / "adapter")
    merge(tmp_path / "adapter", tmp_path / "base", tmp_path / "merged")
    from transformers import AutoModelForCausalLM

    found = AutoModelForCausalLM.from_pretrained(tmp_path / "merged")
    assert (found(IDS).logits - expected).abs().max() <= 1e-4
    assert found.get_input_embeddings().weight is found.get_output_embeddings().weight
    before, after = (load_file(tmp_path / place / "model.safetensors") for place in ("base", "merged"))
    assert sorted(before) == sorted(after)
    assert all(torch.equal(before[name], after[name]) for name in before if "vision" in name)
    reached(model)


def test_a_layer_of_the_tower_is_refused_with_those_of_the_text_model() -> None:
    with pytest.raises(
        ModelError, match=r"found 'fc1'.*linear layers are: down_proj, gate_proj, k_proj, o_proj, q_proj"
    ):
        adapted(model=seeing(), target_modules=["fc1"])


def test_all_weights_are_those_of_the_text_model() -> None:
    full = ADAPTERS.validate("full")
    model: Any = ADAPTERS.of(full).apply(full, seeing())
    frozen = {name.split(".")[1] for name, p in model.named_parameters() if not p.requires_grad}
    assert frozen == {"vision_tower", "multi_modal_projector"}
    reached(model)
