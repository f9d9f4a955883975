"""F1 against scikit-learn."""

import numpy as np
import pytest
from sklearn.metrics import f1_score

from dadeum.evaluate.metrics import Judged, f1
from dadeum.evaluate.statistics import total
from tests.evaluate.labels import classes, several, words


def values(samples: list[Judged]) -> dict[str, float]:
    found = f1.score(f1.Settings(), samples)
    return {name: total(f1, [row for row in value.rows if row is not None]) for name, value in found.items()}


@pytest.mark.parametrize("seed", range(4))
def test_of_classes(seed: int) -> None:
    samples = classes(25, ("a", "b", "c", "never"), seed)[: 8 + seed]
    true, said = [j.truth[0] for j in samples], [j.said.argmax() for j in samples]
    found = values(samples)
    assert found["f1_macro"] == pytest.approx(f1_score(true, said, average="macro"))
    assert found["f1_micro"] == pytest.approx(f1_score(true, said, average="micro"))


def test_of_several_and_of_words() -> None:
    samples = several(50)
    true, said = np.stack([j.truth for j in samples]), np.stack([j.said > 0.5 for j in samples]).astype(float)
    assert values(samples)["f1_macro"] == pytest.approx(f1_score(true, said, average="macro"))
    assert values(samples)["f1_micro"] == pytest.approx(f1_score(true, said, average="micro"))
    tagged = words(30, ("O", "N", "V"))
    true, said = (np.concatenate(x) for x in zip(*((j.truth, j.said.argmax(1)) for j in tagged), strict=True))
    assert values(tagged)["f1_macro"] == pytest.approx(f1_score(true, said, average="macro"))


def test_a_resample_is_scored_as_the_rows_that_it_is_of() -> None:
    samples = classes(12)
    rows = np.array(f1.score(f1.Settings(), samples)["f1_macro"].rows, float)
    drawn = [samples[i] for i in (0, 0, 3, 3, 3, 7)]
    assert f1.combine(rows[[0, 0, 3, 3, 3, 7]].sum(0)) == pytest.approx(values(drawn)["f1_macro"])
