"""Calls and reasoning on templates made to be hard: what is not wholly written is not trained."""

from typing import Any

import pytest

from dadeum.core.errors import DataError
from dadeum.data.extras import neutral, unwritten
from dadeum.data.spans import TurnFinder
from dadeum.data.template import ChatTemplate, Refusal
from tests.data.test_spans import Bare

USER = {"role": "user", "content": "질문"}
CALL = {"type": "function", "function": {"name": "weather", "arguments": {"city": "서울", "days": 3}}}
SAID = {"role": "assistant", "content": "", "tool_calls": [CALL]}
THOUGHT = {"role": "assistant", "content": "답", "reasoning_content": "생각"}
LOOP = (
    "{{% for m in messages %}}{{% if m.role == 'assistant' %}}A:{answer}{{% else %}}{{{{ m.role }}}}:{{{{ m.content }}}}|"
    "{{% endif %}}{{% endfor %}}{{% if add_generation_prompt %}}A:{{% endif %}}"
)
CALLS = "{% for c in m.tool_calls %}{{ c.function.name }}{{ c.function.arguments | tojson }}{% endfor %}"


def finder(answer: str, eos: str | None = "</s>") -> TurnFinder:
    made = ChatTemplate(Bare(LOOP.format(answer=answer)), name="t", kwargs={}, today="2026-01-31")
    return TurnFinder(made, special_tokens=["<e>", "<end>", "</s>"], eos_token=eos)


def target(answer: str, turn: dict[str, Any]) -> str:
    found = finder(answer).find([USER, turn], 1)
    assert found.answer == found.prompt and found.text[found.answer_end :] == found.end_token
    return found.text[found.prompt :]


def test_all_that_follows_the_prompt_is_the_target() -> None:
    assert target("{{ m.content }}" + CALLS + "</s>\n", SAID) == 'weather{"city": "서울", "days": 3}</s>'
    both = {**SAID, "content": "볼게요. "}
    assert target("{{ m.content }}" + CALLS + "</s>\n", both) == '볼게요. weather{"city": "서울", "days": 3}</s>'
    assert target("<t>{{ m.reasoning_content }}</t>{{ m.content }}</s>", THOUGHT) == "<t>생각</t>답</s>"
    assert target("<t>{{ m.thinking }}</t>{{ m.content }}</s>", THOUGHT) == "<t>생각</t>답</s>"


def test_the_end_is_that_of_an_answer_or_else_the_last_special_token() -> None:
    text = "{{ m.content }}<end>x<e>"
    assert target("{% if m.tool_calls %}<e>" + CALLS + "<end>x<e>{% else %}" + text + "{% endif %}", SAID).endswith(
        "}<end>"
    )
    own = "{% if m.tool_calls %}<e>" + CALLS + "<end>\n{% else %}{{ m.content }}</s>{% endif %}"
    assert target(own, SAID) == '<e>weather{"city": "서울", "days": 3}<end>'


@pytest.mark.parametrize(
    ("answer", "turn", "key"),
    [
        ("{{ m.content }}</s>", SAID, "tool_calls"),
        ("{{ m.content }}{{ m.tool_calls[0].function.name }}</s>", SAID, "tool_calls"),
        (CALLS + "</s>", {**SAID, "content": "볼게요"}, "content"),
        ("{{ m.content }}{{ m.tool_calls[0] | tojson }}</s>", {**SAID, "tool_calls": [CALL, {**CALL, "function": {"name": "g", "arguments": {}}}]}, "tool_calls"),
        ("{{ m.content }}</s>", THOUGHT, "reasoning_content"),
        # Found by chance: the answer says what the reasoning says, and what the call says.
        ("{{ m.content }}</s>", {**THOUGHT, "content": "생각 끝"}, "reasoning_content"),
        ("{{ m.content }}</s>", {**SAID, "content": "weather city 서울 days 3"}, "tool_calls"),
    ],
)  # fmt: skip
def test_what_the_template_leaves_out_is_named(answer: str, turn: dict[str, Any], key: str) -> None:
    with pytest.raises(DataError, match=rf"does not write '{key}' of message 2") as caught:
        finder(answer).find([USER, turn], 1)
    assert not isinstance(caught.value, Refusal)


def test_a_turn_without_an_end_or_without_its_prompt_is_the_rows_fault() -> None:
    for answer, reason in (
        ("{{ m.content }}" + CALLS, "writes no end token after message 2"),
        ("{{ m.content }}" + CALLS + "</s> and more", "writes no end token after message 2"),
    ):
        text = "{% if m.tool_calls %}" + answer + "{% else %}{{ m.content }}</s>{% endif %}"
        with pytest.raises(DataError, match=reason):
            finder(text).find([USER, SAID], 1)
    other = LOOP.replace("A:{answer}", "{{% if m.tool_calls %}}B:{{% else %}}A:{{% endif %}}{answer}")
    made = ChatTemplate(Bare(other.format(answer=CALLS + "</s>")), name="t", kwargs={}, today="2026-01-31")
    with pytest.raises(DataError, match=r"does not begin with its prompt") as caught:
        TurnFinder(made, special_tokens=["</s>"], eos_token="</s>").find([USER, SAID], 1)
    assert not isinstance(caught.value, Refusal)


def test_a_result_that_the_template_leaves_out() -> None:
    row = [USER, SAID, {"role": "tool", "content": '{"sky": "맑음"}'}, {"role": "assistant", "content": "맑아요"}]
    text = "{{ m.content }}" + CALLS + "</s>"
    assert finder(text).find(row, 3).text.endswith("A:맑아요</s>")
    silent = LOOP.replace("{{% else %}}{{{{ m.role }}}}", "{{% elif m.role != 'tool' %}}{{{{ m.role }}}}")
    made = ChatTemplate(Bare(silent.format(answer=text)), name="t", kwargs={}, today="2026-01-31")
    with pytest.raises(DataError, match=r"does not write 'content' of message 3"):
        TurnFinder(made, special_tokens=["</s>"], eos_token="</s>").find(row, 3)


def test_tools_are_a_variable_of_the_template_and_no_part_of_a_message() -> None:
    tools = [{"type": "function", "function": {"name": "f", "description": None}}]
    row = [{**USER, "tools": tools}]

    def rendered(source: str) -> str:
        return ChatTemplate(Bare(source), name="t", kwargs={}, today="2026-01-31").render(row)

    assert rendered("{{ tools | tojson }}{{ messages | tojson }}") == (
        '[{"type": "function", "function": {"name": "f", "description": null}}][{"role": "user", "content": "질문"}]'
    )
    with pytest.raises(DataError, match=r"does not show tools, and the conversation has some"):
        rendered("{{ messages }}")


@pytest.mark.parametrize("value", ['a "b"\n', "<|x|>", "it's", True, 1.5, None, "가"])
def test_values_are_found_as_json_and_python_write_them(value: Any) -> None:
    call = {"function": {"name": "f", "arguments": {"key": [value]}}}
    turn = {"role": "assistant", "content": "", "tool_calls": [call]}
    for answer in (CALLS, "{% for c in m.tool_calls %}{{ c.function }}{% endfor %}"):
        assert target("{{ m.content }}" + answer + "</s>", turn)
    assert unwritten(turn, "f key") in ("tool_calls", None) and neutral(turn) != turn
