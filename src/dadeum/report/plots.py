"""A canvas of matplotlib and the SVG that a page can hold: text stays text, colours follow the page, bytes repeat.

The only module that imports matplotlib, and only when something is drawn. What is written on a picture goes through
`Sheet.word`: matplotlib sees a stand-in of about the same width, since its own font knows no Hangul and `$` means
mathematics to it; the reader's fonts draw the word itself.
"""

import io
import logging
import os
import re
import tempfile
import unicodedata
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from html import escape
from pathlib import Path
from typing import Any

from dadeum.report.blocks import BLOCK, DOT
from dadeum.tokenizer.readable import visible

WIDTH = 4.2  # inches; text of 9 points is then read as 13 pixels in half a page, and as 10 on a telephone
SIZE = 9
# Okabe and Ito's colours, which those who see fewer colours tell apart; lighter in the dark.
LIGHT = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#8a6d00", "#56b4e9")
DARK = ("#5eb8f0", "#ff9148", "#35cfa3", "#e9a7c9", "#e6c64a", "#a5dcff")
DASHES = ("", "5 2", "1.5 1.6", "6 1.8 1.5 1.8", "3 1.5", "8 2")
MARKERS = ("o", "s", "D", "^", "v", "P")
SHAPES = (  # of the markers, in a legend
    "M9.5 0a3.5 3.5 0 1 0 .01 0z",
    "M6.3 .3h6.4v6.4h-6.4z",
    "M9.5 -.8l4.3 4.3l-4.3 4.3l-4.3 -4.3z",
    "M9.5 -.3l3.8 7h-7.6z",
    "M9.5 7.3l3.8 -7h-7.6z",
    "M8.2 0h2.6v2.2h2.2v2.6h-2.2v2.2h-2.6v-2.2h-2.2v-2.6h2.2z",
)
# What stands in the SVG while it is drawn, and what the page reads instead.
_INK = {"#010101": "var(--ink)", "#020202": "var(--soft)", "#030303": "var(--line)", "#040404": "var(--card)"}
INK, SOFT, LINE, CARD = _INK
COLOURS = tuple(f"#0{n}0{n}0f" for n in range(1, 7))
_VARIABLES = {**_INK, **{colour: f"var(--p{n})" for n, colour in enumerate(COLOURS, 1)}}


def _variables(colours: tuple[str, ...]) -> str:
    return " ".join(f"--p{n}: {colour};" for n, colour in enumerate(colours, 1))


# For a page that holds such pictures.
STYLE = f"""
:root {{ {_variables(LIGHT)} }} @media (prefers-color-scheme: dark) {{ :root {{ {_variables(DARK)} }} }}
@media print {{ :root {{ {_variables(LIGHT)} }} }}
svg.plot {{ display: block; width: 100%; height: auto; overflow: visible; font-family: inherit; font-variant-numeric: tabular-nums; }}
svg.plot * {{ stroke-linejoin: round; stroke-linecap: butt; -webkit-print-color-adjust: exact; print-color-adjust: exact; }}
"""
# For a picture that stands alone in a file.
_ALONE = (
    f"<style>:root {{ --ink: #24272c; --soft: #70757d; --line: #d5d3cd; --card: #fff; {_variables(LIGHT)} "
    "font-family: system-ui, sans-serif } "
    "@media (prefers-color-scheme: dark) { :root { --ink: #dfe2e6; --soft: #9aa1aa; --line: #3a3f47; --card: #1b1e23; "
    f"{_variables(DARK)} }} }} * {{ stroke-linejoin: round }}</style>"
)


class Sheet:
    """One picture: axes to draw on, and the words that stand on it."""

    def __init__(self, figure: Any) -> None:
        self.figure = figure
        self._words: list[str] = []

    def word(self, text: str) -> str:
        """The stand-in of a text; give it to matplotlib in its place."""
        self._words.append(text)
        return f"@{len(self._words) - 1}" + "m" * max(0, round(_width(text) - 1.6))

    def svg(self, name: str, title: str) -> str:
        """The picture as it stands in a page: ids begin with `name`, `title` is read aloud."""
        from matplotlib.backends.backend_svg import FigureCanvasSVG

        FigureCanvasSVG(self.figure)
        out = io.StringIO()
        self.figure.savefig(out, format="svg", transparent=True, metadata={"Date": None, "Creator": None})
        return _for_a_page(out.getvalue(), name, title, self._words)


def _for_a_page(svg: str, name: str, title: str, words: list[str]) -> str:
    """Only what draws is kept; colours become the page's, ids its own, stand-ins the words."""
    svg = svg[svg.index("<svg") :]
    svg = re.sub(r"<metadata>.*?</metadata>|<style.*?</style>|<!--.*?-->|<defs>\s*</defs>", "", svg, flags=re.DOTALL)
    used = set(re.findall(r'url\(#([^)]+)\)|href="#([^"]+)"', svg))
    kept = {one or other for one, other in used}
    svg = re.sub(r' id="([^"]+)"', lambda m: f' id="{name}-{m[1]}"' if m[1] in kept else "", svg)
    svg = re.sub(r'(url\(#|href="#)', rf"\g<1>{name}-", svg)
    svg = re.sub(r" font-family: [^;\"]*;| transform=\"rotate\(-0 [^\"]*\"", "", svg)
    for colour, variable in _VARIABLES.items():
        svg = svg.replace(colour, variable)
    svg = re.sub(r"@(\d+)m*", lambda m: escape(visible(words[int(m[1])])), svg)
    box = re.search(r'viewBox="[^"]+"', svg)
    assert box is not None
    start = f'<svg class="plot" {box[0]} role="img" aria-label="{escape(visible(title))}" xmlns:xlink="http://www.w3.org/1999/xlink">'
    inner = svg[svg.index(">") + 1 :].strip()
    inner = re.sub(r"\s*\n\s*", "\n", inner)
    return f"{start}<title>{escape(visible(title))}</title>\n{inner}"


