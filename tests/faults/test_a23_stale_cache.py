"""A23: what was made from other bytes is not used, and what is damaged is made again."""

import os
from pathlib import Path

import pytest

from dadeum.core import artifact
from dadeum.data import step
from dadeum.data.samples import Samples
from tests.data.small import Data, csv


@pytest.fixture
def data(tmp_path: Path) -> Data:
    return Data(tmp_path)


def test_a_changed_byte_with_size_and_time_kept_is_noticed(data: Data) -> None:
    settings = data.settings({"type": "csv", "path": data.write("qa.csv", csv(20))})
    path = data.root / "qa.csv"
    before, folder = step.inputs(settings, data.workspace), data.preprocess(settings)
    stat = path.stat()
    path.write_bytes(path.read_bytes().replace("답 7입".encode(), "답 8입".encode()))
    os.utime(path, ns=(stat.st_atime_ns, stat.st_mtime_ns))
    assert path.stat().st_size == stat.st_size and path.stat().st_mtime_ns == stat.st_mtime_ns
    assert step.inputs(settings, data.workspace) != before
    again = data.preprocess(settings)
    assert again != folder and data.rows(settings)[7]["messages"][1]["content"] == "답 8입니다"


def test_inputs_depend_on_bytes_and_nothing_else(data: Data) -> None:
    settings = data.settings({"type": "csv", "path": data.write("qa.csv", csv(20))})
    before = step.inputs(settings, data.workspace)
    os.utime(data.root / "qa.csv", (1, 1))
    assert step.inputs(settings, data.workspace) == before


def test_the_prompt_file_counts(data: Data) -> None:
    path = data.write("qa.csv", csv(20))
    text = "training_columns: {q: question, a: answer}\nmessages_format:\n  messages:\n    - {role: user, content: '{q}'}\n    - {role: assistant, content: '{a}'}\n"
    data.write("p.yaml", text)
    settings = data.settings({"type": "csv", "path": path}, prompt="p.yaml")
    before = step.inputs(settings, data.workspace)
    data.write("p.yaml", text.replace("'{q}'", "'{q}!'"))
    assert step.inputs(settings, data.workspace) != before


@pytest.mark.parametrize("name", ["train.arrow", "statistics.json", "manifest.json", "prompt/tokenizer.json"])
@pytest.mark.parametrize("damage", ["changed", "absent"])
def test_a_damaged_folder_is_made_again(data: Data, name: str, damage: str) -> None:
    settings = data.settings({"type": "csv", "path": data.write("qa.csv", csv(20))})
    folder = data.format(settings)
    good = {f.name: f.read_bytes() for f in folder.rglob("*.arrow")}
    file = folder / name
    if damage == "changed":
        file.write_bytes(file.read_bytes()[:-7] + b"1234567")
    else:
        file.unlink()
    assert data.format(settings) == folder
    assert artifact.verified(folder).kind == "formatted"
    assert {f.name: f.read_bytes() for f in folder.rglob("*.arrow")} == good
    assert len(Samples.open(folder / "train.arrow")) == 18


def test_a_killed_writer_leaves_nothing_that_looks_whole(data: Data) -> None:
    import subprocess
    import sys

    data.write("qa.csv", csv(20))
    program = f"""
from pathlib import Path
from tests.data.small import Data
from dadeum.core.workspace import Workspace
data = Data.__new__(Data)
data.root = Path({str(data.root)!r}); data.workspace = Workspace(data.root); data.tokenizer = data.root / "tokenizer"
data.format(data.settings({{"type": "csv", "path": "qa.csv"}}))
"""
    result = subprocess.run(
        [sys.executable, "-c", program],
        cwd=Path(__file__).parents[2],
        env={**os.environ, "DADEUM_FAULT_POINT": "format.written"},
        capture_output=True,
        check=False,
    )
    assert result.returncode == -9
    names = [f.name for f in (data.root / "data/processed").iterdir()]
    assert not any(name.startswith("formatted-") for name in names)
    settings = data.settings({"type": "csv", "path": "qa.csv"})
    folder = data.format(settings)
    assert artifact.verified(folder) and not list((data.root / "data/processed").glob(f"{artifact.ASIDE}*"))
