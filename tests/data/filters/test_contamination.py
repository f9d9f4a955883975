"""Rows that hold what is measured."""

import json
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from dadeum.core.errors import DataError
from dadeum.core.fingerprint import sha256_file
from dadeum.core.workspace import Workspace
from dadeum.data.filters import FILTERS, contamination
from dadeum.data.filters.contamination import Settings
from dadeum.data.sources import Part
from tests.data.filters.sieves import gone, plain, reason, sift, talk

QUESTION = "임대인이 보증금을 돌려주지 않으면 어떻게 하나요?"  # 22 characters without blanks, 13 runs of 10
MEASURED = talk(QUESTION, "내용증명을 보내고 지급명령을 신청합니다.")


def against(settings: dict[str, Any], *rows: Any) -> list[int]:
    """Numbers of the training rows that go, the test row aside."""
    found = sift({"type": "contamination", **settings}, [MEASURED, *rows], ["test", *["train"] * len(rows)])
    return [number - 1 for number in gone(found) if number]


def test_what_holds_the_question_goes_wherever_it_stands() -> None:
    rows = [
        talk(f"질문입니다. {QUESTION} 알려 주세요", "네"),
        talk("예를 들어 줘", f"예: {QUESTION.replace(' ', '')}"),
        talk("임대인이 보증금을 안 주면요?", "내용증명을 보내고 지급명령을 신청합니다."),
        plain(QUESTION),
    ]
    assert against({}, *rows) == [0, 1, 3]
    assert against({"of": "answer"}, *rows) == [2]
    assert against({"of": "either"}, *rows) == [0, 1, 2, 3]


def test_the_share_is_of_the_measured_texts_runs() -> None:
    """The first 17 of 22 characters hold 8 of its 13 runs."""
    assert len(QUESTION.replace(" ", "")) == 22
    row = talk(QUESTION.replace(" ", "")[:17], "네")
    assert against({"share": 8 / 13}, row) == [0]
    assert against({"share": 8 / 13 + 0.001}, row) == []
    assert against({"n": 17, "share": 0.16}, row) == [0]  # 1 of 6
    assert against({"n": 18, "share": 0.01}, row) == []


def test_the_reason_names_what_is_held() -> None:
    found = sift({"type": "contamination"}, [MEASURED, talk(QUESTION + "?", "네")], ["test", "train"])
    assert reason(found[1]) == "holds 100% of what rows:0 measures"


def test_what_is_asked_and_expected_in_evaluation_is_what_is_measured() -> None:
    row = talk(
        "지문과 함께 " + QUESTION, "답", query="다른 질문을 길게 적은 글입니다", reference="기준이 되는 긴 답입니다"
    )
    held = [talk("x", "다른 질문을 길게 적은 글입니다"), talk("x", "기준이 되는 긴 답입니다"), talk(QUESTION, "y")]
    parts: list[Part | None] = ["test", "train", "train", "train"]
    # The row itself goes by neither: its own messages say something else.
    assert gone(sift({"type": "contamination"}, [row, *held], parts)) == [1]
    assert gone(sift({"type": "contamination", "of": "answer"}, [row, *held], parts)) == [2]


def test_a_short_question_is_found_where_it_is_the_whole_question() -> None:
    rows = [talk("안녕?", "또 안녕"), talk("안녕? 하고 말하면", "네"), talk("뭐라고 해?", "안녕 ?")]
    found = sift({"type": "contamination"}, [talk("안녕?", "네"), *rows], ["test", *["train"] * 3])
    assert gone(found)[1:] == [1, 3]


def test_without_a_test_part_it_says_so() -> None:
    with pytest.raises(DataError, match=r"the test part has no rows; raise data\.split\.test, or name a benchmark"):
        sift({"type": "contamination"}, [talk("a", "b")], ["train"])


LINES = [
    {"Question": QUESTION, "A": "가", "choice": "지급명령을 신청하면 됩니다"},
    {"Question": "짧다", "A": "나", "choice": None},
]


@pytest.mark.parametrize("kind", ["jsonl", "json", "csv", "parquet"])
def test_a_benchmark_in_a_file(tmp_path: Path, kind: str) -> None:
    path = tmp_path / f"bench.{kind}"
    if kind == "parquet":
        import pyarrow
        import pyarrow.parquet

        pyarrow.parquet.write_table(pyarrow.Table.from_pylist(LINES), path)
    elif kind == "csv":
        lines = [",".join(LINES[0]), *(",".join(str(v or "") for v in line.values()) for line in LINES)]
        path.write_text("\n".join(lines), encoding="utf-8")
    else:
        text = json.dumps(LINES) if kind == "json" else "\n".join(map(json.dumps, LINES))
        path.write_text(text, encoding="utf-8")
    rows = [talk(QUESTION, "네"), talk("물음", "지급명령을 신청하면 됩니다"), talk("짧다", "네"), talk("물음", "나")]
    base = {"type": "contamination", "file": path.name}
    assert gone(sift(base, rows, root=tmp_path)) == [0, 2]
    assert gone(sift({**base, "of": "either"}, rows, root=tmp_path)) == [0, 2, 3]
    assert gone(sift({**base, "columns": ["choice"]}, rows, root=tmp_path)) == [1]
    assert gone(sift({**base, "columns": ["question", "CHOICE"]}, rows, root=tmp_path)) == [0, 1, 2]
    assert f"bench.{kind}" in reason(sift(base, rows, root=tmp_path)[0])


@pytest.mark.parametrize(
    ("name", "text", "settings", "said"),
    [
        ("b.csv", "번호,보기\n1,2\n", {}, r"b\.csv:2 has no column 'question', found: 번호, 보기; say in columns"),
        ("b.csv", "question\n가\n", {"columns": ["보기"]}, r"has no column '보기', found: question"),
        ("b.md", "가", {}, r"b\.md: no kind of file that is known"),
        ("b.jsonl", '{"question": 1}\n{', {}, r"b\.jsonl:2: "),
        ("b.jsonl", '{"question": " "}', {}, "holds no text to compare with"),
        ("other.csv", "question\n가\n", {}, r"b\.csv: no such file"),
    ],
)
def test_a_benchmark_that_cannot_be_read_is_one_sentence(
    tmp_path: Path, name: str, text: str, settings: dict[str, Any], said: str
) -> None:
    (tmp_path / name).write_text(text, encoding="utf-8")
    file = "b.csv" if name == "other.csv" else name
    with pytest.raises(DataError, match=said) as raised:
        sift({"type": "contamination", "file": file, **settings}, [talk("a", "b")], root=tmp_path)
    assert "\n" not in str(raised.value)


def test_the_benchmarks_bytes_are_an_input(tmp_path: Path) -> None:
    path = tmp_path / "b.csv"
    path.write_text("question\n가\n", encoding="utf-8")
    chosen = FILTERS.validate({"type": "contamination", "file": "b.csv"})
    assert isinstance(chosen, Settings)
    assert contamination.inputs(chosen, Workspace(tmp_path)) == {"b.csv": sha256_file(path)}
    assert contamination.inputs(Settings(), Workspace(tmp_path)) == {}


def test_columns_without_a_file_are_refused() -> None:
    with pytest.raises(ValidationError, match="columns are those of a file"):
        Settings.model_validate({"columns": ["a"]})
