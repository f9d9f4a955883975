"""Pieces give the ids and weights that the whole text gives, and say where they cannot."""

import random
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from dadeum.core.errors import DataError
from dadeum.data import pieces
from dadeum.data.pieces import Pieces
from dadeum.data.render import Renderer
from dadeum.data.tokens import Encoder
from dadeum.tokenizer.load import load_tokenizer
from tests.data.chats import FAMILIES, Family, real_conversations, talk, with_template

WORDS = (
    *("안녕하세요", " 가", "\n\n나", "\n", "don't", "  x", "😀", "각", "ㄱ", "é", "́", "123 45", "<|im_start|"),
    *("|>", "<", " \n ", "\t", "https://a.b/c?d=1", "ﬁ", "한국어 문장입니다.", "'s", "'", "　"),
)


def memory(ids: list[int]) -> bytes:
    return np.asarray(ids, np.int32).tobytes()


def conversation(draw: random.Random) -> list[dict[str, str]]:
    def text() -> str:
        return "".join(draw.choice(WORDS) for _ in range(draw.randint(1, 4))) + draw.choice(("", "끝", "\n"))

    return talk(*(text() for _ in range(2 * draw.choice((1, 1, 2, 3)))), system=text() if draw.random() < 0.3 else None)


def slow_and_fast(tokenizer: Any, talks: list[Any], train_on: Any, monkeypatch: pytest.MonkeyPatch) -> tuple[Any, Any]:
    fast = Renderer(tokenizer).samples_batch(talks, train_on)
    with monkeypatch.context() as patch:
        patch.setattr(Encoder, "pieces", None)
        return Renderer(tokenizer).samples_batch(talks, train_on), fast


def assert_equal(slow: Any, fast: Any) -> int:
    compared = 0
    for one, other in zip(slow, fast, strict=True):
        if isinstance(one, DataError):
            assert str(one) == str(other)
            continue
        assert len(one) == len(other)
        for a, b in zip(one, other, strict=True):
            assert a.input_ids.tolist() == b.input_ids.tolist() and a.weights.tolist() == b.weights.tolist()
            assert a.answer_bytes == b.answer_bytes and b.input_ids.dtype == a.input_ids.dtype
            compared += 1
    return compared


@pytest.mark.parametrize("train_on", ["assistant", "last_assistant", "all"])
@pytest.mark.parametrize("name", ["qwen2.5", "qwen3", "llama3.2"])
def test_the_same_samples_as_from_whole_texts(
    name: str, train_on: str, material: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tokenizer = FAMILIES[name].shared(material)
    assert Encoder(tokenizer).pieces is not None
    draw = random.Random(f"{name} {train_on}")
    talks = [conversation(draw) for _ in range(400)] + real_conversations(material)["fastchat"][:60]
    assert assert_equal(*slow_and_fast(tokenizer, talks, train_on, monkeypatch)) > 400


@pytest.mark.parametrize("base", ["gpt2", "smollm2"])
def test_templates_whose_borders_are_no_control_tokens(
    base: str, material: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    eos = "<|endoftext|>"
    tokenizer = with_template(material, base, "trl/qwen2_5", eos=eos)
    tokenizer.chat_template = (
        "{% for m in messages %}{{ m.role + ':' + m.content }}{% if m.role == 'assistant' %}{{ eos_token }}{% endif %}"
        "{{ '\n' }}{% endfor %}{% if add_generation_prompt %}{{ 'assistant:' }}{% endif %}"
    )
    draw = random.Random(base)
    talks = [conversation(draw) for _ in range(400)]
    assert assert_equal(*slow_and_fast(tokenizer, talks, "assistant", monkeypatch)) > 400


@pytest.mark.parametrize("base", ["tinyllama-1.1b-chat", "bora-ko-32k", "klue-roberta-type"])
def test_tokenizers_that_do_more_than_cut_are_left_alone(base: str, material: Path) -> None:
    assert Pieces.of(load_tokenizer(material / "tokenizers" / base).backend_tokenizer) is None


def test_a_control_token_that_eats_blanks_is_left_alone(material: Path) -> None:
    from tokenizers import AddedToken

    tokenizer = load_tokenizer(material / "tokenizers" / "gpt2")
    tokenizer.add_tokens([AddedToken("<|x|>", special=True, lstrip=True)])
    assert Pieces.of(tokenizer.backend_tokenizer) is None


def test_a_token_across_a_border_is_said(material: Path) -> None:
    tokenizer = load_tokenizer(material / "tokenizers" / "gpt2")
    found = Pieces.of(tokenizer.backend_tokenizer)
    assert found is not None
    ids = tokenizer.encode("the cat")
    # "the cat" = "the" + " cat": a border after "the " lies inside " cat".
    assert found.encode(["the cat"], [[3]]) == [(memory(ids), [1])]
    assert found.encode(["the cat"], [[4]]) == [None]
    assert found.encode(["the cat", ""], [[0, 7], [0]]) == [(memory(ids), [0, 2]), (b"", [0])]


def test_what_is_remembered_has_a_bound(material: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pieces, "REMEMBERED", 50)
    backend = load_tokenizer(material / "tokenizers" / "gpt2").backend_tokenizer
    found = Pieces.of(backend)
    assert found is not None
    for number in range(40):
        texts = [f"{number} {i}<|endoftext|>" for i in range(10)]
        assert [f and f[0] for f in found.encode(texts, [[]] * 10)] == [memory(backend.encode(t).ids) for t in texts]
        assert len(found._known) < 80


@pytest.mark.parametrize("base", ["gpt2", "smollm2", "qwen2.5-0.5b-instruct"])
def test_words_apart_give_the_ids_of_the_whole(base: str, material: Path) -> None:
    backend = load_tokenizer(material / "tokenizers" / base).backend_tokenizer
    found = Pieces.of(backend)
    assert found is not None and found._between is not None
    draw = random.Random(base)
    words = (*WORDS, " ", "  ", "가나 다라", "it 's", "don 't", "a b", "가 1", "1 가", "\u200b", "ㅋㅋ", "é e", "각 ̂a")
    texts = ["".join(draw.choice(words) for _ in range(draw.randint(1, 8))) for _ in range(3000)]
    texts = [text for text in texts if not any(token in text for token in found.control)]
    texts += [t["content"] for talks in real_conversations(material).values() for talk in talks for t in talk][:4000]
    known = found.known(texts)
    whole = backend.encode_batch_fast(texts, add_special_tokens=False)
    assert all(known[text] == memory(e.ids) for text, e in zip(texts, whole, strict=True))
    assert len(found._words) > 1000


def test_words_are_not_cut_for_tokenizers_that_may_not_cut_there(material: Path) -> None:
    from tokenizers import Regex, pre_tokenizers

    backend = load_tokenizer(material / "tokenizers" / "gpt2").backend_tokenizer
    lines = pre_tokenizers.Split(Regex("[^\n]+"), "isolated")
    backend.pre_tokenizer = pre_tokenizers.Sequence([lines, pre_tokenizers.ByteLevel(False, use_regex=False)])
    found = Pieces.of(backend)
    assert found is not None and found._between is None
    assert found.known(["가나 다라"])["가나 다라"] == memory(backend.encode("가나 다라").ids)


def test_families_of_the_tests_use_both_ways(material: Path) -> None:
    ways = {name: Encoder(family.tokenizer(material)).pieces is not None for name, family in FAMILIES.items()}
    assert ways == {"qwen2.5": True, "llama3.2": True, "gemma3": False, "qwen3": True}
    assert isinstance(FAMILIES["gemma3"], Family)
