"""Messages formats: a YAML that says how a row becomes messages.

`{name}` in a message stands for a declared variable (or `system_prompt`); all are filled in one pass, so that braces in
the data, and undeclared names, stay what they are. The evaluation prompt is the messages without the last answer.
A column may be a path into a nested cell: `answers.0.text` is the text of the first of SQuAD's answers.
"""

import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from dadeum.config.data import PromptSettings
from dadeum.core.errors import DataError
from dadeum.core.language import say
from dadeum.core.near import hint, nearest
from dadeum.core.workspace import Workspace
from dadeum.data.cells import FaultyRow, by_name, plain_name, text_of
from dadeum.data.files import locate
from dadeum.data.formats import Conversation, Message
from dadeum.data.group import group_of, is_context

SHIPPED = Path(__file__).parent / "prompts"
SYSTEM = "system_prompt"


def prompt_file(prompt: str | PromptSettings | None, workspace: Workspace) -> Path | None:
    """The file that `data.prompt` names: a shipped name or a path; None where it is absent or inline."""
    if not isinstance(prompt, str):
        return None
    if not prompt.lower().endswith((".yaml", ".yml")) and "/" not in prompt:
        names = sorted(f.stem for f in SHIPPED.glob("*.yaml"))
        if prompt in names:
            return SHIPPED / f"{prompt}.yaml"
        near = hint(nearest(prompt, names))
        known = ", ".join(names)
        raise DataError(
            say(
                f"data.prompt: found '{prompt}', expected a YAML file or one of: {known}{near}",
                f"data.prompt: '{prompt}'은(는) 없습니다. YAML 파일이나 다음 이름을 쓰세요: {known}{near}",
            )
        )
    return locate(workspace, prompt)


def load_prompt(prompt: str | PromptSettings | None, workspace: Workspace) -> PromptSettings | None:
    """The messages format of `data.prompt`. Raises DataError that names the file and the key."""
    path = prompt_file(prompt, workspace)
    if path is None:
        return prompt if isinstance(prompt, PromptSettings) else None
    from ruamel.yaml import YAML
    from ruamel.yaml.error import YAMLError

    try:
        value = YAML(typ="safe", pure=True).load(path.read_text(encoding="utf-8-sig"))
        settings = PromptSettings.model_validate(value)
    except (YAMLError, UnicodeDecodeError) as error:
        mark = getattr(error, "problem_mark", None)
        place = f"{path}:{mark.line + 1}" if mark else str(path)
        reason = getattr(error, "problem", None) or str(error)
        raise DataError(
            say(f"{place}: no YAML that can be read: {reason}", f"{place}: 읽을 수 없는 YAML입니다: {reason}")
        ) from None
    except ValidationError as error:
        first = error.errors()[0]
        key = ".".join(str(part) for part in first["loc"]) or "(top)"
        raise DataError(
            say(
                f"{path}: {key}: {first['msg']}; expected training_columns and messages_format",
                f"{path}: {key}: {first['msg']}. training_columns와 messages_format이 있어야 합니다",
            )
        ) from None
    return settings


class PromptFormat:
    """A messages format, applied to rows.

    `system_prompt` of the format wins over `data.system_prompt`; whichever there is fills `{system_prompt}`, or, where
    no message asks for it, stands before the messages.
    """

    def __init__(self, settings: PromptSettings, system_prompt: str | None = None) -> None:
        self.settings = settings
        self.system_prompt = settings.messages_format.system_prompt or system_prompt
        self.columns = settings.training_columns
        names = sorted({*self.columns, SYSTEM}, key=len, reverse=True)
        self.placeholder = re.compile("{(" + "|".join(re.escape(n) for n in names) + ")}")
        self.messages = settings.messages_format.messages
        used = {found[1] for m in self.messages for found in self.placeholder.finditer(m.content)}
        if SYSTEM in used and not self.system_prompt and SYSTEM not in self.columns:
            raise DataError(
                say(
                    "messages_format: '{system_prompt}' is used, but neither messages_format.system_prompt nor data.system_prompt is given",
                    "messages_format: '{system_prompt}'을 쓰지만 messages_format.system_prompt도 data.system_prompt도 없습니다",
                )
            )
        if self.messages[-1].role != "assistant":
            raise DataError(
                say(
                    f"messages_format: the last message has role '{self.messages[-1].role}', expected 'assistant' (the answer)",
                    f"messages_format: 마지막 메시지의 역할이 '{self.messages[-1].role}'입니다. 답인 'assistant'여야 합니다",
                )
            )
        self.used = used

    def check(self, found: Iterable[str]) -> None:
        """Raises DataError where a column that is needed is in no row at all."""
        there = list(found)
        plain = {plain_name(c) for c in there}
        wanted = [self.columns[name] for name in sorted(self.used) if name in self.columns]
        evaluate = self.settings.evaluate_columns
        wanted += [evaluate.query, evaluate.response] if evaluate else []
        for column in wanted:
            if plain_name(column) not in plain and plain_name(column.partition(".")[0]) not in plain:
                near = hint(nearest(column, there))
                names = ", ".join(there)
                raise DataError(
                    say(
                        f"data.prompt: no column '{column}', found: {names}{near}",
                        f"data.prompt: '{column}' 열이 없습니다. 있는 열: {names}{near}",
                    )
                )

    def convert(self, values: Mapping[str, Any]) -> Conversation:
        """The row as messages. Raises FaultyRow that names the blank column."""
        plain = by_name(values)
        filled = {name: _cell(values, plain, column) for name, column in self.columns.items() if name in self.used}
        if self.system_prompt is not None:
            filled[SYSTEM] = self.system_prompt
        messages = [self._message(m.role, m.content, filled) for m in self.messages]
        if self.system_prompt and SYSTEM not in self.used and messages[0]["role"] != "system":
            messages.insert(0, {"role": "system", "content": self.system_prompt})
        evaluate = self.settings.evaluate_columns
        return Conversation(
            tuple(messages),
            category=text_of(plain.get("category"), "category"),
            query=_cell(values, plain, evaluate.query) if evaluate else None,
            reference=_cell(values, plain, evaluate.response) if evaluate else None,
            group=next((group_of(text) for name, text in filled.items() if self._is_context(name)), None),
        )

    def _is_context(self, name: str) -> bool:
        return is_context(name, self.columns[name]) if name in self.columns else False

    def _message(self, role: str, content: str, filled: Mapping[str, str]) -> Message:
        return {"role": role, "content": self.placeholder.sub(lambda found: filled[found[1]], content)}


def _cell(values: Mapping[str, Any], plain: Mapping[str, Any], column: str) -> str:
    """The cell of exactly this column, else of the one that differs in case or composition only, else along the path."""
    found = values.get(column, plain.get(plain_name(column)))
    text = text_of(along(plain, column) if found is None else found, column)
    if text is None:
        raise FaultyRow(
            "blank column",
            say(f"column '{column}' is blank, the messages need it", f"메시지에 필요한 '{column}' 열이 비어 있습니다"),
        )
    return text


def along(plain: Mapping[str, Any], column: str) -> Any:
    """What lies at `column.0.name`; None where the path ends early."""
    head, *path = column.split(".")
    value = plain.get(plain_name(head)) if path else None
    for part in path:
        if isinstance(value, Mapping):
            value = value.get(part)
        elif isinstance(value, list | tuple) and part.isdecimal() and int(part) < len(value):
            value = value[int(part)]
        else:
            return None
    return value
