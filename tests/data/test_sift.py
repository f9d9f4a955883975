"""Filters through the data stages: order, account, masks, the split, and that nothing is lost."""

import json
import tempfile
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, event, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from dadeum.config.purpose import PRETRAIN
from dadeum.core.errors import DataError
from dadeum.core.progress import Silent
from dadeum.data import step
from dadeum.data.samples import Samples
from tests.data.small import Data, csv

ALONE = {"validation": 0, "test": 0}
ROWS = [
    ("질문 하나", "답 하나"),
    ("질문 둘", "네"),
    ("질문 하나", "답 하나"),
    ("전화번호가 뭐야", "010-1234-5678입니다"),
    ("전화번호가 뭐야", "010-9999-0000입니다"),
    ("질문 여섯", "답이 아주 긴 것도 있습니다"),
    ("hello", "world"),
]


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Data:
    return Data(tmp_path_factory.mktemp("filters"))


def write(data: Data, rows: Any, name: str = "") -> dict[str, Any]:
    """A source with these rows."""
    name = name or Path(tempfile.mkdtemp(dir=data.root)).name + "/rows.jsonl"
    lines = (json.dumps({"question": q, "answer": a}) for q, a in rows)
    return {"type": "jsonl", "path": data.write(name, "\n".join(lines))}


def lines(path: Path) -> list[dict[str, Any]]:
    return [json.loads(text) for text in path.read_text(encoding="utf-8").splitlines()]


def test_each_filter_tells_how_many_which_and_why(data: Data) -> None:
    filters = [
        {"type": "language_share", "min": 0.5},
        {"type": "personal"},
        {"type": "duplicates"},
        {"type": "length", "of": "answer", "min_characters": 2, "max_characters": 10},
    ]
    settings = data.settings(write(data, ROWS, "seven.jsonl"), filters=filters, split=ALONE)
    folder = data.preprocess(settings)
    report = data.report(settings)
    counts = [(f["type"], f["when"], f["rows"], f["dropped"], f["masked"]) for f in report["filters"]]
    # Once masked, the rows with telephone numbers are the same.
    assert counts == [
        ("language_share", "read", 7, 1, 0),
        ("personal", "read", 6, 0, 2),
        ("duplicates", "all", 6, 2, 0),
        ("length", "read", 4, 2, 0),
    ]
    assert report["filters"][1]["hidden"] == {"phone": 2}
    assert report["filters"][3]["settings"]["max_characters"] == 10
    assert (report["read"], report["kept"]) == (7, 2)
    assert report["dropped"] == {"filter: duplicates": 2, "filter: language_share": 1, "filter: length": 2}
    gone = [(d["where"], d["kind"], d["filter"], d["reason"]) for d in lines(folder / step.FAULTY)]
    assert gone == [
        ("seven.jsonl:7", "filter: language_share", 0, "0.0% of the letters are hangul, the limit is 50.0%"),
        ("seven.jsonl:2", "filter: length", 3, "the answer has 1 characters, fewer than 2"),
        ("seven.jsonl:3", "filter: duplicates", 2, "says the same as seven.jsonl:1"),
        ("seven.jsonl:5", "filter: duplicates", 2, "says the same as seven.jsonl:4"),
        ("seven.jsonl:6", "filter: length", 3, "the answer has 15 characters, more than 10"),
    ]
    assert lines(folder / step.MASKED) == [
        {
            "source_row": n,
            "where": f"seven.jsonl:{n + 1}",
            "kind": "filter: personal",
            "filter": 1,
            "hidden": {"phone": 1},
        }
        for n in (3, 4)
    ]
    kept = data.rows(settings)
    assert [row["source_row"] for row in kept] == [0, 3]
    assert kept[1]["messages"][1]["content"] == "[전화번호]입니다"
    assert "[전화번호]입니다" in kept[1]["text"] and "010" not in json.dumps(kept)


def test_the_order_is_that_of_the_yaml(data: Data) -> None:
    """A duplicate that a filter takes out first is no duplicate any more."""
    rows = [("a", "가나다라"), ("b", "가나다라"), ("c", "다")]
    short = {"type": "length", "of": "question", "max_characters": 1}
    repeats = {"type": "answers", "max_repeats": 1}
    other = {"type": "regex", "pattern": "^a$", "of": "question"}
    for filters, expected in (
        ([repeats, other], [2]),
        ([other, repeats], [1, 2]),
        ([short, repeats, other], [2]),
    ):
        settings = data.settings(write(data, rows), filters=filters, split=ALONE)
        assert [row["source_row"] for row in data.rows(settings)] == expected


def test_masks_come_before_tokens(data: Data) -> None:
    from dadeum.tokenizer.load import load_tokenizer

    settings = data.settings(write(data, ROWS), filters=["personal"], split=ALONE)
    folder = data.format(settings)
    tokenizer = load_tokenizer(data.tokenizer)
    samples = Samples.open(folder / "train.arrow")
    texts = [tokenizer.decode(samples[n].input_ids) for n in range(len(samples))]
    assert sum("[전화번호]입니다" in text for text in texts) == 2
    assert not any("010-" in text for text in texts)


