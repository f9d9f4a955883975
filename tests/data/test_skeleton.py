"""Skeletons: never another text than the template's own, and no template run where a skeleton will do."""

import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from dadeum.core.errors import DataError
from dadeum.data.template import ChatTemplate, Message
from dadeum.tokenizer.load import load_tokenizer
from tests.data.chats import talk

PIECES = (
    *("안녕하세요", " 가", "\n\n나 ", "don't", "{{ x }}", "😀", "None", "ㄱ\t", "a" * 30),
    *("<think>x</think>", "</think>", "<|im_end|>", "[INST]", "<tool_response>", "<<SYS>>", "</s>"),
)


@pytest.fixture(scope="module")
def tokenizer(material: Path) -> Any:
    return load_tokenizer(material / "tokenizers" / "bora-ko-32k")


class Counted:
    """A template, and how often it ran."""

    def __init__(self, tokenizer: Any, source: str) -> None:
        tokenizer.chat_template = source
        self.template = ChatTemplate(tokenizer, name="t", kwargs={}, today="2026-01-31")
        self.run = self.template._run
        self.runs = 0
        self.template._run = self._counted  # type: ignore[method-assign]

    def _counted(self, *arguments: Any) -> str:
        self.runs += 1
        return self.run(*arguments)

    def render(self, *texts: str) -> str:
        return self.template.render(talk(*texts))

    def own(self, messages: list[Message], asked: bool) -> str | None:
        """The template's own render."""
        try:
            return self.run(messages, asked, self.template.variables)
        except DataError:
            return None


def text(draw: random.Random) -> str:
    return "".join(draw.choice(PIECES) for _ in range(draw.randint(1, 3)))


def conversation(draw: random.Random) -> list[Message]:
    system = text(draw) if draw.random() < 0.3 else None
    talked: list[Message] = [*talk(*(text(draw) for _ in range(2 * draw.choice((1, 1, 2)))), system=system)]
    return talked


@pytest.mark.parametrize("count", [20, pytest.param(60, marks=pytest.mark.slow)])
def test_every_real_template_gives_its_own_render(count: int, material: Path, tokenizer: Any) -> None:
    runs = rendered = 0
    for path in sorted((material / "chat_templates").rglob("*.jinja")):
        counted = Counted(tokenizer, path.read_text(encoding="utf-8"))
        draw = random.Random(path.name)
        for _ in range(count):
            messages, asked = conversation(draw), draw.random() < 0.4
            messages = messages[:-1] if asked else messages
            try:
                got = counted.template.render(messages, add_generation_prompt=asked)
            except DataError:
                got = None
            assert got == counted.own(messages, asked), (path.name, messages)
            rendered += 1
        runs += counted.runs
    assert rendered > 100 * count and runs < (0.75 if count > 20 else 0.95) * rendered


@pytest.mark.parametrize(
    "source",
    [
        "{% for m in messages %}<{{ m.role }}>{{ m.content }}{% endfor %}",
        "{% for m in messages %}{{ m.content | trim + '|' }}{% endfor %}",
        "{% for m in messages %}{{ m['content'].strip('\n') ~ '|' ~ loop.index }}{% endfor %}",
        "{% macro say(x) %}[{{ x }}]{% endmacro %}{% for m in messages %}{{ say(m.content) }}{% endfor %}",
        "{% set ns = namespace(t='') %}{% for m in messages %}{% set ns.t = ns.t + m.content %}{% endfor %}{{ ns.t }}",
        "{% for m in messages %}{% if m.role in ['user', 'x'] %}{{ m.content }}{% endif %}{% endfor %}",
        "{% for m in messages if m.content is string and m.content is not none %}{{ m.content }}{% endfor %}",
        "{% set last = messages[-1].content %}{% generation %}{{ last }}{% endgeneration %}",
        "{% for m in messages %}{{ m.content if m.content else '-' }}{% endfor %}",
        "{% for m in messages %}{% if '</think>' in m.content %}{{ m.content.split('</think>')[-1] }}{% else %}{{ m.content }}{% endif %}{% endfor %}",
    ],
)
def test_what_is_only_pasted_needs_no_template(source: str, tokenizer: Any) -> None:
    counted = Counted(tokenizer, source)
    for i in range(40):
        texts = f" 질문 {i}\n", f"답 {i} "
        assert counted.render(*texts) == counted.own([*talk(*texts)], False)
    assert counted.runs <= 4


