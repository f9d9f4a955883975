"""Samples side by side: the first, the middle and the last test row, and those that gained and lost the most."""

from collections.abc import Sequence
from typing import Any

from dadeum.core.language import say
from dadeum.report.blocks import Block, Section, Side, Text
from dadeum.report.evidence import Evidence, mapping
from dadeum.report.words import score

LONGEST = 800  # characters of a text that are shown


def beside(found: Evidence) -> Section | None:
    """Rows with what each model said; None where nothing was asked of any."""
    columns = _columns(found)
    if not columns or not columns[0][1]:
        return None
    count = min(len(samples) for _, samples in columns)
    blocks: list[Block] = []
    if len({len(samples) for _, samples in columns}) > 1:
        told = say("The models were asked unlike numbers of rows.", "모델마다 물은 행의 수가 다릅니다.")
        return Section(_title(), (Text(told, "note"),))
    places = {0: say("first", "첫 행"), count // 2: say("middle", "가운데 행"), count - 1: say("last", "마지막 행")}
    for place, name in sorted(places.items()):
        blocks.append(_side(f"{name} · {place + 1}/{count}", columns, place))
    blocks += _moved(found)
    return Section(_title(), tuple(blocks))


def _title() -> str:
    return say("Answers side by side", "나란히 본 답")


def _columns(found: Evidence) -> list[tuple[str, Sequence[dict[str, Any]]]]:
    kinds = found.evaluations
    order = [kind for kind in ("base", "base_few_shot", "tuned") if kind in kinds]
    return [(kind, kinds[kind].get("samples") or []) for kind in order]


def _side(title: str, columns: Sequence[tuple[str, Sequence[dict[str, Any]]]], place: int) -> Side:
    sample = columns[0][1][place]
    asked = [(say("question", "질문"), _text(sample.get("question")))]
    if sample.get("category"):
        asked.append((say("category", "분류"), _text(sample["category"])))
    asked.append((say("reference", "기준 답"), _text(sample.get("reference"))))
    answers = tuple((name, _text(samples[place].get("prediction"))) for name, samples in columns)
    return Side(title, tuple((name, text) for name, text in asked if text), answers)


def _text(value: Any) -> str:
    if value is None:
        return ""
    text = (
        value
        if isinstance(value, str)
        else ", ".join(f"{k}: {v}" for k, v in value.items())
        if isinstance(value, dict)
        else str(value)
    )
    return text if len(text) <= LONGEST else text[:LONGEST] + " …"


def _moved(found: Evidence) -> list[Side]:
    """The rows whose answers gained and lost the most, as the comparison found them."""
    changes = mapping(mapping(found.comparison).get("changes"))
    both = list(mapping(changes.get("models")).values())
    sides = []
    for kind, title in (
        ("gains", say("largest gain", "가장 좋아진 행")),
        ("losses", say("largest loss", "가장 나빠진 행")),
    ):
        for row in both[-1].get(kind, []) if both else []:
            before, after = row["values"].values()
            named = f"{title} · {changes['metric']} {score(before)} → {score(after)}"
            asked = (
                (say("question", "질문"), _text(row.get("question"))),
                (say("category", "분류"), _text(row.get("category"))),
                (say("reference", "기준 답"), _text(row.get("reference"))),
            )
            answers = tuple((name, _text(answer)) for name, answer in row["answers"].items())
            sides.append(Side(named, tuple((name, text) for name, text in asked if text), answers))
    return sides
