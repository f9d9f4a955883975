"""The explanation in a terminal: the same chapters as the page, readable at 80 columns."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from rich.console import Console
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from dadeum.cli.curves import Curve as Line
from dadeum.cli.curves import draw, plain
from dadeum.cli.paint import show_exhibit
from dadeum.core.language import say
from dadeum.tokenizer.readable import visible

if TYPE_CHECKING:
    from dadeum.explain.chapters import Block, Sheet, Sum
    from dadeum.explain.facts import Explanation

MOST_ROWS = 40
BAR = 12
NARROW = 100
_DIGITS = frozenset("0123456789-")


def show_explanation(console: Console, found: "Explanation") -> None:
    """All chapters."""
    from dadeum.explain.chapters import chapters, head, title_of

    pen = _Pen(console)
    pairs, notes = head(found)
    console.print()
    console.print(Text(title_of(found.taken), style="bold"))
    pen.pairs(pairs)
    for note in notes:
        pen.line(Text(note, style="yellow"))
    for number, chapter in enumerate(chapters(found), 1):
        console.print()
        console.print(Text.assemble((f"{number}  ", "bold cyan"), (chapter.title, "bold")))
        for block in chapter.blocks:
            pen.block(block)


class _Pen:
    """Draws blocks."""

    def __init__(self, console: Console) -> None:
        self.console = console
        self.width = console.width

    def line(self, text: Text) -> None:
        """A paragraph, set in; broken at the width of a terminal."""
        self.console.print(Padding(text, (0, 0, 0, 2)), soft_wrap=False, width=self.width)

    def block(self, block: "Block") -> None:
        """Whatever it is."""
        from dadeum.explain.chapters import Check, Curve, Paint, Pairs, Para, Quote, Sheet, Sum

        match block:
            case Para(text):
                self.line(Text(text))
            case Check(text, good):
                mark, style = ("✓", "green") if good else ("✗", "red")
                self.line(Text(f"{mark} {text}", style=style))
            case Pairs(pairs):
                self.pairs(pairs)
            case Quote(text, who):
                self.line(Text.assemble((f"{who}: " if who else "", "cyan"), (visible(text), "italic")))
            case Paint(painted):
                show_exhibit(self.console, painted, ids=False)
            case Sheet():
                self.sheet(block)
            case Sum():
                self.sum(block)
            case Curve(points, now):
                letters = plain(self.console)
                style = say("learning rate", "학습률")
                for row in draw([Line(style, points)], width=min(self.width - 4, 100), height=6, letters=letters):
                    self.console.print(Text("  ") + row)
                self.line(Text(f"▲ {now[0]}: {now[1]:.6g}", style="dim"))

    def pairs(self, pairs: Sequence[tuple[str, str]]) -> None:
        """Names and values."""
        grid = Table.grid(padding=(0, 2))
        grid.add_column(no_wrap=True)
        grid.add_column(overflow="fold")
        for key, value in pairs:
            grid.add_row(Text(f"  {visible(key)}", style="dim"), Text(visible(value)))
        self.console.print(grid, soft_wrap=False, width=self.width)

    def sheet(self, sheet: "Sheet") -> None:
        """A table; of a long one the beginning."""
        bar = BAR if self.width >= NARROW else BAR // 2
        table = Table(box=None, header_style="dim", padding=(0, 1), pad_edge=False)
        bars_at = sheet.beside + 1
        for i, name in enumerate(sheet.columns):
            words = i in sheet.words
            table.add_column(Text(name), justify="left" if words else "right", overflow="fold", no_wrap=not words)
            if sheet.bars and i + 1 == bars_at:
                table.add_column("", no_wrap=True, min_width=bar)
        for number, row in enumerate(sheet.rows[:MOST_ROWS]):
            cells = [Text(visible(cell)) for cell in row]
            if sheet.bars:
                filled = round(bar * max(0.0, min(1.0, sheet.bars[number])))
                cells.insert(bars_at, Text("█" * filled + "·" * (bar - filled), style="green"))
            table.add_row(*cells)
        self.console.print(Padding(table, (0, 0, 0, 2)), soft_wrap=False, width=self.width)
        rest = len(sheet.rows) - MOST_ROWS
        if rest > 0:
            more = say(f"… {rest} more: --html or --json", f"… {rest}개 더: --html 또는 --json")
            self.line(Text(more, style="dim"))

    def sum(self, found: "Sum") -> None:
        """A worked sum."""
        grid = Table.grid(padding=(0, 2))
        grid.add_column(overflow="fold", max_width=30)
        grid.add_column(overflow="fold")
        grid.add_column(justify="right", no_wrap=True)
        for number, (what, how, result) in enumerate(found.lines):
            strong = "bold" if number == found.strong % len(found.lines) else ""
            grid.add_row(
                Text(what, style=strong or "dim"),
                Text(how),
                Text(f"= {result}" if result[:1] in _DIGITS else result, style=strong),
            )
        self.console.print(Padding(grid, (0, 0, 0, 2)), soft_wrap=False, width=self.width)
