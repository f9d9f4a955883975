"""Pieces of text joined are the text decoded at once, and no piece breaks a character."""

import random
from pathlib import Path

import pytest
from tokenizers import Tokenizer, decoders, models
from transformers import PreTrainedTokenizerFast

from dadeum.generate.stream import TextStream, decode
from dadeum.tokenizer.load import load_tokenizer
from dadeum.tokenizer.readable import unfinished
from tests.data.small import make_tokenizer

HARD = "똠방각하 👩‍👩‍👧 \ufffd 𠮷 뷁 é ê"


@pytest.fixture(scope="module")
def byte_level(tmp_path_factory: pytest.TempPathFactory) -> PreTrainedTokenizerFast:
    return load_tokenizer(make_tokenizer(tmp_path_factory.mktemp("tokenizer")))


def byte_fallback() -> PreTrainedTokenizerFast:
    """The kind of Llama-2: pieces with `▁`, and 256 byte tokens for the rest."""
    vocabulary = {"<unk>": 0, "<s>": 1, "</s>": 2}
    vocabulary |= {f"<0x{byte:02X}>": 3 + byte for byte in range(256)}
    for piece in ("▁", "▁안", "녕", "▁the", "a", "?", "하", "▁▁"):
        vocabulary[piece] = len(vocabulary)
    backend = Tokenizer(models.BPE(vocabulary, [], unk_token="<unk>", byte_fallback=True))
    backend.decoder = decoders.Sequence(
        [decoders.Replace("▁", " "), decoders.ByteFallback(), decoders.Fuse(), decoders.Strip(" ", 1, 0)]
    )
    return PreTrainedTokenizerFast(tokenizer_object=backend, unk_token="<unk>", bos_token="<s>", eos_token="</s>")


def pieces(tokenizer: PreTrainedTokenizerFast, ids: list[int]) -> list[str]:
    stream = TextStream(tokenizer)
    return [*(stream.push([i]) for i in ids), stream.finish()]


def fuzz(tokenizer: PreTrainedTokenizerFast, rounds: int) -> None:
    draw = random.Random(0)
    hard = tokenizer(HARD, add_special_tokens=False)["input_ids"]
    for _ in range(rounds):
        ids = [draw.randrange(len(tokenizer)) for _ in range(draw.randrange(1, 30))]
        if draw.random() < 0.3:
            place = draw.randrange(len(ids))
            ids[place:place] = hard[draw.randrange(len(hard)) :]
        assert "".join(pieces(tokenizer, ids)) == decode(tokenizer, ids)


def test_random_ids_joined_are_decoded_at_once(byte_level: PreTrainedTokenizerFast) -> None:
    fuzz(byte_level, 2000)
    fuzz(byte_fallback(), 2000)


@pytest.mark.parametrize("name", ["bora-ko-32k", "tinyllama-1.1b-chat", "smollm2", "qwen2.5-0.5b-instruct"])
def test_random_ids_of_real_tokenizers(material: Path, name: str) -> None:
    fuzz(load_tokenizer(material / "tokenizers" / name), 300)


def test_no_piece_breaks_a_character(byte_level: PreTrainedTokenizerFast) -> None:
    for tokenizer in (byte_level, byte_fallback()):
        text = "안녕 뷁하세요 👍 a"
        found = pieces(tokenizer, tokenizer(text, add_special_tokens=False)["input_ids"])
        assert "".join(found).strip() == text
        assert not any("\ufffd" in piece for piece in found)


def test_a_literal_replacement_character_passes_at_once(byte_level: PreTrainedTokenizerFast) -> None:
    ids = byte_level("가\ufffd나", add_special_tokens=False)["input_ids"]
    found = pieces(byte_level, ids)
    assert "".join(found) == "가\ufffd나"
    assert found[-1] == ""  # nothing was held back to the end


def test_only_the_unfinished_character_is_held(byte_level: PreTrainedTokenizerFast) -> None:
    ids = byte_level("a뷁b", add_special_tokens=False)["input_ids"]
    found = pieces(byte_level, ids)
    assert found[0] == "a"
    assert [p for p in found if p] == ["a", "뷁", "b"]


@pytest.mark.parametrize(
    ("data", "count"),
    [
        (b"", 0),
        (b"a", 0),
        ("가".encode(), 0),
        ("가".encode()[:2], 2),
        ("가".encode()[:1], 1),
        ("👍".encode()[:3], 3),
        ("👍".encode(), 0),
        (b"\xff", 0),
        (b"\xc0", 0),  # never begins a character
        (b"\xe0\x80", 0),  # overlong: invalid already
        (b"\xed\xa0", 0),  # a surrogate
        (b"\xf4\x90", 0),  # beyond U+10FFFF
        (b"\x80\x80", 0),
    ],
)
def test_unfinished_bytes(data: bytes, count: int) -> None:
    assert unfinished(data) == count
