"""Tokens as the format stage will make them, and what Korean costs."""

from pathlib import Path

import numpy as np
import pytest

from dadeum.config.purpose import PRETRAIN, SFT
from dadeum.data import step
from dadeum.data.formats import Conversation
from dadeum.data.measure import LOOKED_AT, Measure, korean
from dadeum.data.render import Renderer
from dadeum.data.samples import Samples
from dadeum.tokenizer.load import load_tokenizer
from dadeum.tokenizer.special import count, cut
from tests.data.small import Data, csv, make_tokenizer

SENTENCE = "임대인이 보증금을 돌려주지 않으면, 내용증명(certified mail)을 보냅니다. 뷁 😀"


def _talk(question: str, answer: str) -> Conversation:
    return Conversation(({"role": "user", "content": question}, {"role": "assistant", "content": answer}))


def _measure(folder: Path, template: str | None = "") -> Measure:
    made = make_tokenizer(folder) if template == "" else make_tokenizer(folder, template)
    return Measure(Renderer(load_tokenizer(made)), "small")


def test_lengths_are_those_of_the_formatted_samples(tmp_path: Path) -> None:
    data = Data(tmp_path)
    settings = data.settings(
        {"type": "csv", "path": data.write("rows.csv", csv(40))}, split={"validation": 0, "test": 0}
    )
    made = Samples.open(data.format(settings) / "train.arrow")
    measure = Measure(Renderer(load_tokenizer(data.tokenizer)), "small")
    rows = [_talk(f"질문 {n}번?", f"답 {n}입니다") for n in range(40)]
    assert measure.see(rows, SFT, "assistant") == [None] * 40
    assert measure.lengths.values.tolist() == np.array(made.lengths).tolist()
    assert (
        measure.facts()["trained_tokens"]
        == step.artifact.read_json(data.format(settings) / step.STATISTICS)["parts"]["train"]["trained_tokens"]
    )
    assert measure.rows.tolist() == list(range(40))


def test_rows_that_cannot_be_rendered_are_told(tmp_path: Path) -> None:
    measure = _measure(tmp_path)
    strange = Conversation(({"role": "us er", "content": "q"}, {"role": "assistant", "content": "a"}))
    faults = measure.see([_talk("질문", "답"), strange, _talk("질문", "답 둘")], SFT, "assistant")
    assert [fault is None for fault in faults] == [True, False, True] and "us er" in str(faults[1])
    assert measure.rows.tolist() == [0, 1]


def test_without_a_template_texts_are_counted(tmp_path: Path) -> None:
    measure = _measure(tmp_path, None)
    assert measure.refusal is not None and "chat_template" in measure.refusal
    assert measure.see([_talk("질문", "답"), Conversation(text="글 하나")], SFT, "assistant") == [None, None]
    plain = measure.renderer.plain
    assert measure.lengths.values.tolist() == [len(plain(t).input_ids) for t in ("질문\n답", "글 하나")]
    assert measure.facts()["with_template"] is False


def test_plain_text_and_pairs(tmp_path: Path) -> None:
    measure = _measure(tmp_path)
    measure.see([Conversation(text="글 하나"), Conversation(text="앞", second="뒤")], PRETRAIN, "assistant")
    plain = measure.renderer.plain
    assert measure.lengths.values.tolist() == [len(plain(t).input_ids) for t in ("글 하나", "앞\n뒤")]
    facts = measure.facts()
    assert facts["characters_per_token"] == round(6 / measure.lengths.values.sum(), 4)


def test_korean_is_counted_on_rows_all_over(tmp_path: Path) -> None:
    measure = _measure(tmp_path)
    # A stride over these would see one kind only.
    rows = [Conversation(text="가" if n % 2 else "가나다라") for n in range(5 * LOOKED_AT)]
    measure.see(rows, PRETRAIN, "all")
    facts = measure.facts()
    looked = facts["hangul_rows"]
    assert LOOKED_AT / 2 <= looked < 2 * LOOKED_AT
    assert facts["hangul_counted"] == pytest.approx(2.5 * looked, rel=0.02)
    assert facts["tokens_per_hangul"] > 1


@pytest.mark.parametrize("name", ["qwen2.5-0.5b-instruct", "bora-ko-32k", "tinyllama-1.1b-chat", "klue-roberta-type"])
def test_korean_as_the_token_table_counts_it(material: Path, name: str) -> None:
    tokenizer = load_tokenizer(material / "tokenizers" / name)
    oracle = count(cut(tokenizer, SENTENCE, frame=False), SENTENCE)
    letters, tokens = korean(tokenizer, SENTENCE)
    assert letters == oracle.hangul == sum("가" <= c <= "힣" for c in SENTENCE)
    assert abs(tokens - oracle.hangul_tokens) <= 1  # a prefix blank that nobody wrote
