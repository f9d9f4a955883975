"""`dadeum lesson`: its words on the command line, pauses and leaving; what is taught stands in tests/cli/test_lessons.py."""

from pathlib import Path

import pytest

from dadeum.cli import lessons
from dadeum.cli.commands import lesson
from dadeum.cli.lesson_words import ORDER
from tests.run.lab import Said, cli, fine


@pytest.fixture(autouse=True)
def offline(monkeypatch: pytest.MonkeyPatch) -> None:
    """As the lessons on the embedded model set it; taken back afterwards."""
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")


@pytest.fixture
def taught(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The lessons that were taken, without what they do."""
    found: list[str] = []
    monkeypatch.setattr(lessons, "teach", lambda name, given: found.append(name))
    return found


def test_all_five_in_order_without_a_pause_where_there_is_no_terminal(tmp_path: Path, taught: list[str]) -> None:
    said = fine(tmp_path, "lesson").out
    assert taught == list(ORDER) and "configs/lesson.yaml" in said and str(tmp_path) in said and "Enter" not in said


@pytest.mark.parametrize(("name", "which"), [("special_tokens", "special-tokens"), ("train", "train")])
def test_one_also_as_the_practice_spells_it(tmp_path: Path, taught: list[str], name: str, which: str) -> None:
    fine(tmp_path, "lesson", name)
    assert taught == [which]


def test_a_setting_alone_is_no_lesson(tmp_path: Path, taught: list[str]) -> None:
    fine(tmp_path, "lesson", "train.seed=7")
    assert taught == list(ORDER)


def test_an_unknown_lesson_and_an_unknown_setting(tmp_path: Path, taught: list[str]) -> None:
    said = cli(tmp_path, "lesson", "compair")
    assert said.code == 2 and "did you mean 'compare'" in said.errors[0] and not list(tmp_path.iterdir())
    assert cli(tmp_path, "lesson", "train", "train.sed=7").code == 2
    assert taught == []


def on_terminal(monkeypatch: pytest.MonkeyPatch, root: Path, answers: list[str]) -> Said:
    from rich.console import Console

    class Terminal:
        @staticmethod
        def isatty() -> bool:
            return True

    monkeypatch.setattr(lesson, "sys", type("sys", (), {"stdin": Terminal}))
    monkeypatch.setattr(Console, "input", lambda self, prompt: answers.pop(0))
    return cli(root, "lesson")


def test_on_a_terminal_one_may_leave_between_them(
    tmp_path: Path, taught: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert on_terminal(monkeypatch, tmp_path, ["", "q"]).code == 0
    assert taught == ["compare", "special-tokens"]


def test_stopped_it_says_what_is_done(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def stopped(name: str, given: object) -> None:
        if name == "preprocess":
            raise KeyboardInterrupt

    monkeypatch.setattr(lessons, "teach", stopped)
    said = cli(tmp_path, "lesson")
    assert said.code == 130 and "lessons done: compare, special-tokens; the same command goes on" in said.out
    assert said.errors == ["error: stopped"]
