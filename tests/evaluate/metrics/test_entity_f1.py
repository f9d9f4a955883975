"""Entity F1 against seqeval."""

import pytest
from seqeval.metrics import f1_score, precision_score, recall_score

from dadeum.evaluate.metrics import Judged, entity_f1
from dadeum.evaluate.statistics import total
from tests.evaluate.labels import words

IOB = ("O", "B-PS", "I-PS", "B-LC", "I-LC")
IOBES = ("O", *(f"{mark}-{kind}" for kind in ("PS", "LC") for mark in "BIES"))


def names(samples: list[Judged], what: str) -> list[list[str]]:
    ids = [j.truth if what == "truth" else j.said.argmax(1) for j in samples]
    return [[j.names[int(i)] for i in own] for j, own in zip(samples, ids, strict=True)]


@pytest.mark.parametrize("scheme", [IOB, IOBES])
@pytest.mark.parametrize("seed", range(3))
def test_the_same_as_seqeval(scheme: tuple[str, ...], seed: int) -> None:
    samples = words(60, scheme, seed)
    true, said = names(samples, "truth"), names(samples, "said")
    found = {
        name: total(entity_f1, [row for row in value.rows if row is not None])
        for name, value in entity_f1.score(entity_f1.Settings(), samples).items()
    }
    assert found["entity_f1"] == pytest.approx(f1_score(true, said))
    assert found["entity_precision"] == pytest.approx(precision_score(true, said))
    assert found["entity_recall"] == pytest.approx(recall_score(true, said))
    assert 0.05 < found["entity_f1"] < 0.95


def test_rows_without_entities_have_nothing() -> None:
    nothing = [j for j in words(30, ("O", "B-X")) if not j.truth.any() and not j.said.argmax(1).any()]
    assert nothing
    assert set(entity_f1.score(entity_f1.Settings(), nothing)["entity_f1"].rows) == {(0.0, 0.0)}
    assert total(entity_f1, [(0.0, 0.0)]) == 0
