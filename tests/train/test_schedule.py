"""Steps, events and the forecast."""

import math
import subprocess
import sys

import pytest

from dadeum.config.train import TrainSettings
from dadeum.core.errors import TrainError
from dadeum.train.schedule import forecast, make_schedule, rank_batch


def _train(**settings: object) -> TrainSettings:
    return TrainSettings.model_validate({"total_train_batch_size": 8, **settings})


@pytest.mark.parametrize(
    ("rows", "epochs", "steps"), [(24, 1.0, 3), (25, 1.0, 4), (25, 3.0, 12), (24, 0.5, 2), (24, 1.5, 5), (3, 0.01, 1)]
)
def test_steps_are_whole_windows_of_the_epochs(rows: int, epochs: float, steps: int) -> None:
    assert make_schedule(_train(num_train_epochs=epochs), rows).steps == steps


def test_max_steps_come_instead_of_epochs() -> None:
    schedule = make_schedule(_train(num_train_epochs=9.0, max_steps=5), 22)
    assert schedule.steps == 5
    # Three steps an epoch, of 8, 8 and 6 rows.
    assert [schedule.epoch_at(s) for s in range(7)] == [0, 8 / 22, 16 / 22, 1, 1 + 8 / 22, 1 + 16 / 22, 2]


@pytest.mark.parametrize(("warmup", "steps"), [(0.0, 0), (0.03, 1), (0.5, 5), (1.0, 1), (7.0, 7)])
def test_warm_up_is_a_share_below_one(warmup: float, steps: int) -> None:
    assert make_schedule(_train(max_steps=10, warmup_steps=warmup), 24).warmup_steps == steps


def test_events_come_at_epoch_ends_unless_told() -> None:
    schedule = make_schedule(_train(num_train_epochs=2.5), 24)
    assert [s for s in range(1, 9) if schedule.saves_after(s)] == [3, 6]
    assert [s for s in range(1, 9) if schedule.evaluates_after(s)] == [3, 6, 8]
    schedule = make_schedule(_train(max_steps=10, save_steps=4.0, eval_steps=0.25), 24)
    assert [s for s in range(1, 11) if schedule.saves_after(s)] == [4, 8]
    assert [s for s in range(1, 11) if schedule.evaluates_after(s)] == [3, 6, 9, 10]


@pytest.mark.parametrize("value", [1.5, 2.5])
def test_an_interval_that_cannot_be_is_refused(value: float) -> None:
    with pytest.raises(TrainError, match=r"train.save_steps: found"):
        make_schedule(_train(save_steps=value), 24)


def test_no_rows_are_refused() -> None:
    with pytest.raises(TrainError, match="no rows"):
        make_schedule(_train(), 0)


def test_a_total_that_processes_cannot_share_names_the_nearest() -> None:
    assert rank_batch(16, 4) == 4
    with pytest.raises(TrainError, match="16 cannot be shared by 3 processes; the nearest are 15 / 18"):
        rank_batch(16, 3)
    with pytest.raises(TrainError, match="the nearest are 4"):
        rank_batch(2, 4)


def test_the_forecast_is_what_the_loop_will_do() -> None:
    found = forecast(_train(num_train_epochs=3.0, eval_steps=2.0), rows=22, validation_rows=3)
    assert (found.steps, found.epochs, found.steps_per_epoch, found.effective_batch) == (9, 3.0, 3, 8)
    assert found.evaluations == len([2, 4, 6, 8, 9]) and found.saves == 3
    assert found.warmup_steps == math.ceil(9 * 0.03)
    assert forecast(_train(), rows=22, validation_rows=0).evaluations == 0
    assert forecast(_train(), rows=5, validation_rows=0).effective_batch == 5


def test_the_forecast_needs_no_torch() -> None:
    code = (
        "import sys; from dadeum.train.step import forecast, train, TrainJob; from dadeum.train.hooks import HOOKS; "
        "[HOOKS.member(n) for n in HOOKS.names]; "
        "from dadeum.train.objectives import OBJECTIVES; [OBJECTIVES.member(n) for n in OBJECTIVES.names]; "
        "from dadeum.train.optimizers import OPTIMIZERS; [OPTIMIZERS.member(n) for n in OPTIMIZERS.names]; "
        "print(sorted({'torch', 'transformers', 'numpy', 'pandas', 'datasets'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
