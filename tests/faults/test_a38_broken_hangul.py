"""A38: streaming breaks Hangul and emoji into U+FFFD, or holds back more than it must."""

from pathlib import Path

import pytest
import torch

from dadeum.generate.engine import Engine
from dadeum.generate.stream import decode
from dadeum.tokenizer.load import load_tokenizer
from tests.generate.support import opened, save_small, user
from tests.generate.test_stream import byte_fallback, fuzz, pieces

TEXT = "안녕하세요 👩‍👩‍👧 똠방각하, \ufffd 𠮷野家 ㄱㅏ"


@pytest.mark.parametrize(
    "name", ["bora-ko-32k", "tinyllama-1.1b-chat", "smollm2", "qwen2.5-0.5b-instruct", "gpt2", "stories260K"]
)
def test_2000_random_sequences(material: Path, name: str) -> None:
    place = material / "weights" / name / "hf" if name == "stories260K" else material / "tokenizers" / name
    tokenizer = load_tokenizer(place)
    fuzz(tokenizer, 2000 if name in ("gpt2", "stories260K") else 500)
    found = pieces(tokenizer, tokenizer(TEXT, add_special_tokens=False)["input_ids"])
    assert sum(piece.count("\ufffd") for piece in found) == 1  # the one in the text


def test_byte_fallback_too() -> None:
    fuzz(byte_fallback(), 2000)


def test_whatever_a_model_says_streams_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    engine = opened(save_small(tmp_path))
    said = engine.tokenizer(TEXT, add_special_tokens=False)["input_ids"]

    def speak(
        self: Engine, ids: torch.Tensor, mask: torch.Tensor, config: object, streamer: object = None, **_: object
    ) -> None:
        streamer.put(ids)  # type: ignore[attr-defined]
        for token in said:
            streamer.put(torch.tensor([token]))  # type: ignore[attr-defined]

    monkeypatch.setattr(Engine, "generate", speak)
    stream = engine.stream(user("hi"), max_new_tokens=200)
    found = list(stream)
    assert "".join(found) == TEXT == decode(engine.tokenizer, said)
    assert all("\ufffd" not in piece or piece == "\ufffd" for piece in found)
    assert stream.reply is not None and stream.reply.text == TEXT
