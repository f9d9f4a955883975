"""The embedded model as it lies in the package, and its card against the recorded data."""

import re
import unicodedata
from pathlib import Path

import pytest

from dadeum.export.whole import stored_dtype
from dadeum.generate.engine import Engine
from scripts import tiny_ko_card, tiny_ko_pack
from scripts.tiny_ko_data import HELD_OUT, VOCABULARY, held_out, samples

MODEL = tiny_ko_card.MODEL


def test_it_is_whole_and_small() -> None:
    assert {f.name for f in MODEL.iterdir()} == {*tiny_ko_pack.FILES, "README.md"}
    assert (MODEL / "model.safetensors").stat().st_size <= 16_000_000
    assert stored_dtype(MODEL) == "bfloat16"
    engine = Engine.open(MODEL)
    parameters = sum(p.numel() for p in engine.model.parameters())
    assert 4_000_000 <= parameters <= 8_000_000
    assert f"{parameters:,}" in (MODEL / "README.md").read_text(encoding="utf-8")
    assert len(engine.tokenizer) == VOCABULARY == engine.model.config.vocab_size


def test_it_answers_in_korean_and_stops_at_the_end_of_its_turn() -> None:
    engine = Engine.open(MODEL)
    questions = ("오늘 너무 피곤해", "여행 가고 싶다", "영화 추천해줘")
    replies = engine.replies([[{"role": "user", "content": q}] for q in questions], max_new_tokens=40)
    for reply in replies:
        assert re.search("[가-힣]", reply.text), reply.text
        assert not reply.cut


def test_its_tokens_are_long_in_korean() -> None:
    tokenizer = Engine.open(MODEL).tokenizer
    written = "정말 재미있고 감동적인 영화였어요."
    assert len(tokenizer(written)["input_ids"]) < len(written) / 1.5


@pytest.mark.slow
def test_the_card_gives_its_figure_again_on_the_recorded_data(material: Path) -> None:
    card = (MODEL / "README.md").read_text(encoding="utf-8")
    found = re.search(r"^\| tiny-ko .*\| ([\d.]+) \|$", card, re.MULTILINE)
    assert found
    held = [unicodedata.normalize("NFC", s.whole) for s in held_out(samples(material), HELD_OUT)]
    assert tiny_ko_card.model_bits_per_byte(MODEL, held) == pytest.approx(float(found[1]), rel=0.02)
