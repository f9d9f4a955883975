"""A44: scores whose seed, prompt, template or version nobody wrote down."""

from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import pytest

from dadeum.core.errors import ArtifactError
from dadeum.evaluate.compare import compare
from dadeum.evaluate.result import EvaluationResult
from tests.evaluate.support import evaluated, rows_in
from tests.generate.support import opened, save_small

KEYS = (
    "template_sha256",
    "prompts_sha256",
    "targets_sha256",
    "questions_sha256",
    "tokenizer_sha256",
    "decoding",
    "seed",
    "versions",
    "dtype",
)


def timeless(result: EvaluationResult) -> dict[str, Any]:
    values = {**asdict(result), "seconds": 0}
    values["samples"] = [{**sample, "seconds": 0} for sample in values["samples"]]
    return values


def test_evaluated_again_it_is_the_same_but_for_time(tmp_path: Path) -> None:
    folder, rows = save_small(tmp_path), rows_in(tmp_path)
    one, other = (evaluated(opened(folder), rows) for _ in range(2))
    assert timeless(one) == timeless(other)
    assert all(one.environment[key] for key in KEYS)


def test_another_template_is_another_key(tmp_path: Path) -> None:
    rows = rows_in(tmp_path)
    one = evaluated(opened(save_small(tmp_path / "a")), rows)
    other = evaluated(opened(save_small(tmp_path / "b", template="plain")), rows)
    for key in ("template_sha256", "prompts_sha256"):
        assert one.environment[key] != other.environment[key]
    assert one.environment["questions_sha256"] == other.environment["questions_sha256"]


@pytest.mark.parametrize("key", ["questions_sha256", "targets_sha256", "decoding"])
def test_unlike_keys_are_not_compared(tmp_path: Path, key: str) -> None:
    one = evaluated(opened(save_small(tmp_path)), rows_in(tmp_path))
    other = replace(one, environment={**one.environment, key: "another"})
    with pytest.raises(ArtifactError, match="evaluate both again"):
        compare([("a", one), ("b", other)], draws=100, seed=0)
