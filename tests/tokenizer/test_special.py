"""Special tokens and texts cut: held against figures worked by hand from the vocabularies."""

from pathlib import Path
from typing import Any

import pytest

from dadeum.tokenizer.load import load_tokenizer
from dadeum.tokenizer.special import Counts, SpecialToken, as_text, count, cut, on_one_line, special_tokens
from tests.data.small import make_tokenizer


def loaded(material: Path, base: str) -> Any:
    return load_tokenizer(material / "tokenizers" / base)


def by_name(tokenizer: Any) -> dict[str, SpecialToken]:
    return {token.name: token for token in special_tokens(tokenizer)}


ROLES = [
    ("smollm2", 17, {"<|endoftext|>": (0, ("bos", "eos", "pad", "unk")), "<|im_end|>": (2, ("additional",))}),
    ("tinyllama-1.1b-chat", 3, {"<unk>": (0, ("unk",)), "<s>": (1, ("bos",)), "</s>": (2, ("eos", "pad"))}),
    (
        "qwen2.5-0.5b-instruct",
        22,
        {
            "<|endoftext|>": (151643, ("pad",)),
            "<|im_start|>": (151644, ("additional",)),
            "<|im_end|>": (151645, ("eos",)),
            "<tool_call>": (151657, ("added",)),
        },
    ),
    ("klue-roberta-type", 5, {"[CLS]": (0, ("bos", "cls")), "[SEP]": (2, ("eos", "sep")), "[MASK]": (4, ("mask",))}),
    ("bora-ko-32k", 2255, {"<|mask|>": (4, ("added",)), "<|role_end|>": (32088, ("additional",)), "\n\n": (158, ("added",))}),
    ("gpt2", 1, {"<|endoftext|>": (50256, ("additional",))}),
]  # fmt: skip


@pytest.mark.parametrize(("base", "number", "some"), ROLES, ids=[r[0] for r in ROLES])
def test_ids_and_roles(material: Path, base: str, number: int, some: dict[str, tuple[int, tuple[str, ...]]]) -> None:
    found = by_name(loaded(material, base))
    assert len(found) == number
    assert {name: (found[name].id, found[name].roles) for name in some} == some
    assert [t.id for t in found.values()] == sorted(t.id for t in found.values() if t.id is not None)
    assert all(t.whole and t.alone and t.between_blanks for t in found.values())


def test_a_control_string_that_is_no_token_is_cut(material: Path) -> None:
    """`<|user|>`, in which TinyLlama was taught to speak and which is five tokens of Llama's vocabulary."""
    (token,) = as_text(loaded(material, "tinyllama-1.1b-chat"), ["<|user|>"], "not_a_token")
    assert token.id is None and not token.whole and not token.alone
    assert [(p.id, p.text) for p in token.pieces] == [
        (29966, "<"),
        (29989, "|"),
        (1792, "user"),
        (29989, "|"),
        (29958, ">"),
    ]


def test_how_an_added_token_is_matched(tmp_path: Path) -> None:
    from tokenizers import AddedToken

    tokenizer = load_tokenizer(make_tokenizer(tmp_path))
    tokenizer.add_tokens([AddedToken("<alone>", single_word=True), AddedToken("<eats>", rstrip=True, special=True)])
    tokenizer.add_tokens([AddedToken("word", single_word=True)])
    found = by_name(tokenizer)
    assert found["<eats>"].strips == ("right",) and found["<eats>"].whole
    word = found["word"]
    assert not word.whole and word.alone and word.between_blanks and len(word.pieces) > 1
    assert "".join(p.text for p in word.pieces) == "word"


def test_hangul_in_bytes_of_gpt2(material: Path) -> None:
    """안 is EC 95 88. GPT-2 numbers printable bytes first (21–7E: 0–93, A1–AC: 94–105, AE–FF: 106–187), then the rest:
    EC is 106 + 0xEC - 0xAE = 168; the 33 bytes to 20, then 7F on, are 188 on: 95 is 221 + 0x95 - 0x7F = 243, 88 is 230."""
    tokenizer = loaded(material, "gpt2")
    pieces = cut(tokenizer, "안")
    assert [p.id for p in pieces] == [168, 243, 230]
    assert [p.text for p in pieces] == ["<0xEC>", "<0x95>", "<0x88>"]
    assert count(pieces, "안") == Counts(tokens=3, framing=0, characters=1, bytes=3, hangul=1, hangul_tokens=3)


def test_hangul_in_bytes_of_llama(material: Path) -> None:
    """녕 is EB 85 95 and not in Llama's vocabulary; its bytes are 3 + byte: 238, 136, 152."""
    pieces = cut(loaded(material, "tinyllama-1.1b-chat"), "안녕하세요")
    assert [p.id for p in pieces] == [1, 29871, 31734, 238, 136, 152, 30944, 31578, 31527]
    assert [p.text for p in pieces][1:6] == ["␣", "안", "<0xEB>", "<0x85>", "<0x95>"]
    counts = count(pieces, "안녕하세요")
    # The blank before the first letter is nobody's letter: seven tokens for five of them.
    assert (counts.tokens, counts.framing, counts.hangul_tokens, counts.hangul) == (8, 1, 7, 5)
    assert counts.tokens_per_hangul == 7 / 5


def test_special_tokens_in_a_text(material: Path) -> None:
    pieces = cut(loaded(material, "klue-roberta-type"), "뷁 [MASK] 안녕")
    assert [(p.id, p.text, p.special, p.framed) for p in pieces] == [
        (0, "[CLS]", True, True),
        (3, "[UNK]", True, False),
        (4, "[MASK]", True, False),
        (5891, "안녕", False, False),
        (2, "[SEP]", True, True),
    ]
    assert count(pieces, "뷁 [MASK] 안녕") == Counts(3, 2, 11, 17, 3, 2)
    assert [p.framed for p in cut(loaded(material, "klue-roberta-type"), "안녕", frame=False)] == [False]
    tool = cut(loaded(material, "qwen2.5-0.5b-instruct"), "a<tool_call>b")
    assert [(p.id, p.special) for p in tool[1:2]] == [(151657, True)]
    assert not any(p.special for p in cut(loaded(material, "bora-ko-32k"), "가\n\n나    다"))


def test_a_text_without_hangul_or_anything(material: Path) -> None:
    tokenizer = loaded(material, "smollm2")
    assert count(cut(tokenizer, "fox"), "fox").tokens_per_hangul is None
    assert count(cut(tokenizer, ""), "") == Counts(0, 0, 0, 0, 0, 0)


def test_what_is_shown_acts_on_no_terminal() -> None:
    assert on_one_line("a b\n\x1b[2J") == "a␣b\\n␛[2J"
    assert on_one_line("<｜end▁of▁sentence｜>") == "<｜end▁of▁sentence｜>"
