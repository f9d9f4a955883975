"""What an evaluation found: the file that users open, and that comparisons are made from."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from dadeum.core.artifact import read_json, write_json
from dadeum.core.errors import ArtifactError
from dadeum.core.language import say

# What must be equal in two environments for their scores to be of like things, and what people call it.
ALIKE = {
    "questions_sha256": ("questions", "질문"),
    "targets_sha256": ("reference answers", "기준 답"),
    "decoding": ("decoding settings", "생성 설정"),
}


def unlike(one: Mapping[str, Any], other: Mapping[str, Any]) -> list[str]:
    """What two environments do not have in common, as people call it."""
    return [say(*names) for key, names in ALIKE.items() if one.get(key) != other.get(key)]


@dataclass(frozen=True)
class EvaluationResult:
    """Scores of one model on some rows.

    `metrics[name]`: value, signature, higher_is_better, n, unit, `metric` (the member that made it), interval of 95 %
    and standard error over the rows, and `floor`, the value that the same predictions reach against other rows' references.
    `samples[i]["statistics"][name]` is the row that resampling works on. `confusion[head]`: `names`, and in `counts` how often
    the class of the row was said to be that of the column; of several labels a row `[[no, over], [missed, hit]]` a class.
    """

    model: str
    dataset: str
    metrics: dict[str, dict[str, Any]]
    samples: list[dict[str, Any]]
    environment: dict[str, Any]
    shares: dict[str, float] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    seconds: float = 0.0
    confusion: dict[str, dict[str, Any]] = field(default_factory=dict)

    def write(self, path: Path) -> Path:
        """As JSON, whole or not at all."""
        write_json(path, asdict(self))
        return path

    @classmethod
    def read(cls, path: Path) -> "EvaluationResult":
        """Raises ArtifactError where the file is no evaluation."""
        values = read_json(path)
        try:
            return cls(**values)
        except TypeError as error:
            raise ArtifactError(
                say(
                    f"{path}: is no evaluation of dadeum ({error}); evaluate again",
                    f"{path}: dadeum의 평가 파일이 아닙니다 ({error}). 다시 평가하세요",
                )
            ) from None
