"""JSON lists, by themselves or wrapped."""

import json as stdlib
from pathlib import Path

import pytest

from dadeum.core.errors import DataError
from dadeum.core.workspace import Workspace
from dadeum.data.sources import Fault, FileFacts, Row, json


def read(tmp_path: Path, text: str) -> list[Row | Fault | FileFacts]:
    (tmp_path / "f.json").write_text(text, encoding="utf-8")
    settings = json.Settings(path="f.json")
    return list(json.read(settings, json.files(settings, Workspace(tmp_path))))


def test_lines_of_objects(tmp_path: Path) -> None:
    value = [{"q": "하나", "a": [1, {"b": "]"}]}, {"q": "둘", "a": None}]
    items = read(tmp_path, stdlib.dumps(value, ensure_ascii=False, indent=1))
    found = [i for i in items if isinstance(i, Row)]
    assert [r.values for r in found] == value
    assert [r.where for r in found] == ["f.json:2", "f.json:11"]


@pytest.mark.parametrize("key", ["data", "rows"])
def test_wrapped_lists(tmp_path: Path, key: str) -> None:
    text = stdlib.dumps({"version": {"data": [1]}, key: [{"q": "1"}, {"q": "2"}], "after": [3]})
    assert [i.values for i in read(tmp_path, text) if isinstance(i, Row)] == [{"q": "1"}, {"q": "2"}]


def test_element_that_is_no_object(tmp_path: Path) -> None:
    items = read(tmp_path, '[{"q": 1},\n[2],\n"x"]')
    assert [i.where for i in items if isinstance(i, Fault)] == ["f.json:2", "f.json:3"]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('[{"q": 1},\n{"q": }]', r"json:2: column 7: Expecting value"),
        ('[{"q": 1},\n]', r"json:2: column 1: Expecting value"),
        ('[{"q": 1}\n{"q": 2}]', r"json:2: column 1: expected '\]'"),
        ('{"q": 1}\n{"q": 2}\n', "expected a list of objects"),
        ('[{"q": 1}] [', "more after the end"),
        ('"text"', "expected a list of objects"),
        ('{"data": [{"q": 1}], oops}', "expected a key in quotes"),
        ("[" * 100_000, "column"),
    ],
)
def test_damage_names_line_and_column(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(DataError, match=message):
        read(tmp_path, text)


NESTED = {
    "version": "x",
    "data": [
        {
            "title": "글",
            "paragraphs": [
                {
                    "context": "가나",
                    "qas": [{"id": "1", "question": "무엇?", "answers": [{"text": "가", "answer_start": 0}]}],
                },
                {"context": "다라", "qas": [{"id": "2", "question": "왜?", "answers": []}, "broken"]},
            ],
        },
        {"title": "빈 글", "paragraphs": [{"context": "마", "qas": []}]},
    ],
}


def test_questions_nested_as_in_squad(tmp_path: Path) -> None:
    items = read(tmp_path, stdlib.dumps(NESTED, ensure_ascii=False))
    rows = [i for i in items if isinstance(i, Row)]
    assert [sorted(r.values) for r in rows] == [["answers", "context", "id", "question", "title"]] * 2
    assert [(r.values["context"], r.values["question"], r.values["id"]) for r in rows] == [
        ("가나", "무엇?", "1"),
        ("다라", "왜?", "2"),
    ]
    assert [r.where for r in rows] == ["f.json:1 paragraphs 1 qas 1", "f.json:1 paragraphs 2 qas 1"]
    assert [i.where for i in items if isinstance(i, Fault)] == ["f.json:1 paragraphs 2 qas 2"]


def test_paragraphs_of_another_kind_stay_a_column(tmp_path: Path) -> None:
    row = {"paragraphs": [{"text": "a"}], "question": "q"}
    assert [i.values for i in read(tmp_path, stdlib.dumps([row])) if isinstance(i, Row)] == [row]


def test_korquad_is_read_whole(material: Path) -> None:
    settings = json.Settings(path=str(material / "ko_mrc/KorQuAD_v1.0_dev.json"))
    rows = [i for i in json.read(settings, json.files(settings, Workspace(material))) if isinstance(i, Row)]
    assert len(rows) == 5774 and len({r.values["id"] for r in rows}) == 5774
    assert all(r.values["context"].count(r.values["answers"][0]["text"]) for r in rows)


def test_real_set(material: Path) -> None:
    settings = json.Settings(path=str(material / "ko_instruct/ko_alpaca_data_first12761.json"))
    items = list(json.read(settings, json.files(settings, Workspace(material))))
    assert sum(isinstance(i, Row) for i in items) == 12761
