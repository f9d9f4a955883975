"""Parquet rows."""

from pathlib import Path

import pyarrow
import pyarrow.parquet
import pytest

from dadeum.core.errors import DataError
from dadeum.core.workspace import Workspace
from dadeum.data.sources import FileFacts, Row, parquet


def test_rows_lists_and_the_index_of_pandas(tmp_path: Path) -> None:
    rows = [{"q": f"질문 {n}", "m": [{"role": "user", "content": "x"}], "__index_level_0__": n} for n in range(2500)]
    pyarrow.parquet.write_table(pyarrow.Table.from_pylist(rows), tmp_path / "f.parquet")
    settings = parquet.Settings(path="f.parquet")
    items = list(parquet.read(settings, parquet.files(settings, Workspace(tmp_path))))
    found = [i for i in items if isinstance(i, Row)]
    assert len(found) == 2500 and isinstance(items[-1], FileFacts)
    assert found[2400].values == {"q": "질문 2400", "m": [{"role": "user", "content": "x"}]}
    assert found[2400].where == "f.parquet:2401"


def test_fields_that_only_other_rows_have_are_absent(tmp_path: Path) -> None:
    rows = [{"m": [{"a": {"city": "서울"}}], "x": None}, {"m": [{"a": {"name": "쌀"}, "b": 1}], "x": 1}]
    pyarrow.parquet.write_table(pyarrow.Table.from_pylist(rows), tmp_path / "f.parquet")
    settings = parquet.Settings(path="f.parquet")
    items = parquet.read(settings, parquet.files(settings, Workspace(tmp_path)))
    assert [i.values for i in items if isinstance(i, Row)] == rows


def test_damaged_file(tmp_path: Path) -> None:
    (tmp_path / "f.parquet").write_bytes(b"PAR1 not at all")
    settings = parquet.Settings(path="f.parquet")
    with pytest.raises(DataError, match="cannot be read as Parquet"):
        list(parquet.read(settings, parquet.files(settings, Workspace(tmp_path))))


@pytest.mark.parametrize("suffix", [".gz", ".zst"])
def test_compressed_from_outside_is_refused_before_anything_is_read(tmp_path: Path, suffix: str) -> None:
    (tmp_path / "d").mkdir()
    (tmp_path / f"d/f.parquet{suffix}").write_bytes(b"x")
    for path in ("d", f"d/f.parquet{suffix}"):
        with pytest.raises(DataError, match="a compressed file around Parquet, which compresses inside; unpack it"):
            parquet.files(parquet.Settings(path=path), Workspace(tmp_path))
