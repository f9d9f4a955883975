"""Is a model on disk the model that it was made from? Logits and greedy answers on a few prompts, both reloaded."""

import gc
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import torch

from dadeum.core.errors import DataError, ModelError
from dadeum.core.language import say
from dadeum.export.targets import Source
from dadeum.generate.engine import Engine
from dadeum.model.form import Form

QUESTIONS = (
    "안녕하세요. 무엇을 도와드릴까요?",
    "계약을 해제하려면 어떻게 하나요?",
    "Tell me a short story.",
    "1 + 1 = ?",
)
NEW_TOKENS = 16
FLOAT32_BOUND = 1e-4
KL_BOUND = 0.02  # nats a token where weights are stored in 16 bits: rounding, not another model


@dataclass(frozen=True)
class _Answers:
    logits: list[torch.Tensor]  # (L, V) a prompt, float32
    greedy: list[tuple[int, ...]]
    ids: list[list[int]]


def _ask(engine: Engine, ids: list[list[int]] | None) -> _Answers:
    """Logits of each prompt, and what is said after it. The prompts are the engine's own unless `ids` gives them."""
    prompts = ids if ids is not None else probe_prompts(engine)
    logits, greedy = [], []
    for prompt in prompts:
        row = torch.tensor([prompt], device=engine.device)
        with torch.inference_mode():
            logits.append(engine.model(input_ids=row, attention_mask=torch.ones_like(row)).logits[0].float().cpu())
        room = engine.room(len(prompt), NEW_TOKENS)
        out = engine.generate(row, torch.ones_like(row), engine.decoding(room))
        greedy.append(engine.reply(len(prompt), out[0, len(prompt) :].tolist(), 0.0).ids)
    return _Answers(logits, greedy, prompts)


def probe_prompts(engine: Engine) -> list[list[int]]:
    """A few questions as the model is asked, as long as it can read."""
    if engine.tokenizer.chat_template:
        made = [engine.prompt_ids(_messages(engine, q)) for q in QUESTIONS]
    else:
        made = [engine.renderer.plain(q).input_ids.tolist() for q in QUESTIONS]
    longest = (engine.context or 1 << 30) - NEW_TOKENS
    fitting = [ids for ids in made if len(ids) <= longest]
    return fitting or [made[0][: max(1, longest)]]


def _messages(engine: Engine, question: str) -> list[dict[str, Any]]:
    """The question as the model is asked; where that takes more than a question (a passage, say), as it stands."""
    try:
        return engine.contract.messages(question)
    except DataError:
        return [{"role": "user", "content": question}]


def parity(source: Source, made: Path, *, exact: bool) -> dict[str, Any]:
    """Measure `made` against `source`, both in float32 arithmetic; the one is freed before the other is loaded.

    An adapter is taken on its base in full, whatever it was trained on.

    Returns the largest difference of a logit, mean KL in nats a token, shares of equal likeliest tokens and of equal
    greedy answers. Raises ModelError: with `exact` past 1e-4 in a logit, else past the bound of the KL.
    """
    form = replace(Form.load(source.place), quantization=None)
    first = Engine.open(source.place, base=source.base, dtype="float32", trusted=source.trusted, form=form)
    expected = _ask(first, None)
    probe = [first.tokenizer(q, add_special_tokens=False)["input_ids"] for q in QUESTIONS]
    del first
    gc.collect()
    second = Engine.open(made, dtype="float32", trusted=source.trusted)
    found = _ask(second, expected.ids)
    if probe != [second.tokenizer(q, add_special_tokens=False)["input_ids"] for q in QUESTIONS]:
        raise ModelError(
            say(
                f"{made}: its tokenizer cuts text otherwise than the source's",
                f"{made}: 토크나이저가 원래 모델과 다릅니다",
            )
        )
    pairs = list(zip(expected.logits, found.logits, strict=True))
    kl = torch.cat([(a.log_softmax(-1).exp() * (a.log_softmax(-1) - b.log_softmax(-1))).sum(-1) for a, b in pairs])
    report = {
        "prompts": len(pairs),
        "max_logit_difference": max(float((a - b).abs().max()) for a, b in pairs),
        "mean_kl": float(kl.mean()),
        "same_likeliest_token": float(torch.cat([(a.argmax(-1) == b.argmax(-1)).float() for a, b in pairs]).mean()),
        "same_greedy_answers": sum(a == b for a, b in zip(expected.greedy, found.greedy, strict=True)) / len(pairs),
    }
    measured, bound = (report["max_logit_difference"], FLOAT32_BOUND) if exact else (report["mean_kl"], KL_BOUND)
    if not measured <= bound:  # NaN fails too
        what = say("a logit differs by", "로짓 차이") if exact else say("the mean KL is", "평균 KL")
        raise ModelError(
            say(
                f"{made}: {what} {measured:.3g}, expected at most {bound:g}; the exported model is not the trained one and was not kept",
                f"{made}: {what} {measured:.3g}, {bound:g} 이하여야 합니다. 내보낸 모델이 학습한 모델과 달라 남기지 않았습니다",
            )
        )
    return report
