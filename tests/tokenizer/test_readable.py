"""Pieces joined are the decoded text; no character is broken, and no byte is hidden."""

import random
from pathlib import Path
from typing import Any

import pytest
from tokenizers import Tokenizer, decoders, models
from transformers import PreTrainedTokenizerFast

from dadeum.tokenizer.load import load_tokenizer
from dadeum.tokenizer.readable import Piece, Pieces, alone, named, token_bytes, visible
from tests.data.chats import decode
from tests.data.small import make_tokenizer

HARD = "똠방각하 뷁뷁  👩‍👩‍👧 é\n\n\t<s> null [UNK] '가' ."
KINDS = ["gpt2", "smollm2", "qwen2.5-0.5b-instruct", "tinyllama-1.1b-chat", "bora-ko-32k", "klue-roberta-type"]


def ids_of(tokenizer: Any, text: str) -> list[int]:
    found: list[int] = tokenizer(text, add_special_tokens=True)["input_ids"]
    return found


def test_a_syllable_in_three_tokens_is_one_piece(tmp_path: Path) -> None:
    tokenizer = load_tokenizer(make_tokenizer(tmp_path))
    ids = ids_of(tokenizer, "a뷁?")
    found = Pieces(tokenizer).of(ids)
    assert Piece("뷁", 3) in found
    assert "".join(p.text for p in found) == "a뷁?"
    assert [Pieces(tokenizer).name(i) for i in ids] == ["a", "<0xEB>", "<0xB7>", "<0x81>", "?"]
    # The end of the first syllable, the next one whole, the beginning of a third.
    broken = [*ids[2:4], *ids[1:4], ids[1]]
    assert Pieces(tokenizer).of(broken) == [("<0xB7>", 1), ("<0x81>", 1), ("뷁", 3), ("<0xEB>", 1)]


@pytest.mark.parametrize("kind", KINDS)
def test_joined_they_are_the_decoded_text(material: Path, kind: str) -> None:
    tokenizer = load_tokenizer(material / "tokenizers" / kind)
    for text in (HARD, HARD[::-1], " " + HARD, "안녕하세요, 세계! the fox's", "가"):
        ids = ids_of(tokenizer, text)
        found = Pieces(tokenizer).of(ids)
        assert "".join(p.text for p in found) == decode(tokenizer, ids)
        assert sum(p.tokens for p in found) == len(ids)
        assert not any("\ufffd" in p.text for p in found)


@pytest.mark.parametrize("kind", ["qwen2.5-0.5b-instruct", "tinyllama-1.1b-chat", "klue-roberta-type"])
def test_any_ids_at_all(material: Path, kind: str) -> None:
    """Whatever a text was cut into: all tokens are told, and what is broken is told by its bytes."""
    tokenizer = load_tokenizer(material / "tokenizers" / kind)
    drawn = random.Random(1)
    pieces = Pieces(tokenizer)
    for _ in range(40):
        ids = [drawn.randrange(len(tokenizer)) for _ in range(30)]
        found = pieces.of(ids)
        assert sum(p.tokens for p in found) == len(ids)
        whole = decode(tokenizer, ids)
        if "\ufffd" not in whole:
            assert "".join(p.text for p in found) == whole


def test_a_decoder_that_goes_back_on_itself() -> None:
    """Where a later token changes what an earlier one says, both are one piece."""
    backend = Tokenizer(models.WordLevel({"a": 0, "b": 1, "c": 2, "?": 3}, unk_token="?"))
    backend.decoder = decoders.Sequence([decoders.Fuse(), decoders.Replace("ab", "X")])
    found = Pieces(PreTrainedTokenizerFast(tokenizer_object=backend)).of([2, 0, 1, 2, 0])
    assert [p.text for p in found] == ["c", "X", "c", "a"]
    assert [p.tokens for p in found] == [1, 2, 1, 1]


def test_bytes_by_name() -> None:
    assert named("가".encode() + b"\xeb\xff") == "가<0xEB><0xFF>"
    assert token_bytes("Ġê") == b" \xea"
    assert token_bytes("한 글") == "한 글".encode()  # an added token is itself


def test_nothing_hides() -> None:
    assert visible("a\x1b[31m\tb\u200bc\u202e\r\nd") == "a␛[31m⇥b<U+200B>c<U+202E>␍\nd"
    assert visible("가👩‍👩‍👧é") == "가👩‍👩‍👧é"
    assert [alone(t) for t in ("", "  ", "\u200d", "a", "\n")] == ["∅", "␣␣", "<U+200D>", "", ""]
