"""What the reporter is told."""

from pathlib import Path

import pytest

from dadeum.train.hooks.progress import clock
from dadeum.train.step import train
from tests.train.support import Told, make_job


@pytest.mark.parametrize(("seconds", "shown"), [(0, "0:00"), (59.6, "1:00"), (125, "2:05"), (3723, "1:02:03")])
def test_time_is_read_at_a_glance(seconds: float, shown: str) -> None:
    assert clock(seconds) == shown


def test_each_step_tells_loss_speed_memory_and_time_left(tmp_path: Path, formatted: Path) -> None:
    told = Told()
    train(make_job(tmp_path, formatted), told)
    assert [done for done, _ in told.facts] == [1, 2, 3, 4]
    assert all(set(facts) == {"loss", "tokens_per_second", "memory", "left"} for _, facts in told.facts)
    assert told.facts[-1][1]["left"] == "0:00"
