"""Parquet files."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal

from dadeum.core.errors import DataError
from dadeum.core.language import say
from dadeum.core.workspace import Workspace
from dadeum.data import packed
from dadeum.data.sources import Fault, FileFacts, Row, _files

BATCH = 1000
# pandas writes its index as a column.
INDEX = "__index_level_"
SUFFIXES = (".parquet",)


class Settings(_files.FileSettings):
    """Parquet files."""

    type: Literal["parquet"] = "parquet"


def files(settings: Settings, workspace: Workspace) -> list[Path]:
    """The files. Raises DataError for a compressed one: Parquet compresses inside, and is not read from end to end."""
    found = _files.files(settings, workspace)
    wrapped = next((path for path in found if packed.codec(path)), None)
    if wrapped is not None:
        raise DataError(
            say(
                f"{wrapped}: found a compressed file around Parquet, which compresses inside; unpack it",
                f"{wrapped}: Parquet은 안에서 압축하므로 압축된 채로 읽지 않습니다. 풀어서 쓰세요",
            )
        )
    return found


def read(settings: Settings, files: list[Path]) -> Iterator[Row | Fault | FileFacts]:
    """Rows by their number, from 1. A damaged file is a DataError."""
    import pyarrow
    import pyarrow.parquet

    for path, name in _files.named(files):
        number = 0
        try:
            with pyarrow.parquet.ParquetFile(path) as file:
                columns = [name for name in file.schema_arrow.names if not name.startswith(INDEX)]
                for batch in file.iter_batches(batch_size=BATCH, columns=columns):
                    for values in batch.to_pylist():
                        number += 1
                        yield Row({k: _present(v) for k, v in values.items()}, f"{name}:{number}", settings.part)
        except (pyarrow.ArrowException, OSError) as error:
            reason = str(error).split("\n")[0].rstrip(".")
            raise DataError(
                say(f"{path}: cannot be read as Parquet ({reason})", f"{path}: Parquet으로 읽을 수 없습니다 ({reason})")
            ) from None
        yield FileFacts(path)


def _present(value: Any) -> Any:
    """The cell without the nulls that Parquet fills in: structs of a column have the fields of all rows."""
    if isinstance(value, dict):
        return {name: _present(inner) for name, inner in value.items() if inner is not None}
    return [_present(inner) for inner in value] if isinstance(value, list) else value
