"""What weights are stored in, read from headers."""

from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file

from dadeum.core.errors import ModelError
from dadeum.export.whole import stored_dtype


def test_the_type_of_most_bytes_counts(tmp_path: Path) -> None:
    save_file({"a": torch.zeros(10, dtype=torch.float16), "norm": torch.zeros(2)}, tmp_path / "model.safetensors")
    assert stored_dtype(tmp_path) == "float16"
    save_file({"a": torch.zeros(10, dtype=torch.int64)}, tmp_path / "model.safetensors")
    with pytest.raises(ModelError, match="no floating-point weights"):
        stored_dtype(tmp_path)


def test_a_file_of_another_kind_is_refused(tmp_path: Path) -> None:
    (tmp_path / "model.safetensors").write_bytes(b"\xff" * 64)
    with pytest.raises(ModelError, match="is no safetensors file"):
        stored_dtype(tmp_path)


def test_real_weights(material: Path) -> None:
    assert stored_dtype(material / "weights" / "stories260K" / "hf") == "float32"
