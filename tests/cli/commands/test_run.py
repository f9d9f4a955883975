"""`dadeum run`."""

from pathlib import Path

from tests.cli.commands.test_plan import TALKS, talks
from tests.run.lab import NAME, cli, fine, runs_of


def test_it_ends_with_the_comparison_and_what_to_do_next(done: Path) -> None:
    said = fine(done, "run", NAME).out
    assert (
        "On the test rows" in said and "perplexity ↓" in said and "base_few_shot" in said and "95 % intervals" in said
    )
    assert "question" in said and "reference" in said
    run = runs_of(done)[0]
    assert f"checkpoints/{NAME}/{run.name}/final" in said and f"experiments/{NAME}/{run.name}" in said
    assert f"dadeum chat -m {NAME}" in said


def test_the_file_and_its_name_mean_the_same(done: Path) -> None:
    for text in (NAME, f"configs/{NAME}.yaml", str(done / "configs" / f"{NAME}.yaml")):
        assert "▶" not in fine(done, "run", text).out


def test_korean(done: Path, monkeypatch: object) -> None:
    import pytest

    with pytest.MonkeyPatch.context() as patched:
        patched.setenv("DADEUM_LANG", "ko")
        said = fine(done, "run", NAME)
        assert "시험 행에서" in said.out and "다음" in said.out
        wrong = cli(done, "run", "tinny")
    assert wrong.code == 2 and wrong.err.startswith("오류: tinny: 그런 실험이 없습니다; 'tiny'")


def test_faults_of_the_file_are_told_at_once(written: Path) -> None:
    said = cli(written, "run", NAME, "train.learning_rat=1", "data.max_length=abc")
    assert said.code == 2 and len(said.errors) == 2
    assert any("learning_rate" in line for line in said.errors) and any("max_length" in line for line in said.errors)
    assert not (written / "experiments").exists()


def test_what_the_gate_finds_stops_the_run_before_anything_is_trained(written: Path) -> None:
    talks(written)
    said = cli(written, "run", NAME, TALKS)
    assert said.code == 2 and len(said.errors) == 1 and said.errors[0].startswith("error: prompt_mismatch: ")
    assert not (written / "checkpoints").exists() and not runs_of(written)
    assert not list((written / "data" / "processed").glob("formatted-*"))
