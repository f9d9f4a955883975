"""What a person sees: the live list of steps, progress, tables, notes. On no terminal, plain lines."""

import logging
import time
from collections.abc import Mapping, Sequence
from types import TracebackType

from rich.console import Console, Group
from rich.live import Live
from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeElapsedColumn, TimeRemainingColumn
from rich.table import Table
from rich.text import Text

from dadeum.core.language import say
from dadeum.core.secrets import redact

logger = logging.getLogger("dadeum")
MARKS = {
    "waiting": ("·", "dim"),
    "fresh": ("✓", "green"),
    "running": ("▶", "bold cyan"),
    "done": ("✓", "bold green"),
    "failed": ("✗", "bold red"),
}
NAMES = {
    "tokens_per_second": ("tok/s", "토큰/초"),
    "loss": ("loss", "손실"),
    "memory": ("memory", "메모리"),
    "left": ("left", "남음"),
    "dropped": ("dropped", "빠짐"),
}
PLAIN_EVERY = 15.0


class View:
    """A `Reporter` that draws. Use as a context; what is noted stays above the moving part."""

    def __init__(self, console: Console | None = None) -> None:
        self.console = console or Console(highlight=False, soft_wrap=True)
        self.live = self.console.is_terminal
        self.rows: dict[str, tuple[str, str]] = {}
        self.bar = Progress(
            TextColumn("  {task.description}", markup=False),  # a title may hold brackets
            BarColumn(bar_width=24),
            TextColumn("{task.fields[amount]}", markup=False),
            TimeElapsedColumn(),
            TextColumn("<"),
            TimeRemainingColumn(),
            TextColumn("{task.fields[facts]}", style="dim", markup=False),
            console=self.console,
        )
        self.task: TaskID | None = None
        self.title, self.unit = "", ""
        self.total: float | None = None
        self.spoke = 0.0
        self.screen: Live | None = None

    def __enter__(self) -> "View":
        if self.live:
            self.screen = Live(get_renderable=self._draw, console=self.console, refresh_per_second=8)
            self.screen.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._clear()
        if self.screen is not None:
            self.screen.stop()
            self.screen = None

    def _draw(self) -> Group:
        table = Table.grid(padding=(0, 1))
        for name, (state, text) in self.rows.items():
            mark, style = MARKS[state]
            table.add_row(
                Text(f" {mark}", style=style),
                _text(name, style=style if state == "running" else ""),
                _text(text, style="dim"),
            )
        return Group(table, self.bar) if self.rows else Group(self.bar)

    def mark(self, name: str, state: str, text: str = "") -> None:
        """Set the state of a step of the live list: waiting, fresh, running, done, failed."""
        self.rows[name] = (state, text)
        if state in ("running", "done", "failed", "fresh"):
            logger.info("%s: %s %s", name, state, text)
        if not self.live and state != "waiting":
            self.console.print(_text(f"{MARKS[state][0]} {name}: {text}" if text else f"{MARKS[state][0]} {name}"))
        if state != "running":
            self._clear()

    def _clear(self) -> None:
        if self.task is not None:
            self.bar.remove_task(self.task)
            self.task = None

    def start(self, title: str, total: float | None = None, unit: str = "") -> None:
        """A new bar."""
        self._clear()
        self.title, self.total, self.unit, self.spoke = title, total, unit, time.monotonic()
        logger.info("%s (%s)", title, f"{total:,.0f} {unit}".strip() if total else "?")
        if self.live:
            self.task = self.bar.add_task(redact(title), total=total, amount="", facts="")

    def advance(self, done: float, **facts: object) -> None:
        """Move the bar, and show the facts beside it."""
        # The bar has a clock of its own.
        shown = {
            say(*NAMES.get(key, (key, key))): value for key, value in facts.items() if key != "left" or not self.live
        }
        said = "  ".join(f"{key} {_short(value)}" for key, value in shown.items())
        amount = f"{done:,.0f}/{self.total:,.0f} {self.unit}" if self.total else f"{done:,.0f} {self.unit}"
        if self.task is not None:
            self.bar.update(self.task, completed=done, amount=amount, facts=redact(said))
        elif time.monotonic() - self.spoke > PLAIN_EVERY:
            self.spoke = time.monotonic()
            self.console.print(_text(f"  {self.title}: {amount}  {said}"))

    def note(self, text: str) -> None:
        """A line that stays."""
        logger.info(text)
        self.console.print(_text(f"  {text}"))

    def warn(self, text: str) -> None:
        """A line that stays, in yellow."""
        logger.warning(text)
        self.console.print(_text(f"{say('warning', '주의')}: {text}", style="yellow"))

    def table(self, title: str, columns: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
        """A table; numbers stand right."""
        table = Table(title=_text(title), title_justify="left", title_style="bold", header_style="bold")
        for i, column in enumerate(columns):
            numbers = rows and all(_is_number(row[i]) for row in rows)
            table.add_column(_text(column), justify="right" if numbers else "left", overflow="fold")
        for row in rows:
            table.add_row(*(_text(_short(cell)) for cell in row))
        self.console.print(table)

    def facts(self, facts: Mapping[str, object]) -> None:
        """Pairs of a name and a value, one a line."""
        grid = Table.grid(padding=(0, 2))
        grid.add_column()
        grid.add_column(overflow="fold")  # an ellipsis would take words of Hangul with it
        for key, value in facts.items():
            grid.add_row(_text(f"  {key}", style="dim"), _text(_short(value)))
        self.console.print(grid)


def _text(text: str, style: str = "") -> Text:
    """What is shown holds no secret, whoever wrote it."""
    return Text(redact(text), style=style)


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) or (isinstance(value, str) and value[:1] in "+-0123456789–[")


def _short(value: object) -> str:
    if isinstance(value, float):
        return f"{value:,.4g}" if abs(value) < 1000 else f"{value:,.0f}"
    return f"{value:,}" if isinstance(value, int) and not isinstance(value, bool) else str(value)
