"""One model on the test rows: answers generated, references weighed, metrics made of both.

Nothing of the size of the vocabulary is kept: a row leaves its text and a few sums.
"""

import hashlib
import math
import platform
import time
from collections.abc import Sequence
from typing import Any

from dadeum.config.evaluate import EvaluateSettings
from dadeum.core.errors import DadeumError, ModelError
from dadeum.core.fingerprint import fingerprint, versions
from dadeum.core.language import say
from dadeum.core.progress import Reporter
from dadeum.evaluate.few_shot import FewShot
from dadeum.evaluate.measuring import blank_references, measure, nothing_measured, runnable
from dadeum.evaluate.metrics import Scored
from dadeum.evaluate.reasoning import OPEN, without_reasoning
from dadeum.evaluate.result import EvaluationResult
from dadeum.evaluate.rows import AskedRow
from dadeum.generate.engine import Engine, Messages
from dadeum.generate.likelihood import Loss
from dadeum.generate.reply import Reply


def evaluate(
    engine: Engine,
    rows: Sequence[AskedRow],
    settings: EvaluateSettings,
    *,
    dataset: str,
    reporter: Reporter,
    few_shot: FewShot | None = None,
) -> EvaluationResult:
    """Score `engine` on `rows` by `settings.metrics`; with `few_shot`, its examples stand before each question."""
    begun = time.perf_counter()
    notes: list[str] = []
    members = runnable(settings, notes.append)
    prompts = [_prompt(engine, row, few_shot, settings.max_new_tokens) for row in rows]
    wants_answers = any(member.needs == "answer" for member, _ in members)
    wants_loss = any(member.needs == "loss" for member, _ in members)
    replies = _replies(engine, rows, prompts, settings, reporter) if wants_answers else {}
    losses, unweighed = _losses(engine, rows, prompts, settings, reporter) if wants_loss else ({}, [])
    samples, scored = [], []
    for place, row in enumerate(rows):
        sample, one = _sample(engine, row, prompts[place], replies.get(place), losses.get(place))
        samples.append(sample)
        scored.append(one)
    metrics: dict[str, dict[str, Any]] = {}
    reporter.start(say(f"{engine.name}: metrics", f"{engine.name}: 지표"), len(members))
    for done, (member, metric) in enumerate(members, 1):
        metrics |= measure(member, metric, scored, samples, settings, tell=notes.append)
        reporter.advance(done)
    asked = not wants_answers or bool(replies)
    nothing = nothing_measured(settings, metrics, notes) if asked else _no_answers()
    blank = blank_references(scored) if wants_answers else ""
    notes += [note for note in (nothing, blank, *unweighed) if note]
    return EvaluationResult(
        model=engine.name,
        dataset=dataset,
        metrics=metrics,
        samples=samples,
        environment=_environment(engine, rows, prompts, settings, few_shot),
        shares=_shares(samples),
        notes=notes,
        seconds=round(time.perf_counter() - begun, 3),
    )


def _no_answers() -> str:
    return say(
        "plain text has no question to answer: only perplexity and bits per byte are measured",
        "일반 글에는 답할 질문이 없으므로 퍼플렉시티와 바이트당 비트만 잽니다",
    )


def _prompt(engine: Engine, row: AskedRow, few_shot: FewShot | None, max_new_tokens: int) -> Messages:
    if few_shot is None or row.text is not None:
        return row.messages
    return few_shot.before(engine, row, max_new_tokens)


def _replies(
    engine: Engine,
    rows: Sequence[AskedRow],
    prompts: Sequence[Messages],
    settings: EvaluateSettings,
    reporter: Reporter,
) -> dict[int, Reply]:
    places = [place for place, row in enumerate(rows) if row.text is None]
    if not places:
        return {}
    reporter.start(say(f"{engine.name}: answers", f"{engine.name}: 답 생성"), len(places), say("rows", "행"))
    made = engine.replies(
        [prompts[p] for p in places],
        max_new_tokens=settings.max_new_tokens,
        batch_size=settings.batch_size,
        reporter=reporter,
    )
    return dict(zip(places, made, strict=True))


def _losses(
    engine: Engine,
    rows: Sequence[AskedRow],
    prompts: Sequence[Messages],
    settings: EvaluateSettings,
    reporter: Reporter,
) -> tuple[dict[int, Loss], list[str]]:
    """Likelihoods by place, and a note where references could not be weighed. Raises where none could, or one is no number."""
    answered = [p for p, row in enumerate(rows) if row.text is None and row.reference is not None]
    plain = [p for p, row in enumerate(rows) if row.text is not None]
    reporter.start(
        say(f"{engine.name}: likelihood", f"{engine.name}: 가능도"), len(answered) or len(plain), say("rows", "행")
    )
    found: dict[int, Loss] = {}
    errors: list[DadeumError] = []
    whole = [[*prompts[p], {"role": "assistant", "content": rows[p].reference}] for p in answered]
    made = engine.answer_losses(whole, batch_size=settings.batch_size, reporter=reporter) if whole else []
    for place, loss in zip(answered, made, strict=True):
        if isinstance(loss, DadeumError):
            errors.append(loss)
        else:
            found[place] = loss
    if errors and not found:
        raise errors[0]
    if plain:
        texts = [rows[p].text or "" for p in plain]
        found |= dict(
            zip(plain, engine.text_loss(texts, batch_size=settings.batch_size, reporter=reporter), strict=True)
        )
    for place, loss in found.items():
        _check_number(engine, rows[place], place, loss)
    return found, [_unweighed(engine, errors)] if errors else []