@pytest.mark.parametrize(
    "read",
    [
        *(
            "m.content | length",
            "m.content[:1]",
            "m.content[0]",
            "m.content | upper",
            "m.content.title()",
            "m.content * 2",
        ),
        *(
            "'%s' % m.content",
            "m.content % ()",
            "'{}'.format(m.content)",
            "m.content | tojson",
            "[m.content] | join('-')",
        ),
        *("'-'.join([m.content, 'x'])", "m.content | list", "(m.content ~ '!') | trim", "(m.content + '!').strip()"),
        *("[m.content, 'b'] | sort | first", "'abc'.find(m.content)", "m.content in 'abc'", "m.content not in 'abc'"),
        *(
            "m.content < 'b'",
            "{m.content: 1}",
            "m.content | reverse",
            "m.content | replace('a', 'z')",
            "messages | tojson",
        ),
        *(
            "m.content.split('a') | length",
            "m.content.replace('a', 'z')",
            "[m]",
            "m.content | first",
        ),
        "messages | map(attribute='content') | join",
    ],
)
def test_what_reads_a_text_otherwise_keeps_running(read: str, tokenizer: Any) -> None:
    source = f"{{% for m in messages %}}{{{{ {read} }}}}{{% endfor %}}"
    counted = Counted(tokenizer, source)
    for texts in (("b a", "c"), ("a", "b"), ("가나", "a"), ("abc", "bca"), ("x", "aa"), ("%", "가a")) * 3:
        try:
            got = counted.render(*texts)
        except DataError:
            got = None
        assert got == counted.own([*talk(*texts)], False)
    assert counted.runs == 18


@pytest.mark.parametrize(
    ("question", "other"),
    [
        ("'x' in m.content", "axb"),
        ("m.content == 'x'", "x"),
        ("m.content != 'x'", "x"),
        ("m.content.startswith('x')", "xa"),
        ("m.content.strip().endswith('x')", "ax "),
        ("m.content | trim == 'x'", " x"),
        ("m.content.split('x')[0] == m.content", "axb"),
        ("m.content.count('x') > 1", "xax"),
        ("m.content.strip()", "  "),
        ("m.content in ['x', 'y']", "y"),
    ],
)
def test_a_question_is_asked_of_every_text(question: str, other: str, tokenizer: Any) -> None:
    source = f"{{% for m in messages %}}{{{{ 'yes ' if {question} else 'no ' }}}}{{{{ m.content }}}}{{% endfor %}}"
    counted = Counted(tokenizer, source)
    for i in range(30):
        texts = (f"물음 {i}", other if i % 5 == 4 else "답")
        assert counted.render(*texts) == counted.own([*talk(*texts)], False), texts


def test_other_shapes_and_other_keys_are_other_conversations(tokenizer: Any) -> None:
    source = "{% for m in messages %}{{ m.role }}{{ m.name }}{{ m.content }}{% endfor %}{{ add_generation_prompt }}"
    counted = Counted(tokenizer, source)
    render: Callable[..., str] = counted.template.render
    for _ in range(8):
        assert render(talk("가", "나")) == "user가assistant나False"
    assert render([{"role": "user", "content": "가", "name": "A"}]) == "userA가False"
    assert render(talk("가"), add_generation_prompt=True) == "user가True"
    assert render([{"role": "tool", "content": "가"}]) == "tool가False"


def test_a_template_that_draws_on_private_use_characters_keeps_running(tokenizer: Any) -> None:
    counted = Counted(tokenizer, "\ue000{% for m in messages %}{{ m.content }}{% endfor %}")
    for _ in range(9):
        assert counted.render("가", "\ue001") == "\ue000가\ue001"
    assert counted.runs == 9
