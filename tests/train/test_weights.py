"""Weights on their way to disk and back."""

import json
from pathlib import Path

import pytest

from dadeum.core.artifact import writing
from dadeum.core.progress import Silent
from dadeum.data.contract import PromptContract, save_prompt
from dadeum.data.render import Renderer
from dadeum.model.heads import HEADS
from dadeum.tokenizer.load import load_tokenizer
from dadeum.train.step import train
from tests.data.small import write_units
from tests.train.judged import pair_units
from tests.train.support import make_job, save_tokenizer


@pytest.mark.parametrize("pad", ["<|endoftext|>", "<|im_end|>"])
def test_no_conversation_ends_with_the_padding_of_a_reward(pad: str, tmp_path: Path) -> None:
    """transformers' class looks at the last token that is no padding: here that which ends the answer."""
    tokenizer = load_tokenizer(save_tokenizer(tmp_path / "tokenizer", pad=pad), chat_template="chatml")
    with writing(tmp_path / "formatted", kind="formatted", fingerprint="f", made_from={}) as aside:
        for part in ("train", "validation"):
            write_units(aside / f"{part}.arrow", pair_units(8))
        save_prompt(aside / "prompt", tokenizer, PromptContract.of(Renderer(tokenizer)))
    job = make_job(
        tmp_path, tmp_path / "formatted", objective="reward", max_steps=1, head=HEADS.validate({"type": "reward"})
    )
    final = train(job, Silent()).final
    said = json.loads((final / "head.json").read_text(encoding="utf-8"))
    end = tokenizer.convert_tokens_to_ids("<|im_end|>")
    assert said["pad_token"] not in (None, "<|im_end|>")
    assert said["pad_token_id"] not in (None, end)
    assert json.loads((final / "config.json").read_text(encoding="utf-8"))["pad_token_id"] == said["pad_token_id"]
