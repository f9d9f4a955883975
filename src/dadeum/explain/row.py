"""The row that is shown: its cells as they stand in the source, its messages, and why these tokens are trained."""

from collections.abc import Mapping
from typing import Any

from dadeum.config.data import DataSettings
from dadeum.core.language import say
from dadeum.core.workspace import Workspace
from dadeum.data.show import Painted
from dadeum.data.sources import SOURCES, Row
from dadeum.explain.facts import RowFacts


def cells_of(data: DataSettings, workspace: Workspace, where: str) -> dict[str, str]:
    """The cells of the row at `file:line`, read from the source again; nothing where it is not found any more."""
    for source in data.sources:
        member = SOURCES.of(source)
        for item in member.read(source, member.files(source, workspace)):
            if isinstance(item, Row) and item.where == where:
                return {str(name): str(value) for name, value in item.values.items() if value not in (None, "")}
    return {}


def row_facts(painted: Painted, cells: Mapping[str, str], trains: str) -> RowFacts:
    """Facts of one sample of a row."""
    row = painted.row
    counts = painted.counts()
    return RowFacts(
        source_row=int(row["source_row"]),
        where=str(row["where"]),
        cells=dict(cells),
        messages=[{"role": str(m["role"]), "content": _content(m["content"])} for m in row["messages"] or ()],
        text=painted.text(),
        tokens=counts["total"],
        trained=counts["trained"],
        trains=trains,
        labels=painted.labels,
    )


def _content(content: Any) -> str:
    return content if isinstance(content, str) else str(content)


def why_trained(takes: str, data: DataSettings) -> str:
    """Which tokens are targets, and why."""
    if takes == "plain":
        return say(
            "Every token but the first is a target: the text itself is learnt (objective pretrain).",
            "첫 토큰을 뺀 모든 토큰이 목표입니다. 글 자체를 배웁니다(objective pretrain).",
        )
    if takes in ("pair", "rated"):
        return say(
            "The answers' tokens are targets; the objective compares how likely whole answers are.",
            "답의 토큰이 목표이며, objective는 답 전체가 얼마나 그럴듯한지 견줍니다.",
        )
    if takes != "messages":
        return say(
            "No token is a target: the head learns the label of the row.",
            "목표인 토큰은 없습니다. 헤드가 행의 라벨을 배웁니다.",
        )
    said = {
        "assistant": say(
            "The answers with their end tokens are targets (data.train_on: assistant). The question and the template around "
            "it are only read: their weight is 0, so the model is not taught to say them.",
            "답과 그 종료 토큰이 목표입니다(data.train_on: assistant). 질문과 템플릿은 읽기만 합니다. 무게가 0이라 그 말을 하도록 배우지 않습니다.",
        ),
        "last_assistant": say(
            "The last answer with its end token is the target (data.train_on: last_assistant); all before it is only read.",
            "마지막 답과 그 종료 토큰이 목표입니다(data.train_on: last_assistant). 그 앞은 읽기만 합니다.",
        ),
        "all": say(
            "Every token but the first is a target (data.train_on: all).",
            "첫 토큰을 뺀 모든 토큰이 목표입니다(data.train_on: all).",
        ),
    }
    return said[data.train_on]
