"""What the gate says, in both languages."""

from typing import Any

import pytest

from dadeum.config.data import DataSettings
from dadeum.config.purpose import SFT
from dadeum.core.errors import DataError
from dadeum.core.progress import Silent
from dadeum.data.gate import Gate
from dadeum.data.render import Renderer
from dadeum.data.seen import First
from dadeum.data.verdict import CONDITIONS, judge, line, pass_or_refuse
from dadeum.tokenizer.load import load_tokenizer
from tests.data.small import make_tokenizer

# Condition to what the first row's entry says of it: where it is the template's own sentence, that.
NOTED = {
    "nothing_trained": ("", "faulty_rows=drop"),
    "no_prefix_rendering": ("the template is wrong", "leave these rows out"),
    "untrained_end_token": ("5", "tokenizer.chat_template"),
    "doubled_bos": ("", "tokenizer.chat_template"),
    "cut_answers": ("", "data.max_length=900"),
}


@pytest.fixture(scope="module")
def renderer(tmp_path_factory: pytest.TempPathFactory) -> Renderer:
    return Renderer(load_tokenizer(make_tokenizer(tmp_path_factory.mktemp("tokenizer"))))


def gate(renderer: Renderer, *conditions: str, **keys: Any) -> Gate:
    settings = DataSettings.model_validate({"sources": [{"type": "csv", "path": "a.csv"}], **keys})
    made = Gate(settings, SFT, renderer)
    seen = made.seen
    seen.rows, seen.samples, seen.answers, seen.lost, seen.longest = 40, 38, 10, 30, 900
    for condition in conditions:
        seen.note(condition, 3, First(7, "a.csv:9", NOTED[condition][0]))
    return made


@pytest.mark.parametrize("condition", NOTED)
@pytest.mark.parametrize("language", ["en", "ko"])
def test_each_names_row_count_and_cure(
    renderer: Renderer, condition: str, language: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DADEUM_LANG", language)
    (found,) = judge(gate(renderer, condition), renderer, lambda rows: {}, None)
    said = str(found)
    assert said.startswith(f"{condition}: ") and "a.csv:9" in said and f"data.allow=[{condition}]" in said
    counted = "3 of 40 rows, first a.csv:9" if language == "en" else "40행 중 3행, 첫 행 a.csv:9"
    assert counted in said and not found.allowed
    assert NOTED[condition][1] in said or language == "ko"
    assert any("가" <= letter <= "힣" for letter in said) == (language == "ko")
    (taken,) = judge(gate(renderer, condition, allow=[condition]), renderer, lambda rows: {}, None)
    assert taken.allowed and said.startswith(str(taken)) and "data.allow" not in str(taken)


def test_the_gravest_comes_first_and_all_are_told(renderer: Renderer) -> None:
    made = gate(renderer, *reversed(NOTED))
    findings = judge(made, renderer, lambda rows: {}, None)
    assert [f.condition for f in findings] == [name for name in CONDITIONS if name in NOTED]
    with pytest.raises(DataError) as raised:
        pass_or_refuse(made, findings, Silent())
    assert [said.partition(":")[0] for said in str(raised.value).split("\n")] == [f.condition for f in findings]


def test_rows_that_may_go_out_are_allowed_to(renderer: Renderer) -> None:
    """`data.faulty_rows=drop` is said of rows of which nothing is trained, too."""
    (found,) = judge(gate(renderer, "nothing_trained", faulty_rows="drop"), renderer, lambda rows: {}, None)
    assert found.allowed


def test_a_share_of_cut_answers_is_taken(renderer: Renderer) -> None:
    assert judge(gate(renderer, "cut_answers", cut_answers=0.75), renderer, lambda rows: {}, None) == []
    assert len(judge(gate(renderer, "cut_answers", cut_answers=0.74), renderer, lambda rows: {}, None)) == 1


def test_one_line(renderer: Renderer) -> None:
    made = gate(renderer, "doubled_bos", allow=["doubled_bos"])
    facts = pass_or_refuse(made, judge(made, renderer, lambda rows: {}, None), Silent())
    assert line(facts) == "gate: 38 samples, allowed: doubled_bos (3)"
    assert line({**facts, "found": {}}) == "gate: 38 samples, nothing found"
