"""`dadeum compare A B`."""

from pathlib import Path

from tests.run.lab import NAME, cli, fine


def test_questions_without_references(ran: Path) -> None:
    (ran / "q.txt").write_text("안녕?\n잘가\n", encoding="utf-8")
    (base,) = (ran / "checkpoints" / NAME).glob("base-*")
    words = ("--questions", "q.txt", "-o", "mine", "--max_new_tokens", "4")
    said = fine(ran, "compare", NAME, str(base), *words).out
    assert "안녕?" in said and "written:" in said
    names = {"comparison.json", "comparison.md", "comparison.html", "model_comparison_results.csv"}
    assert {f.name for f in (ran / "mine").iterdir() if f.suffix != ".log"} == names


def test_one_model_is_too_few(done: Path) -> None:
    said = cli(done, "compare", NAME)
    assert said.code == 2 and said.errors == ["error: found 1 model, expected two or more"]
    assert cli(done, "compare").code == 2


def test_a_condition_that_holds_is_exit_code_1(done: Path, tmp_path: Path) -> None:
    """Base and run were evaluated when the run was made: nothing is generated here."""
    (base,) = (done / "checkpoints" / NAME).glob("base-*")
    words = ("compare", str(base), NAME, "-o", str(tmp_path / "out"), "--by", "chrf", "--fail-if")
    said = cli(done, *words, "perplexity < base")
    assert said.code == 1 and "evaluated already" in said.out
    assert (
        "--fail-if perplexity < base: perplexity tiny" in said.out + said.err and "holds, clear" in said.out + said.err
    )
    fine_one = fine(done, *words, "perplexity > base", "--fail-if", "chrf<0")
    assert fine_one.out.count("does not hold") == 2


def test_a_condition_that_cannot_be_meant_is_exit_code_2(done: Path) -> None:
    said = cli(done, "compare", NAME, NAME, "--fail-if", "rouge_x < base")
    assert said.code == 2 and len(said.errors) == 1 and "there is no metric 'rouge_x'; did you mean" in said.errors[0]
    said = cli(done, "compare", NAME, NAME, "--by", "nothing")
    assert said.code == 2 and len(said.errors) == 1 and "--by" in said.errors[0]
