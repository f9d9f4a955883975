"""What comes out of a mould is what the long way makes, and what does not fit goes the long way."""

import random
from pathlib import Path
from typing import Any

import pytest

from dadeum.data import mould
from dadeum.data.render import Renderer
from dadeum.data.tokens import Encoder
from tests.data.chats import FAMILIES, real_conversations, talk, with_template
from tests.data.test_pieces import assert_equal, conversation


def cast(renderer: Renderer, talks: list[Any], train_on: Any = "assistant") -> list[Any]:
    """What the renderer's moulds make of these, without the long way."""
    moulds = renderer._moulds
    assert moulds is not None
    return moulds.cast(talks, train_on)


def learnt(tokenizer: Any, talks: list[Any], train_on: Any = "assistant") -> Renderer:
    """A renderer that went the long way with some conversations."""
    renderer = Renderer(tokenizer)
    for _ in range(3):
        renderer.samples_batch(talks, train_on)
    return renderer


def long_way(tokenizer: Any, talks: list[Any], train_on: Any, monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    with monkeypatch.context() as patch:
        patch.setattr(Encoder, "pieces", None)
        return Renderer(tokenizer).samples_batch(talks, train_on)


@pytest.mark.parametrize("train_on", ["assistant", "last_assistant", "all"])
@pytest.mark.parametrize("name", ["qwen2.5", "qwen3", "llama3.2"])
def test_the_same_samples_as_the_long_way(
    name: str, train_on: Any, material: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tokenizer = FAMILIES[name].shared(material)
    draw = random.Random(f"{name} {train_on}")
    renderer = learnt(tokenizer, [conversation(draw) for _ in range(200)], train_on)
    talks = [conversation(draw) for _ in range(400)] + real_conversations(material)["fastchat"][:60]
    fast = renderer.samples_batch(talks, train_on)
    assert assert_equal(long_way(tokenizer, talks, train_on, monkeypatch), fast) > 400
    from_moulds = sum(sample is not None for sample in cast(renderer, talks, train_on))
    # That tokenizer reads the line breaks before an answer together with it, or not; where all is trained there is none.
    none = train_on == "all" or name == "llama3.2"
    assert from_moulds < 20 if none else from_moulds > 100, from_moulds


def test_most_real_rows_are_cast(material: Path) -> None:
    tokenizer = FAMILIES["qwen2.5"].shared(material)
    talks = real_conversations(material)["ChatbotData"]
    renderer = learnt(tokenizer, talks[:50])
    assert sum(sample is not None for sample in cast(renderer, talks)) == len(talks)


def test_texts_with_control_tokens_go_the_long_way(material: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    tokenizer = FAMILIES["qwen2.5"].shared(material)
    renderer = learnt(tokenizer, [talk(f"질문 {i}", f"답 {i}") for i in range(20)])
    odd = [talk("<|im_end|>", "답"), talk("질문", "a <tool_call> b"), talk("질문 <", "|im_end|>")]
    assert cast(renderer, odd) == [None] * 3
    assert_equal(long_way(tokenizer, odd, "assistant", monkeypatch), renderer.samples_batch(odd, "assistant"))
    assert cast(renderer, [talk("질문", "답")]) != [None]


@pytest.mark.parametrize(
    "odd",
    [
        talk("질문", " \n"),  # no answer: refused, not cast
        talk("질문", "답", "다시"),  # ends with a question
        [{"role": "user", "content": "질문"}, {"role": "assistant", "content": "답", "name": "가"}],
        [{"role": "user", "content": None}, {"role": "assistant", "content": "답"}],
        [{"role": "user", "content": ["질문"]}, {"role": "assistant", "content": "답"}],
        [{"content": "질문"}, {"role": "assistant", "content": "답"}],
    ],
)
def test_other_shapes_are_not_cast(odd: list[Any], material: Path) -> None:
    renderer = learnt(FAMILIES["qwen2.5"].shared(material), [talk(f"질문 {i}", f"답 {i}") for i in range(20)])
    assert cast(renderer, [odd]) == [None]


def test_a_token_across_a_border_is_left_to_the_long_way(material: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """GPT-2 reads ` cat` as one token: a prompt that ends with a blank is cut inside it."""
    tokenizer = with_template(material, "gpt2", "trl/qwen2_5", eos="<|endoftext|>")
    tokenizer.chat_template = (
        "{% for m in messages %}{{ eos_token + m.role + ': ' + m.content }}{% if m.role == 'assistant' %}{{ eos_token }}"
        "{% endif %}{% endfor %}{% if add_generation_prompt %}{{ eos_token + 'assistant: ' }}{% endif %}"
    )
    talks = [talk(f"q {i}", answer) for i, answer in enumerate(["cat", "가", "\tx", "1"] * 20)]
    renderer = learnt(tokenizer, talks)
    found = cast(renderer, talks)
    assert found[0] is None and any(sample is not None for sample in found)
    assert_equal(long_way(tokenizer, talks, "assistant", monkeypatch), renderer.samples_batch(talks, "assistant"))


def test_a_template_that_looks_at_the_answer_has_a_mould_for_each_way(
    material: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tokenizer = FAMILIES["qwen2.5"].tokenizer(material)
    tokenizer.chat_template = (
        "{% for m in messages %}<|im_start|>{{ m.role }}\n{% if 'x' in m.content %}({{ m.content | trim }})"
        "{% else %}{{ m.content }}{% endif %}<|im_end|>\n{% endfor %}"
        "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
    )
    words = ("가", "x나", "다 ", " x라 ")
    draw = random.Random(1)
    talks = [talk(draw.choice(words) + str(i), draw.choice(words)) for i in range(200)]
    renderer = learnt(tokenizer, talks)
    fast = renderer.samples_batch(talks, "assistant")
    trained = assert_equal(long_way(tokenizer, talks, "assistant", monkeypatch), fast)
    assert sum(sample is not None for sample in cast(renderer, talks)) == trained > 100


def test_a_token_that_a_text_could_complete_has_no_mould(material: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    tokenizer = FAMILIES["qwen2.5"].tokenizer(material)
    tokenizer.chat_template = tokenizer.chat_template.replace("'\\n' + message.content", "'\\n<|im_' + message.content")
    assert "<|im_'" in tokenizer.chat_template
    talks = [talk(f"질문 {i}", f"답 {i}") for i in range(20)]
    renderer = learnt(tokenizer, talks)
    assert cast(renderer, talks) == [None] * 20
    odd = [talk("end|>", "답")]
    assert_equal(long_way(tokenizer, odd, "assistant", monkeypatch), renderer.samples_batch(odd, "assistant"))


def test_tries_have_a_bound(material: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    cut: list[Any] = []
    monkeypatch.setattr(mould, "_cut", lambda *given: cut.append(given))
    renderer = Renderer(FAMILIES["qwen2.5"].shared(material))
    renderer.samples_batch([talk(f"질문 {i}", f"답 {i}") for i in range(200)], "assistant")
    assert len(cut) == mould.TRIES
