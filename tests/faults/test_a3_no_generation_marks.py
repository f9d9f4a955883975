"""A3: assistant masks of zeros only, because stock templates carry no generation marks."""

from pathlib import Path

import pytest

from dadeum.data.render import Refusal, Renderer
from dadeum.tokenizer.load import load_tokenizer
from tests.data.chats import FAMILIES, reference_prompt, talk


@pytest.mark.parametrize("name", ["llama3.2", "qwen3", "gemma3"])
def test_the_mask_equals_the_one_made_by_hand(name: str, material: Path) -> None:
    family = FAMILIES[name]
    tokenizer = family.tokenizer(material)
    assert "generation %}" not in tokenizer.chat_template
    row = talk("나스닥이 뭐야?", "미국의 증권 시장이에요.")
    renderer = Renderer(tokenizer)
    (sample,) = renderer.samples(row, "assistant")
    prompt = renderer.prompt_ids(row[:1])
    before = tokenizer(family.before, add_special_tokens=False)["input_ids"] if family.before else []
    answer = tokenizer(row[1]["content"] + family.eos, add_special_tokens=False)["input_ids"]
    assert sample.input_ids.tolist() == [*prompt, *before, *answer]
    assert sample.weights.tolist() == [0.0] * len(prompt + before) + [1.0] * len(answer)
    if name != "llama3.2":  # that one prints today's date
        assert prompt == reference_prompt(tokenizer, row[:1])


def test_a_template_that_drops_answers_is_refused_by_name(material: Path) -> None:
    tokenizer = load_tokenizer(material / "tokenizers" / "bora-ko-32k")
    tokenizer.chat_template = "{% for m in messages if m.role != 'assistant' %}{{ m.content }}</s>{% endfor %}"
    with pytest.raises(Refusal, match="chat template of silent does not write an answer once"):
        Renderer(tokenizer, template_name="silent").samples(talk("질문", "답"), "assistant")
