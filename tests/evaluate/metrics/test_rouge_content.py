"""Content morphemes: what two answers speak of, without what all Korean sentences share."""

import csv
from pathlib import Path

import numpy as np

from dadeum.evaluate.metrics import METRICS, Scored, rouge_content


def values(name: str, samples: list[Scored]) -> dict[str, float]:
    member = METRICS.member(name)
    found = member.score(member.Settings(), samples)
    return {key: float(member.combine(np.array([r for r in v.rows if r]).sum(axis=0))) for key, v in found.items()}


def test_unrelated_answers_share_far_less_than_by_all_morphemes(material: Path) -> None:
    with (material / "ko_qa" / "civil_law_qa_dataset.csv").open(encoding="utf-8-sig") as file:
        answers = [max(row.values(), key=len) for row in csv.DictReader(file)]
    strangers = [Scored(a, b) for a, b in zip(answers, [*answers[1:], answers[0]], strict=True)]
    content, whole = values("rouge_content", strangers), values("rouge", strangers)
    assert content["rouge1_content"] < 0.6 * whole["rouge1"]
    assert set(values("rouge_content", [Scored(a, a) for a in answers]).values()) == {1.0}


def test_references_that_say_nothing_do_not_count() -> None:
    value = rouge_content.score(
        rouge_content.Settings(), [Scored("네", "네"), Scored("", "계약"), Scored("계약", "계약")]
    )
    assert value["rouge1_content"].rows == (None, (0.0, 1.0), (1.0, 1.0))


def test_the_signature_names_the_tags() -> None:
    signature = rouge_content.score(rouge_content.Settings(), [Scored("계약", "계약")])["rouge1_content"].signature
    assert "kiwi-" in signature and "NNG+NNP" in signature
