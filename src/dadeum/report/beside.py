"""Samples side by side: the first, the middle and the last test row, and those that gained and lost the most."""

from collections.abc import Sequence
from typing import Any

from dadeum.core.language import say
from dadeum.report.blocks import Block, Section, Side, Text
from dadeum.report.evidence import Evidence
from dadeum.report.words import signed

LONGEST = 800  # characters of a text that are shown
MOST = 3  # gains, and losses


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
    gains = _moved(found, columns)
    for place, difference, metric in gains:
        which = say("largest gain", "가장 좋아진 행") if difference > 0 else say("largest loss", "가장 나빠진 행")
        blocks.append(_side(f"{which} · {metric} {signed(difference)} · {place + 1}/{count}", columns, place))
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


def _moved(found: Evidence, columns: Sequence[tuple[str, Sequence[dict[str, Any]]]]) -> list[tuple[int, float, str]]:
    """Places of the rows whose answers gained and lost the most of the first metric that is a mean over rows."""
    kinds = dict(columns)
    if "base" not in kinds or "tuned" not in kinds:
        return []
    metrics = found.evaluations["tuned"].get("metrics") or {}
    name = next((n for n in ("rougeL", "rougeL_char", "rouge1") if n in metrics), None)
    name = name or next((n for n, m in metrics.items() if _by_row(kinds["tuned"], n) and m["higher_is_better"]), None)
    if name is None:
        return []
    moved = []
    for place, (before, after) in enumerate(zip(kinds["base"], kinds["tuned"], strict=True)):
        a, b = before["statistics"].get(name), after["statistics"].get(name)
        if a and b and a[1] and b[1]:
            moved.append((b[0] / b[1] - a[0] / a[1], place))
    moved.sort(key=lambda pair: (pair[0], pair[1]))
    best = [(place, d, name) for d, place in moved[::-1][:MOST] if d > 0]
    worst = [(place, d, name) for d, place in moved[:MOST] if d < 0]
    return [*best, *worst]


def _by_row(samples: Sequence[dict[str, Any]], name: str) -> bool:
    """Whether each row's statistics are a sum and a count of one."""
    rows = [one for sample in samples if (one := sample["statistics"].get(name))]
    return bool(rows) and all(len(row) == 2 and row[1] == 1 for row in rows)
