"""Test rows and evaluations of small models."""

import json
from pathlib import Path
from typing import Any

from dadeum.config.evaluate import EvaluateSettings
from dadeum.core.progress import Silent
from dadeum.evaluate.result import EvaluationResult
from dadeum.evaluate.rows import AskedRow, read_rows
from dadeum.evaluate.score import evaluate
from dadeum.generate.engine import Engine
from tests.generate.support import QUESTIONS, user

# Metrics that need neither Kiwi nor torchmetrics.
QUICK = ["perplexity", "bits_per_byte", "chrf", "exact_match"]


def settings(**changes: Any) -> EvaluateSettings:
    return EvaluateSettings.model_validate({"metrics": QUICK, "max_new_tokens": 8, "bootstrap": 200, **changes})


def write_rows(folder: Path, references: list[str] | None = None) -> Path:
    """`test.jsonl` of eight questions."""
    answers = references or [f"답 {i}입니다" for i in range(len(QUESTIONS))]
    lines = [
        {"messages": user(q), "reference": a, "source_row": 10 + i, "category": "민법" if i % 2 else "형법"}
        for i, (q, a) in enumerate(zip(QUESTIONS, answers, strict=True))
    ]
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "test.jsonl"
    path.write_text("".join(json.dumps(line, ensure_ascii=False) + "\n" for line in lines), encoding="utf-8")
    return path


def write_conversations(folder: Path, count: int = 6) -> Path:
    """`processed_conversations.json` with a part of training rows and others."""
    folder.mkdir(parents=True, exist_ok=True)
    rows = []
    for i in range(count):
        messages = [
            {"role": "system", "content": "s"},
            *user(f"물음 {i}"),
            {"role": "assistant", "content": f"대답 {i}"},
        ]
        rows.append({"messages": messages, "text": "", "source_row": i, "part": "train" if i % 3 else "test"})
    (folder / "processed_conversations.json").write_text(json.dumps(rows, ensure_ascii=False), encoding="utf-8")
    return folder


def rows_in(folder: Path) -> list[AskedRow]:
    return read_rows(write_rows(folder))


def evaluated(engine: Engine, rows: list[AskedRow], **changes: Any) -> EvaluationResult:
    return evaluate(engine, rows, settings(**changes), dataset="test", reporter=Silent())
