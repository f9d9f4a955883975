"""A8 (entry points): training, eval, ask, chat and batch give the model the same ids, with one BOS."""

from pathlib import Path
from typing import Any

import pytest
import torch

from dadeum.core.progress import Silent
from dadeum.data.contract import PromptContract, save_prompt
from dadeum.data.render import Renderer
from dadeum.evaluate.rows import AskedRow
from dadeum.generate.batch import Answering, answer_file
from dadeum.generate.chat import Chat
from dadeum.generate.engine import Engine
from dadeum.model.save import save_model
from tests.data.chats import reference_prompt, with_template
from tests.evaluate.support import evaluated
from tests.faults.test_a8_double_bos import STYLES
from tests.generate.support import opened, user
from tests.model.tiny import tiny

QUESTION = "안녕? 넌 누구야?"


class _Given:
    """Remembers the prompts that reach the model."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.prompts: list[list[int]] = []
        sound = Engine.generate

        def generate(engine: Engine, ids: torch.Tensor, mask: torch.Tensor, config: Any, **more: Any) -> torch.Tensor:
            self.prompts += [row[kept.bool()].tolist() for row, kept in zip(ids, mask, strict=True)]
            return sound(engine, ids, mask, config, **more)

        monkeypatch.setattr(Engine, "generate", generate)


@pytest.mark.parametrize("style", STYLES)
def test_all_five_give_the_same_ids(
    style: str, material: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    template, bos, eos, specials = STYLES[style]
    tokenizer = with_template(material, "tinyllama-1.1b-chat", template, eos=eos, specials=[bos, *specials])
    tokenizer.bos_token = bos
    save_model(tiny("llama", vocab_size=len(tokenizer), max_position_embeddings=256), tmp_path / "model")
    save_prompt(tmp_path / "model", tokenizer, PromptContract.of(Renderer(tokenizer)))
    engine, given = opened(tmp_path / "model"), _Given(monkeypatch)

    evaluated(engine, [AskedRow(messages=tuple(user(QUESTION)), reference="응", asked="1")], max_new_tokens=2)
    list(engine.stream(engine.contract.messages(QUESTION), max_new_tokens=2))
    list(Chat(engine, max_new_tokens=2).say(QUESTION))
    (tmp_path / "q.txt").write_text(QUESTION + "\n", encoding="utf-8")
    answer_file(engine, tmp_path / "q.txt", tmp_path / "a.md", Answering(max_new_tokens=2), Silent())

    expected = reference_prompt(tokenizer, user(QUESTION))
    assert given.prompts == [expected] * 4  # eval, ask, chat, batch
    assert expected.count(tokenizer.bos_token_id) == 1
    sample = engine.renderer.samples([*user(QUESTION), {"role": "assistant", "content": "응"}], "assistant")[0]
    assert sample.input_ids.tolist()[: len(expected)] == expected
    assert not sample.weights[: len(expected)].any()
