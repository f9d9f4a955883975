"""Every schedule against transformers' own, stepped."""

from typing import Any, get_args

import pytest
import torch
from transformers import get_scheduler

from dadeum.config.train import Scheduler, TrainSettings
from dadeum.core.errors import TrainError
from dadeum.train.learning_rate import learning_rates
from dadeum.train.schedule import make_schedule

NEEDS: dict[str, dict[str, Any]] = {
    "cosine_with_min_lr": {"min_lr_rate": 0.1},
    "warmup_stable_decay": {"num_decay_steps": 4},
}


def _rates(kind: str, kwargs: dict[str, Any], steps: int = 20) -> tuple[list[float], list[float]]:
    """Ours, and those of the schedule stepped beside an optimizer."""
    train = TrainSettings(max_steps=steps, warmup_steps=3.0, lr_scheduler_type=kind, lr_scheduler_kwargs=kwargs)  # type: ignore[arg-type]
    rate = learning_rates(train, make_schedule(train, 100))
    optimizer = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=train.learning_rate)
    scheduler = get_scheduler(kind, optimizer, 3, steps, dict(kwargs))
    theirs = []
    for _ in range(steps):
        theirs.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        scheduler.step()
    return [rate(step) for step in range(steps)], theirs


@pytest.mark.parametrize("kind", get_args(Scheduler))
def test_every_schedule_is_that_of_transformers(kind: str) -> None:
    ours, theirs = _rates(kind, NEEDS.get(kind, {}))
    assert ours == pytest.approx(theirs, rel=1e-12)
    assert len(set(ours)) > 1 or kind == "constant"


def test_settings_of_a_schedule_have_an_effect() -> None:
    assert _rates("polynomial", {"power": 2.0})[0] != _rates("polynomial", {})[0]


@pytest.mark.parametrize(
    ("kind", "kwargs"), [("cosine", {"nonsense": 1}), ("constant", {"num_cycles": 1}), ("warmup_stable_decay", {})]
)
def test_settings_that_do_not_fit_are_refused(kind: str, kwargs: dict[str, Any]) -> None:
    with pytest.raises(TrainError, match=f"train.lr_scheduler_kwargs: do not fit '{kind}'"):
        _rates(kind, kwargs)
