"""Messages formats of a YAML."""

import json
from pathlib import Path
from typing import Any

import pytest

from dadeum.config.data import PromptSettings
from dadeum.core.errors import DataError
from dadeum.core.workspace import Workspace
from dadeum.data import step
from dadeum.data.cells import FaultyRow
from dadeum.data.contract import open_prompt
from dadeum.data.prompt import PromptFormat, load_prompt
from tests.data.small import Data

SYSTEM_C = """\
training_columns:
  question: "Open-ended Verifiable Question"
  cot: "Complex_CoT"
  response: "Response"
messages_format:
  system_prompt: |
    Below is an instruction that describes a task. Write a response that completes it.
  messages:
    - {role: "system", content: "{system_prompt}"}
    - {role: "user", content: "{question}"}
    - {role: "assistant", content: "<think>\\n{cot}\\n</think>\\n{response}"}
evaluate_columns:
  query: "Open-ended Verifiable Question"
  response: "Response"
"""
ROW = {"Open-ended Verifiable Question": "Why {cot}?", "Complex_CoT": "so {response} {", "Response": "Because {x}."}


def form(*messages: tuple[str, str], system: str | None = None, **columns: str) -> PromptSettings:
    value: dict[str, Any] = {
        "training_columns": columns or {"q": "Q", "a": "A"},
        "messages_format": {"system_prompt": system, "messages": [{"role": r, "content": c} for r, c in messages]},
    }
    return PromptSettings.model_validate(value)


def test_the_file_of_system_c_loads_unchanged(tmp_path: Path) -> None:
    (tmp_path / "configs").mkdir()
    (tmp_path / "configs/format.yaml").write_text(SYSTEM_C, encoding="utf-8")
    settings = load_prompt("configs/format.yaml", Workspace(tmp_path))
    assert settings is not None
    made = PromptFormat(settings)
    made.check(list(ROW))
    found = made.convert(ROW)
    assert [m["role"] for m in found.messages] == ["system", "user", "assistant"]
    assert found.messages[0]["content"].startswith("Below is an instruction")
    # One pass: what a cell holds is never filled again.
    assert found.messages[1]["content"] == "Why {cot}?"
    assert found.messages[2]["content"] == "<think>\nso {response} {\n</think>\nBecause {x}."
    assert (found.query, found.reference) == ("Why {cot}?", "Because {x}.")


def test_undeclared_names_and_other_braces_are_literal() -> None:
    made = PromptFormat(form(("user", "{q} {other} {} {{q}} { q } {0}"), ("assistant", '{"a": "{a}"}')))
    found = made.convert({"Q": "물음", "A": "답"})
    assert [m["content"] for m in found.messages] == ["물음 {other} {} {물음} { q } {0}", '{"a": "답"}']


def test_longer_names_win_and_columns_are_found_without_case() -> None:
    made = PromptFormat(form(("user", "{q}{q2}"), ("assistant", "{a}"), q="Q", q2="q", a="ANSWER"))
    made.check(["Q", "q", "answer"])
    found = made.convert({"Q": "1", "q": "2", "answer": "3"})
    assert [m["content"] for m in found.messages] == ["12", "3"]


def test_a_column_may_be_a_path_into_a_nested_cell() -> None:
    made = PromptFormat(form(("user", "{q}"), ("assistant", "{a}"), q="question", a="answers.0.text"))
    made.check(["Question", "Answers"])
    row = {"Question": "물음", "Answers": [{"text": "첫째"}, {"text": "둘째"}]}
    assert [m["content"] for m in made.convert(row).messages] == ["물음", "첫째"]
    hub = PromptFormat(form(("user", "{q}"), ("assistant", "{a}"), q="question", a="answers.text.1"))
    assert hub.convert({"question": "물음", "answers": {"text": ["첫째", "둘째"]}}).messages[1]["content"] == "둘째"
    # A column of just that name goes before the path.
    assert made.convert({**row, "answers.0.text": "그대로"}).messages[1]["content"] == "그대로"
    for answers in ([], None, [{"text": " "}], "글", {"0": 1}):
        with pytest.raises(FaultyRow, match=r"column 'answers\.0\.text' is blank"):
            made.convert({"question": "물음", "answers": answers})
    with pytest.raises(FaultyRow, match=r"holds a dict, expected text"):
        PromptFormat(form(("user", "{q}"), ("assistant", "{a}"), q="question", a="answers.0")).convert(row)
    with pytest.raises(DataError, match=r"no column 'answers\.0\.text', found: question"):
        made.check(["question"])


