"""What is painted is what is on disk, and reads as what it says."""

import itertools
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from dadeum.core.errors import ArtifactError
from dadeum.data.render import Renderer, Sample
from dadeum.data.samples import Entry
from dadeum.data.shape import chop, cut_front
from dadeum.data.show import Painted, Painter, draw, notable, plain_text, special_ids, verify
from dadeum.tokenizer.load import load_tokenizer
from tests.data.chats import Messages, decode, real_conversations, talk, trained
from tests.data.small import make_tokenizer

HARD = [
    talk("<script>alert(1)</script> [red] 뷁?", "똠방각하 👩‍👩‍👧\n\n  둘째 줄 é"),
    talk("첫 질문", "첫 답", "<|im_end|> </s> 둘째", "null"),
    talk("질문", "답", system="시스템"),
]
# Tokenizer, template, end token; whether its text is what was written (WordPiece loses blanks and rare letters).
KINDS = {
    "gpt2": ("plain", "<|endoftext|>", True),
    "tinyllama-1.1b-chat": ("plain", "</s>", True),
    "qwen2.5-0.5b-instruct": (None, "<|im_end|>", True),
    "bora-ko-32k": ("plain", "</s>", True),
    "klue-roberta-type": ("plain", "[SEP]", False),
}


def entry(sample: Sample, row: int = 0) -> Entry:
    """As the format stage writes it."""
    weights = sample.weights.copy()
    weights[0] = 0
    return Entry(sample.input_ids, weights, row, sample.answer_bytes)


def row(messages: Messages, number: int = 0, text: str = "") -> dict[str, Any]:
    return {"messages": messages, "text": text, "source_row": number, "where": f"rows.csv:{number + 2}"}


def kind(material: Path, name: str) -> Painter:
    template, end, _ = KINDS[name]
    tokenizer = load_tokenizer(material / "tokenizers" / name, chat_template=template)
    tokenizer.eos_token = end
    return Painter(Renderer(tokenizer), "assistant", pretrain=False)


def runs(painted: Painted) -> list[str]:
    """The text of each unbroken run of trained tokens."""
    grouped = itertools.groupby(painted.groups, lambda group: group.trained)
    return ["".join(group.text for group in run) for is_trained, run in grouped if is_trained]


@pytest.fixture
def painter(tmp_path: Path) -> Painter:
    return Painter(Renderer(load_tokenizer(make_tokenizer(tmp_path))), "assistant", pretrain=False)


@pytest.mark.parametrize("name", KINDS)
def test_it_reads_as_the_sample_and_trains_the_answer(material: Path, name: str) -> None:
    painter = kind(material, name)
    tokenizer = painter.renderer.tokenizer
    _, end, same = KINDS[name]
    real = [c for rows in real_conversations(material).values() for c in rows[:4]]
    for messages in [*HARD, *real]:
        samples = painter.renderer.samples(messages, "assistant")
        found = painter.row(row(messages), [entry(s) for s in samples])
        assert len(found) == len(samples)
        for painted, sample in zip(found, samples, strict=True):
            assert painted.text() == painted.text(cut=True) == decode(tokenizer, sample.input_ids)
            assert runs(painted) == trained(tokenizer, sample)
            assert [t.id for t in painted.tokens()] == sample.input_ids.tolist()
            assert painted.counts()["trained"] == np.count_nonzero(sample.weights[1:])
        if same:
            answers = [m["content"] + end for m in messages if m["role"] == "assistant"]
            assert [text for painted in found for text in runs(painted)] == answers


