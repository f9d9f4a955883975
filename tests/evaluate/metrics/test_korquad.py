"""KorQuAD's official definition, written a second time here; on constructed answers to its real questions."""

import itertools
import json
import re
import string
from pathlib import Path

import numpy as np
import pytest

from dadeum.evaluate.metrics import Scored, korquad


def plain(text: str) -> list[str]:
    """As the official rules say it, one step after the other; by words."""
    for mark in ["'", '"', "《", "》", "<", ">", "〈", "〉", "(", ")", "‘", "’"]:
        text = text.replace(mark, " ")
    text = re.sub(f"[{re.escape(string.punctuation)}]", "", text.lower())
    return text.split()


def by_hand(said: str, references: list[str]) -> tuple[float, float]:
    exact, best = 0.0, 0.0
    for true in references:
        a, b = plain(said), plain(true)
        exact = max(exact, 100.0 if " ".join(a) == " ".join(b) else 0.0)
        letters, left = "".join(a), list("".join(b))
        hits = 0
        for letter in letters:
            if letter in left:
                left.remove(letter)
                hits += 1
        if hits:
            precision, recall = hits / len(letters), hits / len("".join(b))
            best = max(best, 100 * 2 * precision * recall / (precision + recall))
    return exact, best


def questions(material: Path, count: int) -> list[tuple[str, str]]:
    """A question's answer and its context, of the development set."""
    data = json.loads((material / "ko_mrc" / "KorQuAD_v1.0_dev.json").read_text(encoding="utf-8"))["data"]
    rows = [
        (asked["answers"][0]["text"], paragraph["context"])
        for article in data
        for paragraph in article["paragraphs"]
        for asked in paragraph["qas"]
    ]
    return rows[:: max(1, len(rows) // count)][:count]


def constructed(answer: str, context: str, other: str) -> list[str]:
    """Right, partly right, wrong, blank; with particles, marks and punctuation around it."""
    at = max(0, context.find(answer))
    return [
        answer, f"{answer}이다.", f"《{answer}》", f'"{answer}"', f"({answer})는", f" {answer} \n", answer.upper(),
        answer[: max(1, len(answer) // 2)], context[max(0, at - 5) : at + len(answer) + 5], answer[::-1], f"{answer},{answer}",
        other, "", " ", "…", "모르겠습니다",
    ]  # fmt: skip


def test_equals_the_official_definition_on_real_questions(material: Path) -> None:
    rows = questions(material, 150)
    samples = [
        Scored(said, answer)
        for (answer, context), (other, _) in itertools.pairwise(rows)
        for said in constructed(answer, context, other)
    ]
    found = korquad.score(korquad.Settings(), samples)
    expected = [by_hand(one.prediction or "", [one.reference or ""]) for one in samples]
    assert [row[0] for row in found["korquad_em"].rows if row] == [em for em, _ in expected]
    assert [row[0] for row in found["korquad_f1"].rows if row] == pytest.approx([f1 for _, f1 in expected], abs=1e-9)
    assert len(expected) == len(samples) == 149 * 16
    kinds = {(em > 0, 0 < f1 < 100) for em, f1 in expected}
    assert kinds == {(True, False), (False, True), (False, False)}
    em, f1 = (float(korquad.combine(np.array(value.rows).sum(axis=0))) for value in found.values())
    assert em == pytest.approx(np.mean([x for x, _ in expected])) and f1 == pytest.approx(
        np.mean([x for _, x in expected])
    )


def test_whoever_says_the_references_has_everything(material: Path) -> None:
    found = korquad.score(korquad.Settings(), [Scored(a, a) for a, _ in questions(material, 500)])
    assert {row for value in found.values() for row in value.rows} == {(100.0, 1.0)}


def test_the_best_of_several_references_counts() -> None:
    samples = [Scored("서울특별시", "서울", references=("서울", "서울특별시", "한양"))]
    assert korquad.score(korquad.Settings(), samples)["korquad_em"].rows == ((100.0, 1.0),)
    assert korquad.score(korquad.Settings(), [Scored("서울시", "서울", references=("한양", "서울"))])[
        "korquad_f1"
    ].rows[0] == pytest.approx((80.0, 1.0))
