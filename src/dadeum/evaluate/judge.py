"""A language model as judge: which of two answers to the same question is better, asked twice with the places swapped.

A row counts as won or lost only where both askings say so; else it is a tie. What was answered is kept in `judge.jsonl`, and
not asked again. A judge that is down, slow or talks nonsense costs its own numbers and no others.
"""

import hashlib
import importlib.util
import json
import os
import threading
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from dadeum.config.evaluate import EvaluateSettings
from dadeum.config.judge import JudgeSettings
from dadeum.core.errors import MissingExtra
from dadeum.core.language import say
from dadeum.core.progress import Reporter
from dadeum.core.secrets import redact
from dadeum.evaluate.harness_metric import Mean
from dadeum.evaluate.judge_words import Verdict, messages, prompt_sha256, verdict
from dadeum.evaluate.result import EvaluationResult
from dadeum.evaluate.rows import spread

FILE = "judge.jsonl"
KEYS = ("JUDGE_API_KEY", "OPENAI_API_KEY")
NO_KEY = "none"  # servers of one's own ask for none
GIVEN_UP = 3  # questions without an answer, and none with one, after which no more are asked


def ready(settings: JudgeSettings | None) -> None:
    """Raises MissingExtra with the command where a judge is wanted and its package is not installed."""
    if settings is not None and importlib.util.find_spec("openai") is None:
        how = 'pip install "dadeum[judge]"'
        raise MissingExtra(
            say(
                f"evaluate.judge: needs the package openai, which is not installed: {how}",
                f"evaluate.judge: openai 패키지가 필요한데 설치되어 있지 않습니다: {how}",
            )
        )


@dataclass(frozen=True)
class Question:
    """One asking: `other`'s answer of a row beside the first model's, first or second."""

    other: str
    row: int
    swapped: bool  # the other model's answer stands first
    messages: tuple[dict[str, str], ...]
    key: str


class Ledger:
    """`judge.jsonl`: what was asked and answered, a line each, appended as answers come."""

    def __init__(self, path: Path) -> None:
        self.path, self.lock = path, threading.Lock()
        self.known: dict[str, str] = {}
        for line in path.read_text(encoding="utf-8").splitlines() if path.is_file() else ():
            try:
                entry = json.loads(line)
                self.known[entry["key"]] = entry["raw"]
            except (ValueError, KeyError, TypeError):  # a line that was cut when the writer was stopped
                continue

    def add(self, question: Question, raw: str) -> None:
        """Keep an answer."""
        entry = {
            "key": question.key,
            "model": question.other,
            "row": question.row,
            "swapped": question.swapped,
            "verdict": verdict(raw),
            "raw": redact(raw),
        }
        line = json.dumps(entry, ensure_ascii=False)
        with self.lock:
            self.known[question.key] = raw
            torn = self.path.is_file() and not self.path.read_bytes().endswith(b"\n")
            with self.path.open("a", encoding="utf-8", newline="\n") as file:
                file.write(("\n" if torn else "") + line + "\n")


class Asking:
    """Questions to the judge, several at a time; stops where the judge is not there."""

    def __init__(self, settings: JudgeSettings, ledger: Ledger, reporter: Reporter) -> None:
        from openai import OpenAI

        key = next((value for name in KEYS if (value := os.environ.get(name))), NO_KEY)
        self.settings, self.ledger, self.reporter = settings, ledger, reporter
        self.client = OpenAI(
            base_url=settings.base_url, api_key=key, timeout=settings.timeout, max_retries=settings.retries
        )
        self.failed: list[str] = []
        self.answered = self.done = 0
        self.lock = threading.Lock()

    def all(self, questions: Sequence[Question]) -> None:
        """Ask what was not asked before."""
        todo = [question for question in questions if question.key not in self.ledger.known]
        self.reporter.start(say("judge", "심판"), len(todo), say("questions", "질문"))
        with self.client, ThreadPoolExecutor(self.settings.concurrency) as pool:
            list(pool.map(self._one, todo))

    @property
    def gone(self) -> bool:
        """Whether no answer can be hoped for."""
        return len(self.failed) >= GIVEN_UP and not self.answered

    def _one(self, question: Question) -> None:
        from openai import APIStatusError, OpenAIError

        if self.gone:
            return
        try:
            reply = self.client.chat.completions.create(
                model=self.settings.model,
                messages=list(question.messages),
                temperature=self.settings.temperature,
                max_tokens=self.settings.max_tokens,
            )
            raw = reply.choices[0].message.content or ""
        except OpenAIError as error:
            status = f"{error.status_code} " if isinstance(error, APIStatusError) else ""
            self._fail(f"{status}{type(error).__name__}: {str(error)[:200]}")
            return
        except (ValueError, TypeError, AttributeError, LookupError) as error:  # an answer of another shape
            self._fail(f"{type(error).__name__}: {str(error)[:200]}")
            return
        self.ledger.add(question, raw)
        with self.lock:
            self.answered += 1
            self.done += 1
            self.reporter.advance(self.done)

    def _fail(self, reason: str) -> None:
        with self.lock:
            self.failed.append(redact(" ".join(reason.split())))
            self.done += 1


