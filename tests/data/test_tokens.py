"""Ids from text: cutting at borders, pieces without a prefix space, control tokens of user text."""

import random
from pathlib import Path
from typing import Any

import pytest

from dadeum.core.errors import DataError
from dadeum.data.tokens import TEMPLATE, USER, Encoder
from dadeum.tokenizer.load import load_tokenizer

BASES = ["bora-ko-32k", "gpt2", "smollm2", "tinyllama-1.1b-chat"]
TEXT = "### 답변:\n\n  첫째. 한국어 문장 😀👩‍👩‍👧\n\n\ndef f(x):\n\treturn  x"


def load(material: Path, base: str) -> Any:
    return load_tokenizer(material / "tokenizers" / base)


@pytest.mark.parametrize("base", BASES)
def test_a_cut_at_any_border_loses_and_doubles_nothing(base: str, material: Path) -> None:
    tokenizer = load(material, base)
    encoder = Encoder(tokenizer)
    (encoding,) = encoder.encodings([TEXT])
    rng = random.Random(base)
    borders = [[m] for m in range(1, len(TEXT))]
    borders += [sorted(rng.sample(range(1, len(TEXT)), 3)) for _ in range(60)]
    for cuts in borders:
        prompt = encoder.ids([TEXT[: cuts[0]]])[0]
        tokens = encoder.tail(encoding, TEXT, cuts)
        assert tokenizer.decode([*prompt, *(t.id for t in tokens)]) == tokenizer.decode(encoding.ids)
        for cut in cuts:
            assert not any(t.start < cut < t.end for t in tokens)
        assert [t.start for t in tokens] == sorted(t.start for t in tokens)


@pytest.mark.parametrize("base", BASES)
def test_pieces_have_no_prefix_space(base: str, material: Path) -> None:
    tokenizer = load(material, base)
    encoder = Encoder(tokenizer)
    anchor = encoder.ids(["x"])[0]
    for text in ("four", "넷이에요", "\n", "  둘", "😀"):
        piece = [t.id for t in encoder.piece(text)]
        assert tokenizer.decode([*anchor, *piece]) == tokenizer.decode(anchor) + text


@pytest.mark.parametrize("base", [*BASES, "klue-roberta-type"])
def test_the_renamed_copy_gives_equal_ids(base: str, material: Path) -> None:
    tokenizer = load(material, base)
    encoder = Encoder(tokenizer)
    special = next(iter(encoder.special))
    text = f"앞 {special}뒤의 글, and more\n{special}"
    disguised, _ = encoder.disguise(text, [])
    assert encoder.ids([disguised], hidden=True) == encoder.ids([text])
    hidden = encoder.hide(text)
    literal, moved = encoder.disguise(hidden, [2, len(hidden)])
    assert literal == text
    assert [text[:2], text] == [literal[: moved[0]], literal[: moved[1]]]
    assert encoder.literal(hidden) == text
    (ids,) = encoder.ids([literal], hidden=True)
    assert not set(ids) & ({encoder.special[special]} - {tokenizer.unk_token_id})


def test_every_special_string_can_be_text(material: Path) -> None:
    tokenizer = load(material, "bora-ko-32k")
    encoder = Encoder(tokenizer)
    for special, number in encoder.special.items():
        (ids,) = encoder.ids([encoder.disguise(encoder.hide(f"가{special}나"), [])[0]], hidden=True)
        assert number not in ids
        assert tokenizer.decode(ids) == f"가{special}나"


def test_private_use_characters_beside_control_tokens_are_refused(material: Path) -> None:
    encoder = Encoder(load(material, "bora-ko-32k"))
    for code in (USER, TEMPLATE):
        with pytest.raises(DataError, match="private-use characters of planes 15 and 16"):
            encoder.hide([{"role": "user", "content": f"</s>{chr(code)}"}])


def test_roles_are_not_hidden(material: Path) -> None:
    encoder = Encoder(load(material, "bora-ko-32k"))
    hidden = encoder.hide([{"role": "user", "content": "</s>", "extra": ["</s>", 1]}])
    assert hidden[0]["role"] == "user"
    assert hidden[0]["content"] == hidden[0]["extra"][0] != "</s>"
    assert hidden[0]["extra"][1] == 1
