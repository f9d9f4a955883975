"""`dadeum batch questions.txt -o results`."""

import csv
import json
from pathlib import Path

import pytest

from tests.run.lab import NAME, cli, fine

QUESTIONS = ["3번 질문은 무엇인가요?", "안녕?", "잘가"]


@pytest.fixture
def lab(ran: Path) -> Path:
    (ran / "q.txt").write_text("\n".join(QUESTIONS) + "\n\n", encoding="utf-8")
    return ran


def test_every_kind_of_file_holds_the_answers_that_ask_gives(lab: Path) -> None:
    words = ("-m", NAME, "--max-new-tokens", "4")
    asked = [fine(lab, "ask", question, *words).out.strip() for question in QUESTIONS]
    for name in ("a.md", "a.jsonl", "a.csv"):
        said = fine(lab, "batch", "q.txt", "-o", name, *words)
        assert f"3 answers in {name}" in said.out
    lines = [json.loads(line) for line in (lab / "a.jsonl").read_text(encoding="utf-8").splitlines()]
    assert [line["question"] for line in lines] == QUESTIONS
    assert [line["answer"].strip() for line in lines] == asked
    with (lab / "a.csv").open(encoding="utf-8-sig", newline="") as file:
        assert [row["question"] for row in csv.DictReader(file)] == QUESTIONS
    text = (lab / "a.md").read_text(encoding="utf-8")
    assert text.startswith(f"# {NAME}\n") and all(question in text for question in QUESTIONS)
    assert list((lab / "experiments").glob("inference_*.log"))


def test_the_size_of_the_batch_changes_nothing(lab: Path) -> None:
    for size in ("1", "3"):
        fine(lab, "batch", "q.txt", "-o", f"{size}.jsonl", "--batch_size", size, "--max-new-tokens", "6")

    def answers(name: str) -> list[str]:
        return [json.loads(line)["answer"] for line in (lab / name).read_text(encoding="utf-8").splitlines()]

    assert answers("1.jsonl") == answers("3.jsonl")


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (("none.txt", "-o", "a.md"), "none.txt: no such file of questions"),
        (("q.txt", "-o", "a.docx"), "a.docx: found '.docx'"),
        (("q.pdf", "-o", "a.md"), "q.pdf"),
        (("empty.txt", "-o", "a.md"), "empty.txt: holds no question"),
        (("q.txt",), "--output-file"),
    ],
)
def test_bad_files(lab: Path, words: tuple[str, ...], expected: str) -> None:
    (lab / "empty.txt").write_text("\n \n", encoding="utf-8")
    (lab / "q.pdf").write_text("x", encoding="utf-8")
    said = cli(lab, "batch", *words)
    assert said.code == 2 and len(said.errors) == 1 and expected in said.errors[0]
    assert not list(lab.glob("a.*")) and not list((lab / "experiments").glob("inference_*"))
