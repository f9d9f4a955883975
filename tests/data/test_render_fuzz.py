"""Random conversations: Hangul, jamo, emoji, control tokens, blanks; systems and several turns; several tokenizers."""

import random
import unicodedata
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from dadeum.data.render import DEFAULT_TODAY, Renderer
from dadeum.tokenizer.load import load_tokenizer
from tests.data.chats import FAMILIES, Messages, freeze_date, reference_prompt, talk, trained

PARTS = [
    *("가", "힣", "뷁", "안녕하세요", "법률 상담", "ㅋㅋ", "ㅏ", "한", "각"),
    *("😀", "👩‍👩‍👧", "🇰🇷", "é", "é", "漢字", "\U0001f468🏽"),
    *(
        "<|im_end|>",
        "<|im_start|>user",
        "</s>",
        "<s>",
        "<unk>",
        "<end_of_turn>",
        "<|eot_id|>",
        "<|endoftext|>",
        "[UNK]",
    ),
    *("<|im_", "end|>", "assistant", "{{ x }}", "{% if %}", "### 답변:", "a", "b1", "The ", "x**2", "```"),
    *(" ", "  ", "\n", "\n\n", "\t", "　", " ", "\r\n"),
]


def some_text(rng: random.Random) -> str:
    while True:
        text = "".join(rng.choice(PARTS) for _ in range(rng.randint(1, 9)))
        if text.strip():
            return text


def conversation(rng: random.Random) -> Messages:
    texts = [some_text(rng) for _ in range(2 * rng.randint(1, 3))]
    return talk(*texts, system=some_text(rng) if rng.random() < 0.4 else None)


def neutral(messages: Messages) -> Messages:
    return [{**m, "content": "글"} for m in messages]


def clean(messages: Messages, specials: list[str]) -> bool:
    return not any(s in m["content"] for m in messages for s in specials)


def check(tokenizer: Any, writes: Callable[[str], str], end: str, rows: list[Messages]) -> None:
    renderer = Renderer(tokenizer)
    special = {i: t.content for i, t in tokenizer.added_tokens_decoder.items() if t.special}
    clean_rows = 0
    for messages, samples in zip(rows, renderer.samples_batch(rows, "assistant"), strict=True):
        assert isinstance(samples, list), (messages, samples)
        want = [writes(m["content"]) + end for m in messages if m["role"] == "assistant"]
        got = [t for s in samples for t in trained(tokenizer, s)]
        # A normaliser of the tokenizer may compose letters: compared in NFC.
        assert [unicodedata.normalize("NFC", g) for g in got] == [unicodedata.normalize("NFC", w) for w in want]
        # Control tokens in the ids are those of the template: the same as around neutral text.
        plain = renderer.samples(neutral(messages), "assistant")
        expected = [i for s in plain for i in s.input_ids if i in special]
        if len(plain) == len(samples):
            assert [i for s in samples for i in s.input_ids if i in special] == expected
        answers = [i for i, m in enumerate(messages) if m["role"] == "assistant"]
        asked = [renderer.prompt_ids(messages[:i]) for i in answers]
        for i, prompt in zip(answers, asked, strict=True):
            if clean(messages[:i], list(special.values())):
                clean_rows += 1
                assert prompt == reference_prompt(tokenizer, messages[:i])
        if len(samples) == 1:
            ids = samples[0].input_ids.tolist()
            assert all(ids[: len(p)] == p for p in asked)
        else:
            assert all(s.input_ids[: len(p)].tolist() == p for s, p in zip(samples, asked, strict=True))
    assert clean_rows


@pytest.mark.parametrize("name", FAMILIES)
def test_real_templates(name: str, material: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    freeze_date(monkeypatch, DEFAULT_TODAY)
    rng = random.Random(f"template {name}")
    family = FAMILIES[name]
    check(family.shared(material), family.writes, family.eos, [conversation(rng) for _ in range(60)])


@pytest.mark.parametrize("shipped", ["chatml", "plain"])
@pytest.mark.parametrize("base", ["tinyllama-1.1b-chat", "bora-ko-32k", "smollm2"])
def test_shipped_templates(base: str, shipped: str, material: Path) -> None:
    rng = random.Random(f"{base} {shipped}")
    tokenizer = load_tokenizer(material / "tokenizers" / base, chat_template=shipped)
    end = "<|im_end|>" if shipped == "chatml" and base == "smollm2" else tokenizer.eos_token
    check(tokenizer, str, end, [conversation(rng) for _ in range(60)])


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(10))
@pytest.mark.parametrize("name", FAMILIES)
def test_real_templates_at_length(seed: int, name: str, material: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    freeze_date(monkeypatch, DEFAULT_TODAY)
    rng = random.Random(f"{seed} {name}")
    family = FAMILIES[name]
    check(family.shared(material), family.writes, family.eos, [conversation(rng) for _ in range(400)])
