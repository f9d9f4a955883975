"""Names that are nearly right."""

from pathlib import Path

import pytest

from dadeum.core.near import MANY, hint, near_folder, nearest


@pytest.mark.parametrize(
    ("name", "names", "expected"),
    [
        ("learning_rte", ["learning_rate", "seed"], "learning_rate"),
        ("Learning_Rate", ["learning_rate"], "learning_rate"),
        ("zzz", ["learning_rate"], None),
        ("x", [], None),
    ],
)
def test_nearest(name: str, names: list[str], expected: str | None) -> None:
    assert nearest(name, names) == expected


def test_what_is_compared_is_bounded() -> None:
    names = (f"experiment-number-{n:07}" for n in range(1_000_000))
    assert nearest("experiment-nubmer-0000001", names) is not None
    assert next(names) == f"experiment-number-{MANY:07}"


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("checkpoints/my-tund", "checkpoints/my-tuned"),
        ("./checkpoints/my-tund", "./checkpoints/my-tuned"),
        ("chekpoints", "checkpoints"),
        ("checkpoints/weights", None),
        ("nowhere/my-tuned", None),
    ],
)
def test_folders(name: str, expected: str | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "checkpoints/my-tuned").mkdir(parents=True)
    (tmp_path / "checkpoints/weights-of-mine.bin").touch()
    monkeypatch.chdir(tmp_path)
    assert near_folder(name) == expected
    assert near_folder(str(tmp_path / "chekpoints")) == str(tmp_path / "checkpoints")
    assert near_folder("my-tund", tmp_path / "checkpoints") == "my-tuned"


def test_hint(monkeypatch: pytest.MonkeyPatch) -> None:
    assert hint(None) == "" and hint("x") == "; did you mean 'x'?"
    monkeypatch.setenv("DADEUM_LANG", "ko")
    assert hint("x") == "; 'x'을(를) 뜻하셨나요?"
