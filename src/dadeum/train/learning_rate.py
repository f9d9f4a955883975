"""The learning rate of each step: a schedule of transformers, asked by step number.

The rate depends on the step's number alone, so there is nothing to save, and a step that was skipped (fp16 overflow,
a number that is not finite) does not move the schedule away from the data.
"""

from collections.abc import Callable

import torch
from transformers import get_scheduler

from dadeum.config.train import TrainSettings
from dadeum.core.errors import TrainError
from dadeum.core.language import say
from dadeum.train.schedule import Schedule

WITHOUT_SETTINGS = ("constant", "constant_with_warmup")


def learning_rates(train: TrainSettings, schedule: Schedule) -> Callable[[int], float]:
    """The learning rate by step, counted from 0. Raises TrainError where `lr_scheduler_kwargs` do not fit."""
    kind, kwargs = train.lr_scheduler_type, train.lr_scheduler_kwargs
    if kwargs and kind in WITHOUT_SETTINGS:
        raise _unfit(kind, "takes none", "설정이 없습니다")
    # transformers ties a schedule to an optimizer; this one only carries it.
    carrier = torch.optim.SGD([torch.zeros(1)], lr=train.learning_rate)
    try:
        scheduler = get_scheduler(kind, carrier, schedule.warmup_steps, schedule.steps, dict(kwargs))
        multiplier = scheduler.lr_lambdas[0]
        multiplier(0), multiplier(schedule.steps - 1)
    except (TypeError, ValueError) as error:
        raise _unfit(kind, str(error), str(error)) from None
    base = train.learning_rate
    return lambda step: base * float(multiplier(step))


def _unfit(kind: str, english: str, korean: str) -> TrainError:
    return TrainError(
        say(
            f"train.lr_scheduler_kwargs: do not fit '{kind}': {english}",
            f"train.lr_scheduler_kwargs: '{kind}'에 맞지 않습니다: {korean}",
        )
    )
