"""`dadeum ask "…"`."""

from pathlib import Path

import pytest

from tests.run.lab import NAME, cli, files_below, fine, runs_of


def test_an_answer_and_its_log(ran: Path) -> None:
    said = fine(ran, "ask", "3번 질문은 무엇인가요?", "-m", NAME, "--max-new-tokens", "3")
    assert said.out.endswith("\n") and "(cut at 3 tokens; --max-new-tokens gives more)" in said.err
    (log,) = (ran / "experiments").glob("inference_*.log")
    text = log.read_text(encoding="utf-8")
    assert "question: 3번 질문은 무엇인가요?" in text and f"answer: {said.out.strip()}" in text
    assert str(runs_of(ran)[0].final) in text


def test_left_out_the_model_is_the_last_run(done: Path, ran: Path) -> None:
    words = ("ask", "7번 질문은?", "--max_new_tokens=6")
    assert fine(ran, *words).out == fine(ran, *words, "-m", NAME).out


def test_draws_are_seeded(ran: Path) -> None:
    def drawn(seed: int) -> str:
        return fine(ran, "ask", "안녕", "--temperature", "1.5", "--seed", str(seed), "--max-new-tokens", "12").out

    assert drawn(1) == drawn(1) and len({drawn(seed) for seed in range(4)}) > 1


@pytest.mark.parametrize("question", ["", "  ", "\n"])
def test_an_empty_question(done: Path, question: str) -> None:
    before = files_below(done)
    said = cli(done, "ask", question)
    assert said.code == 2 and said.errors == ["error: the question is empty, expected some text"]
    assert files_below(done) == before


def test_without_a_model_nothing_is_written(tmp_path: Path) -> None:
    said = cli(tmp_path, "ask", "안녕")
    assert said.code == 2 and "no finished run in this workspace" in said.errors[0]
    assert cli(tmp_path, "ask", "안녕", "-m", "tinny").code == 2
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("words", [("--temperature", "-1"), ("--top-p", "0"), ("--max-new-tokens", "0"), ("--nope",)])
def test_options_out_of_range(done: Path, words: tuple[str, ...]) -> None:
    said = cli(done, "ask", "안녕", *words)
    assert said.code == 2 and len(said.errors) == 1 and "Traceback" not in said.err


def test_raw_continues_a_text_without_a_template(material: Path, tmp_path: Path) -> None:
    """The base that has no chat template: refused as it is, and with --raw the greedy text that llama2.c is known for."""
    words = ("ask", "Once upon a time", "-m", str(material / "weights/stories260K/hf"), "--max-new-tokens", "16")
    assert "has no chat template" in cli(tmp_path, *words).errors[0]
    assert fine(tmp_path, *words, "--raw").out.startswith(", there was a little girl named Lily.")
