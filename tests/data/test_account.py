"""The account of rows: what was kept comes back as it was, and may be judged once more."""

import json
from pathlib import Path

from dadeum.data.account import Account, Kept
from dadeum.data.formats import Conversation
from dadeum.data.keys import ABSENT
from dadeum.data.split import NONE, number

TALK = Conversation(
    messages=({"role": "user", "content": "질문"}, {"role": "assistant", "content": "답\n둘째 줄"}),
    category="가",
    query="q",
    reference="r",
)
ROWS = [
    Kept(0, "a:1", TALK, "<질문><답>", "test", b"1" * 16),
    Kept(2, "a:3", Conversation(text="그냥 글"), "그냥 글", None, ABSENT),
    Kept(3, "b:1", TALK._replace(category=None, query=None), "x", "train", b"2" * 16),
]


def account(folder: Path) -> Account:
    return Account(folder / "kept.jsonl", folder / "faulty.jsonl", seed=0)


def test_rows_come_back_as_they_were_kept(tmp_path: Path) -> None:
    with account(tmp_path) as made:
        for row in ROWS:
            made.keep(row)
        seen: list[tuple[int, Kept]] = []

        def all_of_them(place: int, row: Kept) -> Kept:
            seen.append((place, row))
            return row

        made.close_reading()
        before = made.spool.read_bytes()
        made.sift(all_of_them)
        assert seen == list(enumerate(ROWS))
        assert made.spool.read_bytes() == before and made.kept == 3
        assert made.pins.tolist() == [number("test"), NONE, number("train")]
        assert [made.ids.at(n) for n in range(3)] == [row.id_key for row in ROWS]
    assert sorted(p.name for p in tmp_path.iterdir()) == ["faulty.jsonl", "kept.jsonl"]


def test_rows_that_go_leave_nothing_behind(tmp_path: Path) -> None:
    """The account after a row went out is that of rows among which it never was, and places are those of the judged."""
    left, right = tmp_path / "left", tmp_path / "right"
    for folder in (left, right):
        folder.mkdir()
    with account(left) as made, account(right) as never:
        for row in ROWS:
            made.keep(row)

        def judge(place: int, row: Kept) -> Kept | None:
            assert made.places([1, 2]) == {1: "a:3", 2: "b:1"}
            if place == 0:
                made.drop(row.source_row, row.where, "filter: x", "why", filter=1)
                return None
            return row._replace(text="new")

        made.sift(judge)
        for row in ROWS[1:]:
            never.keep(row._replace(text="new"))
        never.close_reading()
        assert made.spool.read_bytes() == never.spool.read_bytes()
        assert [bytes(c._bytes) for c in (made.prompts, made.exact, made.loose, made.answers, made.ids)] == [
            bytes(c._bytes) for c in (never.prompts, never.exact, never.loose, never.answers, never.ids)
        ]
        assert made.pinned == never.pinned and made.places([1]) == {1: "b:1"}
        assert (made.kept, dict(made.dropped), made.faulty, made.first) == (2, {"filter: x": 1}, 0, None)
        listed = json.loads(made.listing.read_text(encoding="utf-8"))
        assert listed == {"source_row": 0, "where": "a:1", "kind": "filter: x", "reason": "why", "filter": 1}


def test_only_faulty_rows_are_faulty(tmp_path: Path) -> None:
    with account(tmp_path) as made:
        made.drop(0, "a:1", "duplicate", "x")
        made.fault(1, "a:2", "no answer", "y")
        made.fault(2, "a:3", "no answer", "z")
        assert (made.faulty, dict(made.dropped)) == (2, {"duplicate": 1, "no answer": 2})
        assert made.first is not None and made.first["where"] == "a:2"
