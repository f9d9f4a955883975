"""Two models are held against each other on disk; a difference is measured, not assumed away."""

import json
from pathlib import Path

import pytest

from dadeum.core.errors import ModelError
from dadeum.core.workspace import Workspace
from dadeum.data.prompt import load_prompt
from dadeum.export.parity import parity
from dadeum.export.targets import Source
from tests.generate.support import save_small


def test_equal_and_unlike_models(tmp_path: Path) -> None:
    one, other = save_small(tmp_path / "one"), save_small(tmp_path / "other", seed=5)
    same = parity(Source(one), one, exact=True)
    assert same["max_logit_difference"] == 0.0
    assert same["prompts"] == 4
    with pytest.raises(ModelError, match="a logit differs by"):
        parity(Source(one), other, exact=True)
    with pytest.raises(ModelError, match="the mean KL is"):
        parity(Source(one), other, exact=False)


def test_a_short_context_still_leaves_a_prompt(tmp_path: Path) -> None:
    small = save_small(tmp_path / "small", max_position_embeddings=24)
    assert parity(Source(small), small, exact=True)["prompts"] >= 1


def test_another_tokenizer_is_noticed(tmp_path: Path) -> None:
    one, other = save_small(tmp_path / "one"), save_small(tmp_path / "other")
    text = (other / "tokenizer.json").read_text(encoding="utf-8")
    value = json.loads(text)
    value["pre_tokenizer"]["add_prefix_space"] = True
    (other / "tokenizer.json").write_text(json.dumps(value), encoding="utf-8")
    with pytest.raises(ModelError, match="its tokenizer cuts text otherwise"):
        parity(Source(one), other, exact=True)


def test_a_model_that_is_asked_with_more_than_a_question(tmp_path: Path) -> None:
    """Reading comprehension: the messages need a passage, which no probe has."""
    small = save_small(tmp_path / "small")
    contract = json.loads((small / "dadeum_prompt.json").read_text(encoding="utf-8"))
    prompt = load_prompt("mrc", Workspace(tmp_path))
    assert prompt is not None
    contract["prompt"] = prompt.model_dump(mode="json")
    (small / "dadeum_prompt.json").write_text(json.dumps(contract), encoding="utf-8")
    assert parity(Source(small), small, exact=True)["max_logit_difference"] == 0.0
