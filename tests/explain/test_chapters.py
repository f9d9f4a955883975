"""What is said: the same chapters for the terminal and the page, in both languages, with numbers that add up."""

import math
import re
from pathlib import Path

import pytest

from dadeum.core.progress import Silent
from dadeum.explain.chapters import Check, Sheet, Sum, chapters, head, seen, size
from dadeum.explain.facts import Explanation, RowFacts
from dadeum.explain.page import page
from dadeum.explain.step import take_apart
from tests.train.support import make_job

LORA = {"type": "lora", "r": 6}


@pytest.fixture(scope="module")
def found(formatted: Path, tmp_path_factory: pytest.TempPathFactory) -> Explanation:
    """A step of a single row, so that everything that its loss is made of is printed."""
    job = make_job(
        tmp_path_factory.mktemp("one"),
        formatted,
        adapter=LORA,
        total_train_batch_size=1,
        per_device_train_batch_size=1,
        max_steps=2,
    )
    row = RowFacts(7, "rows.csv:9", {"question": "<b>x</b>"}, [{"role": "user", "content": "안녕?"}], "글", 9, 4, "")
    return Explanation(take_apart(job, Silent(), step=2), row)


def test_the_printed_probabilities_make_the_loss(found: Explanation) -> None:
    """With the digits that stand on the page."""
    sheet = next(b for c in chapters(found) for b in c.blocks if isinstance(b, Sheet) and "rank" in b.columns)
    printed = [float(row[1]) for row in sheet.rows]
    assert len(printed) == len(found.taken.tokens) > 0
    loss = -sum(map(math.log, printed)) / len(printed)
    assert loss == pytest.approx(found.taken.loss.loop, abs=1e-5)


def test_the_printed_update_is_the_real_one(found: Explanation) -> None:
    """Worked again from the numbers as they are written."""
    update = found.taken.update
    chapter = next(c for c in chapters(found) if c.title == "The update of one weight")
    lines = next(b for b in chapter.blocks if isinstance(b, Sum)).lines
    g, m, v, m_hat, v_hat, decayed = (float(result) for _, _, result in lines[:6])
    numbers = [float(x) for x in re.findall(r"-?\d[\d.]*(?:e[+-]\d+)?", lines[1][1])]
    assert numbers[0] * numbers[1] + numbers[2] * g == pytest.approx(m, rel=1e-6)
    rate, epsilon = update.rate, update.epsilon
    assert m / (1 - 0.9**2) == pytest.approx(m_hat, rel=1e-6) and v / (1 - 0.999**2) == pytest.approx(v_hat, rel=1e-6)
    assert decayed - rate * m_hat / (math.sqrt(v_hat) + epsilon) == pytest.approx(update.after, abs=1e-7)


def test_every_check_holds(found: Explanation) -> None:
    checks = [b for c in chapters(found) for b in c.blocks if isinstance(b, Check)]
    assert len(checks) == 3 and all(check.good for check in checks)


def test_a_check_that_does_not_hold_is_told(found: Explanation) -> None:
    from dataclasses import replace

    taken = replace(found.taken, loss=replace(found.taken.loss, recomputed=found.taken.loss.loop + 1e-3))
    taken = replace(taken, update=replace(taken.update, by_hand=taken.update.after + 1e-5))
    sides = [replace(side, theirs=side.theirs + 1e-3) for side in taken.trainer.sides]
    taken = replace(taken, trainer=replace(taken.trainer, sides=sides))
    broken = Explanation(taken, found.row)
    assert [b.good for c in chapters(broken) for b in c.blocks if isinstance(b, Check)] == [False] * 3
    assert page(broken).count('<p class="check no">✗') == 3


def test_both_languages(found: Explanation, monkeypatch: pytest.MonkeyPatch) -> None:
    english = [c.title for c in chapters(found)]
    monkeypatch.setenv("DADEUM_LANG", "ko")
    korean = [c.title for c in chapters(found)]
    assert len(english) == len(korean) == 11
    assert all(title.isascii() for title in english)
    assert all(any("가" <= letter <= "힣" for letter in title) for title in korean)
    assert head(found)[0][0][0] == "모델"


def test_blanks_are_seen_and_sizes_are_short() -> None:
    assert seen(" a\n") == "␣a⏎" and seen("가") == "가"
    assert [size(n) for n in (512, 3 * 2**20, 5 * 2**30)] == ["0.5 KiB", "3.0 MiB", "5.00 GiB"]
