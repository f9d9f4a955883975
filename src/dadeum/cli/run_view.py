"""How runs look on the screen: the list, one run with its curves, several held against each other."""

import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.cells import cell_len
from rich.console import Console
from rich.table import Table
from rich.text import Text

from dadeum.cli.curves import COLOURS, Curve, draw, plain
from dadeum.core.language import say
from dadeum.core.secrets import redact
from dadeum.evaluate.metrics import arrow

if TYPE_CHECKING:
    from dadeum.cli.view import View
    from dadeum.run.differences import Differences
    from dadeum.run.exhibit import Facts
    from dadeum.run.ledger import Entry

STYLES = {
    "finished": "green",
    "running": "bold cyan",
    "started": "yellow",
    "stopped": "yellow",
    "failed": "red",
    "damaged": "bold red",
}
KOREAN = {
    "finished": "끝남",
    "running": "실행 중",
    "started": "끊김",
    "stopped": "멈춤",
    "failed": "실패",
    "damaged": "손상",
}
CHART, ABSENT, SHOWN_SCORES = 8, "–", 3
# A narrow terminal shows fewer columns; these go first.
EXPENDABLE = ("base", "adapter", "score 3", "when", "score 2", "steps")


def status_word(status: str) -> str:
    """The status in the reader's language."""
    return say("killed" if status == "started" else status, KOREAN[status])


def number(value: Any) -> str:
    """A value of a table: numbers to four digits."""
    if isinstance(value, bool) or value is None:
        return ABSENT if value is None else str(value).lower()
    if isinstance(value, float):
        return f"{value:.4g}"
    return str(value)


def main_scores(entries: Sequence["Entry"]) -> list[str]:
    """Up to three metrics that the runs have, the most telling first."""
    from dadeum.run.ledger import MAIN

    there = list(dict.fromkeys(name for entry in entries for name in entry.scores))
    known = [name for name in MAIN if name in there]
    return [*known, *(name for name in there if name not in known)][:SHOWN_SCORES]


def _columns(entries: Sequence["Entry"], asked: Sequence[str]) -> list[tuple[str, str, list[str]]]:
    """(key, title, cells); `asked` are what was sorted or filtered by."""
    from dadeum.run.selection import value_of

    titles = {
        "experiment": say("experiment", "실험"),
        "run": say("run", "실행"),
        "status": say("status", "상태"),
        "when": say("when", "시각"),
        "steps": say("steps", "단계"),
        "loss": say("loss", "손실"),
    }
    scores = main_scores(entries)
    found = [(key, title, [_cell(entry, key) for entry in entries]) for key, title in titles.items()]
    for i, name in enumerate(scores, 1):
        found.append((f"score {i}", name, [number(entry.scores.get(name)) for entry in entries]))
    for key, title in (("adapter", say("adapter", "어댑터")), ("base", say("base", "기본 모델"))):
        found.append((key, title, [_cell(entry, key) for entry in entries]))
    shown = {*titles, *scores, "adapter", "base"}
    extra = [(key, key, [number(value_of(entry, key)) for entry in entries]) for key in asked if key not in shown]
    return [*found[:6], *extra, *found[6:]]


def _cell(entry: "Entry", key: str) -> str:
    if key in ("experiment", "run"):
        return str(getattr(entry.run, "name" if key == "run" else key))
    if key == "status":
        return status_word(entry.status)
    value = entry.facts.get(key)
    if key == "when" and value:
        return str(value)[5:16]
    if key == "base" and value:
        return Path(str(value)).name
    return number(value)


def show_list(console: Console, entries: Sequence["Entry"], asked: Sequence[str] = ()) -> None:
    """A table as wide as the terminal; on none, all columns. What is damaged, failed or stopped says why below."""
    columns = _columns(entries, asked)
    left_out = []
    room = console.width if console.is_terminal else 10_000
    for key in (*EXPENDABLE, None):
        widths = [max(map(cell_len, (title, *cells))) for _, title, cells in columns]
        if sum(widths) + 2 * len(widths) <= room or key is None:
            break
        left_out += [title for name, title, _ in columns if name == key and title not in asked]
        columns = [column for column in columns if column[0] != key or column[1] in asked]
    table = Table(box=None, header_style="bold", padding=(0, 2, 0, 0), pad_edge=False)
    for _, title, cells in columns:
        right = any(cells) and all(c == ABSENT or c[:1] in "+-0123456789" for c in cells) and "-" not in cells[0][1:]
        table.add_column(Text(title), justify="right" if right else "left", overflow="fold")
    for row, entry in enumerate(entries):
        style = STYLES[entry.status]
        table.add_row(*(Text(redact(cells[row]), style=style if key == "status" else "") for key, _, cells in columns))
    wide = console if console.is_terminal else Console(file=console.file, width=max(console.width, 400))
    wide.print(table)
    for entry in entries:
        if entry.reason:
            console.print(Text(redact(f"  {entry.run.name}: {status_word(entry.status)}: {entry.reason}"), style="dim"))
    if left_out:
        names = ", ".join(left_out)
        text = say(
            f"(not shown here: {names}; a wider terminal or --json has them)",
            f"(폭이 좁아 뺀 열: {names}. --json에는 있습니다)",
        )
        console.print(Text(f"  {text}", style="dim"))


