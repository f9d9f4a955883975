"""A31: an adapter whose tensors do not all fit must not be loaded as a fresh one."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file

from dadeum.core.errors import ModelError
from dadeum.model.load import load_for_inference
from tests.model.adapted import folders

Tensors = dict[str, torch.Tensor]
NAME = "base_model.model.model.layers.0.self_attn.q_proj.lora_B.weight"


def without_one(tensors: Tensors) -> None:
    del tensors[NAME]


def with_one_more(tensors: Tensors) -> None:
    tensors["base_model.model.model.layers.9.self_attn.q_proj.lora_B.weight"] = torch.zeros(2)


def renamed(tensors: Tensors) -> None:
    for name in list(tensors):
        tensors[name.replace("base_model.model.", "")] = tensors.pop(name)


def of_another_rank(tensors: Tensors) -> None:
    tensors[NAME] = torch.zeros(32, 7)


def nothing(tensors: Tensors) -> None:
    tensors.clear()


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (without_one, "is absent"),
        (with_one_more, "belongs to no layer"),
        (renamed, "is absent"),
        (of_another_rank, "another shape"),
        (nothing, "is absent"),
    ],
)
def test_every_tensor_must_fit(change: Callable[[Tensors], None], said: str, tmp_path: Path) -> None:
    adapter, base, _ = folders(tmp_path)
    tensors = load_file(adapter / "adapter_model.safetensors")
    change(tensors)
    save_file(tensors, adapter / "adapter_model.safetensors", metadata={"format": "pt"})
    with pytest.raises(ModelError, match=said):
        load_for_inference(adapter, base=base)


def test_a_configuration_of_another_rank_is_refused(tmp_path: Path) -> None:
    adapter, base, _ = folders(tmp_path)
    config = json.loads((adapter / "adapter_config.json").read_text("utf-8"))
    (adapter / "adapter_config.json").write_text(json.dumps({**config, "r": 5}), encoding="utf-8")
    with pytest.raises(ModelError, match="another shape"):
        load_for_inference(adapter, base=base)
