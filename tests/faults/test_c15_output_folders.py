"""C15: a result is written through a link or over a folder that is the user's."""

from pathlib import Path

import pytest

from dadeum.core.artifact import writing
from dadeum.core.errors import ArtifactError
from dadeum.export.output_dir import copy_result


def test_a_link_to_home_removes_nothing(tmp_path: Path) -> None:
    home = tmp_path / "home"
    (home / "pictures").mkdir(parents=True)
    (home / "pictures/가족.jpg").write_bytes(b"1")
    with writing(tmp_path / "final", kind="model", fingerprint="f", made_from={}) as folder:
        (folder / "model.safetensors").write_bytes(b"2")
    (tmp_path / "results").symlink_to(home)
    for out in (tmp_path / "results", home, home / "pictures"):
        with pytest.raises(ArtifactError):
            copy_result(out, final=tmp_path / "final", merged=None, evaluation=None)
    assert [f.relative_to(home).as_posix() for f in sorted(home.rglob("*"))] == ["pictures", "pictures/가족.jpg"]
    assert (tmp_path / "results").is_symlink()
