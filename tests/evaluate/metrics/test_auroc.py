"""AUROC against scikit-learn and torchmetrics, whole and resampled."""

import numpy as np
import pytest
import torch
from sklearn.metrics import roc_auc_score
from torchmetrics.functional.classification import binary_auroc, multiclass_auroc, multilabel_auroc

from dadeum.evaluate.metrics import Judged, auroc
from dadeum.evaluate.statistics import drawn, paired, table, total
from tests.evaluate.labels import classes, several


def rows(samples: list[Judged]) -> list[tuple[float, ...]]:
    return [row for row in auroc.score(auroc.Settings(), samples)["auroc"].rows if row is not None]


def rounded(samples: list[Judged]) -> list[Judged]:
    """With ties."""
    return [Judged(j.kind, j.names, j.truth, np.round(j.said, 1)) for j in samples]


@pytest.mark.parametrize("change", [lambda samples: samples, rounded])
def test_of_two_classes_of_three_and_of_several(change: object) -> None:
    assert callable(change)
    two, three, many = change(classes(80, ("n", "y"))), change(classes(80)), change(several(80))
    true = torch.tensor([int(j.truth[0]) for j in two])
    assert total(auroc, rows(two)) == pytest.approx(float(binary_auroc(torch.tensor([j.said[1] for j in two]), true)))
    true = torch.tensor([int(j.truth[0]) for j in three])
    said = torch.tensor(np.stack([j.said for j in three]))
    assert total(auroc, rows(three)) == pytest.approx(float(multiclass_auroc(said, true, 3)), abs=1e-6)
    said, true = (torch.tensor(np.stack(x)) for x in zip(*((j.said, j.truth) for j in many), strict=True))
    assert total(auroc, rows(many)) == pytest.approx(float(multilabel_auroc(said, true.long(), 4)), abs=1e-6)


def test_each_resample_has_the_value_of_the_rows_that_were_drawn() -> None:
    samples = rounded(classes(40, ("n", "y")))
    kept = rows(samples)
    times = next(drawn(40, 5, 3))
    for value, often in zip(auroc.value(table(kept), times), times.astype(int), strict=True):
        again = [j for j, count in zip(samples, often, strict=True) for _ in range(count)]
        assert value == pytest.approx(roc_auc_score([j.truth[0] for j in again], [j.said[1] for j in again]))


def test_a_constant_guess_has_a_half_and_one_class_has_none() -> None:
    same = [Judged("class", j.names, j.truth, np.array([0.6, 0.4])) for j in classes(40, ("n", "y"))]
    found = paired(rows(same), rows(classes(40, ("n", "y"))), auroc, draws=200, seed=1)
    assert total(auroc, rows(same)) == 0.5
    assert found.low > 0 and found.wins is None
    assert rows([j for j in same if j.truth[0] == 1]) == []
