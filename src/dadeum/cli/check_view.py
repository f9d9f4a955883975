"""How `dadeum data check` looks on a terminal: what is wrong first, then what is there."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from rich.cells import cell_len, set_cell_size
from rich.console import Console
from rich.table import Table
from rich.text import Text

from dadeum.cli import check_words as words
from dadeum.core.language import say
from dadeum.tokenizer.readable import visible

if TYPE_CHECKING:
    from dadeum.data.findings import Finding, Report

MOST_PLACES = 3
STYLES = {"stop": "bold red", "look": "yellow", "note": "dim"}
BETWEEN, LEAST = "  ", 20
BAR = 32  # cells of the longest bar
EIGHTHS = " ▏▎▍▌▋▊▉█"
ASCII = str.maketrans({"·": "|", "…": "...", "–": "-", "→": "->", "▸": ">"})


class CheckView:
    """Writes a report."""

    def __init__(self, console: Console) -> None:
        self.console = console
        self.ascii = console.options.ascii_only

    def show(self, name: str, report: "Report", tokens_with: str) -> None:
        """All of it. `tokens_with` says how tokens would be counted, where they are not."""
        self._verdict(name, report)
        for finding in report.findings:
            self._finding(finding)
        facts = report.facts
        self._head(say("Rows", "행"))
        self._facts(words.row_facts(facts))
        self._sheet(say("Files", "파일"), words.files(facts["files"]))
        self._sheet(say("Columns", "열"), words.columns(facts["columns"]))
        lengths = words.lengths(facts)
        if lengths is None:
            return
        self._sheet(say("Lengths", "길이"), lengths)
        self._print(Text(""))
        self._histogram(*words.histogram(facts))
        if facts["tokens"]:
            self._sheet(say("What a limit would do", "길이 한도에 따라"), words.limits(facts["tokens"]))
            self._print(Text(self._plain(f"  {words.rule(facts['tokens'])}"), style="dim"))
            self._head(say("Tokens", "토큰"))
            self._facts(words.token_facts(facts["tokens"]))
        else:
            self._print(Text(self._plain(f"  {tokens_with}"), style="dim"))

    def _print(self, what: Any) -> None:
        # A table is laid out for the width; a line of text that goes to a file stays whole.
        self.console.print(what, soft_wrap=isinstance(what, Text) and not self.console.is_terminal)

    def _head(self, title: str) -> None:
        self._print(Text(""))
        self._print(Text(title, style="bold"))

    def _sign(self, sign: str, plain: str) -> str:
        return plain if self.ascii else sign

    def _verdict(self, name: str, report: "Report") -> None:
        self._print(Text(visible(name), style="bold"))
        sign, style = (self._sign("✓", "+"), "green") if report.trainable else (self._sign("✗", "x"), "red")
        self._print(Text(f"  {sign} {words.verdict(report)}", style=f"bold {style}"))

    def _finding(self, finding: "Finding") -> None:
        levels = words.levels()
        if not self.console.is_terminal:
            self._print(Text(f"{levels[finding.level]}: {self._plain(finding.text)}"))
            for place in finding.places[:MOST_PLACES]:
                self._print(Text(f"    {self._plain(place)}"))
            return
        grid = Table.grid(padding=(0, 1))
        grid.add_column(no_wrap=True, min_width=2 + max(map(cell_len, levels.values())))
        grid.add_column(overflow="fold")
        grid.add_row(Text(f"  {levels[finding.level]}", style=STYLES[finding.level]), Text(self._plain(finding.text)))
        for place in finding.places[:MOST_PLACES]:
            grid.add_row("", Text(self._plain(place), style="dim", overflow="ellipsis", no_wrap=True))
        self._print(Text(""))
        self._print(grid)

    def _facts(self, facts: Sequence[tuple[str, str]]) -> None:
        grid = Table.grid(padding=(0, 2))
        grid.add_column(no_wrap=True)
        grid.add_column(overflow="fold")
        for key, value in facts:
            grid.add_row(Text(f"  {key}", style="dim"), Text(self._plain(value)))
        self._print(grid)

    def _plain(self, text: str) -> str:
        """A text of ours or of a row, shown on any terminal."""
        shown = visible(text)
        return shown.translate(ASCII) if self.ascii else shown

    def _sheet(self, title: str, sheet: words.Sheet | None) -> None:
        if sheet is None:
            return
        self._head(title)
        self._table(sheet.columns, sheet.rows)
        if sheet.more:
            more = say(f"  … {sheet.more} more", f"  … {sheet.more}개 더")
            self._print(Text(self._plain(more), style="dim"))

    def _table(self, columns: Sequence[tuple[str, str]], rows: Sequence[Sequence[str]]) -> None:
        """The column that is `rest` is cut so that all fit on the screen."""
        rows = [[self._plain(cell) for cell in row] for row in rows]
        heads = [self._plain(name) for name, _ in columns]
        widths = [max(map(cell_len, cells)) for cells in zip(heads, *rows, strict=True)]
        rest = next((at for at, (_, how) in enumerate(columns) if how == "rest"), None)
        if rest is not None:
            taken = sum(width + len(BETWEEN) for at, width in enumerate(widths) if at != rest)
            widths[rest] = max(LEAST, self.console.width - taken - len(BETWEEN))
        for number, row in enumerate([heads, *rows]):
            cells = [
                _cut(cell, width, "..." if self.ascii else "…", right=how == "right")
                for cell, width, (_, how) in zip(row, widths, columns, strict=True)
            ]
            line = Text(BETWEEN + BETWEEN.join(cells).rstrip(), style="" if number else "dim")
            self.console.print(line, soft_wrap=True)

    def _histogram(self, title: str, bins: Sequence[tuple[str, int]]) -> None:
        most = max(count for _, count in bins)
        rows = [[label, f"{count:,}", self._bar(count / most)] for label, count in bins]
        self._table([(title, "right"), (say("count", "개수"), "right"), ("", "left")], rows)

    def _bar(self, share: float) -> str:
        """What there is is never drawn as nothing."""
        if self.ascii:
            return "#" * max(1 if share else 0, round(share * BAR))
        eighths = max(1 if share else 0, round(share * BAR * 8))
        return "█" * (eighths // 8) + EIGHTHS[eighths % 8].strip()


def _cut(text: str, width: int, dots: str, *, right: bool) -> str:
    """The text in so many cells."""
    if cell_len(text) > width:
        return set_cell_size(text, width - len(dots)).rstrip() + dots
    blanks = " " * (width - cell_len(text))
    return blanks + text if right else text + blanks
