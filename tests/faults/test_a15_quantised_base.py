"""A15: an adapter is never trained on or merged into weights that were rounded to a few bits."""

import json
from pathlib import Path

import pytest

from dadeum.core.errors import ModelError
from dadeum.model.merge import merge
from tests.model.adapted import folders


@pytest.mark.parametrize("method", ["bitsandbytes", "gptq", "awq", "fp8"])
def test_a_quantised_base_is_refused(method: str, tmp_path: Path) -> None:
    adapter, base, _ = folders(tmp_path)
    config = json.loads((base / "config.json").read_text("utf-8"))
    config["quantization_config"] = {"quant_method": method, "bits": 4, "load_in_4bit": True}
    (base / "config.json").write_text(json.dumps(config), encoding="utf-8")
    with pytest.raises(ModelError, match="found quantised weights, expected 16 or 32 bits"):
        merge(adapter, base, tmp_path / "merged")
    assert not (tmp_path / "merged").exists()
