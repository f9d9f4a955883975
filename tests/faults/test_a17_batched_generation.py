"""A17: a batch answers otherwise than its rows alone (padding side, mask, positions)."""

from pathlib import Path
from typing import Any

import pytest
import torch

from dadeum.data.contract import PromptContract, save_prompt
from dadeum.data.render import Renderer
from dadeum.generate.engine import Engine
from dadeum.tokenizer.load import load_tokenizer
from tests.generate.support import QUESTIONS, opened, save_small, user

CLOSE = 1e-4  # two logits so near each other may change places through rounding alone


def same_or_tied(engine: Engine, messages: Any, one: tuple[int, ...], other: tuple[int, ...]) -> bool:
    """Whether two greedy answers agree up to a place where the two likeliest tokens are as good as equal."""
    if one == other:
        return True
    place = next((i for i, (a, b) in enumerate(zip(one, other, strict=False)) if a != b), min(len(one), len(other)))
    ids = torch.tensor([[*engine.prompt_ids(messages), *one[:place]]])
    with torch.no_grad():
        best = engine.model(ids).logits[0, -1].topk(2).values
    return float(best[0] - best[1]) < CLOSE


def check(engine: Engine, new: int) -> None:
    conversations = [user(q) for q in QUESTIONS]
    assert len({len(engine.prompt_ids(c)) for c in conversations}) >= 5
    alone = [engine.replies([c], max_new_tokens=new)[0] for c in conversations]
    for size in (2, 4, 8):
        for messages, one, other in zip(
            conversations, alone, engine.replies(conversations, max_new_tokens=new, batch_size=size), strict=True
        ):
            assert same_or_tied(engine, messages, one.ids, other.ids)


@pytest.mark.parametrize("shape", ["llama", "qwen2", "gemma", "gemma2", "gemma3", "gpt2"])
def test_batches_of_1_2_4_8_agree(tmp_path: Path, shape: str) -> None:
    check(opened(save_small(tmp_path, shape)), 16)


def test_a_trained_model(material: Path, tmp_path: Path) -> None:
    place = material / "weights" / "stories260K" / "hf"
    tokenizer = load_tokenizer(place, chat_template="plain")
    save_prompt(tmp_path, tokenizer, PromptContract.of(Renderer(tokenizer)))
    check(opened(place, prompt=tmp_path), 40)


def test_without_the_mask_the_check_fails(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    engine = opened(save_small(tmp_path))
    sound = Engine.generate
    monkeypatch.setattr(
        Engine, "generate", lambda self, ids, mask, *a, **k: sound(self, ids, torch.ones_like(mask), *a, **k)
    )
    with pytest.raises(AssertionError):
        check(engine, 16)