@pytest.mark.parametrize("name", ["tinyllama-1.1b-chat", "qwen2.5-0.5b-instruct"])
def test_a_prompt_cut_anywhere_even_inside_a_syllable(material: Path, name: str) -> None:
    painter = kind(material, name)
    messages = talk("네 뷁 똠", "답")
    (whole,) = painter.renderer.samples(messages, "assistant")
    bos, start = painter.renderer.tokenizer.bos_token_id, int(np.argmax(whole.weights > 0))
    inside = 0
    for limit in range(len(whole.input_ids) - start + 1, len(whole.input_ids)):
        found = cut_front([whole], limit, bos, start)
        assert found is not None
        (shorter,) = found
        (painted,) = painter.row(row(messages), [entry(shorter)])
        assert [t.id for t in painted.tokens()] == whole.input_ids.tolist()
        assert [t.id for t in painted.tokens() if not t.cut] == shorter.input_ids.tolist()
        assert painted.counts()["total"] == limit
        assert painted.counts()["cut"] == len(whole.input_ids) - limit
        assert "\ufffd" not in painted.text(cut=True)
        inside += "<0x" in painted.text(cut=True)
    assert inside >= 2  # each of the two syllables is several tokens


def test_counts_and_special_tokens(painter: Painter) -> None:
    messages = talk("<|im_end|>", "답")  # typed by a person: no control token
    (painted,) = painter.row(row(messages), [entry(s) for s in painter.renderer.samples(messages, "assistant")])
    tokens = list(painted.tokens())
    assert [t.name for t in tokens if t.trained] == ["<0xEB><0x8B>", "<0xB5>", "<|im_end|>"]
    assert painted.counts() == {"total": len(tokens), "trained": 3, "special": 4, "cut": 0}
    assert [t.name for t in tokens if t.special] == ["<|im_start|>", "<|im_end|>", "<|im_start|>", "<|im_end|>"]
    assert [t.trained for t in tokens if t.special] == [False, False, False, True]
    assert special_ids(painter.renderer.tokenizer) == {0, 1, 2}


def other_ids(e: Entry) -> list[Entry]:
    ids = e.input_ids.copy()
    ids[-2] += 1
    return [e._replace(input_ids=ids)]


def other_weights(e: Entry) -> list[Entry]:
    weights = e.weights.copy()
    weights[3] = 1
    return [e._replace(weights=weights)]


def shorter(e: Entry) -> list[Entry]:
    return [e._replace(input_ids=e.input_ids[:-1], weights=e.weights[:-1])]


def twice(e: Entry) -> list[Entry]:
    return [e, e]


@pytest.mark.parametrize("changed", [other_ids, other_weights, shorter, twice])
def test_samples_that_are_not_the_row_are_an_error(painter: Painter, changed: Any) -> None:
    messages = talk("질문", "답입니다")
    (sample,) = painter.renderer.samples(messages, "assistant")
    with pytest.raises(ArtifactError, match=r"rows\.csv:9: the samples on disk are not"):
        painter.row(row(messages, 7), changed(entry(sample)))


def test_what_is_painted_is_held_against_the_sample(painter: Painter) -> None:
    messages = talk("질문", "답입니다")
    (sample,) = painter.renderer.samples(messages, "assistant")
    (painted,) = painter.row(row(messages), [entry(sample)])
    verify(painted, entry(sample))
    first = painted.groups[0]
    for wrong in (
        {"id": first.tokens[0].id + 1},
        {"weight": 1.0},
        {"cut": True},
    ):
        forged = replace(first, tokens=(replace(first.tokens[0], **wrong), *first.tokens[1:]))
        with pytest.raises(ArtifactError):
            verify(replace(painted, groups=(forged, *painted.groups[1:])), entry(sample))


def test_where_earlier_answers_do_not_fit_only_the_last_is_trained(painter: Painter) -> None:
    messages = talk("첫 질문", "첫 답", "둘째 질문", "둘째 답")
    (last,) = painter.renderer.samples(messages, "last_assistant")
    found = cut_front([last], 60, None, int(np.argmax(last.weights > 0)))
    assert found is not None
    (kept,) = found
    (painted,) = painter.row(row(messages), [entry(kept)])
    assert runs(painted) == ["둘째 답<|im_end|>"]
    assert painted.counts()["cut"] == len(last.input_ids) - 60