def alone(svg: str, legend: Sequence[tuple[int, str]] = ()) -> str:
    """The picture as a file of its own, light and dark, with its legend above."""
    head, _, rest = svg.partition(">")
    keys, left = [], 2.0
    for look, label in legend:
        keys.append(f'<g transform="translate({left:.1f} -9)">{key(look)}</g>')
        text = escape(visible(label))
        keys.append(f'<text x="{left + 23:.1f}" y="-3" style="font-size: {SIZE}px; fill: var(--soft)">{text}</text>')
        left += 34 + SIZE * _width(label)
    above = 14 if keys else 0
    head = re.sub(
        r'viewBox="0 0 (\S+) (\S+)"',
        lambda m: f'viewBox="0 {-above} {m[1]} {float(m[2]) + above:g}" width="{float(m[1]) * 1.6:.0f}"',
        head,
    )
    return f'<?xml version="1.0" encoding="utf-8"?>\n{head} xmlns="http://www.w3.org/2000/svg">{_ALONE}{"".join(keys)}{rest}\n'


def key(look: int) -> str:
    """A part of a picture in its legend, 19 by 7: the line with its dash, the filled block, the dot with its marker."""
    if look < 0 or BLOCK <= look < DOT:
        fill = "var(--line)" if look < 0 else f"var(--p{look - BLOCK + 1})"
        return f'<rect width="19" height="7" style="fill:{fill}"/>'
    dot, look = look >= DOT, look % BLOCK
    colour = f"var(--p{look + 1})"
    dash = f";stroke-dasharray:{DASHES[look]}" if not dot and DASHES[look] else ""
    drawn = f'<path d="M0 3.5H19" style="stroke:{colour};stroke-width:2{dash}"/>'
    return drawn + (f'<path d="{SHAPES[look]}" style="fill:{colour}"/>' if dot else "")


def _width(text: str) -> float:
    """About how wide a text is, in its size."""
    return sum(1.0 if unicodedata.east_asian_width(c) in "WF" else 0.56 for c in text)


@contextmanager
def sheet(height: float, *, laid_out: bool = True) -> Iterator[Sheet]:
    """An empty picture, so many inches high, under settings of our own: a matplotlibrc of the user's changes nothing.

    Not `laid_out`, axes stand where they are put.
    """
    _settle()
    import matplotlib
    from matplotlib.figure import Figure

    with matplotlib.rc_context():
        matplotlib.rcdefaults()
        matplotlib.rcParams.update(
            {
                "svg.fonttype": "none",
                "svg.hashsalt": "dadeum",
                "font.family": "DejaVu Sans",
                "font.size": SIZE,
                "axes.edgecolor": LINE,
                "axes.labelcolor": SOFT,
                "axes.spines.top": False,
                "axes.spines.right": False,
                "axes.linewidth": 0.8,
                "axes.axisbelow": True,
                "text.color": INK,
                "xtick.color": LINE,
                "ytick.color": LINE,
                "xtick.labelcolor": SOFT,
                "ytick.labelcolor": SOFT,
                "grid.color": LINE,
                "grid.linewidth": 0.6,
                "lines.linewidth": 1.4,
                "path.simplify": False,
            }
        )
        yield Sheet(Figure(figsize=(WIDTH, height), layout="constrained" if laid_out else None))


def _settle() -> None:
    """Let matplotlib keep its list of fonts where it may write, and say nothing of it."""
    logging.getLogger("matplotlib").setLevel(logging.ERROR)
    if os.environ.get("MPLCONFIGDIR"):
        return
    home = Path(os.environ.get("HOME", "/nonexistent"))
    places = (
        os.environ.get("XDG_CONFIG_HOME") or home / ".config",
        os.environ.get("XDG_CACHE_HOME") or home / ".cache",
    )
    if all(_writable(Path(place)) for place in places):
        return
    folder = Path(tempfile.gettempdir()) / f"dadeum-matplotlib-{os.getuid() if hasattr(os, 'getuid') else 0}"
    folder.mkdir(mode=0o700, exist_ok=True)
    ours = not folder.is_symlink() and (not hasattr(os, "getuid") or folder.stat().st_uid == os.getuid())
    os.environ["MPLCONFIGDIR"] = str(folder) if ours else tempfile.mkdtemp(prefix="dadeum-matplotlib-")


def _writable(place: Path) -> bool:
    """Whether it is a folder of ours, or could be made one."""
    while not place.exists() and place != place.parent:
        place = place.parent
    return place.is_dir() and os.access(place, os.W_OK)


def number(value: float) -> str:
    """A tick as plain text: `1,500`, `0.02`, `1e-05`, `1.4G`."""
    return _plain(value).replace("-", "−")


def _plain(value: float) -> str:
    size = abs(value)
    if 1e5 <= size < 1e15:
        for unit, letter in ((1e12, "T"), (1e9, "G"), (1e6, "M"), (1e3, "k")):
            if size >= unit:
                return f"{value / unit:.4g}{letter}"
    if size >= 1e15 or (size and size < 1e-3):
        return re.sub(r"e([+-])0*", r"e\1", f"{value:.3g}").replace("e+", "e")
    return f"{value:,.0f}" if value == int(value) else f"{value:.6g}"
