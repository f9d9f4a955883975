"""A36: a reasoning template writes an empty `<think></think>` before the answer, and the model is trained to write it."""

from pathlib import Path

import pytest

from dadeum.data.render import DEFAULT_TODAY, Renderer
from dadeum.data.show import Painter
from scripts.render_fuzz import small
from scripts.template_table import templates
from tests.data.chats import FAMILIES, freeze_date, talk, trained
from tests.data.test_show import entry, row

MESSAGES = talk("수도는?", "서울.")
# Text, trained, special: what `dadeum data show` paints of it.
TABLE = [
    ("<|im_start|>", False, True),
    ("user\n수도는?", False, False),
    ("<|im_end|>", False, True),
    ("\n", False, False),
    ("<|im_start|>", False, True),
    ("assistant\n<think>\n\n</think>\n\n", False, False),
    ("서울.", True, False),
    ("<|im_end|>", True, True),
]


def test_the_table_of_a_reasoning_template(material: Path) -> None:
    renderer = Renderer(FAMILIES["qwen3"].tokenizer(material))
    (sample,) = renderer.samples(MESSAGES, "assistant")
    (painted,) = Painter(renderer, "assistant", pretrain=False).row(row(MESSAGES), [entry(sample)])
    table: list[tuple[str, bool, bool]] = []
    for group in painted.groups:
        if table and table[-1][1:] == (group.trained, group.special) and not group.special:
            table[-1] = (table[-1][0] + group.text, *table[-1][1:])
        else:
            table.append((group.text, group.trained, group.special))
    assert table == TABLE


def test_what_a_template_writes_before_an_answer_is_never_trained(
    material: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    freeze_date(monkeypatch, DEFAULT_TODAY)
    seen = 0
    for name, text in templates(material).items():
        if "</think>" not in text:
            continue
        tokenizer = small(text)
        for kwargs in ({}, {"enable_thinking": False}, {"enable_thinking": True}):
            renderer = Renderer(tokenizer, template_name=name, kwargs=kwargs)
            if renderer.refusal is not None:
                continue
            for sample in renderer.samples(MESSAGES, "assistant"):
                assert all("think" not in t and t.startswith("서울.") for t in trained(tokenizer, sample)), name
                seen += 1
    assert seen >= 30


def test_reasoning_that_a_row_brings_is_trained(material: Path) -> None:
    """Of the row, not of the template: then it is the target."""
    tokenizer = FAMILIES["qwen3"].tokenizer(material)
    rows = [MESSAGES[0], {**MESSAGES[1], "reasoning_content": "한국이니"}]
    (sample,) = Renderer(tokenizer).samples(rows, "assistant")
    assert trained(tokenizer, sample) == ["<think>\n한국이니\n</think>\n\n서울.<|im_end|>"]
