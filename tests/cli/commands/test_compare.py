"""`dadeum compare A B`."""

from pathlib import Path

from tests.run.lab import NAME, cli, fine


def test_questions_without_references(ran: Path) -> None:
    (ran / "q.txt").write_text("안녕?\n잘가\n", encoding="utf-8")
    (base,) = (ran / "checkpoints" / NAME).glob("base-*")
    words = ("--questions", "q.txt", "-o", "mine", "--max_new_tokens", "4")
    said = fine(ran, "compare", NAME, str(base), *words).out
    assert "안녕?" in said and "written:" in said
    names = {"comparison.json", "comparison.md", "model_comparison_results.csv"}
    assert {f.name for f in (ran / "mine").iterdir() if f.suffix != ".log"} == names


def test_one_model_is_too_few(done: Path) -> None:
    said = cli(done, "compare", NAME)
    assert said.code == 2 and said.errors == ["error: found 1 model, expected two or more"]
    assert cli(done, "compare").code == 2
