"""Filters without files: rows in, what became of each out."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from dadeum.core.workspace import Workspace
from dadeum.data.filters import FILTERS, Drop, Seen, Tools, Verdict
from dadeum.data.formats import Conversation
from dadeum.data.sources import Part


def talk(question: str, answer: str, **more: Any) -> Conversation:
    """One question and its answer."""
    messages = ({"role": "user", "content": question}, {"role": "assistant", "content": answer})
    return Conversation(messages=messages, **more)


def plain(text: str) -> Conversation:
    """Text without roles."""
    return Conversation(text=text)


def sift(
    settings: dict[str, Any],
    rows: Sequence[Conversation],
    parts: Sequence[Part | None] | None = None,
    root: Path | None = None,
) -> list[Verdict]:
    """Build the filter, show it all rows, and ask it for each. A token is a word."""
    chosen = FILTERS.validate(settings)
    seen = [
        Seen(row, f"rows:{place}", part, place)
        for place, (row, part) in enumerate(zip(rows, parts or [None] * len(rows), strict=True))
    ]
    tools = Tools(
        Workspace(root or Path()),
        row_tokens=lambda row: sum(len(m["content"].split()) for m in row.messages) + len((row.text or "").split()),
        text_tokens=lambda text: len(text.split()),
        places=lambda numbers: {n: f"rows:{n}" for n in numbers},
    )
    sieve = FILTERS.of(chosen).build(chosen, tools)
    if sieve.when != "read":
        for row in seen:
            sieve.look(row)
    return [sieve.judge(row) for row in seen]


def gone(verdicts: Sequence[Verdict]) -> list[int]:
    """Numbers of the rows that go."""
    return [number for number, verdict in enumerate(verdicts) if isinstance(verdict, Drop)]


def reason(verdict: Verdict) -> str:
    """Why a row goes."""
    assert isinstance(verdict, Drop)
    return verdict.reason
