"""Labels instead of tokens: what heads said of each row, and the loss made of it."""

import math
from pathlib import Path
from typing import Any

import pytest

from dadeum.core.progress import Silent
from dadeum.explain.chapters import chapters
from dadeum.explain.facts import Explanation, RowFacts, Taken
from dadeum.explain.loss import cost
from dadeum.explain.step import take_apart
from scripts.head_cases import CASES, head_job, make_base, make_formatted


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_base(tmp_path_factory.mktemp("base"))


def taken_of(name: str, base: Path, place: Path, **changes: Any) -> Taken:
    formatted = make_formatted(place, base, CASES[name])
    return take_apart(head_job(place, base, CASES[name], formatted, **changes), Silent())


@pytest.mark.parametrize("name", ["sequence_classification", "regression", "multi_label", "token_classification"])
def test_a_head_that_the_trainer_can_do_too(name: str, base: Path, tmp_path: Path) -> None:
    taken = taken_of(name, base, tmp_path)
    assert taken.tokens == [] and len(taken.labels) >= 1
    assert taken.loss.recomputed == pytest.approx(taken.loss.loop, abs=1e-6)
    assert [side for side in taken.trainer.sides if side.difference > 1e-5] == [] and taken.trainer.sides
    label = taken.labels[0]
    mine = next(row for row in taken.loss.rows if row.source_row == taken.shown)
    assert sum(one.loss for one in taken.labels) == pytest.approx(mine.total)
    if name == "regression":
        assert label.p is None and label.top[0].p is None
        assert (float(label.top[0].name) - float(label.target)) ** 2 == pytest.approx(label.loss, rel=1e-3)
    elif name != "multi_label":
        assert label.p is not None and -math.log(label.p) == pytest.approx(label.loss, rel=1e-5)
        assert label.target in {one.name for one in label.top}


@pytest.mark.parametrize("name", ["multiple_choice", "multi", "reward"])
def test_other_heads_say_why_there_is_no_trainer(name: str, base: Path, tmp_path: Path) -> None:
    taken = taken_of(name, base, tmp_path)
    assert taken.trainer.sides == () and "transformers" in taken.trainer.why
    assert taken.update.difference is not None and taken.update.difference <= 1e-7
    if name in ("multi", "reward"):  # several terms, or rows held against each other
        assert taken.loss.recomputed is None
    else:
        assert taken.loss.recomputed == pytest.approx(taken.loss.loop, abs=1e-6) and taken.labels
    row = RowFacts(taken.shown, "rows.csv:2", {}, [], "", 1, 0, "")
    titles = [one.title for one in chapters(Explanation(taken, row))]
    assert len(titles) == len(set(titles)) == 11 - (not taken.labels and not taken.tokens)


def test_smoothing_mixes() -> None:
    assert cost(2.0, 5.0, 0.0) == 2.0 and cost(2.0, 5.0, 0.1) == pytest.approx(2.3)
