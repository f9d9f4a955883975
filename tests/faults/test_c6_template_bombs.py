"""C6: a chat template that comes with a model loops for ever or blows up; it is refused, and all else goes on."""

from pathlib import Path
from typing import Any

import pytest

from dadeum.data import bounds
from dadeum.data.render import Refusal, Renderer
from dadeum.tokenizer.load import load_tokenizer
from tests.data.chats import talk

BOMBS = {
    "nested loops": "{% for a in range(99999) %}{% for b in range(99999) %}{% endfor %}{% endfor %}",
    "a huge text": "{{ 'x' * 10 ** 10 }}",
    "a huge number": "{{ 9 ** (9 ** 9) }}",
    "doubling": "{% set n = namespace(x='xx') %}{% for i in range(99) %}{% set n.x = n.x ~ n.x %}{% endfor %}{{ n.x }}",
    "for answers only": "{% if messages|length > 1 %}{{ 'x'.ljust(10 ** 10) }}{% endif %}{{ messages[0].content }}",
}
ROW = talk("질문", "답", "또", "네")


@pytest.fixture(scope="module")
def tokenizer(material: Path) -> Any:
    return load_tokenizer(material / "tokenizers" / "bora-ko-32k")


@pytest.mark.parametrize("name", BOMBS)
def test_a_bomb_is_one_sentence_and_runs_once(name: str, tokenizer: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bounds, "SECONDS", 0.2)
    monkeypatch.setattr(bounds, "MEMORY", 1 << 27)
    runs: list[str] = []
    begin = bounds.Allowance.__enter__
    monkeypatch.setattr(bounds.Allowance, "__enter__", lambda self: runs.append("run") or begin(self))
    tokenizer.chat_template = BOMBS[name]
    renderer = Renderer(tokenizer, template_name="stranger")
    for ask in (renderer.prompt_ids, renderer.text, lambda m: renderer.samples(m, "assistant")):
        with pytest.raises(Refusal, match="the chat template of stranger uses up more time or memory") as caught:
            ask(ROW)
        assert "\n" not in str(caught.value)
    refused = renderer.samples_batch([ROW] * 2000, "assistant")
    assert all(isinstance(found, Refusal) for found in refused)
    assert runs == ["run"] * 2, "it is compiled, and run for the first of all these rows only"
    tokenizer.chat_template = "{% for m in messages %}{{ m.content }}</s>{% endfor %}"
    assert Renderer(tokenizer).text(ROW) == "질문</s>답</s>또</s>네</s>"