def test_blank_cell_that_is_needed_names_its_column() -> None:
    made = PromptFormat(form(("user", "{q}"), ("assistant", "{a}"), q="Q", a="A", unused="U"))
    made.check(["Q", "A"])
    assert made.convert({"Q": "1", "A": "2", "U": None}).messages[1]["content"] == "2"
    with pytest.raises(FaultyRow, match="column 'A' is blank"):
        made.convert({"Q": "1", "A": "  "})


def test_missing_column_names_the_found_and_the_nearest() -> None:
    made = PromptFormat(form(("user", "{q}"), ("assistant", "{a}"), q="Question", a="Answer"))
    with pytest.raises(DataError, match=r"no column 'Answer', found: Question, Answers; did you mean 'Answers'\?"):
        made.check(["Question", "Answers"])


def test_system_prompt_of_format_wins_and_fills_or_stands_before() -> None:
    plain = (("user", "{q}"), ("assistant", "{a}"))
    row = {"Q": "1", "A": "2"}
    assert PromptFormat(form(*plain, system="own"), "data").convert(row).messages[0] == {
        "role": "system",
        "content": "own",
    }
    assert PromptFormat(form(*plain), "data").convert(row).messages[0] == {"role": "system", "content": "data"}
    asks = (("system", "{system_prompt}!"), *plain)
    assert PromptFormat(form(*asks), "data").convert(row).messages[0]["content"] == "data!"
    with pytest.raises(DataError, match=r"'\{system_prompt\}' is used"):
        PromptFormat(form(*asks))


def test_the_last_message_must_be_the_answer() -> None:
    with pytest.raises(DataError, match="the last message has role 'user'"):
        PromptFormat(form(("user", "{q}")))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("training_columns: {a: [", r"p\.yaml:1: no YAML"),
        ("a: 1\na: 2\n", r"p\.yaml:\d: no YAML that can be read: found duplicate key"),
        ("training_columns: {a: b}\n", r"p\.yaml: messages_format: Field required"),
        ("- 1\n", r"p\.yaml: \(top\)"),
    ],
)
def test_wrong_files(tmp_path: Path, text: str, message: str) -> None:
    (tmp_path / "p.yaml").write_text(text, encoding="utf-8")
    with pytest.raises(DataError, match=message):
        load_prompt("p.yaml", Workspace(tmp_path))


def test_unknown_name(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"found 'mcr', expected a YAML file or one of: .*; did you mean 'mrc'\?"):
        load_prompt("mcr", Workspace(tmp_path))


def test_shipped_formats_are_whole(tmp_path: Path) -> None:
    for file in Path(step.__file__).with_name("prompts").glob("*.yaml"):
        settings = load_prompt(file.stem, Workspace(tmp_path))
        assert settings is not None and settings.evaluate_columns is not None
        made = PromptFormat(settings).convert({c: f"<{c}>" for c in settings.training_columns.values()})
        assert made.reference and made.reference in made.messages[-1]["content"]


def test_evaluation_prompt_is_the_messages_without_the_last_answer(tmp_path: Path) -> None:
    data = Data(tmp_path)
    data.write("format.yaml", SYSTEM_C)
    header = ",".join(ROW)
    rows = "".join(f"물음 {n},생각 {n},대답 {n}\n" for n in range(20))
    settings = data.settings({"type": "csv", "path": data.write("f.csv", f"{header}\n{rows}")}, prompt="format.yaml")
    folder = data.format(settings)
    line = json.loads((folder / step.QUESTIONS).read_text(encoding="utf-8").splitlines()[0])
    n = line["source_row"]
    assert [m["role"] for m in line["messages"]] == ["system", "user"]
    assert line["messages"][1]["content"] == line["query"] == f"물음 {n}" and line["reference"] == f"대답 {n}"
    _, contract = open_prompt(folder / step.PROMPT)
    assert contract.messages(f"물음 {n}") == line["messages"]
