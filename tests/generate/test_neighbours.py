"""A model that sees its neighbours in a batch is found out, and then answers alone."""

from pathlib import Path
from typing import Any

import pytest
import torch

from dadeum.generate.neighbours import ignores_neighbours
from tests.generate.support import QUESTIONS, opened, save_small, user
from tests.model.tiny import SHAPES, tiny

RWKV = {"model_type": "rwkv", "hidden_size": 32, "num_hidden_layers": 2, "attention_hidden_size": 32}
ROFORMER = {"model_type": "roformer", "is_decoder": True, "num_hidden_layers": 2, "embedding_size": 32}


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_the_families_do_not_see_them(shape: str, dtype: torch.dtype) -> None:
    assert ignores_neighbours(tiny(shape, dtype))


@pytest.mark.parametrize("changes", [RWKV, ROFORMER], ids=["rwkv", "roformer"])
def test_some_do(changes: dict[str, Any]) -> None:
    assert not ignores_neighbours(tiny("llama", **changes))


def test_an_end_in_the_midst_of_the_check_is_no_difference() -> None:
    model = tiny("llama")
    for end in range(97):
        model.generation_config.eos_token_id = end
        assert ignores_neighbours(model)


def test_answers_of_a_model_that_sees_them_are_those_alone(tmp_path: Path) -> None:
    engine = opened(save_small(tmp_path, "llama", **RWKV))
    asked = [user(q) for q in QUESTIONS]
    alone = [engine.replies([one], max_new_tokens=8)[0].ids for one in asked]
    assert [r.ids for r in engine.replies(asked, max_new_tokens=8, batch_size=8)] == alone
    engine.ignores_neighbours = True
    assert [r.ids for r in engine.replies(asked, max_new_tokens=8, batch_size=8)] != alone, "it does see them"
