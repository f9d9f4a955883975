"""Is an exported model with a head the model that it was made from? What its heads say of a few texts, all reloaded."""

import gc
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch

from dadeum.core.errors import ModelError
from dadeum.core.language import say
from dadeum.export.targets import Source
from dadeum.generate.place import open_contract
from dadeum.model.form import Form
from dadeum.model.head_files import own_class
from dadeum.model.headed import head_outputs, headed_of
from dadeum.model.load import load_for_inference
from dadeum.model.save import without_bars

TEXTS = (
    "안녕하세요. 무엇을 도와드릴까요?",
    "이 영화는 정말 재미있었다. 배우들의 연기도 좋았고 이야기도 끝까지 알 수 없었다.",
    "What a waste of time.",
    "1 + 1 = 2",
)
FLOAT32_BOUND = 1e-4
SHORT_BOUND = 0.1  # of the largest number, where weights are stored in 16 bits: rounding, not another model


def head_parity(source: Source, made: Path, *, exact: bool) -> dict[str, Any]:
    """Measure `made` against `source`, and transformers' own class on `made` against both where there is one; all in float32.

    An adapter is taken on its base in full; how far that is from the quantised one that it was trained on is told as well.
    Raises ModelError past the bound.
    """
    form = Form.load(source.place)
    batch = _batch(source)
    expected, _ = _said(source.place, batch, source, form=replace(form, quantization=None))
    found, own = _said(made, batch, replace(source, base=None))
    report = {"texts": len(TEXTS), "max_output_difference": _apart(expected, found)}
    bound = FLOAT32_BOUND if exact else SHORT_BOUND * max(1.0, max(float(out.abs().max()) for out in expected))
    if own is not None:
        report["transformers_class"] = own.__name__
        report["transformers_difference"] = _apart(found, [_plain(own, made, batch, words=len(found[0]) != len(TEXTS))])
    if form.quantization is not None:
        report["difference_from_quantised"] = _apart(expected, _said(source.place, batch, source)[0])
    worst = max(report["max_output_difference"], report.get("transformers_difference", 0.0))
    if not worst <= bound:  # NaN fails too
        raise ModelError(
            say(
                f"{made}: what the head says differs by {worst:.3g}, expected at most {bound:.3g}; the exported model is not the "
                "trained one and was not kept",
                f"{made}: 헤드의 출력 차이 {worst:.3g}, {bound:.3g} 이하여야 합니다. 내보낸 모델이 학습한 모델과 달라 남기지 않았습니다",
            )
        )
    return report


def _batch(source: Source) -> dict[str, torch.Tensor]:
    """The texts, padded on the right; cut where the model knows no more places."""
    tokenizer, _ = open_contract(source.place, source.base)
    rows = [tokenizer(text)["input_ids"] for text in TEXTS]
    width = max(map(len, rows))
    pad = tokenizer.pad_token_id if tokenizer.pad_token_id is not None else tokenizer.eos_token_id or 0
    ids_BL, mask_BL = torch.full((len(rows), width), pad), torch.zeros(len(rows), width, dtype=torch.long)
    for row, ids in enumerate(rows):
        ids_BL[row, : len(ids)] = torch.tensor(ids)
        mask_BL[row, : len(ids)] = 1
    return {"input_ids": ids_BL, "attention_mask": mask_BL}


def _said(
    place: Path, batch: dict[str, torch.Tensor], source: Source, form: Form | None = None
) -> tuple[list[torch.Tensor], Any]:
    """What each head says, and transformers' class for the model."""
    model = load_for_inference(place, base=source.base, dtype="float32", trusted=source.trusted, form=form)
    headed = headed_of(model)
    assert headed is not None
    with torch.inference_mode():
        found = [out.cpu() for out in head_outputs(model, batch).heads.values()]
    own = own_class(headed)
    del model, headed
    gc.collect()
    return found, own


def _plain(kind: Any, place: Path, batch: dict[str, torch.Tensor], *, words: bool) -> torch.Tensor:
    """By transformers alone, with its own padding rule; text by text where no token pads."""
    with without_bars():
        model = kind.from_pretrained(place, dtype=torch.float32, local_files_only=True, use_safetensors=True).eval()
    with torch.inference_mode():
        if model.config.get_text_config().pad_token_id is None:
            kept = [ids[mask.bool()][None] for ids, mask in zip(*batch.values(), strict=True)]
            found = [model(input_ids=ids).logits for ids in kept]
            return torch.cat([logits[0] for logits in found] if words else found)
        logits: torch.Tensor = model(**batch).logits
    return logits[batch["attention_mask"].bool()] if words else logits


def _apart(some: list[torch.Tensor], others: list[torch.Tensor]) -> float:
    return max(float((a - b).abs().max()) for a, b in zip(some, others, strict=True))
