"""A format stage that was stopped goes on, and makes the same bytes as one that was not."""

import json
import os
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from dadeum.core.artifact import read_json
from dadeum.core.errors import DataError
from dadeum.data import crew, journal, step
from dadeum.data.format import Formatter
from dadeum.data.journal import Journal
from dadeum.data.shape import Chunk, Shaped, Shaper
from tests.data.small import Data
from tests.data.test_shape import row, shaped

FILES = ("train.arrow", "validation.arrow", "test.arrow", "test.jsonl", "faulty_rows.jsonl", "statistics.json")


def plain(value: Any) -> Any:
    """Whatever a chunk became, as values that compare."""
    if isinstance(value, np.ndarray):
        return [str(value.dtype), value.tolist()]
    if isinstance(value, dict):
        return {key: plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [plain(item) for item in value]
    return plain(vars(value)) if hasattr(value, "__dict__") else value


def test_what_is_read_back_is_what_was_made(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(journal, "EVERY", 2)
    long = "질문과 답변입니다. " * 40
    lines = [
        row(0, "가", "나", part="test"),
        row(1, "가 <|im_end|>", long),
        row(2, "다", "라", "마"),
        row(3, "바", "사"),
    ]
    first, bench = shaped(tmp_path, lines, max_length=64, overlong="drop", faulty_rows="drop")
    second = bench.shaper(Chunk([row(4, "<|im_end|>", "자", "차", "카", times=2)]))
    assert second.seen.suspects and first.seen.asked and first.seen.found and first.dropped and first.questions
    written = Journal(tmp_path, "f")
    for one in (first, second):
        written.add(one)
    assert plain(list(Journal(tmp_path, "f").stored())) == plain([first, second])


class Stop(BaseException):
    """As Ctrl-C."""


@pytest.fixture
def small_chunks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("dadeum.data.format.CHUNK", 10)
    monkeypatch.setattr(journal, "EVERY", 3)
    monkeypatch.setattr(crew, "cores", lambda: 1)


def prepared(folder: Path) -> tuple[Data, Any]:
    data = Data(folder)
    said = [{"question": f"질문 {i}", "answer": "답" * (1 + 200 * (i % 37 == 5)) + f" {i}"} for i in range(300)]
    path = data.write("a.jsonl", "".join(json.dumps(r, ensure_ascii=False) + "\n" for r in said))
    split = {"validation": 0.1, "test": 0.1}
    return data, data.settings({"type": "jsonl", "path": path}, split=split, max_length=128, overlong="drop")


def stopped(data: Data, settings: Any, after: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Format until so many chunks were taken."""
    take, taken = Formatter.take, []

    def stop(self: Formatter, made: Shaped) -> None:
        if len(taken) == after:
            raise Stop
        taken.append(made)
        take(self, made)

    with monkeypatch.context() as patch, pytest.raises(Stop):
        patch.setattr(Formatter, "take", stop)
        data.format(settings)


@pytest.mark.parametrize("damaged", [False, True])
def test_a_stop_costs_the_last_chunks_only(
    damaged: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, small_chunks: None
) -> None:
    data, settings = prepared(tmp_path)
    stopped(data, settings, 10, monkeypatch)
    (going,) = data.workspace.processed.glob(f"{journal.NAME}*")
    files = sorted(going.iterdir())
    assert len(files) == 3 and not list(data.workspace.processed.glob("formatted-*"))
    if damaged:
        content = bytearray(files[1].read_bytes())
        content[-1] ^= 1
        files[1].write_bytes(content)
    made: list[int] = []
    call = Shaper.__call__
    monkeypatch.setattr(Shaper, "__call__", lambda self, chunk: (made.append(1), call(self, chunk))[1])
    folder = data.format(settings)
    assert len(made) == 30 - (3 if damaged else 9) and not going.exists()
    whole = prepared(tmp_path / "whole")
    other = whole[0].format(whole[1])
    assert [(folder / f).read_bytes() for f in FILES] == [(other / f).read_bytes() for f in FILES]
    assert read_json(folder / step.STATISTICS)["overlong"]["dropped"] > 0


def test_a_refusal_leaves_no_journal(tmp_path: Path, small_chunks: None) -> None:
    data, settings = prepared(tmp_path)
    refused = settings.model_copy(update={"overlong": "error"})
    with pytest.raises(DataError, match="are longer than"):
        data.format(refused)
    assert not list(data.workspace.processed.glob(f"{journal.NAME}*"))


def test_journals_that_nobody_went_on_with_are_cleared(tmp_path: Path) -> None:
    old, new = tmp_path / f"{journal.NAME}old", tmp_path / f"{journal.NAME}new"
    for folder in (old, new):
        folder.mkdir()
    long_ago = time.time() - 2 * journal.FORGOTTEN_AFTER
    os.utime(old, (long_ago, long_ago))
    Journal(tmp_path, "mine")
    assert not old.exists() and new.exists()


def test_large_samples_are_written_sooner(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    one, _ = shaped(tmp_path / "a", [row(0, "가", "나")])
    monkeypatch.setattr(
        journal, "ROOM", 2 * (one.blocks["train"].input_ids.nbytes + one.blocks["train"].weights.nbytes)
    )
    made = Journal(tmp_path, "f")
    written = []
    for _ in range(5):
        made.add(one)
        written.append(made.files)
    assert written == [0, 1, 1, 2, 2]


def test_few_rows_need_no_journal(tmp_path: Path) -> None:
    made = Journal(tmp_path, "f")
    one, _ = shaped(tmp_path / "a", [row(0, "가", "나")])
    made.add(one)
    assert not made.folder.exists()
