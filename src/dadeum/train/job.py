"""What one training is given, and what it gives back."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from dadeum.config.model import ModelSettings
from dadeum.config.train import TrainSettings
from dadeum.core.settings import MemberSettings

FINAL = "final"
STATISTICS = "training_stats.json"
METRICS = "metrics.jsonl"


@dataclass(frozen=True)
class TrainJob:
    """One run of the loop.

    `formatted` is the folder of the data stage, `model_place` the folder of the base model (absent where it starts
    from random weights), `teacher_place` that of a teacher; weights go to `checkpoints` (`checkpoints/<experiment>/<run>`), evidence to `evidence`.
    `head` is what stands on the model, None for its own output layer.
    `new_tokens` are those that the base does not know, each with its description or nothing.
    `experiment` is the resolved experiment, for the record.
    """

    train: TrainSettings
    model: ModelSettings
    adapter: MemberSettings
    packing: bool
    max_length: int
    formatted: Path
    model_place: Path | None
    checkpoints: Path
    evidence: Path
    fingerprint: str
    head: MemberSettings | None = None
    new_tokens: Mapping[str, str] = field(default_factory=dict)
    experiment: dict[str, Any] = field(default_factory=dict)
    resume: Literal["auto", "never", "must"] = "auto"
    teacher_place: Path | None = None

    @property
    def final(self) -> Path:
        """Where the result lies when it is done."""
        return self.checkpoints / FINAL


@dataclass(frozen=True)
class TrainResult:
    """The folder of the trained model, and what stands in its `training_stats.json`."""

    final: Path
    stats: dict[str, Any]