def test_tokens_are_those_of_the_samples(data: Data) -> None:
    """`max_tokens` of the whole is what `max_length` counts."""
    source = write(data, ROWS)
    whole = Samples.open(data.format(data.settings(source, split=ALONE, packing=False)) / "train.arrow")
    lengths = sorted(len(whole[n].input_ids) for n in range(len(whole)))
    limit = lengths[3]
    settings = data.settings(source, filters=[{"type": "length", "max_tokens": limit}], split=ALONE)
    assert data.report(settings)["kept"] == sum(length <= limit for length in lengths)
    settings = data.settings(source, filters=[{"type": "length", "min_tokens": limit + 1}], split=ALONE)
    assert data.report(settings)["kept"] == sum(length > limit for length in lengths)


def test_tokens_of_plain_text(data: Data) -> None:
    source = {"type": "text", "path": data.write("t.txt", "짧은 글\n\n" + "아주 긴 글입니다 " * 20)}
    settings = data.settings(source, filters=[{"type": "length", "max_tokens": 60}], split=ALONE)
    report = data.report(settings, PRETRAIN)
    assert report["filters"][0]["dropped"] == 1 and report["kept"] == report["read"] - 1


def test_a_filter_that_drops_everything_is_named(data: Data) -> None:
    source = write(data, ROWS, "all.jsonl")
    for last in ({"type": "regex", "pattern": "없는 말", "matching": "keep"}, {"type": "length", "max_characters": 1}):
        settings = data.settings(source, filters=[{"type": "duplicates", "by": "exact"}, last])
        with pytest.raises(DataError) as raised:
            data.preprocess(settings)
        message = str(raised.value)
        assert message.startswith(
            f"data.filters.1 ({last['type']}): drops all 6 rows that reach it, first all.jsonl:1: "
        )
        listing = Path(message.split("all are listed in ")[1].split(";")[0])
        assert len(lines(listing)) == 7 and "\n" not in message


def test_faulty_rows_are_no_filters_business(data: Data) -> None:
    """A row that cannot be used stops the stage as before; a row that a filter drops does not."""
    rows = [*ROWS, ("질문", ""), ("질문", None)]
    source = write(data, rows)
    chosen = {"filters": [{"type": "language_share", "min": 0.5}], "split": ALONE}
    with pytest.raises(DataError, match="2 of 9 rows cannot be used, first"):
        data.preprocess(data.settings(source, **chosen))
    listings = set((data.root / "data/processed").glob("faulty-*.jsonl"))
    report = data.report(data.settings(source, **chosen, faulty_rows="drop"))
    assert report["dropped"] == {"filter: language_share": 1, "no answer": 2} and report["kept"] == 6
    assert set((data.root / "data/processed").glob("faulty-*.jsonl")) == listings != set()


def test_what_is_left_for_data_duplicates(data: Data) -> None:
    """The filter and the setting agree on who stays; each counts what it drops."""
    held = [("질문 하나", "답 하나")]
    sources = [write(data, ROWS), {**write(data, held), "part": "test"}]
    base = {"split": ALONE}
    by_setting = data.settings(*sources, **base, duplicates="drop_normalised")
    by_filter = data.settings(*sources, **base, filters=["duplicates"])
    both = data.settings(*sources, **base, filters=["duplicates"], duplicates="drop_normalised")
    kept = [[row["source_row"] for row in data.rows(settings)] for settings in (by_setting, by_filter, both)]
    assert kept[0] == kept[1] == kept[2] == [1, 3, 4, 5, 6, 7]
    dropped = [data.report(settings)["dropped"] for settings in (by_setting, by_filter, both)]
    assert dropped == [{"duplicate": 2}, {"filter: duplicates": 2}, {"filter: duplicates": 2}]


def test_contamination_works_after_the_split_whatever_its_place(data: Data) -> None:
    asked = "임대인이 보증금을 돌려주지 않으면 어떻게 하나요?"
    train = write(data, [(f"질문 {n}번은 무엇입니까", f"답 {n}") for n in range(20)] + [(f"{asked} 빨리요", "네")])
    held = {**write(data, [(asked, "내용증명을 보냅니다")], "held.jsonl"), "part": "test"}
    filters = [{"type": "contamination", "share": 0.9}, {"type": "regex", "pattern": "질문 3번"}]
    settings = data.settings(train, held, filters=filters, split={"validation": 0.2, "test": 0})
    report = data.report(settings)
    first, second = report["filters"]
    assert (first["type"], first["when"], first["rows"], first["dropped"]) == ("contamination", "parted", 20, 1)
    assert (second["type"], second["rows"], second["dropped"]) == ("regex", 22, 1)
    assert report["read"] == 22 == report["kept"] + sum(report["dropped"].values())
    assert sum(report["parts"].values()) == report["kept"] == 20 and report["parts"]["test"] == 1
    (gone,) = [d for d in lines(data.preprocess(settings) / step.FAULTY) if d["kind"] == "filter: contamination"]
    assert gone["source_row"] == 20 and gone["reason"] == "holds 100% of what held.jsonl:1 measures"


