"""The pictures of a report: curves of the training, the data, scores with their intervals. Numbers in, figures out."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from dadeum.core.language import say
from dadeum.report.blocks import BLOCK, DOT, REST, Figure
from dadeum.report.curves import Curve, Point
from dadeum.report.plots import CARD, COLOURS, DASHES, INK, LINE, MARKERS, SIZE, SOFT, Sheet, number, sheet

HEIGHT = 2.3
STEEP = 30  # from such a ratio of the greatest to the smallest on, the axis is logarithmic
FEW = 60  # points from which on each is no longer marked
BINS = 24


@dataclass(frozen=True)
class Line:
    """A curve and its look."""

    label: str
    curve: Curve
    look: int = 0


@dataclass(frozen=True)
class Whisker:
    """One dot with its interval; None where there is no interval."""

    label: str
    value: float
    interval: tuple[float, float] | None
    look: int = 0


@dataclass(frozen=True)
class Row:
    """Dots on a scale of their own, with a mark of a floor, or of zero; right is better where `flipped` is told rightly."""

    label: str
    dots: tuple[Whisker, ...]
    marks: tuple[float, ...] = ()
    flipped: bool = False


def curves(
    name: str, title: str, lines: Sequence[Line], *, unit: str = "", steep: bool = True, zero: bool = False
) -> Figure:
    """Curves over the steps. Steep ones stand on a logarithmic axis where they may, and the caption says so.

    With `zero` the axis begins there.
    """
    steep = steep and _steep([line.curve for line in lines])
    with sheet(HEIGHT) as drawn:
        axes = drawn.figure.subplots()
        for line in lines:
            _curve(axes, line.curve.points(), line.look, _dash(line.look) if len(lines) > 1 else "-")
        _scale(axes, steep)
        if zero:
            axes.set_ylim(bottom=0)
        axes.set_xlabel(drawn.word(say("step", "단계")))
        told = title + (f" ({unit})" if unit else "") + (say(", logarithmic", ", 로그 눈금") if steep else "")
        legend = tuple((line.look, line.label) for line in lines) if len(lines) > 1 else ()
        return Figure(name, told, drawn.svg(name, told), legend)


def _curve(axes: Any, points: Sequence[Point], look: int, dash: Any) -> None:
    xs, ys = [x for x, _ in points], [y for _, y in points]
    few = len(points) <= FEW
    axes.plot(
        xs,
        ys,
        color=COLOURS[look],
        linestyle=dash,
        marker=MARKERS[look] if few else "",
        markersize=2.8 if len(points) > 1 else 5,
        markeredgewidth=0,
        linewidth=1.4 if few else 1.0,
        clip_on=not few,
        zorder=3 + look,
    )


def _dash(look: int) -> Any:
    lengths = [float(part) for part in DASHES[look].split()]
    return (0, lengths) if lengths else "-"


def _steep(found: Sequence[Curve]) -> bool:
    low, high = min(c.lowest[1] for c in found), max(c.highest[1] for c in found)
    return low > 0 and high / low > STEEP


def _scale(axes: Any, steep: bool) -> None:
    from matplotlib.ticker import FuncFormatter, LogLocator, MaxNLocator, NullLocator

    plain = FuncFormatter(lambda value, _: number(value))
    if steep:
        axes.set_yscale("log")
        axes.yaxis.set_major_locator(LogLocator(numticks=5))
        axes.yaxis.set_minor_locator(NullLocator())
    else:
        axes.yaxis.set_major_locator(MaxNLocator(4, min_n_ticks=3))
    axes.xaxis.set_major_locator(MaxNLocator(5, integer=True))
    axes.xaxis.set_major_formatter(plain)
    axes.yaxis.set_major_formatter(plain)
    axes.grid(axis="y")
    axes.tick_params(length=0)


def lengths(name: str, title: str, found: Any, limit: int | None) -> Figure:
    """How many samples there are of each length; `limit` is marked where it is near."""
    import numpy as np

    low, high = int(found.min()), int(found.max())
    width = max(1, math.ceil((high - low + 1) / BINS))
    counts, edges = np.histogram(found, bins=np.arange(low, high + width + 1, width))
    with sheet(HEIGHT) as drawn:
        axes = drawn.figure.subplots()
        axes.bar(edges[:-1], counts, width=width * 0.9, align="edge", color=COLOURS[0], linewidth=0)
        if limit is not None and limit <= high * 1.25:
            axes.axvline(limit, color=COLOURS[1], linestyle=_dash(1))
            axes.annotate(
                drawn.word(f"max_length {limit:,}"),
                (limit, 1),
                (-4, -2),
                xycoords=("data", "axes fraction"),
                textcoords="offset points",
                ha="right",
                va="top",
                color=SOFT,
            )
        _scale(axes, False)
        axes.set_xlabel(drawn.word(say("tokens of a sample", "샘플의 토큰 수")))
        return Figure(name, title, drawn.svg(name, title))


def stacked(
    name: str,
    title: str,
    rows: Sequence[tuple[str, float, float]],
    kinds: tuple[str, str],
    told: Callable[[float, float], str],
) -> Figure:
    """A bar a row, of two kinds end to end; `told` is what stands behind it."""
    with sheet(0.35 + 0.42 * len(rows)) as drawn:
        axes = drawn.figure.subplots()
        places = range(len(rows))
        first, second = [row[1] for row in rows], [row[2] for row in rows]
        axes.barh(places, first, 0.34, color=COLOURS[2], linewidth=0)
        axes.barh(places, second, 0.34, left=first, color=LINE, linewidth=0)
        whole = max([a + b for a, b in zip(first, second, strict=True)] or [1]) or 1
        for place, (label, one, other) in enumerate(rows):
            axes.annotate(
                drawn.word(_short(label)), (0, place - 0.24), (0, 2), textcoords="offset points", va="bottom", color=INK
            )
            axes.annotate(
                drawn.word(told(one, other)),
                (whole, place - 0.24),
                (0, 2),
                textcoords="offset points",
                ha="right",
                va="bottom",
                color=SOFT,
            )
        axes.set_xlim(0, whole)
        axes.set_ylim(len(rows) - 0.7, -0.85)
        axes.axis("off")
        legend = ((BLOCK + 2, kinds[0]), (REST, kinds[1])) if any(second) else ()
        return Figure(name, title, drawn.svg(name, title), legend)


def whiskers(name: str, title: str, rows: Sequence[Row], places: int) -> Figure:
    """Dots with intervals, a scale a row; rows have room for so many dots, so that pictures side by side have rows side by side."""
    labels = list(dict.fromkeys((dot.look, dot.label) for row in rows for dot in row.dots))
    high = 0.48 + 0.18 * places
    with sheet(high * len(rows), laid_out=False) as drawn:
        for number_, row in enumerate(reversed(rows)):
            # Below the axis stand its numbers, above it the name.
            axes = drawn.figure.add_axes(
                (0.03, (number_ + 0.2 / high) / len(rows), 0.94, (1 - 0.42 / high) / len(rows))
            )
            _row(axes, drawn, row)
        return Figure(
            name,
            title,
            drawn.svg(name, title),
            tuple((DOT + look, label) for look, label in labels) if len(labels) > 1 else (),
        )


def _row(axes: Any, drawn: Sheet, row: Row) -> None:
    from matplotlib.ticker import FuncFormatter, MaxNLocator

    for place, dot in enumerate(row.dots):
        colour = COLOURS[dot.look]
        if dot.interval is not None:
            axes.plot(dot.interval, (place, place), color=colour, linewidth=1.6, solid_capstyle="butt")
            axes.plot(dot.interval, (place, place), color=colour, linestyle="", marker="|", markersize=5)
        axes.plot(
            [dot.value], [place], color=colour, marker=MARKERS[dot.look], markersize=5, markeredgecolor=CARD, zorder=4
        )
    for mark in row.marks:
        axes.axvline(mark, color=SOFT, linewidth=1, linestyle=(0, (1.5, 1.5)))
    low, high = axes.get_xlim()
    if high - low <= abs(high) * 1e-9:
        axes.set_xlim(low - 0.5, high + 0.5)
    if row.flipped:
        axes.invert_xaxis()
    axes.set_ylim(len(row.dots) - 0.5, -0.5)
    axes.set_yticks([])
    axes.spines["left"].set_visible(False)
    axes.xaxis.set_major_locator(MaxNLocator(4, min_n_ticks=2))
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: number(round(value, 10))))
    axes.tick_params(length=2)
    axes.set_title(drawn.word(_short(row.label)), loc="left", fontsize=SIZE, pad=2, color=INK)


def _short(text: str, most: int = 44) -> str:
    return text if len(text) <= most else text[: most - 1] + "…"
