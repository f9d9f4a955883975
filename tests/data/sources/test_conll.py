"""A word and its label a line."""

from pathlib import Path
from typing import Any

import pytest

from dadeum.core.workspace import Workspace
from dadeum.data.formats import words
from dadeum.data.sources import SOURCES, Fault, FileFacts, Row, kind_of

CONLL = "-DOCSTART- -X- O O\n\nEU NNP I-NP B-ORG\nrejects VBZ I-VP O\n\n\nBlackburn NNP I-NP B-PER\n"
KLUE = "## klue-ner-v1_dev_00000\t경찰은 왔다\n경\tB-OG\n찰\tI-OG\n은\tO\n \tO\n왔\tO\n다\tO\n\n## klue-ner-v1_dev_00001\t끝\n끝\tO\n"


def read(tmp_path: Path, text: str, name: str = "a.conll") -> tuple[list[Any], FileFacts]:
    (tmp_path / name).write_text(text, encoding="utf-8")
    source = SOURCES.validate({"type": "conll", "path": name})
    member = SOURCES.of(source)
    *found, facts = member.read(source, member.files(source, Workspace(tmp_path)))
    return found, facts


def test_words_with_their_last_column(tmp_path: Path) -> None:
    found, facts = read(tmp_path, CONLL)
    assert [row.values for row in found] == [
        {"tokens": ["EU", "rejects"], "ner_tags": ["B-ORG", "O"]},
        {"tokens": ["Blackburn"], "ner_tags": ["B-PER"]},
    ]
    assert [row.where for row in found] == ["a.conll:3", "a.conll:7"] and facts.blank == 4


def test_letters_with_their_sentence(tmp_path: Path) -> None:
    found, _ = read(tmp_path, KLUE.replace("\n", "\r\n"))
    assert found[0].values["sentence"] == "경찰은 왔다" and found[0].values["tokens"] == list("경찰은 왔다")
    made = words.convert(found[0].values)
    assert made.text == "경찰은 왔다" and made.labels["ner_tags"][:2] == ["B-OG", "I-OG"]
    assert len(found) == 2


@pytest.mark.parametrize("line", ["word", "word\t", "\tO"])
def test_a_line_without_a_word_or_a_label(tmp_path: Path, line: str) -> None:
    found, _ = read(tmp_path, f"a O\n{line}\nb O\n\nc O\n")
    fault, row = found
    assert isinstance(fault, Fault) and fault.where == "a.conll:2" and "expected a word and its label" in fault.reason
    assert isinstance(row, Row) and row.values["tokens"] == ["c"]


def test_names_of_such_files() -> None:
    assert [kind_of(Path(name)) for name in ("x.conll", "x.BIO.gz")] == ["conll"] * 2
