"""How much a merged model differs from the quantised base with its adapter, which is what was trained.

The adapter goes into the base in full, and learnt beside rounded weights: the two never agree to the last digit, and
nobody should find out afterwards by how much they do not.
"""

import gc
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import torch

from dadeum.core.errors import ModelError
from dadeum.core.language import say
from dadeum.core.progress import Reporter
from dadeum.export.targets import Source
from dadeum.generate.engine import Engine

TOKENS = 512
PARTS = ("test", "validation", "train")
KL_BOUND = 0.5  # nats a token: beyond that it is another model


def agreement(source: Source, made: Path, reporter: Reporter) -> dict[str, Any]:
    """Measure `made` against the adapter on its base as it was trained, on rows of the run, and tell it.

    Returns shares and differences by name, each beginning with `agreement_`. Raises ModelError past the bound.
    """
    from dadeum.export.parity import probe_prompts

    first = Engine.open(source.place, base=source.base, trusted=source.trusted)
    rows, part = _rows(source.formatted)
    rows = rows or probe_prompts(first)
    expected = [_log_probabilities(first, ids) for ids in rows]
    del first
    gc.collect()
    second = Engine.open(made, dtype="float32", trusted=source.trusted)
    found = [_log_probabilities(second, ids) for ids in rows]
    same = torch.cat([(a.argmax(-1) == b.argmax(-1)).float() for a, b in zip(expected, found, strict=True)])
    kl = torch.cat([(a.exp() * (a - b)).sum(-1) for a, b in zip(expected, found, strict=True)])
    own = [
        (a - b)[torch.arange(len(ids) - 1), torch.tensor(ids[1:])].abs().max()
        for a, b, ids in zip(expected, found, rows, strict=True)
        if len(ids) > 1
    ]
    report: dict[str, Any] = {
        "agreement_on": f"{part} rows" if part else "probe prompts",
        "agreement_tokens": len(same),
        "agreement_same_likeliest_token": float(same.mean()),
        "agreement_max_log_probability_difference": float(max(own, default=torch.tensor(0.0))),
        "agreement_mean_kl": float(kl.mean()),
    }
    share, worst = report["agreement_same_likeliest_token"], report["agreement_max_log_probability_difference"]
    reporter.note(
        say(
            f"merged and quantised with the adapter agree on {share:.1%} of the likeliest tokens ({len(same)} tokens, "
            f"{report['agreement_on']}); log-probabilities differ by at most {worst:.3g}",
            f"병합한 모델과 양자화한 기본 모델+어댑터의 가장 유력한 토큰이 {share:.1%} 같습니다({len(same)}토큰). "
            f"로그확률 차이는 최대 {worst:.3g}",
        )
    )
    if not report["agreement_mean_kl"] <= KL_BOUND:  # NaN fails too
        measured = report["agreement_mean_kl"]
        raise ModelError(
            say(
                f"{made}: differs from the quantised model with its adapter by a mean KL of {measured:.3g}, expected at most "
                f"{KL_BOUND:g}; it was not kept: use the adapter as it is (export: []), or train with model.quantization.bits: 8",
                f"{made}: 양자화한 모델+어댑터와의 평균 KL이 {measured:.3g}이라 남기지 않았습니다({KL_BOUND:g} 이하여야 함). "
                "어댑터를 그대로 쓰거나(export: []) model.quantization.bits: 8로 학습하세요",
            )
        )
    return report


def _rows(formatted: Path | None) -> tuple[list[list[int]], str]:
    """Rows of the first part that has any, up to so many tokens in all."""
    from dadeum.data.samples import Samples

    for part in PARTS if formatted is not None else ():
        assert formatted is not None
        file = formatted / f"{part}.arrow"
        if file.is_file() and (taken := list(_first(Samples.open(file)))):
            return taken, part
    return [], ""


def _first(samples: Any) -> Iterator[list[int]]:
    room = TOKENS
    for row in samples:
        if room < 2:
            return
        ids = row[0].tolist()[:room]
        room -= len(ids)
        yield ids


def _log_probabilities(engine: Engine, ids: list[int]) -> torch.Tensor:
    """(L, V) on the CPU."""
    row = torch.tensor([ids[: engine.context or len(ids)]], device=engine.device)
    with torch.inference_mode():
        logits = engine.model(input_ids=row, attention_mask=torch.ones_like(row)).logits[0]
    found: torch.Tensor = logits.float().log_softmax(-1).cpu()
    return found
