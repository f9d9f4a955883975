"""What must be the same for a resumed run to be the run that was stopped.

Everything that the numbers depend on is written into each checkpoint and compared before anything is loaded; what only
says how often something is shown, scored or saved may change.
"""

from typing import Any

from dadeum.core.errors import TrainError
from dadeum.core.fingerprint import versions
from dadeum.core.language import say
from dadeum.train.job import TrainJob

# Intervals and limits: they change when something is written, never what is computed.
FREE = ("logging_steps", "eval_steps", "save_steps", "save_total_limit", "per_device_train_batch_size")


def conditions(
    job: TrainJob, *, data: str, world_size: int, device: str, threads: int, precision: str
) -> dict[str, Any]:
    """The conditions of this run; `data` is the fingerprint of the formatted rows."""
    train = {k: v for k, v in job.train.model_dump(mode="json").items() if k not in FREE}
    return {
        "fingerprint": job.fingerprint,
        "data": data,
        "world_size": world_size,
        "device": device,
        "threads": threads,
        "precision": precision,
        "packing": job.packing,
        "max_length": job.max_length,
        "train": train,
        "model": job.model.model_dump(mode="json"),
        "adapter": job.adapter.model_dump(mode="json"),
        "versions": versions(),
    }


def first_difference(then: Any, now: Any, name: str = "") -> tuple[str, Any, Any] | None:
    """The first field, by its dotted name, that is not the same, with both its values."""
    if isinstance(then, dict) and isinstance(now, dict):
        for key in [*then, *(k for k in now if k not in then)]:
            found = first_difference(then.get(key), now.get(key), f"{name}.{key}" if name else str(key))
            if found:
                return found
        return None
    return None if then == now else (name, then, now)


def require_same(then: dict[str, Any], now: dict[str, Any], checkpoint: str) -> None:
    """Raises TrainError that names the first field in which this run differs from its checkpoint."""
    # The whole fingerprint differs whenever a part does; the part is the better answer.
    names = [k for k in now if k != "fingerprint"] + ["fingerprint"]
    found = first_difference({k: then.get(k) for k in names}, {k: now[k] for k in names})
    if found:
        name, old, new = found
        raise TrainError(
            say(
                f"{checkpoint}: cannot be resumed, since '{name}' was {old!r} and now is {new!r}; "
                "put it back, or start a new run",
                f"{checkpoint}: 이어서 학습할 수 없습니다. '{name}'이(가) {old!r}였는데 지금은 {new!r}입니다. "
                "되돌리거나 새로 시작하세요",
            )
        )