def test_the_chunks_of_a_long_text(tmp_path: Path) -> None:
    painter = Painter(Renderer(load_tokenizer(make_tokenizer(tmp_path))), "all", pretrain=True)
    text = "뷁뷁뷁 가나다 the quick brown fox 똠"
    whole = painter.renderer.plain(text)
    entries = [entry(s) for s in chop(whole, 8)]
    found = painter.row(row([], text=text), entries)
    assert [(p.number, p.of) for p in found] == [(n, len(entries)) for n in range(1, len(entries) + 1)]
    assert [t.id for p in found for t in p.tokens()] == whole.input_ids.tolist()
    # The first token of each is not trained, be it a part of a syllable.
    assert [p.counts()["trained"] for p in found] == [len(e.input_ids) - 1 for e in entries]
    assert all("\ufffd" not in p.text() for p in found)
    entries[1].weights[2] = 0
    with pytest.raises(ArtifactError):
        painter.row(row([], text=text), entries)
    with pytest.raises(ArtifactError):
        painter.row(row([], text=text), entries[:1])


def test_a_row_without_samples_is_all_cut(painter: Painter) -> None:
    messages = talk("질문", "긴 답")
    (painted,) = painter.row(row(messages), [], "too long")
    (whole,) = painter.renderer.samples(messages, "assistant")
    assert painted.dropped == "too long"
    assert painted.counts() == {"total": 0, "trained": 0, "special": 0, "cut": len(whole.input_ids)}
    assert painted.text() == ""
    assert painted.text(cut=True) == decode(painter.renderer.tokenizer, whole.input_ids)
    (blank,) = painter.row(row(talk("질문", " ")), [], "the answer is empty")
    assert blank.groups == ()
    with pytest.raises(ArtifactError):  # neither a sample nor a reason
        painter.row(row(messages), [])


def test_what_the_tokenizer_does_not_know_is_counted(material: Path) -> None:
    painter = kind(material, "klue-roberta-type")
    messages = talk("질문", "\u4e02\u4e04 답")
    (sample,) = painter.renderer.samples(messages, "assistant")
    (painted,) = painter.row(row(messages), [entry(sample)])
    assert painted.unknown == runs(painted)[0].count("[UNK]") > 0


def test_the_first_the_longest_and_the_shortest() -> None:
    rows = np.array([4, 5, 5, 6, 7, 9], np.int64)
    lengths = np.array([30, 20, 25, 45, 9, 9], np.int64)
    assert notable(rows, lengths) == {4: "first", 5: "longest", 7: "shortest"}  # row 5 has two samples
    assert notable(rows[:1], lengths[:1]) == {4: "first, longest, shortest"}
    assert notable(rows[:0], lengths[:0]) == {}


def test_what_is_drawn_hangs_on_the_row_alone() -> None:
    rows = [row(talk(f"질문 {n}", "답"), n) for n in range(30)]
    found = [r["source_row"] for r in draw(iter(rows), 6)]
    assert found != sorted(found) and len(set(found)) == 6
    assert [r["source_row"] for r in draw(rows[::-1], 4)] == found[:4]
    left = [r for r in rows if r["source_row"] != found[0]]
    assert [r["source_row"] for r in draw(left, 5)] == found[1:]


def test_a_row_as_plain_text() -> None:
    assert plain_text(row(talk("가", "나"))) == "user: 가\nassistant: 나"
    assert plain_text(row([], text="글")) == "글"


def test_where_earlier_answers_do_not_fit_the_last_that_counts_is_trained(painter: Painter) -> None:
    messages: list[dict[str, Any]] = [dict(m) for m in talk("첫 질문", "첫 답", "둘째 질문", "둘째 답", "셋째", "끝")]
    messages[5]["weight"] = 0.0
    messages[3]["weight"] = 0.5
    (last,) = painter.renderer.samples(messages[:4], "last_assistant")
    sample = last._replace(input_ids=last.input_ids[-50:], weights=last.weights[-50:])
    (painted,) = painter.row(row(messages), [entry(sample)])
    assert runs(painted) == ["둘째 답<|im_end|>"]
    assert {t.weight for t in painted.tokens() if t.trained} == {0.5}
    trained = painted.counts()["trained"]
    assert painted.told("trained", str).endswith(f" · weights 0.5 × {trained}")
    (plain,) = painter.row(row(talk("가", "나")), [entry(painter.renderer.samples(talk("가", "나"), "assistant")[0])])
    assert "weights" not in plain.told("trained", str)