def test_a_benchmark_makes_the_stage_stale(data: Data) -> None:
    data.write("bench.csv", "question\n세상에서 가장 높은 산의 이름은 무엇입니까\n")
    filters = [{"type": "contamination", "file": "bench.csv"}, {"type": "duplicates", "by": "near"}]
    settings = data.settings(write(data, ROWS), filters=filters)
    before = step.inputs(settings, data.workspace)
    assert len(before["bench.csv"] or "") == 64 and before["datasketch version"]
    data.write("bench.csv", "question\n세상에서 가장 긴 강의 이름은 무엇입니까\n")
    after = step.inputs(settings, data.workspace)
    assert {key for key in after if after[key] != before[key]} == {"bench.csv"}
    with pytest.raises(DataError, match=r"nowhere\.csv: no such file"):
        step.inputs(
            data.settings(write(data, ROWS), filters=[{"type": "contamination", "file": "nowhere.csv"}]), data.workspace
        )


def test_what_was_done_is_noted(data: Data) -> None:
    class Heard(Silent):
        lines: list[str] = []

        def note(self, text: str) -> None:
            self.lines.append(text)

        def warn(self, text: str) -> None:
            self.lines.append(text)

    filters = [{"type": "length", "max_characters": 12}, "personal", "answers"]
    heard = Heard()
    data.preprocess(
        data.settings(write(data, ROWS), filters=filters, split=ALONE, duplicates="drop_exact"), reporter=heard
    )
    assert heard.lines[:2] == [
        "filter length: 3 of 7 rows left out (listed in faulty_rows.jsonl)",
        "1 rows left out: duplicate (listed in faulty_rows.jsonl)",
    ]


def test_without_filters_there_is_nothing_to_tell(data: Data) -> None:
    settings = data.settings({"type": "csv", "path": data.write("plain.csv", csv(12))})
    assert data.report(settings)["filters"] == []
    assert not (data.preprocess(settings) / step.MASKED).exists()


WORDS = st.sampled_from(
    [
        "가",
        "나 ",
        "a",
        "A",
        "010-1234-5678",
        "a@b.kr",
        "...",
        "질문이 조금 긴 글입니다",
        "",
        "\u200b",
        "질문이 조금 긴 글입니다요",
    ]
)
TEXTS = st.lists(WORDS, min_size=1, max_size=3).map(" ".join)
FILTERS = st.lists(
    st.sampled_from(
        [
            {"type": "length", "max_characters": 30},
            {"type": "length", "of": "answer", "max_tokens": 20},
            {"type": "duplicates"},
            {"type": "duplicates", "by": "near", "threshold": 0.5, "of": "question"},
            {"type": "language_share", "min": 0.3},
            {"type": "regex", "pattern": "나"},
            {"type": "answers", "max_repeats": 2},
            {"type": "answers"},
            {"type": "personal"},
            {"type": "personal", "action": "drop", "kinds": ["email"]},
            {"type": "contamination", "n": 4, "share": 0.5, "of": "either"},
        ]
    ),
    max_size=4,
)


@given(rows=st.lists(st.tuples(TEXTS, TEXTS), min_size=1, max_size=14), held=TEXTS, filters=FILTERS)
@hypothesis_settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_nothing_is_lost(data: Data, rows: list[tuple[str, str]], held: str, filters: list[dict[str, Any]]) -> None:
    """Each row is kept or listed, once; counts of filters add up; what is kept stands in the order of reading."""
    sources = [write(data, rows), {**write(data, [(f"질문 {held}", f"답 {held}")]), "part": "test"}]
    settings = data.settings(*sources, filters=filters, faulty_rows="drop", duplicates="drop_exact")
    try:
        folder = data.preprocess(settings)
        event("made")
    except DataError as error:
        event("refused")
        assert "drops all" in str(error) or "none of" in str(error) or "the test part has no rows" in str(error)
        return
    report, kept, gone = data.report(settings), data.rows(settings), lines(folder / step.FAULTY)
    assert report["read"] == len(rows) + 1 == report["kept"] + sum(report["dropped"].values())
    assert len(kept) == report["kept"] == sum(report["parts"].values())
    order = [row["source_row"] for row in kept]
    assert order == sorted(order) and sorted([*order, *(d["source_row"] for d in gone)]) == list(range(len(rows) + 1))
    by_filter = [sum(d.get("filter") == n for d in gone) for n in range(len(filters))]
    assert [f["dropped"] for f in report["filters"]] == by_filter
    assert [f["type"] for f in report["filters"]] == [f["type"] for f in filters]
    assert sum(f["dropped"] for f in report["filters"]) == sum(
        count for kind, count in report["dropped"].items() if kind.startswith("filter: ")
    )
    masked = lines(folder / step.MASKED) if (folder / step.MASKED).exists() else []
    assert [sum(m["filter"] == n for m in masked) for n in range(len(filters))] == [
        f["masked"] for f in report["filters"]
    ]
