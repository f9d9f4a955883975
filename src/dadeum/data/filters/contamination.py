"""Rows of training and validation that hold what is measured: the test part, or a benchmark in a file.

Of a measured text, how many of its runs of `n` characters stand in one row? White space and case do not count. A row is
held against each text for itself: a long document that quotes one question goes, a row that shares common phrases with
many does not. A text shorter than `n` is found only where it is the row's whole question or answer.

It costs some 12 bytes of memory for each character of what is measured, and nothing for the rows.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

from pydantic import model_validator

from dadeum.core.errors import DataError
from dadeum.core.fingerprint import sha256_file
from dadeum.core.language import say
from dadeum.core.settings import Many, MemberSettings, setting
from dadeum.core.workspace import Workspace
from dadeum.data.filters import Drop, Seen, Sieve, Tools, Verdict, When, _texts

if TYPE_CHECKING:
    from dadeum.data.filters._overlap import Texts


class Settings(MemberSettings):
    """Rows that do not hold what is measured stay; rows of the test part always do."""

    type: Literal["contamination"] = "contamination"
    file: str | None = setting(
        None,
        "A benchmark (csv, json, jsonl, parquet, text; relative paths start at the workspace); default: the test part.",
        "벤치마크 파일(csv, json, jsonl, parquet, text. 상대 경로는 작업 폴더에서 시작). 기본값은 시험 부분입니다.",
    )
    columns: Many[str] = setting(
        (),
        "Columns of the file whose texts are measured; default: question and answer by the columns' usual names.",
        "파일에서 글을 읽을 열. 기본값은 흔한 열 이름으로 알아본 질문과 답입니다.",
    )
    of: Literal["question", "answer", "either"] = setting(
        "question",
        "What must not stand in a row: the measured question, the reference answer, or either of them.",
        "행에 있으면 안 되는 것: 시험 질문, 기준 답, 또는 둘 중 하나.",
    )
    n: int = setting(10, "Characters in a run.", "토막의 글자 수.", ge=2, le=200)
    share: float = setting(
        0.7,
        "From which share of a text's runs on a row holds it.",
        "글의 토막이 이 비율 이상 있으면 뺍니다.",
        gt=0,
        le=1,
    )

    @model_validator(mode="after")
    def _columns_are_of_a_file(self) -> Settings:
        if self.columns and self.file is None:
            raise ValueError(
                say("columns are those of a file, expected file as well", "columns는 파일의 열입니다. file도 적으세요")
            )
        return self


def inputs(settings: Settings, workspace: Workspace) -> dict[str, str | None]:
    """The benchmark by its bytes. Raises DataError where it is missing."""
    from dadeum.data.files import label, locate

    if settings.file is None:
        return {}
    path = locate(workspace, settings.file)
    return {label(workspace, path): sha256_file(path)}


def build(settings: Settings, tools: Tools) -> Sieve:
    """The filter. Raises DataError where the benchmark cannot be read."""
    from dadeum.data.filters._overlap import Texts

    texts = Texts(settings.n)
    if settings.file is not None:
        for where, text in benchmark(settings, tools.workspace):
            texts.add(where, text)
    return Contamination(tools, settings, texts)


@dataclass
class Contamination(Sieve):
    """Holds each row against all measured texts."""

    settings: Settings
    texts: Texts
    when: When = field(default="parted", init=False)

    def look(self, row: Seen) -> None:
        """Learn the test part."""
        if self.settings.file is None and row.part == "test":
            for text in _measured(row, self.settings.of):
                self.texts.add(row.where, text)

    def judge(self, row: Seen) -> Verdict:
        """Drop what holds a measured text."""
        if not self.texts.wheres:
            raise DataError(
                say(
                    "data.filters: contamination has nothing to compare with, the test part has no rows; "
                    "raise data.split.test, or name a benchmark with file",
                    "data.filters: contamination이 비교할 것이 없습니다. 시험 부분에 행이 없습니다. "
                    "data.split.test를 늘리거나 file로 벤치마크를 지정하세요",
                )
            )
        parts = [_texts.text(row, "whole")]
        if row.conversation.text is None:
            parts += [_texts.text(row, "question"), _texts.text(row, "answer")]
        found = self.texts.most(parts[0], parts)
        if found is None or found[1] < self.settings.share:
            return None
        where, share = found
        return Drop(
            say(
                f"holds {share:.0%} of what {where} measures",
                f"{where}이(가) 재는 글의 {share:.0%}가 들어 있습니다",
            )
        )


def _measured(row: Seen, of: Literal["question", "answer", "either"]) -> list[str]:
    """The texts of a measured row: what is shown and expected in evaluation, where the row says so."""
    conversation = row.conversation
    if conversation.text is not None:
        return [conversation.text]
    # Of a conversation, the last question: those before it were asked on the way.
    asked = [m["content"] for m in conversation.messages if m["role"] == "user"][-1:]
    question = conversation.query or (asked[0] if asked else "")
    answer = conversation.reference or _texts.text(row, "answer")
    return {"question": [question], "answer": [answer], "either": [question, answer]}[of]


def benchmark(settings: Settings, workspace: Workspace) -> Iterator[tuple[str, str]]:
    """(`file:line`, text) of each measured text of the file. Raises DataError."""
    from dadeum.data.files import locate
    from dadeum.data.sources import SOURCES, Fault, Row, kind_of

    path = locate(workspace, settings.file or "")
    kind = kind_of(path)
    if kind is None:
        raise DataError(
            say(
                f"{path}: no kind of file that is known, expected csv, json, jsonl, parquet or text",
                f"{path}: 알 수 없는 종류의 파일입니다. csv, json, jsonl, parquet, text 중 하나여야 합니다",
            )
        )
    source = SOURCES.settings(kind).model_validate({"path": str(path)})
    member = SOURCES.of(source)
    count = 0
    for item in member.read(source, member.files(source, workspace)):
        if isinstance(item, Fault):
            raise DataError(f"{item.where}: {item.reason}")
        if isinstance(item, Row):
            for text in _cells(item.values, item.where, settings):
                count += 1
                yield item.where, text
    if not count:
        raise DataError(say(f"{path}: holds no text to compare with", f"{path}: 비교할 글이 없습니다"))


def _cells(values: dict[str, Any], where: str, settings: Settings) -> list[str]:
    """The texts of one row of the benchmark."""
    from dadeum.data.cells import by_name, first_text, plain_name, text_of

    plain = by_name(values)
    if settings.columns:
        absent = [name for name in settings.columns if plain_name(name) not in plain]
        if absent:
            raise _unknown(where, absent[0], values)
        found = [text_of(plain[plain_name(name)], name) for name in settings.columns]
    else:
        names = {"question": QUESTIONS, "answer": ANSWERS, "either": (*QUESTIONS, *ANSWERS)}[settings.of]
        if not any(name in plain for name in names):
            raise _unknown(where, names[0], values)
        groups = [QUESTIONS, ANSWERS] if settings.of == "either" else [names]
        found = [first_text(plain, group) for group in groups]
    return [text for text in found if text is not None]


# Columns as question_answer, alpaca and text rows have them.
QUESTIONS = ("question", "q", "instruction", "prompt", "query", "input", "text")
ANSWERS = ("answer", "a", "output", "response", "completion", "reference", "text")


def _unknown(where: str, name: str, values: dict[str, Any]) -> DataError:
    there = ", ".join(values)
    return DataError(
        say(
            f"data.filters: {where} has no column '{name}', found: {there}; say in columns of the filter which are measured",
            f"data.filters: {where}에 '{name}' 열이 없습니다. 있는 열: {there}. 필터의 columns에 비교할 열을 적으세요",
        )
    )
