"""The rows that are asked: from the test part, or from a file of questions."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dadeum.core.errors import ArtifactError
from dadeum.core.fingerprint import fingerprint
from dadeum.core.language import say
from dadeum.generate.questions import Question

if TYPE_CHECKING:
    from dadeum.generate.engine import Engine


@dataclass(frozen=True)
class AskedRow:
    """One row of the test: a conversation to answer, or (`text`) plain text to read."""

    messages: tuple[dict[str, Any], ...] = ()
    text: str | None = None
    reference: str | None = None
    references: tuple[str, ...] = ()  # all right answers, where there are several
    source_row: int | None = None
    category: str | None = None
    group: str | None = None  # rows of one context; drawn together where rows are drawn
    asked: str = ""  # what must be equal for two models to have answered the same

    @property
    def question(self) -> str:
        """What the user said last."""
        return next((str(m["content"]) for m in reversed(self.messages) if m["role"] == "user"), "")


def _lines(path: Path) -> Iterator[dict[str, Any]]:
    try:
        with path.open(encoding="utf-8") as file:
            for line in file:
                yield json.loads(line)
    except (OSError, ValueError) as error:
        raise ArtifactError(
            say(
                f"{path}: cannot be read ({error}); format the data again",
                f"{path}: 읽을 수 없습니다 ({error}). 데이터를 다시 만드세요",
            )
        ) from None


def spread(count: int, limit: int | None) -> list[int]:
    """Which of `count` rows a limit keeps: evenly spread, in order."""
    if limit is None or limit >= count:
        return list(range(count))
    return [i * count // limit for i in range(limit)]


def read_rows(path: Path, limit: int | None = None) -> list[AskedRow]:
    """Rows of `test.jsonl`. Raises ArtifactError where it is absent, damaged or empty."""
    lines = list(_lines(path))
    if not lines:
        raise ArtifactError(
            say(
                f"{path}: holds no test rows; raise data.split.test",
                f"{path}: 시험 행이 없습니다. data.split.test를 늘리세요",
            )
        )
    return [row_of(lines[i]) for i in spread(len(lines), limit)]


def row_of(values: dict[str, Any]) -> AskedRow:
    """A line of `test.jsonl`."""
    messages = tuple(values.get("messages", ()))
    text = values.get("text") if not messages else None
    return AskedRow(
        messages=messages,
        text=text,
        reference=values.get("reference"),
        references=tuple(values.get("answers") or ()),
        source_row=values.get("source_row"),
        category=values.get("category"),
        group=values.get("group"),
        asked=fingerprint(text if text is not None else messages),
    )


def rows_of(engine: "Engine", questions: Sequence[Question]) -> list[AskedRow]:
    """Questions of a file as this engine's prompt contract puts them."""
    return [
        AskedRow(
            messages=tuple(engine.contract.messages(q.question)),
            reference=q.reference,
            category=q.category,
            asked=fingerprint(q.question),
        )
        for q in questions
    ]
