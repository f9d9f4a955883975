"""Findings: how bad, where, and what to do; and the figures against those of the data stages."""

import json
import unicodedata
from pathlib import Path

import pytest

from dadeum.core.artifact import read_json
from dadeum.data import step
from dadeum.data.findings import Finding, Report
from dadeum.data.lengths import packed_rows
from dadeum.data.samples import Samples
from tests.data.checks import check, kinds, small_measure
from tests.data.small import Data, csv

LONG = "아주 긴 답입니다. " * 40


def _of(found: Report, kind: str) -> Finding:
    return next(finding for finding in found.findings if finding.kind == kind)


def test_what_stops_comes_first(tmp_path: Path) -> None:
    (tmp_path / "rows.csv").write_text(csv(12) + "질문 1번?,답 1입니다\n없음,\n", encoding="utf-8")
    found = check(tmp_path, "rows.csv")
    assert [f.level for f in found.findings] == ["stop", "look"] and not found.trainable
    told = found.as_json()
    assert told["trainable"] is False and told["findings"][0]["kind"] == "no answer"
    assert json.loads(json.dumps(told)) == told


@pytest.mark.parametrize(
    ("keys", "level", "cure"),
    [
        ({}, "stop", "data.overlong=drop or keep_answer"),
        ({"overlong": "drop"}, "look", "data.overlong=drop"),
        ({"overlong": "keep_answer"}, "look", "data.overlong=keep_answer"),
    ],
)
def test_samples_that_are_too_long(tmp_path: Path, keys: dict[str, str], level: str, cure: str) -> None:
    (tmp_path / "rows.csv").write_text(csv(20) + f"길다,{LONG}\n", encoding="utf-8")
    measure = small_measure(tmp_path / "tokenizer")
    found = check(tmp_path, "rows.csv", measure=measure, max_length=128, **keys)
    finding = _of(found, "overlong")
    longest = int(measure.lengths.values.max())
    assert (finding.level, found.trainable) == (level, level != "stop")
    assert cure in finding.text and f"data.max_length={longest}" in finding.text
    assert check(tmp_path, "rows.csv", measure=small_measure(tmp_path / "tokenizer"), max_length=longest).trainable


def test_nothing_is_left_to_train(tmp_path: Path) -> None:
    (tmp_path / "rows.csv").write_text(f"question,answer\n길다,{LONG}\n", encoding="utf-8")
    found = check(tmp_path, "rows.csv", measure=small_measure(tmp_path / "t"), max_length=64, overlong="drop")
    assert "nothing to train" in kinds(found)


def test_long_documents_are_no_finding_where_they_are_chopped(tmp_path: Path) -> None:
    (tmp_path / "rows.txt").write_text(f"{LONG}\n글 둘\n", encoding="utf-8")
    found = check(tmp_path, "rows.txt", measure=small_measure(tmp_path / "t"), max_length=64)
    assert found.trainable and found.facts["tokens"]["rule"] == "chop"
    assert found.facts["tokens"]["limits"][0]["lost_tokens"] == 0 and kinds(found, "look") == ["empty parts"]


def test_figures_are_those_of_the_data_stages(tmp_path: Path) -> None:
    data = Data(tmp_path)
    name = data.write("rows.csv", csv(90) + "질문 3번?,답 3입니다\n질문 4번?,다른 답\n" + f"길다,{LONG}\n")
    settings = data.settings({"type": "csv", "path": name}, max_length=128, overlong="drop")
    report = data.report(settings)
    found = check(tmp_path, name, measure=small_measure(tmp_path / "t"), max_length=128, overlong="drop")
    statistics = read_json(data.format(settings) / step.STATISTICS)
    assert found.facts["parts"] == report["parts"] and found.facts["twins"] == report["twins"]
    assert found.facts["duplicates"] == report["duplicates"]
    assert found.facts["tokens"]["epoch"]["tokens"] == statistics["parts"]["train"]["tokens"]
    lengths = Samples.open(data.format(settings) / "train.arrow").lengths
    assert found.facts["tokens"]["epoch"]["packed_rows"] == packed_rows(lengths, 128)


def test_duplicates_tell_where_they_are(tmp_path: Path) -> None:
    (tmp_path / "rows.csv").write_text(csv(12) + "질문 1번?,답 1입니다\n질문 1번? ,답 1입니다\n", encoding="utf-8")
    finding = _of(check(tmp_path, "rows.csv"), "duplicates")
    assert finding.text.startswith("2 rows say what another row says (1 to the letter, 1 but for case and blanks)")
    assert finding.places == ("rows.csv:3 = 14 = 15: 질문 1번?",)
    dropped = _of(check(tmp_path, "rows.csv", duplicates="drop_normalised"), "duplicates")
    assert "2 are left out (data.duplicates=drop_normalised)" in dropped.text


