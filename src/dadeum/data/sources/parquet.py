"""Parquet files."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Literal

from dadeum.core.errors import DataError
from dadeum.core.language import say
from dadeum.core.settings import MemberSettings, setting
from dadeum.core.workspace import Workspace
from dadeum.data.files import locate
from dadeum.data.sources import Fault, FileFacts, Part, Row

BATCH = 1000
# pandas writes its index as a column.
INDEX = "__index_level_"


class Settings(MemberSettings):
    """A Parquet file."""

    type: Literal["parquet"] = "parquet"
    path: str = setting(
        ..., "The file; relative paths start at the workspace.", "파일. 상대 경로는 작업 폴더에서 시작합니다."
    )
    part: Part | None = setting(
        None,
        "The part that all its rows belong to; default: the split draws.",
        "모든 행이 속할 부분. 기본값은 나누기가 정합니다.",
    )


def files(settings: Settings, workspace: Workspace) -> list[Path]:
    """The one file."""
    return [locate(workspace, settings.path)]


def read(settings: Settings, files: list[Path]) -> Iterator[Row | Fault | FileFacts]:
    """Rows by their number, from 1. A damaged file is a DataError."""
    import pyarrow
    import pyarrow.parquet

    for path in files:
        number = 0
        try:
            with pyarrow.parquet.ParquetFile(path) as file:
                columns = [name for name in file.schema_arrow.names if not name.startswith(INDEX)]
                for batch in file.iter_batches(batch_size=BATCH, columns=columns):
                    for values in batch.to_pylist():
                        number += 1
                        yield Row(values, f"{path.name}:{number}", settings.part)
        except (pyarrow.ArrowException, OSError) as error:
            reason = str(error).split("\n")[0].rstrip(".")
            raise DataError(
                say(f"{path}: cannot be read as Parquet ({reason})", f"{path}: Parquet으로 읽을 수 없습니다 ({reason})")
            ) from None
        yield FileFacts(path)
