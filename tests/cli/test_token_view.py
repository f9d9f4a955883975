"""How tokens look in a terminal."""

import io
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from dadeum.cli.token_view import glossed, grouped, show_analysis, show_cut, shown
from dadeum.data.contract import PromptContract
from dadeum.data.render import Renderer
from dadeum.data.special import Analysis
from dadeum.tokenizer.load import load_tokenizer
from dadeum.tokenizer.special import count, cut


def of(material: Path, base: str, template: str | None = None) -> Any:
    tokenizer = load_tokenizer(material / "tokenizers" / base, chat_template=template)
    return Analysis(tokenizer, PromptContract.of(Renderer(tokenizer)))


def page(width: int = 80) -> Console:
    return Console(file=io.StringIO(), width=width, highlight=False, soft_wrap=True)


def lines(console: Console) -> list[str]:
    file = console.file
    assert isinstance(file, io.StringIO)
    return file.getvalue().splitlines()


def test_tokens_that_differ_in_their_number_share_a_line(material: Path) -> None:
    groups = grouped(of(material, "bora-ko-32k", "chatml").rows)
    alike = {group[0].token.name: (len(group), group[-1].token.id) for group in groups if len(group) > 1}
    assert alike == {
        "<|unused_1|>": (128, 133),
        "▁▁": (43, 176),
        "<|reserved_0|>": (2036, 32084),
        "<|tool_1|>": (20, 32117),
        "<|reserved_ext_1|>": (10, 32127),
    }
    assert [g[0].token.name for g in groups[:6]] == ["<pad>", "<s>", "</s>", "<unk>", "<|im_start|>", "<|im_end|>"]
    assert sum(map(len, groups)) == 2255 + 2


@pytest.mark.parametrize("language", ["en", "ko"])
@pytest.mark.parametrize(("base", "template"), [("bora-ko-32k", "chatml"), ("smollm2", "chatml"), ("gpt2", None)])
def test_the_table_fits_eighty_columns(
    material: Path, monkeypatch: pytest.MonkeyPatch, language: str, base: str, template: str | None
) -> None:
    from rich.cells import cell_len

    monkeypatch.setenv("DADEUM_LANG", language)
    console, found = page(), of(material, base, template)
    show_analysis(console, base, found)
    said = lines(console)
    table = said[: next(i for i, line in enumerate(said) if i > 4 and not line.strip())]
    assert max(map(cell_len, table)) <= 80
    text = "\n".join(table)
    for row in found.rows[:6]:
        assert row.token.name.strip() in text
    label = {"en": ("warning: ", "note: "), "ko": ("주의: ", "참고: ")}[language]
    assert [line for line in said if line.startswith(label)] == [
        (label[0] if f.warning else label[1]) + f.text for f in found.findings
    ]


def test_pieces_over_their_ids(material: Path) -> None:
    tokenizer = load_tokenizer(material / "tokenizers" / "klue-roberta-type")
    pieces = cut(tokenizer, "안녕 [MASK]")
    above, below = (line.plain for line in glossed(pieces, 80))
    assert above.split() == ["[CLS]*", "안녕", "[MASK]*", "[SEP]*"]
    assert below.split() == ["0", "5891", "4", "2"]
    assert len(glossed(pieces, 12)) == 6  # no piece is broken: three lines of two
    assert glossed([], 80) == []


def test_a_text_and_what_it_costs(material: Path) -> None:
    tokenizer = load_tokenizer(material / "tokenizers" / "tinyllama-1.1b-chat")
    console, text = page(200), "안녕하세요</s>"
    show_cut(console, text, cut(tokenizer, text), count(cut(tokenizer, text), text))
    said = "\n".join(lines(console))
    assert "9 tokens and 1 around it · 9 characters · 19 bytes · 1.40 tokens a Korean letter (7 for 5)" in said
    assert "put around it by the tokenizer: <s> (1)" in said
    assert "special tokens read in the text: </s> (2)" in said
    assert "<0xEB> and the like are bytes" in said and "not in the vocabulary" not in said


def test_what_the_model_never_sees(material: Path) -> None:
    tokenizer = load_tokenizer(material / "tokenizers" / "klue-roberta-type")
    console = page(200)
    show_cut(console, "뷁", cut(tokenizer, "뷁"), count(cut(tokenizer, "뷁"), "뷁"))
    said = "\n".join(lines(console))
    assert "never sees it: 뷁 → [UNK] (3)" in said and "special tokens read" not in said


def test_names_are_short_and_act_on_no_terminal() -> None:
    assert shown("<|im_start|>") == "<|im_start|>"
    assert shown("\n\x1b[2J") == "\\n␛[2J"
    assert shown("가" * 40) == "가" * 13 + "…" and shown("a" * 29) == "a" * 27 + "…"