def judge(
    columns: Sequence[tuple[str, EvaluationResult]], settings: EvaluateSettings, out: Path, reporter: Reporter
) -> dict[str, Any] | None:
    """Each further model against the first; None where no judge is asked for, or none answered (which is told)."""
    chosen = settings.judge
    if chosen is None:
        return None
    ready(chosen)
    out.mkdir(parents=True, exist_ok=True)
    ledger = Ledger(out / FILE)
    (first, base), others = columns[0], columns[1:]
    questions = [q for name, other in others for q in _questions(name, base, other, chosen)]
    asking = Asking(chosen, ledger, reporter)
    asking.all(questions)
    missing = sum(question.key not in ledger.known for question in questions)
    if missing:
        reporter.warn(_unanswered(missing, len(questions), asking.failed))
    models = {name: _counted(name, base, questions, ledger, settings) for name, _ in others}
    if not any(found["n"] for found in models.values()):
        if questions and not missing:
            reporter.warn(
                say(
                    f"judge: none of {len(questions)} answers names the better one, so there is no win rate; the answers are in {FILE}",
                    f"심판: 답 {len(questions)}개 가운데 더 나은 쪽을 고른 것이 없어 승률이 없습니다. 답은 {FILE}에 있습니다",
                )
            )
        return None
    prompt = prompt_sha256(chosen.criteria)
    return {
        "model": chosen.model,
        "first": first,
        "prompt_sha256": prompt,
        "signature": f"judge|model:{chosen.model}|prompt:{prompt[:12]}|temperature:{chosen.temperature:g}|swapped:both|tie:0.5",
        "models": models,
    }


def _unanswered(missing: int, count: int, failed: Sequence[str]) -> str:
    reason = failed[0] if failed else "?"
    return say(
        f"judge: {missing} of {count} questions got no answer ({reason}); the other scores stay, and what was answered is kept: "
        "delete comparison.json and run again to ask the rest",
        f"심판: 질문 {count}개 중 {missing}개에 답이 없습니다 ({reason}). 다른 점수는 그대로이고 받은 답은 남아 있습니다. "
        "comparison.json을 지우고 다시 실행하면 나머지만 묻습니다",
    )


def _questions(name: str, base: EvaluationResult, other: EvaluationResult, settings: JudgeSettings) -> list[Question]:
    both = [
        row
        for row, pair in enumerate(zip(base.samples, other.samples, strict=True))
        if all(sample["prediction"] is not None for sample in pair)
    ]
    found = []
    for row in (both[at] for at in spread(len(both), settings.max_rows)):
        texts = [str(side.samples[row]["prediction"]) for side in (base, other)]
        for swapped in (False, True):
            one, two = reversed(texts) if swapped else texts
            said = messages(base.samples[row], one, two, settings.criteria)
            found.append(Question(name, row, swapped, tuple(said), _key(said, settings)))
    return found


def _key(said: Sequence[Mapping[str, str]], settings: JudgeSettings) -> str:
    asked = [settings.base_url, settings.model, settings.temperature, settings.max_tokens, list(said)]
    return hashlib.sha256(json.dumps(asked, ensure_ascii=False).encode(errors="surrogatepass")).hexdigest()


def _counted(
    name: str, base: EvaluationResult, questions: Sequence[Question], ledger: Ledger, settings: EvaluateSettings
) -> dict[str, Any]:
    """Wins of a model against the first, and how steady the judge was."""
    from dadeum.evaluate.statistics import interval

    said: dict[int, dict[bool, Verdict | None]] = {}
    malformed = 0
    for question in (q for q in questions if q.other == name and q.key in ledger.known):
        found = verdict(ledger.known[question.key])
        malformed += found is None
        said.setdefault(question.row, {})[question.swapped] = found
    whole = {row: both for row, both in said.items() if None not in (both.get(False), both.get(True))}
    # Whom each asking chose: the other model stands second, and first when swapped.
    picks = {row: (_pick(both[False], "2"), _pick(both[True], "1")) for row, both in whole.items()}
    points = [one if one == two else 0.5 for one, two in picks.values()]
    sided = [both[swapped] for both in whole.values() for swapped in (False, True) if both[swapped] != "tie"]
    span = None
    if points:
        groups = [base.samples[row].get("group") for row in whole]
        rows = [(point, 1.0) for point in points]
        span = interval(rows, Mean(True), draws=settings.bootstrap, seed=settings.seed, groups=groups)
    return {
        "n": len(points),
        "wins": points.count(1.0),
        "ties": points.count(0.5),
        "losses": points.count(0.0),
        "win_rate": sum(points) / len(points) if points else None,
        "interval": None if span is None else [span.low, span.high],
        "consistent": sum(one == two for one, two in picks.values()) / len(picks) if picks else None,
        "chose_first": sided.count("1") / len(sided) if sided else None,
        "malformed": malformed,
        "rows": {str(row): point for row, point in zip(whole, points, strict=True)},
    }


def _pick(said: Verdict | None, other: Verdict) -> float:
    """1 where the other model was chosen, 0 where the first was, 0.5 where neither."""
    return 0.5 if said == "tie" else float(said == other)