def test_one_question_two_answers(tmp_path: Path) -> None:
    (tmp_path / "rows.csv").write_text(csv(12) + "질문 1번?,다른 답\n", encoding="utf-8")
    finding = _of(check(tmp_path, "rows.csv"), "several answers")
    assert finding.places == ("rows.csv:3 = 14: 질문 1번? → 답 1입니다 / 다른 답",) and finding.level == "look"
    assert finding.text.startswith("1 question has several answers (2 rows)")


def test_an_answer_that_stands_everywhere(tmp_path: Path) -> None:
    same = "".join(f"물음 {n}?,죄송합니다\n" for n in range(15))
    (tmp_path / "rows.csv").write_text(csv(30) + same, encoding="utf-8")
    finding = _of(check(tmp_path, "rows.csv"), "repeated answer")
    assert "15 rows (33.3%)" in finding.text and finding.places[0].endswith(": 죄송합니다")
    (tmp_path / "rows.csv").write_text(csv(30) + same[: same.index("9?") - 3], encoding="utf-8")
    assert "repeated answer" not in kinds(check(tmp_path, "rows.csv"), "look")


def test_leaks_name_both_rows(tmp_path: Path) -> None:
    (tmp_path / "train.csv").write_text(csv(10), encoding="utf-8")
    (tmp_path / "test.csv").write_text("question,answer\n질문 4번?,시험 답\n", encoding="utf-8")
    sources = [{"type": "csv", "path": f"{part}.csv", "part": part} for part in ("train", "test")]
    finding = _of(check(tmp_path, *sources), "leak")
    assert finding.places == ("train.csv:6 = test.csv:2: 질문 4번?",) and finding.level == "look"
    empty = _of(check(tmp_path, *sources), "empty parts").text
    assert empty.startswith("no rows for validation: the sources give all theirs to other parts")


def test_lost_letters_composed_letters_and_line_ends(tmp_path: Path) -> None:
    parts = unicodedata.normalize("NFD", "한글")
    text = csv(10) + "질문\ufffd,답\n" + f"{parts},답2\n" + '"줄\r\n둘",답3\n'
    (tmp_path / "rows.csv").write_bytes(text.encode())
    found = check(tmp_path, "rows.csv")
    assert {f.kind: f.level for f in found.findings} == {
        "lost letters": "look",
        "composed": "note",
        "line ends": "note",
    }


def test_several_encodings(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_bytes(csv(6).encode())
    (tmp_path / "b.csv").write_bytes(csv(6, start=6).encode("cp949"))
    found = check(tmp_path, {"type": "csv", "path": "*.csv"})
    assert "cp949, utf-8" in _of(found, "encodings").text and found.trainable


def test_in_korean(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DADEUM_LANG", "ko")
    (tmp_path / "rows.csv").write_text(csv(12) + "질문 1번?,다른 답\n없음,\n", encoding="utf-8")
    first, second = check(tmp_path, "rows.csv").findings
    assert first.text.startswith("14행 중 1행을 쓸 수 없습니다") and second.text.startswith(
        "질문 1개에 답이 여럿입니다"
    )


def test_a_mixture_is_foretold_as_the_stages_draw_it(tmp_path: Path) -> None:
    data = Data(tmp_path)
    sources = [
        {"type": "csv", "path": data.write("a.csv", csv(300)), "rows": 90},
        {"type": "csv", "path": data.write("b.csv", csv(40, start=1000)), "rows": 100, "repeat": True},
    ]
    found = check(tmp_path, *sources, measure=small_measure(tmp_path / "t"))
    settings = data.settings(*sources)
    made, statistics = data.report(settings), read_json(data.format(settings) / step.STATISTICS)
    assert found.facts["mixture"] == made["mixture"] and found.facts["parts"] == made["parts"]
    assert found.facts["rows"]["not_drawn"] == made["dropped"]["not drawn"] == 210
    train = statistics["parts"]["train"]
    assert (train["samples"], train["tokens"]) == tuple(
        found.facts["tokens"]["epoch"][k] for k in ("samples", "tokens")
    )
    assert train["samples"] > sum(entry["kept"] for entry in made["mixture"]) / 2
    told = _of(found, "mixture")
    assert told.level == "note"
    assert told.text.endswith("a.csv 90 of 300 rows (47%) · b.csv 40 of 40 rows, repeated to 100 (53%)")


def test_a_mixture_that_cannot_be_drawn_stops(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text(csv(30), encoding="utf-8")
    found = check(tmp_path, {"type": "csv", "path": "a.csv", "rows": 31})
    assert _of(found, "mixture").level == "stop" and not found.trainable
    assert "rows asks for 31, but 30 of 30 rows are left" in _of(found, "mixture").text
