"""B7: what this machine cannot compute in is said in one sentence before anything is loaded; what it can, works."""

from pathlib import Path

import pytest
import torch

from dadeum.model.few_bits import is_quantized
from dadeum.model.save import save_model
from tests.model.quantized import IDS, taught, train
from tests.model.tiny import tiny
from tests.run.lab import NAME, cli, written

__all__ = ["written"]
MODEL = "model={name_or_path: base, quantization: {bits: 4}}"


@pytest.mark.skipif(torch.cuda.is_available(), reason="a GPU has fp16")
def test_half_precision_with_four_bits_on_a_cpu(written: Path) -> None:
    save_model(tiny("llama", vocab_size=400), written / "base")
    found = cli(written, "run", NAME, MODEL, "train.precision=fp16")
    assert found.code == 2 and len(found.errors) == 1
    assert "train.precision: found 'fp16', which needs a GPU" in found.errors[0] and "Traceback" not in found.err
    assert not (written / "data" / "processed").exists()


@pytest.mark.parametrize("precision", ["bf16", "fp32"])
def test_four_bits_on_a_cpu(precision: str, tmp_path: Path) -> None:
    save_model(tiny("llama"), tmp_path)
    model = taught(train(tmp_path, {"bits": 4}, precision=precision), steps=1)
    assert is_quantized(model) and bool(torch.isfinite(model(IDS).logits).all())
