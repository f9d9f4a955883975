"""Where the answer lies, on templates made to be hard."""

import pytest

from dadeum.core.errors import DataError
from dadeum.data.spans import TurnFinder
from dadeum.data.template import ChatTemplate
from tests.data.chats import talk


class Bare:
    """As much of a tokenizer as a template asks for."""

    def __init__(self, template: str) -> None:
        self.chat_template = template
        self.special_tokens_map = {"eos_token": "</s>"}


def finder(template: str, *, eos: str | None = "</s>") -> TurnFinder:
    made = ChatTemplate(Bare(template), name="t", kwargs={}, today="2026-01-31")
    return TurnFinder(made, special_tokens=["<e>", "<end>", "</s>"], eos_token=eos)


LOOP = "{{% for m in messages %}}{{% if m.role == 'user' %}}U:{{{{ m.content }}}}|{{% else %}}{answer}{{% endif %}}{{% endfor %}}"


def parts(template: str, answer: str, **keys: str | None) -> tuple[str, str, str, str]:
    turn = finder(LOOP.format(answer=template), **keys).find(talk("질문", answer), 1)
    return (
        turn.text[turn.prompt : turn.answer],
        turn.text[turn.answer : turn.answer_end],
        turn.text[turn.answer_end : turn.end],
        turn.end_token,
    )


def test_the_answer_as_the_template_writes_it() -> None:
    assert parts("A:{{ m.content }}</s>", " 답 \n") == ("A:", " 답 \n", "</s>", "</s>")
    assert parts("A:{{ m.content | trim }}</s>", " 답 \n") == ("A:", "답", "</s>", "</s>")


def test_markers_inside_question_and_answer_are_not_searched_for() -> None:
    answer = "A:답</s>A:U:|"
    assert parts("A:{{ m.content }}</s>!", answer) == ("A:", answer, "</s>", "</s>")


def test_eos_wins_and_else_the_first_special_token_ends() -> None:
    assert parts("{{ m.content }}.<e></s>", "답") == ("", "답", ".<e></s>", "</s>")
    assert parts("{{ m.content }}.<end>x<e>", "답") == ("", "답", ".<end>", "<end>")
    assert parts("{{ m.content }}<end>", "답", eos=None) == ("", "답", "<end>", "<end>")


def test_without_end_token_the_eos_follows_the_answer() -> None:
    assert parts("A:{{ m.content }}\n\n", "답") == ("A:", "답", "</s>", "</s>")


def test_reasoning_moved_out_of_the_content() -> None:
    template = (
        "{% if '<t>' in m.content %}<t>\n{{ m.content.split('</t>')[0][3:] }}\n</t>\n\n{{ m.content.split('</t>')[1] }}"
        "{% else %}<t></t>{{ m.content }}{% endif %}</s>"
    )
    assert parts(template, "답") == ("<t></t>", "답", "</s>", "</s>")
    assert parts(template, "<t>생각</t>답") == ("", "<t>\n생각\n</t>\n\n답", "</s>", "</s>")


def test_a_frame_learned_on_one_row_is_verified_on_the_next() -> None:
    # What stands before the answer depends on the question.
    found = finder(LOOP.format(answer="{{ messages[0].content | length }}:{{ m.content }}</s>"))
    for question in ("하나", "세 글자", "둘"):
        turn = found.find(talk(question, "답"), 1)
        assert turn.text[turn.prompt : turn.answer] == f"{len(question)}:"
        assert turn.text[turn.answer :] == "답</s>"


@pytest.mark.parametrize(
    ("template", "sentence"),
    [
        ("{{ m.content[1:] }}</s>", "does not write an answer once"),
        ("{{ m.content.split()[0] }}</s>", "does not render the whole answer"),
        ("{{ m.content | upper }}</s>", "does not render the whole answer"),
        ("{{ m.content }}{{ m.content }}</s>", "does not write an answer once"),
        ("</s>", "does not write an answer once"),
    ],
)
def test_an_answer_that_is_changed_is_refused(template: str, sentence: str) -> None:
    with pytest.raises(DataError, match=sentence):
        finder(LOOP.format(answer=template)).find(talk("질문", "the 답"), 1)


def test_a_row_whose_reasoning_contradicts_the_prompt_is_the_rows_fault() -> None:
    text = LOOP.format(answer="{% if '<t>' not in m.content %}<t></t>{% endif %}{{ m.content }}</s>")
    found = finder(text + "{% if add_generation_prompt %}<t></t>{% endif %}")
    assert found.find(talk("질문", "답"), 1).text.endswith("<t></t>답</s>")
    with pytest.raises(DataError, match="does not begin with its prompt") as caught:
        found.find(talk("질문", "<t>음</t>답"), 1)
    assert type(caught.value) is DataError


def test_private_use_characters_in_the_question_do_no_harm() -> None:
    question = "".join(map(chr, range(0xE000, 0xE200)))
    turn = finder(LOOP.format(answer="A:{{ m.content }}</s>")).find(talk(question, "답"), 1)
    assert turn.text[turn.prompt :] == "A:답</s>"