def show_run(view: "View", facts: "Facts") -> None:
    """Everything of one run, curves last but for the warnings."""
    entry = facts.entry
    run = entry.run
    view.console.print(Text(f"{run.experiment} / {run.name}", style="bold"))
    view.facts(
        {
            say("status", "상태"): status_word(entry.status) + (f": {entry.reason}" if entry.reason else ""),
            **{_fact_name(key): value for key, value in facts.facts.items()},
        }
    )
    if facts.stages:
        view.table(
            say("Stages", "단계"),
            [say("stage", "단계"), say("finished", "끝난 시각"), say("seconds", "초"), say("files", "파일")],
            [
                [
                    s.name,
                    _when(s.finished),
                    number(s.seconds),
                    say("as they were", "그대로") if s.whole else say("changed or gone", "바뀌거나 없음"),
                ]
                for s in facts.stages
            ],
        )
    for kind, found in facts.scores.items():
        rows = [
            [
                f"{name} {arrow(m.get('higher_is_better'))}",
                number(m.get("value")),
                _interval(m.get("interval")),
                number(m.get("n")),
            ]
            for name, m in found.items()
        ]
        view.table(kind, [say("metric", "지표"), say("value", "값"), say("95 % interval", "95 % 구간"), "n"], rows)
    _curves(view.console, say("loss", "손실"), [Curve(name, points) for name, points in facts.losses.items() if points])
    _curves(view.console, say("learning rate", "학습률"), [Curve("", facts.rates)], height=4)
    for top in ("experiments", "checkpoints"):
        start = f"{top}/{run.experiment}/{run.name}/"
        inside = {p.removeprefix(start): size_word(size) for p, size in facts.files.items() if p.startswith(start)}
        if inside:
            view.console.print(Text(start, style="bold"))
            view.facts(inside)
    for text in facts.warnings:
        view.warn(text)


def _fact_name(key: str) -> str:
    korean = {
        "when": "시각",
        "steps": "단계",
        "loss": "손실",
        "best validation loss": "가장 낮은 검증 손실",
        "seconds": "초",
        "seed": "씨앗",
        "adapter": "어댑터",
        "base": "기본 모델",
        "rows": "행",
        "device": "장치",
        "tokens per second": "초당 토큰",
        "peak memory": "최대 메모리",
        "loads as": "불러오는 폴더",
    }
    return say(key, korean.get(key, key))


def _when(seconds: float | None) -> str:
    return ABSENT if seconds is None else time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(seconds))


def _interval(found: Any) -> str:
    if not isinstance(found, list | tuple) or len(found) != 2:
        return ABSENT
    return f"[{found[0]:.4g}, {found[1]:.4g}]"


def size_word(size: float) -> str:
    """Bytes as people read them."""
    for unit in ("B", "kB", "MB"):
        if size < 1000:
            return f"{size:.0f} {unit}" if unit == "B" else f"{size:.1f} {unit}"
        size /= 1000
    return f"{size:.1f} GB"


def _curves(console: Console, title: str, curves: Sequence[Curve], height: int = CHART) -> None:
    wide = min(console.width, 100) - 1
    lines = draw(curves, width=wide, height=height, letters=plain(console))
    if not lines:
        return
    console.print(Text(title, style="bold"))
    for line in lines:
        console.print(line)


def show_differences(view: "View", found: "Differences", losses: dict[str, list[tuple[float, float]]]) -> None:
    """Only what differs; scores side by side; losses over each other."""
    same_experiment = len({run.experiment for run in found.runs}) == 1
    names = [run.name if same_experiment else f"{run.experiment}/{run.name}" for run in found.runs]
    short = [chr(ord("A") + i) if i < 26 else str(i) for i in range(len(names))]
    for letter, name, style in zip(short, names, _cycle(len(names)), strict=True):
        view.console.print(Text(f"  {letter}  ", style=style).append(redact(name)))
    for title, rows in (
        (say("Settings that differ", "다른 설정"), found.settings),
        (say("Materials that differ", "다른 재료"), found.materials),
        (say("Versions and devices that differ", "다른 버전과 장치"), found.versions),
    ):
        if rows:
            view.table(title, ["", *short], [[name, *map(_value, values)] for name, values in rows.items()])
        else:
            view.note(f"{title}: {say('none', '없음')}")
    for kind, metrics in found.scores.items():
        rows_ = []
        for name, values in metrics.items():
            mark = " *" if f"{kind}: {name}" in found.unlike else ""
            rows_.append([f"{name} {arrow(found.better.get(name))}{mark}", *map(number, values)])
        view.table(kind, [say("metric", "지표"), *short], rows_)
    for why in dict.fromkeys(found.unlike.values()):
        which = ", ".join(name for name, reason in found.unlike.items() if reason == why)
        view.warn(say(f"* not like with like: {which}: {why}", f"* 같은 조건의 값이 아님: {which}: {why}"))
    _curves(
        view.console,
        say("loss", "손실"),
        [Curve(letter, points) for letter, points in zip(short, losses.values(), strict=True)],
    )


def _cycle(count: int) -> list[str]:
    return [COLOURS[i % len(COLOURS)] for i in range(count)]


def _value(value: Any) -> str:
    """A setting as one cell; of a hash its beginning."""
    if isinstance(value, str) and len(value) == 64 and not value.strip("0123456789abcdef"):
        return value[:12]
    text = number(value) if not isinstance(value, list | dict) else _json(value)
    return text if len(text) <= 60 else text[:59] + "…"


def _json(value: Any) -> str:
    import json

    return json.dumps(value, ensure_ascii=False)
