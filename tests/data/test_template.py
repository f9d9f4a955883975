"""A template at work: variables, date, faults."""

import datetime
from pathlib import Path
from typing import Any

import pytest

from dadeum.core.errors import DataError
from dadeum.data.template import ChatTemplate, Refusal
from dadeum.tokenizer.load import load_tokenizer
from scripts.template_table import templates
from tests.data.chats import talk


@pytest.fixture(scope="module")
def tokenizer(material: Path) -> Any:
    return load_tokenizer(material / "tokenizers" / "bora-ko-32k")


def made(tokenizer: Any, text: str, **keys: Any) -> ChatTemplate:
    tokenizer.chat_template = text
    return ChatTemplate(tokenizer, name="t", kwargs=keys, today="2026-01-31")


def test_it_sees_special_tokens_variables_and_the_date(tokenizer: Any) -> None:
    template = made(tokenizer, "{{ bos_token }}{{ eos_token }} {{ mood }} {{ strftime_now('%d %b %Y') }}", mood="calm")
    assert template.render(talk("가")) == "<s></s> calm 31 Jan 2026"
    assert template.reads == {"bos_token", "eos_token", "mood"}


def test_keys_that_hold_none_are_absent(tokenizer: Any) -> None:
    template = made(tokenizer, "{% for m in messages %}{{ 'x' in m }}{% endfor %}")
    assert template.render([{"role": "user", "content": "가", "x": None}]) == "False"


@pytest.mark.parametrize(
    "text",
    [
        "{% for %}",
        "{{ messages[9].content.x }}",
        "{{ 1 / 0 }}",
        "{{ raise_exception('no\nsystem') }}",
        "{{ none + 1 }}",
    ],
)
def test_what_goes_wrong_inside_is_one_sentence(text: str, tokenizer: Any) -> None:
    with pytest.raises(DataError, match="the chat template of t stops with") as caught:
        made(tokenizer, text).render(talk("가"))
    assert "\n" not in str(caught.value)


def test_a_template_sees_json_only(tokenizer: Any) -> None:
    template = made(tokenizer, "{{ messages[0].content }}")
    with pytest.raises(DataError, match="a message holds a date"):
        template.render([{"role": "user", "content": "가", "when": datetime.date.today()}])


def test_inner_names_are_refused_before_anything_runs(tokenizer: Any) -> None:
    with pytest.raises(Refusal, match="reaches for '__class__'"):
        made(tokenizer, "{% if false %}{{ x.__class__ }}{% endif %}")


def test_no_real_template_reaches_for_inner_names(tokenizer: Any, material: Path) -> None:
    for text in templates(material).values():
        made(tokenizer, text)


def test_marks(tokenizer: Any) -> None:
    template = made(
        tokenizer,
        "{% for m in messages %}<{% if m.role == 'assistant' %}{% generation %}{{ m.content }}{% endgeneration %}"
        "{% else %}{{ m.content }}{% endif %}>{% endfor %}",
    )
    row = talk("가", "나다")
    assert template.marked
    assert [template.render(row)[a:b] for a, b in template.marks(row)] == ["나다"]
    assert not made(tokenizer, "{{ messages }}").marked
