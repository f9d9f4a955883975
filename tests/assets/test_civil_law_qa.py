"""The example data: every answer cites its article rightly, and no article stands on both sides."""

import csv
import json
import re
import unicodedata
from importlib.resources import files

import pytest

ASSETS = files("dadeum") / "assets"
QUOTE = re.compile("“([^”]*)”")
COLUMNS = ["question", "answer", "category", "difficulty", "article"]


def rows(name: str) -> list[dict[str, str]]:
    with (ASSETS / name).open(encoding="utf-8", newline="") as file:
        reader = csv.DictReader(file)
        found = list(reader)
        assert reader.fieldnames == COLUMNS
    return found


TRAIN, TEST = rows("civil_law_qa.csv"), rows("civil_law_qa_test.csv")
ARTICLES = json.loads((ASSETS / "civil_act_articles.json").read_text(encoding="utf-8"))["articles"]


def plain(text: str) -> str:
    return re.sub(r"[\W_]+", "", unicodedata.normalize("NFKC", text)).lower()


def test_there_are_enough_rows_and_no_article_is_on_both_sides() -> None:
    assert len(TRAIN) + len(TEST) >= 300
    assert len(TEST) >= 60
    assert not {r["article"] for r in TRAIN} & {r["article"] for r in TEST}
    questions = [plain(r["question"]) for r in TRAIN + TEST]
    assert len(set(questions)) == len(questions)


@pytest.mark.parametrize("row", TRAIN + TEST, ids=lambda r: r["question"][:20])
def test_the_answer_names_its_article_and_quotes_it_to_the_letter(row: dict[str, str]) -> None:
    text = ARTICLES[row["article"]]["text"]
    assert all(cell and cell == cell.strip() for cell in row.values())
    assert set(re.findall(r"민법 (제\d+조(?:의\d+)?)", row["answer"])) == {row["article"]}
    quoted = QUOTE.findall(row["answer"])
    assert quoted
    for phrase in quoted:
        assert len(phrase) >= 8
        assert phrase in text
    assert not re.search(r"제\d+조", row["question"])  # the question does not give the article away


def test_every_stored_article_is_cited() -> None:
    assert set(ARTICLES) == {r["article"] for r in TRAIN + TEST}
