"""What does not verify is not kept; what is not ours is not replaced."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file

from dadeum.core.artifact import verified
from dadeum.core.errors import ArtifactError, ModelError
from dadeum.core.progress import Silent
from dadeum.export.step import export, forecast
from dadeum.export.targets import merged
from tests.generate.support import save_adapter, save_small

AUTO = merged.Settings()


def test_a_merge_that_is_not_the_adapter_is_thrown_away(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    base = save_small(tmp_path / "base")
    adapter = save_adapter(tmp_path / "final", base)
    out = tmp_path / "run" / "merged"
    export(AUTO, final=adapter, base=base, out=out, reporter=Silent())
    before = (out / "model.safetensors").read_bytes()
    sound = merged.write

    def spoilt(settings: merged.Settings, source: object, folder: Path, reporter: object) -> None:
        sound(settings, source, folder, reporter)  # type: ignore[arg-type]
        tensors = load_file(folder / "model.safetensors")
        tensors["lm_head.weight"] = tensors["lm_head.weight"] + 1e-3 * torch.randn_like(tensors["lm_head.weight"])
        save_file(tensors, folder / "model.safetensors", metadata={"format": "pt"})

    monkeypatch.setattr(merged, "write", spoilt)
    with pytest.raises(ModelError, match=r"a logit differs by .*, expected at most 0\.0001"):
        export(AUTO, final=adapter, base=base, out=out, reporter=Silent())
    assert (out / "model.safetensors").read_bytes() == before
    assert sorted(f.name for f in out.parent.iterdir()) == ["merged"]


def test_an_input_is_never_the_output(tmp_path: Path) -> None:
    base = save_small(tmp_path / "base")
    adapter = save_adapter(tmp_path / "final", base)
    (tmp_path / "alias").symlink_to(base)
    for out in (base, adapter, tmp_path / "alias", base / "merged"):
        with pytest.raises((ModelError, ArtifactError)):
            export(AUTO, final=adapter, base=base, out=out, reporter=Silent())
    assert load_file(base / "model.safetensors")
    assert (adapter / "adapter_model.safetensors").is_file()


def test_a_users_folder_is_not_replaced(tmp_path: Path) -> None:
    base = save_small(tmp_path / "base")
    mine = tmp_path / "mine"
    mine.mkdir()
    (mine / "thesis.txt").write_text("years", encoding="utf-8")
    with pytest.raises(ArtifactError, match=r"holds 'thesis.txt', which dadeum did not write"):
        export(AUTO, final=base, base=None, out=mine, reporter=Silent())
    assert (mine / "thesis.txt").read_text(encoding="utf-8") == "years"


@pytest.mark.parametrize(
    "place",
    [
        pytest.param("export.written", marks=pytest.mark.slow),
        "export.before_rename",
        pytest.param("export.after_rename", marks=pytest.mark.slow),
    ],
)
def test_killed_while_exporting(tmp_path: Path, place: str) -> None:
    base = save_small(tmp_path / "base")
    out = tmp_path / "run" / "merged"
    code = (
        "import sys; from pathlib import Path; from dadeum.core.progress import Silent\n"
        "from dadeum.export.step import export; from dadeum.export.targets import merged\n"
        "export(merged.Settings(), final=Path(sys.argv[1]), base=None, out=Path(sys.argv[2]), reporter=Silent())"
    )
    environment = {**os.environ, "DADEUM_FAULT_POINT": place, "OMP_NUM_THREADS": "1"}
    done = subprocess.run([sys.executable, "-c", code, str(base), str(out)], env=environment, capture_output=True)
    assert done.returncode == -9
    assert out.exists() == (place == "export.after_rename")
    export(AUTO, final=base, base=None, out=out, reporter=Silent())
    assert verified(out).kind == "merged"
    assert sorted(f.name for f in out.parent.iterdir()) == ["merged"]


def test_forecast_adds_up_sizes() -> None:
    assert forecast([AUTO], weights=1000) == {"targets": ["merged"], "bytes": 1000}
    assert forecast([AUTO], weights=None)["bytes"] is None
