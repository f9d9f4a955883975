"""Curves in the terminal: braille dots, two by four a cell; letters where there are no colours to tell them apart."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from rich.console import Console
from rich.text import Text

COLOURS = ("cyan", "yellow", "magenta", "green", "blue", "red")
LETTERS = "abcdefghijklmnopqrstuvwxyz"
BRAILLE = 0x2800
# Bit of each dot of a cell, by row and column (Unicode 15, braille patterns).
DOTS = ((0x01, 0x08), (0x02, 0x10), (0x04, 0x20), (0x40, 0x80))
Points = Sequence[tuple[float, float]]


@dataclass(frozen=True)
class Curve:
    """A name and its points."""

    name: str
    points: Points


def plain(console: Console) -> bool:
    """Whether curves are drawn in letters: no colours, or an encoding without braille."""
    try:
        "⣿".encode(console.encoding)
    except (LookupError, UnicodeEncodeError):
        return True
    return console.no_color or not console.is_terminal


def draw(curves: Sequence[Curve], *, width: int, height: int = 8, letters: bool = False) -> list[Text]:
    """The curves over each other as lines of text `width` cells wide, with the ends of both axes; nothing without points.

    Values that are not finite are left out. More points than dots: each column shows all of its values.
    """
    kept = [Curve(c.name, [(x, y) for x, y in c.points if math.isfinite(x) and math.isfinite(y)]) for c in curves]
    everything = [point for curve in kept for point in curve.points]
    if not everything:
        return []
    low, high = min(y for _, y in everything), max(y for _, y in everything)
    first, last = min(x for x, _ in everything), max(x for x, _ in everything)
    labels = [f"{value:.4g}" for value in (high, low)]
    margin = max(map(len, labels)) + 1
    columns = max(8, width - margin - 1)
    cells = _Cells(columns, height, letters)
    for number, curve in enumerate(kept):
        places = [
            (
                0.0 if last == first else (x - first) / (last - first),
                0.5 if high == low else (high - y) / (high - low),
            )
            for x, y in curve.points
        ]
        cells.line(places, number)
    lines = []
    for row in range(height):
        label = labels[0] if row == 0 else labels[1] if row == height - 1 else ""
        lines.append(Text(f"{label:>{margin}}│", style="dim") + cells.row(row))
    begin, end = f"{first:,.0f}", f"{last:,.0f}"
    space = max(1, columns - len(begin) - len(end))
    lines.append(Text(f"{'':>{margin}}└{begin}{'─' * space}{end}", style="dim"))
    if len(kept) > 1:
        lines.append(_legend([curve.name for curve in kept], margin, letters))
    return lines


def _legend(names: Sequence[str], margin: int, letters: bool) -> Text:
    found = Text(" " * (margin + 1))
    for number, name in enumerate(names):
        mark = LETTERS[number % len(LETTERS)] if letters else "━"
        found.append(mark, style=COLOURS[number % len(COLOURS)]).append(f" {name}   ", style="dim")
    return found


class _Cells:
    """A grid of dots; a cell has the colour of the curve that came last."""

    def __init__(self, columns: int, height: int, letters: bool) -> None:
        self.letters = letters
        self.wide, self.tall = (1, 1) if letters else (2, 4)
        self.bits = [[0] * columns for _ in range(height)]
        self.owner = [[-1] * columns for _ in range(height)]

    def line(self, places: Sequence[tuple[float, float]], number: int) -> None:
        """Dots from each place to the next; places are shares of the width and, from the top, of the height."""
        right, bottom = len(self.bits[0]) * self.wide - 1, len(self.bits) * self.tall - 1
        dots = [(round(x * right), round(y * bottom)) for x, y in places]
        for (x, y), (to_x, to_y) in zip(dots, dots[1:] or dots, strict=False):
            steps = max(abs(to_x - x), abs(to_y - y), 1)
            for step in range(steps + 1):
                self._dot(round(x + (to_x - x) * step / steps), round(y + (to_y - y) * step / steps), number)

    def _dot(self, x: int, y: int, number: int) -> None:
        column, row = x // self.wide, y // self.tall
        self.bits[row][column] |= DOTS[y % self.tall][x % self.wide]
        self.owner[row][column] = number

    def row(self, row: int) -> Text:
        """One line of cells."""
        found = Text()
        for bits, owner in zip(self.bits[row], self.owner[row], strict=True):
            letter = LETTERS[owner % len(LETTERS)] if self.letters else chr(BRAILLE + bits)
            found.append(letter if bits else " ", style=COLOURS[owner % len(COLOURS)] if bits else "")
        return found
