"""What special tokens are for, by role and by name."""

import re
from pathlib import Path

import pytest

from dadeum.tokenizer.load import load_tokenizer
from dadeum.tokenizer.meanings import END_OF_TURN, NOT_A_TOKEN, meaning
from dadeum.tokenizer.special import ROLES, special_tokens


@pytest.mark.parametrize(
    ("name", "roles", "told"),
    [
        ("<s>", ("bos",), "begins a text"),
        ("</s>", ("eos", "pad"), "ends a text; fills up a batch"),
        ("<|im_end|>", ("eos", END_OF_TURN), "ends an answer"),
        ("<|im_end|>", ("additional",), "ends a message"),
        ("<|im_start|>", ("additional",), "begins a message"),
        ("<|im_start|>", (NOT_A_TOKEN,), "ordinary text here"),
        ("<|start_header_id|>", ("additional",), "begins a message"),
        ("<|end_header_id|>", ("additional",), "ends a message's role"),
        ("<|reserved_special_token_7|>", ("additional",), "free to use"),
        ("<|tool_3|>", ("additional",), "tools"),
        ("<|vision_pad|>", ("additional",), "pictures, sound"),
        ("<|fim_pad|>", ("added",), "fills gaps in code"),
        ("</think>", ("added",), "around the reasoning"),
        ("▁▁▁", ("added",), "a run of blanks"),
        ("\n\n", ("added",), "a run of blanks"),
        ("<|END|>", ("additional",), ""),
    ],
)
def test_by_role_then_by_name(name: str, roles: tuple[str, ...], told: str) -> None:
    assert meaning(name, roles) == told


def test_each_role_is_told_in_both_languages(monkeypatch: pytest.MonkeyPatch) -> None:
    roles = [*ROLES, END_OF_TURN, NOT_A_TOKEN]
    english = [meaning("x", [role]) for role in roles]
    monkeypatch.setenv("DADEUM_LANG", "ko")
    korean = [meaning("x", [role]) for role in roles]
    assert len(set(english)) == len(set(korean)) == len(roles)
    assert all(re.search("[가-힣]", text) for text in korean)


def test_real_tokens_are_told(material: Path) -> None:
    tokens = special_tokens(load_tokenizer(material / "tokenizers" / "qwen2.5-0.5b-instruct"))
    assert [t.name for t in tokens if not meaning(t.name, t.roles)] == []
