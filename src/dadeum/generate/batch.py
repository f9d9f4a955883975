"""Many questions at once: a file in, a file out."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from dadeum.core.progress import Reporter
from dadeum.generate.engine import Engine
from dadeum.generate.questions import Question, check_output, read_questions, write_answers
from dadeum.generate.reply import Reply


@dataclass(frozen=True)
class Answering:
    """How answers are made."""

    max_new_tokens: int = 256
    batch_size: int = 16
    temperature: float = 0.0
    top_p: float = 1.0
    seed: int = 0


def answer(engine: Engine, questions: Sequence[Question], how: Answering, reporter: Reporter) -> list[Reply]:
    """A reply to each question, each on its own, in their order."""
    reporter.start(engine.name, len(questions), "questions")
    return engine.replies(
        [engine.contract.messages(q.question) for q in questions],
        max_new_tokens=how.max_new_tokens,
        batch_size=how.batch_size,
        temperature=how.temperature,
        top_p=how.top_p,
        seed=how.seed,
        reporter=reporter,
    )


def answer_file(engine: Engine, questions: Path, out: Path, how: Answering, reporter: Reporter) -> list[Reply]:
    """Answer a file of questions (.txt, .csv, .jsonl) into `out` (.md, .jsonl, .csv), written whole or not at all."""
    check_output(out)
    asked = read_questions(questions)
    replies = answer(engine, asked, how, reporter)
    rows = []
    for question, reply in zip(asked, replies, strict=True):
        row = {"question": question.question, "answer": reply.text, "tokens": reply.new_tokens, "cut": reply.cut}
        if any(q.reference is not None for q in asked):
            row["reference"] = question.reference
        if any(q.category is not None for q in asked):
            row["category"] = question.category
        rows.append({**row, "seconds": round(reply.seconds, 3)})
    write_answers(out, engine.name, rows)
    return replies
