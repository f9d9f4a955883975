"""B21: duplicate rows and ids are counted as a simple oracle counts them, and left out where that is asked for."""

import json
import tempfile
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.data.small import Data

WORDS = st.sampled_from(["\uac00", "\u1100\u1161", "a", "A", " a", "a ", "a\u3000b", "a b", "A\tB", "b.", "b"])
ROWS = st.lists(st.tuples(WORDS, WORDS, st.sampled_from([1, 2, 3, None])), min_size=2, max_size=25)


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Data:
    return Data(tmp_path_factory.mktemp("duplicates"))


def plain(text: str) -> str:
    return " ".join(text.lower().split())


def left(rows: list[tuple[str, str]]) -> int:
    """Pair by pair: a row that equals one before it is one too many."""
    return sum(any(rows[j] == rows[i] for j in range(i)) for i in range(len(rows)))


@pytest.mark.parametrize("kind", ["jsonl", "csv"])
@given(rows=ROWS)
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_counts_are_the_oracles(data: Data, kind: str, rows: list[tuple[str, str, int | None]]) -> None:
    name = Path(tempfile.mkdtemp(dir=data.root)).name + "/rows." + kind
    if kind == "jsonl":
        text = "".join(json.dumps({"id": number, "question": q, "answer": a}) + "\n" for q, a, number in rows)
    else:
        cells = (f'{"" if number is None else number},"{q}","{a}"\n' for q, a, number in rows)
        text = "id,question,answer\n" + "".join(cells)
    source = {"type": kind, "path": data.write(name, text)}
    # The one thing that is made equal before comparing: Hangul is composed.
    composed = [(q.replace("\u1100\u1161", "\uac00"), a.replace("\u1100\u1161", "\uac00")) for q, a, _ in rows]
    exact = left(composed)
    loose = left([(plain(q), plain(a)) for q, a in composed])
    ids = [number for _, _, number in rows if number is not None]
    expected = {"exact": exact, "normalised": loose, "ids": len(ids) - len(set(ids))}
    for how, gone in (("keep", 0), ("drop_exact", exact), ("drop_normalised", loose)):
        report = data.report(data.settings(source, duplicates=how))
        assert report["duplicates"] == expected
        assert (report["read"], report["kept"]) == (len(rows), len(rows) - gone)
        assert report["dropped"] == ({"duplicate": gone} if gone else {})


def test_what_stays_is_the_first_and_what_goes_is_listed(data: Data) -> None:
    path = data.write("again.csv", "question,answer\n" + "".join(f"Q {n % 20},A\n" for n in range(30)) + "q  0,a\n")
    folder = data.preprocess(data.settings({"type": "csv", "path": path}, duplicates="drop_normalised"))
    listed = [json.loads(line) for line in (folder / "faulty_rows.jsonl").read_text(encoding="utf-8").splitlines()]
    assert len(listed) == 11 and listed[-1]["where"] == "again.csv:32"
    assert listed[-1]["reason"] == "says the same as again.csv:2" and listed[-1]["kind"] == "duplicate"
    rows = data.rows(data.settings({"type": "csv", "path": path}, duplicates="drop_exact"))
    assert sorted(row["source_row"] for row in rows) == [*range(20), 30]


def test_an_official_test_part_keeps_its_rows(data: Data) -> None:
    """A training row that says what a test row says goes, whichever is read first."""
    train = {"type": "csv", "path": data.write("t.csv", "Q,A\n" + "".join(f"{n},x\n" for n in range(20)))}
    held = {"type": "csv", "path": data.write("h.csv", "Q,A\n3,x\n4,x\n"), "part": "test"}
    for sources in ((train, held), (held, train)):
        report = data.report(data.settings(*sources, duplicates="drop_exact"))
        assert report["parts"]["test"] == 2 and report["kept"] == 20 and report["dropped"] == {"duplicate": 2}


def test_the_same_ids_of_two_sources_are_no_duplicates(data: Data) -> None:
    sources = [
        {"type": "csv", "path": data.write(f"{k}.csv", "id,Q,A\n" + "".join(f"{n % 9},{k}{n},x\n" for n in range(10)))}
        for k in "ab"
    ]
    assert data.report(data.settings(*sources))["duplicates"] == {"exact": 0, "normalised": 0, "ids": 2}
