"""Every row that is read is kept, or dropped with its reason."""

import json
from pathlib import Path

import pytest

from dadeum.core.errors import DataError
from dadeum.data import step
from tests.data.small import Data, csv

BROKEN = "question,answer\n질문 1,답 1\n질문 2,\n질문 3,답,너무\n질문 4,답 4\n"


@pytest.fixture
def data(tmp_path: Path) -> Data:
    return Data(tmp_path)


def test_faulty_rows_stop_the_stage_and_are_listed(data: Data) -> None:
    settings = data.settings({"type": "csv", "path": data.write("qa.csv", BROKEN)})
    with pytest.raises(DataError) as raised:
        data.preprocess(settings)
    message = str(raised.value)
    assert message.startswith("2 of 4 rows cannot be used, first qa.csv:3: column 'answer' is blank: no answer;")
    assert "data.faulty_rows=drop" in message and "\n" not in message
    (listing,) = (data.root / "data/processed").iterdir()
    assert str(listing) in message
    found = [json.loads(line) for line in listing.read_text(encoding="utf-8").splitlines()]
    assert [(f["where"], f["kind"]) for f in found] == [("qa.csv:3", "no answer"), ("qa.csv:4", "damaged row")]


def test_faulty_rows_dropped_are_counted_and_listed(data: Data) -> None:
    settings = data.settings({"type": "csv", "path": data.write("qa.csv", BROKEN)}, faulty_rows="drop")
    folder = data.preprocess(settings)
    report = json.loads((folder / step.REPORT).read_text(encoding="utf-8"))
    assert (report["read"], report["kept"], report["dropped"]) == (4, 2, {"damaged row": 1, "no answer": 1})
    lines = (folder / step.FAULTY).read_text(encoding="utf-8").splitlines()
    assert [json.loads(line)["where"] for line in lines] == ["qa.csv:3", "qa.csv:4"]
    assert [r["source_row"] for r in data.rows(settings)] == [0, 3]


def test_nothing_usable_is_an_error_even_when_rows_may_be_dropped(data: Data) -> None:
    path = data.write("qa.csv", "question,answer\n1,\n2,\n")
    with pytest.raises(DataError, match=r"none of 2 rows can be used, first qa\.csv:2"):
        data.preprocess(data.settings({"type": "csv", "path": path}, faulty_rows="drop"))


def test_header_without_rows(data: Data) -> None:
    with pytest.raises(DataError, match=r"qa\.csv: holds no rows"):
        data.preprocess(data.settings({"type": "csv", "path": data.write("qa.csv", "question,answer\n")}))


def test_rows_of_several_sources_are_counted_on(data: Data) -> None:
    jsonl = "".join(json.dumps({"Q": f"물음{n}", "A": "답"}) + "\n" for n in range(5))
    settings = data.settings(
        {"type": "csv", "path": data.write("qa.csv", csv(10))},
        {"type": "jsonl", "path": data.write("qa.jsonl", jsonl), "part": "test"},
        split={"validation": 0.1, "test": 0.1},
    )
    rows = data.rows(settings)
    assert [r["source_row"] for r in rows] == list(range(15))
    assert [r["part"] for r in rows[10:]] == ["test"] * 5
    report = data.report(settings)
    assert report["parts"] == {"train": 9, "validation": 1, "test": 5}
    assert [(s["file"], s["rows"], s["format"]) for s in report["sources"]] == [
        ("qa.csv", 10, "question_answer"),
        ("qa.jsonl", 5, "question_answer"),
    ]
    assert report["repeated_answers"] == 4


def test_json_rows_may_leave_out_what_is_optional(data: Data) -> None:
    rows = [
        {"instruction": "a", "output": "b"},
        {"instruction": "c", "input": "d", "output": "e"},
        {"instruction": "f"},
    ]
    settings = data.settings({"type": "json", "path": data.write("f.json", json.dumps(rows))}, faulty_rows="drop")
    assert [r["messages"][0]["content"] for r in data.rows(settings)] == ["a", "c\n\nd"]
    assert data.report(settings)["dropped"] == {"no answer": 1}


@pytest.mark.parametrize(
    ("messages", "kind"),
    [
        ([("user", "a")], "no answer"),
        ([("user", "a"), ("assistant", "b"), ("user", "c")], "no answer"),
        ([("assistant", "b")], "no question"),
        ([("system", "s"), ("assistant", "b")], "no question"),
        ([("user", "a\x00"), ("assistant", "b")], "no text"),
        ([("user", "a\ud83d"), ("assistant", "b")], "no text"),
    ],
)
def test_conversations_that_cannot_be_trained(data: Data, messages: list[tuple[str, str]], kind: str) -> None:
    good = {"messages": [{"role": "user", "content": "x"}, {"role": "assistant", "content": "y"}]}
    bad = {"messages": [{"role": r, "content": c} for r, c in messages]}
    path = data.write("m.jsonl", json.dumps(good) + "\n" + json.dumps(bad))
    assert data.report(data.settings({"type": "jsonl", "path": path}, faulty_rows="drop"))["dropped"] == {kind: 1}


def test_line_ends_become_one_kind_and_all_else_stays(data: Data) -> None:
    path = data.write("qa.csv", 'question,answer\r\n"  하나\r\n둘  ","\t답\r\n\r\n"\r\n')
    settings = data.settings({"type": "csv", "path": path})
    assert [m["content"] for m in data.rows(settings)[0]["messages"]] == ["  하나\n둘  ", "\t답\n\n"]
    assert data.report(settings)["line_ends_changed"] == 1


def test_few_rows_leave_parts_empty_with_a_warning(data: Data) -> None:
    from dadeum.core.progress import Silent

    class Heard(Silent):
        lines: list[str] = []

        def warn(self, text: str) -> None:
            self.lines.append(text)

    heard = Heard()
    data.preprocess(data.settings({"type": "csv", "path": data.write("qa.csv", csv(5))}), reporter=heard)
    assert heard.lines == ["5 rows are too few for the parts asked for; without rows: test, validation"]


def test_progress_counts_rows(data: Data) -> None:
    from dadeum.core.progress import Silent

    class Seen(Silent):
        done: list[float] = []

        def advance(self, done: float, **facts: object) -> None:
            self.done.append(done)

    seen = Seen()
    data.preprocess(data.settings({"type": "csv", "path": data.write("qa.csv", csv(1200))}), reporter=seen)
    assert seen.done == [100, 1100, 1200]
