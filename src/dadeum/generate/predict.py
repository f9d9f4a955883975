"""A file of rows in, a file of what a model with heads says of them out: in order, a part at a time."""

import json
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TextIO

from dadeum.core.errors import DataError
from dadeum.core.language import say
from dadeum.core.progress import Reporter
from dadeum.generate.label_rows import Asked, Reader, Survey, chunks, rows
from dadeum.generate.predictor import Predictor
from dadeum.generate.questions import csv_lines

WRITTEN = (".csv", ".jsonl")
BATCHES = 16  # rows of so many batches are read at once, so that those of like length share one
UNDER = "predicted"
Said = dict[str, Any]


def check_output(path: Path, rows: Path) -> None:
    """Raises DataError where predictions of the file `rows` cannot be written under that name."""
    if path.suffix.lower() not in WRITTEN:
        raise DataError(
            say(
                f"{path}: found '{path.suffix}', expected a name that ends in .csv or .jsonl",
                f"{path}: '{path.suffix}'(으)로는 쓸 수 없습니다. .csv나 .jsonl로 끝나는 이름이어야 합니다",
            )
        )
    if path.is_dir():
        raise DataError(say(f"{path}: is a folder, expected a file", f"{path}: 파일이 아니라 폴더입니다"))
    if path.exists() and rows.exists() and path.samefile(rows):
        raise DataError(
            say(
                f"{path}: holds the rows themselves, which would be overwritten; give -o another name",
                f"{path}: 예측할 행이 든 파일이라 덮어쓰게 됩니다. -o에 다른 이름을 쓰세요",
            )
        )
    if not path.absolute().parent.is_dir():
        raise DataError(say(f"{path.parent}: no such folder", f"{path.parent}: 그런 폴더가 없습니다"))


def predict_file(
    predictor: Predictor,
    path: Path,
    found: Survey,
    out: Path | None,
    *,
    columns: Mapping[str, str],
    batch_size: int,
    reporter: Reporter,
    show: Callable[[str], object] = print,
) -> int:
    """Write what is said of each row of `path` into `out`, or `show` it as lines of JSON; how many were cut to the context.

    `out` appears whole or not at all. Raises DataError with the place of a row that cannot be read.
    """
    read = Reader(predictor, path, found, columns)
    if out is None or out.suffix.lower() != ".csv":
        _free(path, found.columns, [UNDER])
    reporter.start(predictor.name, found.rows, say("rows", "행"))
    done = cut = 0
    with _writer(out, path, found.columns, show) as write:
        for some in chunks((read(row) for row in rows(path)), batch_size * BATCHES):
            said: dict[int, Said] = {}
            for places in _batches(some, batch_size):
                outputs = predictor.outputs([some[at].sequences for at in places])
                said |= {at: _of_row(predictor, some[at], one) for at, one in zip(places, outputs, strict=True)}
                reporter.advance(done + len(said))
            write(some, [said[at] for at in range(len(some))])
            done += len(some)
            cut += sum(asked.cut for asked in some)
    return cut


def _batches(some: Sequence[Asked], size: int) -> Iterator[list[int]]:
    """Places of rows of like length."""
    order = sorted(range(len(some)), key=lambda at: -max(map(len, some[at].sequences)))
    for begin in range(0, len(order), size):
        yield order[begin : begin + size]


def _of_row(predictor: Predictor, asked: Asked, outputs: Mapping[str, Any]) -> Said:
    """What is said of a row: of a pair its two scores, of words by word, of several heads by the head's name."""
    if predictor.takes == "pair" and len(asked.sequences) == 2:
        (name,) = outputs
        better, worse = (float(score) for score in outputs[name][:, 0])
        return {"score": better, "rejected_score": worse}
    said = predictor.says(outputs)
    if predictor.takes == "words":
        said = {name: _by_word(one, asked) for name, one in said.items()}
    return dict(said) if len(said) > 1 else next(iter(said.values()))


def _by_word(one: Mapping[str, Sequence[Any]], asked: Asked) -> Said:
    """Of lists with a place for each token those of the words' first tokens; None for a word that has none."""
    picked = {key: [None if at is None else values[at] for _, at in asked.words] for key, values in one.items()}
    return {"words": [word for word, _ in asked.words], **picked}


Write = Callable[[Sequence[Asked], Sequence[Said]], None]


@contextmanager
def _writer(out: Path | None, path: Path, columns: Sequence[str], show: Callable[[str], object]) -> Iterator[Write]:
    if out is None:
        yield _lines(show)
        return
    aside = out.with_name(f".{out.name}.{os.getpid()}.part")
    try:
        with aside.open("w", encoding="utf-8", newline="") as file:
            lines = _lines(lambda line: file.write(line + "\n"))
            yield _table(file, path, columns) if out.suffix.lower() == ".csv" else lines
        os.replace(aside, out)
    finally:
        aside.unlink(missing_ok=True)


def _free(path: Path, columns: Sequence[str], names: Sequence[str]) -> None:
    """Raises DataError where the file of rows has a column of such a name: of two, one would be lost."""
    twice = next((name for name in names if name in columns), None)
    if twice is not None:
        raise DataError(
            say(
                f"{path}: has a column '{twice}' already, where the prediction would stand; rename it, or take it out",
                f"{path}: 예측이 들어갈 '{twice}' 열이 이미 있습니다. 이름을 바꾸거나 빼세요",
            )
        )


def _lines(show: Callable[[str], object]) -> Write:
    """A row as an object of JSON, with what is said of it under a name of its own."""

    def write(some: Sequence[Asked], said: Sequence[Said]) -> None:
        for asked, one in zip(some, said, strict=True):
            show(json.dumps({**asked.values, UNDER: one}, ensure_ascii=False, default=str))

    return write


def _table(file: TextIO, path: Path, columns: Sequence[str]) -> Write:
    """The columns of the file, and after them those of the prediction of its first row."""
    header: list[str] = []

    def write(some: Sequence[Asked], said: Sequence[Said]) -> None:
        flat = [flattened(one) for one in said]
        if not header:
            _free(path, columns, list(flat[0]))
            header.extend(flat[0])
            file.write("\ufeff" + csv_lines([[*columns, *header]]))
        cells = (
            [*(asked.values.get(name) for name in columns), *(one.get(name) for name in header)]
            for asked, one in zip(some, flat, strict=True)
        )
        file.write(csv_lines([_cell(value) for value in row] for row in cells))

    return write


def flattened(said: Mapping[str, Any], before: str = "") -> dict[str, Any]:
    """As columns: `predicted_label`, `probability_…` by class, and before these the head's name where there are several."""
    found: dict[str, Any] = {}
    for key, value in said.items():
        if key == "probabilities" and isinstance(value, Mapping):
            found |= {f"{before}probability_{name}": share for name, share in value.items()}
        elif isinstance(value, Mapping):
            found |= flattened(value, f"{before}{key}_")
        else:
            found[f"{before}{UNDER}_{key}"] = value
    return found


def _cell(value: Any) -> Any:
    return json.dumps(value, ensure_ascii=False, default=str) if isinstance(value, list | dict) else value
