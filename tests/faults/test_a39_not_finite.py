"""A39: weights with NaN are no success: not written, not loaded."""

from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file, save_file

from dadeum.core.errors import ModelError
from dadeum.model.load import load_for_inference
from dadeum.model.save import save_model
from tests.model.adapted import adapted, folders
from tests.model.tiny import tiny


@pytest.mark.parametrize("value", [float("nan"), float("inf"), float("-inf")])
@pytest.mark.parametrize("make", [adapted, lambda: tiny("llama")])
def test_one_value_stops_the_save_before_anything_is_written(value: float, make: Any, tmp_path: Path) -> None:
    model = make()
    name, tensor = next((n, p) for n, p in model.named_parameters() if p.requires_grad and p.ndim > 1)
    with torch.no_grad():
        tensor[0, 0] = value
    with pytest.raises(ModelError, match=rf"1 of {tensor.numel()} values are not finite"):
        save_model(model, tmp_path / "out")
    assert not list((tmp_path / "out").iterdir())
    assert name


def test_a_poisoned_adapter_is_not_loaded(tmp_path: Path) -> None:
    adapter, base, _ = folders(tmp_path)
    tensors = load_file(adapter / "adapter_model.safetensors")
    next(iter(tensors.values())).fill_(float("nan"))
    save_file(tensors, adapter / "adapter_model.safetensors", metadata={"format": "pt"})
    with pytest.raises(ModelError, match="are not finite"):
        load_for_inference(adapter, base=base)