def _unweighed(engine: Engine, errors: Sequence[DadeumError]) -> str:
    return say(
        f"{engine.name}: the reference answers of {len(errors)} rows could not be weighed; the first: {errors[0]}",
        f"{engine.name}: {len(errors)}행의 기준 답은 가능도를 잴 수 없었습니다. 첫 이유: {errors[0]}",
    )


def _check_number(engine: Engine, row: AskedRow, place: int, loss: Loss) -> None:
    if not math.isfinite(loss.nll):
        name = place if row.source_row is None else row.source_row
        raise ModelError(
            say(
                f"{engine.name}: the likelihood of test row {name} is not a number; the weights are damaged",
                f"{engine.name}: 시험 행 {name}의 가능도가 숫자가 아닙니다. 가중치가 손상되었습니다",
            )
        )


def _sample(
    engine: Engine, row: AskedRow, prompt: Messages, reply: Reply | None, loss: Loss | None
) -> tuple[dict[str, Any], Scored]:
    text = engine.prompt_text(prompt) if row.text is None else ""
    sample: dict[str, Any] = {
        "prompt": text,
        "reference": row.reference if row.text is None else row.text,
        "prediction": None,
        "question": row.question,
        "asked": row.asked,
    }
    if row.references:
        sample["references"] = list(row.references)
    if row.category is not None:
        sample["category"] = row.category
    if row.group is not None:
        sample["group"] = row.group
    if row.source_row is not None:
        sample["source_row"] = row.source_row
    answer = None
    if reply is not None:
        answer, reasoned = without_reasoning(reply.text, opened=text.rstrip().endswith(OPEN))
        sample |= {
            "prediction": answer,
            "tokens": reply.new_tokens,
            "seconds": round(reply.seconds, 4),
            "cut": reply.cut,
            "reasoning": reasoned,
        }
        if reasoned:
            sample["generated"] = reply.text
    if loss is not None:
        sample["loss"] = {"nll": loss.nll, "tokens": loss.tokens, "bytes": loss.bytes}
    sample["statistics"] = {}
    return sample, Scored(
        answer,
        row.reference,
        nll=loss.nll if loss else None,
        tokens=loss.tokens if loss else None,
        bytes=loss.bytes if loss else None,
        stopped=None if reply is None else not reply.cut,
        new_tokens=None if reply is None else reply.new_tokens,
        question=row.question or None,
        references=row.references,
    )


def _shares(samples: Sequence[dict[str, Any]]) -> dict[str, float]:
    made = [s for s in samples if s["prediction"] is not None]
    if not made:
        return {}
    return {
        "stopped": sum(not s["cut"] for s in made) / len(made),
        "cut": sum(s["cut"] for s in made) / len(made),
        "reasoning": sum(s["reasoning"] for s in made) / len(made),
        "empty": sum(not s["prediction"] for s in made) / len(made),
    }


def _environment(
    engine: Engine,
    rows: Sequence[AskedRow],
    prompts: Sequence[Messages],
    settings: EvaluateSettings,
    few_shot: FewShot | None,
) -> dict[str, Any]:
    """Everything that a score depends on besides the weights."""
    contract = engine.contract
    ids = engine.prompts([prompt for row, prompt in zip(rows, prompts, strict=True) if row.text is None])
    return {
        "versions": versions(),
        "python": platform.python_version(),
        "device": str(engine.device),
        "dtype": str(engine.dtype).removeprefix("torch."),
        "decoding": {"max_new_tokens": settings.max_new_tokens, "do_sample": False, "num_beams": 1},
        "batch_size": settings.batch_size,
        "seed": settings.seed,
        "context": engine.context,
        "stop_ids": list(engine.stop_ids),
        "template_sha256": contract.template_sha256,
        "chat_template_kwargs": dict(contract.chat_template_kwargs),
        "tokenizer_sha256": hashlib.sha256(engine.tokenizer.backend_tokenizer.to_str().encode()).hexdigest(),
        "questions_sha256": fingerprint([row.asked for row in rows]),
        "targets_sha256": fingerprint(
            [[row.reference, *row.references] if row.references else row.reference for row in rows]
        ),
        "prompts_sha256": fingerprint(ids),
        "few_shot": few_shot.used(engine, rows, settings.max_new_tokens) if few_shot else None,
    }
