"""How many steps there are, and after which of them something happens. Plain arithmetic: `dadeum plan` asks it too."""

import math
from dataclasses import dataclass

from dadeum.config.train import TrainSettings
from dadeum.core.errors import TrainError
from dadeum.core.language import say


@dataclass(frozen=True)
class Schedule:
    """The optimizer steps of a run; steps count from 1, `after(step)` asks about a step that is done."""

    rows: int
    total_batch: int
    steps_per_epoch: int
    steps: int
    warmup_steps: int
    eval_every: int | None
    save_every: int | None

    @property
    def epochs(self) -> float:
        """Passes over the rows that the steps amount to."""
        return self.epoch_at(self.steps)

    def epoch_at(self, step: int) -> float:
        """Passes done after `step` steps; the last step of a pass may be smaller than the others."""
        whole, part = divmod(step, self.steps_per_epoch)
        return whole + min(part * self.total_batch, self.rows) / self.rows

    def evaluates_after(self, step: int) -> bool:
        """Whether the validation part is scored after `step`; always after the last."""
        return step == self.steps or self._due(step, self.eval_every)

    def saves_after(self, step: int) -> bool:
        """Whether a checkpoint is written after `step`."""
        return self._due(step, self.save_every)

    def _due(self, step: int, every: int | None) -> bool:
        return step > 0 and step % (every or self.steps_per_epoch) == 0


def _interval(value: float | None, steps: int, name: str) -> int | None:
    """Steps between two events: a number of steps, or below 1 a share of all."""
    if value is None:
        return None
    if 0 < value < 1:
        return max(1, math.ceil(steps * value))
    if value != int(value):
        raise TrainError(
            say(
                f"train.{name}: found {value:g}, expected a whole number of steps, or a share between 0 and 1",
                f"train.{name}: {value:g}은(는) 쓸 수 없습니다. 단계 수(정수)나 0과 1 사이의 비율을 적으세요",
            )
        )
    return int(value)


def make_schedule(train: TrainSettings, rows: int) -> Schedule:
    """The steps of `rows` training rows. Raises TrainError where there are none, or a number cannot be."""
    if rows < 1:
        raise TrainError(
            say(
                "the training part has no rows; add data, or split less of it off",
                "학습할 행이 없습니다. 데이터를 늘리거나 나누는 비율을 줄이세요",
            )
        )
    per_epoch = math.ceil(rows / train.total_train_batch_size)
    steps = train.max_steps or max(1, math.ceil(per_epoch * train.num_train_epochs))
    warmup = int(train.warmup_steps) if train.warmup_steps >= 1 else math.ceil(steps * train.warmup_steps)
    return Schedule(
        rows=rows,
        total_batch=train.total_train_batch_size,
        steps_per_epoch=per_epoch,
        steps=steps,
        warmup_steps=warmup,
        eval_every=_interval(train.eval_steps, steps, "eval_steps"),
        save_every=_interval(train.save_steps, steps, "save_steps"),
    )


def rank_batch(total: int, world_size: int) -> int:
    """Samples of one step on one of `world_size` processes. Raises TrainError with the nearest totals that fit."""
    if total % world_size == 0:
        return total // world_size
    below, above = total // world_size * world_size, math.ceil(total / world_size) * world_size
    near = " / ".join(str(n) for n in (below, above) if n)
    raise TrainError(
        say(
            f"train.total_train_batch_size: {total} cannot be shared by {world_size} processes; the nearest are {near}",
            f"train.total_train_batch_size: {total}은(는) 프로세스 {world_size}개로 나눌 수 없습니다. 가까운 값: {near}",
        )
    )


@dataclass(frozen=True)
class Forecast:
    """What `dadeum plan` says about a training before it runs."""

    steps: int
    epochs: float
    steps_per_epoch: int
    warmup_steps: int
    effective_batch: int
    evaluations: int
    saves: int


def forecast(train: TrainSettings, rows: int, validation_rows: int, world_size: int = 1) -> Forecast:
    """The forecast of `rows` training rows on `world_size` processes. Raises TrainError as the training would."""
    schedule = make_schedule(train, rows)
    rank_batch(train.total_train_batch_size, world_size)
    done = range(1, schedule.steps + 1)
    return Forecast(
        steps=schedule.steps,
        epochs=schedule.epochs,
        steps_per_epoch=schedule.steps_per_epoch,
        warmup_steps=schedule.warmup_steps,
        effective_batch=min(train.total_train_batch_size, rows),
        evaluations=sum(map(schedule.evaluates_after, done)) if validation_rows else 0,
        saves=sum(map(schedule.saves_after, done)),
    )
