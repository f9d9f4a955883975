"""The explanation as one page that needs nothing else; what stands in it is said by `chapters`."""

from collections.abc import Sequence

from dadeum.core.language import say
from dadeum.data.page import document, escaped, facts
from dadeum.data.show_page import STYLE, pieces
from dadeum.explain.chapters import (
    Block,
    Chapter,
    Check,
    Curve,
    Paint,
    Pairs,
    Para,
    Quote,
    Sheet,
    Sum,
    chapters,
    head,
    n,
    title_of,
)
from dadeum.explain.facts import Explanation

LOOK = """
.toc { columns: 2; column-gap: 2rem; font-size: .9rem; margin: 0 0 1rem; padding-left: 1.4rem; color: var(--soft); }
.toc a { color: var(--s-ink); text-decoration: none; } .toc a:hover { text-decoration: underline; }
.ch { background: var(--card); border: 1px solid var(--line); border-radius: 12px; margin-top: 1.5rem; padding: 1.5rem; }
.ch > h2 { font-size: 1.15rem; font-weight: 650; margin: 0 0 .75rem; } .ch > h2 b { color: var(--ts-line); margin-right: .6rem; }
.ch > p { margin: .75rem 0; max-width: 46rem; overflow-wrap: anywhere; } .ch > p:first-of-type { margin-top: 0; }
.ch article { border: 0; border-radius: 0; margin: 0; padding: .75rem 0 0; background: none; }
.ch .legend { position: static; }
.ch dl { margin: .75rem 0; } .ch dd { overflow-wrap: anywhere; min-width: 0; }
.quote { white-space: pre-wrap; overflow-wrap: anywhere; margin: .5rem 0; padding: .6rem .9rem; border-left: 3px solid var(--s-line);
  background: var(--page); border-radius: 0 6px 6px 0; font-size: .95rem; }
.quote b { display: block; font-weight: 600; font-size: .8rem; color: var(--s-ink); }
.ch .wide { margin: .75rem 0; } .ch table { font-size: .875rem; }
.ch th { font-weight: 600; } .ch th, .ch td { padding: .3rem .6rem .3rem 0; border-color: var(--edge); } .ch th { border-color: var(--line); }
.ch td { white-space: normal; overflow-wrap: break-word; } .ch .num { text-align: right; white-space: nowrap; }
.ch td.share { width: 22%; min-width: 4rem; vertical-align: middle; }
td.share i { display: block; height: .6em; border-radius: 3px; background: var(--ts-line); min-width: 1px; }
td.piece { font-family: ui-monospace, "SF Mono", Consolas, "Noto Sans Mono CJK KR", monospace; font-size: .8rem; }
td small { display: block; color: var(--soft); }
.sum { margin: .75rem 0; border-left: 3px solid var(--ts-line); padding-left: .9rem; font-size: .9rem; font-variant-numeric: tabular-nums; }
.sum div { display: grid; grid-template-columns: 13rem 1fr auto; gap: 0 1rem; padding: .25rem 0; border-bottom: 1px solid var(--edge); }
.sum div:last-child { border-bottom: 0; } .sum div.strong { font-weight: 600; }
.sum span { color: var(--soft); } .sum span, .sum code { overflow-wrap: anywhere; min-width: 0; } .sum div.strong span { color: inherit; }
.sum code { font: inherit; color: var(--plain); } .sum b { font-weight: 500; text-align: right; } .sum .strong b { font-weight: 700; }
.check { border-radius: 8px; padding: .6rem .9rem; background: var(--t); color: var(--t-ink); max-width: 46rem; }
.check.no { background: var(--c); color: var(--c-ink); }
svg { display: block; width: 100%; height: auto; margin: .5rem 0; } svg text { fill: var(--soft); font-size: 11px;
  paint-order: stroke; stroke: var(--card); stroke-width: 4px; }
svg .line { fill: none; stroke: var(--ts-line); stroke-width: 2; } svg .axis { stroke: var(--line); } svg .now { fill: var(--c-ink); }
@media (max-width: 36rem) { .toc { columns: 1; } .ch { padding: 1rem; } .sum div { grid-template-columns: 1fr auto; }
  .sum code { grid-column: 1 / -1; grid-row: 2; } .ch table { font-size: .8rem; } .ch th, .ch td { padding-right: .4rem; }
  .ch td.share { width: auto; min-width: 2.5rem; } svg text { font-size: 17px; }
  .tokens tr { display: grid; grid-template-columns: minmax(3rem, 1fr) 6rem 3rem 3rem 5rem; border-bottom: 1px solid var(--edge); }
  .ch .tokens :is(td, th) { border: 0; } .tokens td:last-child, .tokens th:last-child { grid-column: 1 / -1; color: var(--soft); padding-top: 0; }
  .stacked tr { display: flex; flex-wrap: wrap; border-bottom: 1px solid var(--edge); }
  .ch .stacked :is(td, th) { border: 0; flex: 1 1 0; min-width: 0; padding-right: .25rem; } .ch .stacked td.num { font-size: .75rem; }
  .ch .stacked :is(td, th):first-child { flex-basis: 100%; font-weight: 600; padding-bottom: 0; } }
@media print { .ch { border: 0; border-top: 1px solid var(--line); border-radius: 0; padding: 1rem 0; } .toc { display: none; }
  .sum div { break-inside: avoid; }
  td.share i, .check { -webkit-print-color-adjust: exact; print-color-adjust: exact; } }
"""
WIDTH, HEIGHT, LEFT, BOTTOM, TOP = 640, 190, 70, 24, 26


def page(found: Explanation) -> str:
    """The whole page, as text."""
    pairs, notes = head(found)
    lead = say(
        "One optimizer step of the run's own loop on its own data. Every number is read from that step.",
        "실행과 같은 루프가 같은 데이터로 한 옵티마이저 단계 하나입니다. 모든 수는 그 단계에서 읽었습니다.",
    )
    told = list(enumerate(chapters(found), 1))
    toc = "".join(f'<li><a href="#c{number}">{escaped(one.title)}</a></li>' for number, one in told)
    body = (
        f'<p class="lead">{escaped(lead)}</p>\n{facts(pairs)}\n'
        + "".join(f'<p class="note">{escaped(note)}</p>\n' for note in notes)
        + f'<ol class="toc">{toc}</ol>\n'
        + "\n".join(_chapter(number, one) for number, one in told)
    )
    return document(title_of(found.taken), STYLE + LOOK, body)


def _chapter(number: int, chapter: Chapter) -> str:
    blocks = "\n".join(map(_block, chapter.blocks))
    return (
        f'<section class="ch" id="c{number}">\n<h2><b>{number}</b>{escaped(chapter.title)}</h2>\n{blocks}\n</section>'
    )


def _block(block: Block) -> str:
    match block:
        case Para(text):
            return f"<p>{escaped(text)}</p>"
        case Check(text, good):
            mark, look = ("✓", "check") if good else ("✗", "check no")
            return f'<p class="{look}">{mark} {escaped(text)}</p>'
        case Pairs(pairs):
            return facts(pairs)
        case Quote(text, who):
            return f'<div class="quote">{f"<b>{escaped(who)}</b>" if who else ""}{escaped(text)}</div>'
        case Paint(painted):
            return pieces(painted)
        case Sheet():
            return _sheet(block)
        case Sum():
            return _sum(block)
        case Curve(points, now):
            return _curve(points, now)


def _sheet(sheet: Sheet) -> str:
    """A table, with its bars in a column of their own."""
    at = sheet.beside + 1
    heads = [f'<th class="{_look(sheet, i)}">{escaped(name)}</th>' for i, name in enumerate(sheet.columns)]
    if sheet.bars:
        heads.insert(at, "<th></th>")
    rows = []
    for number, row in enumerate(sheet.rows):
        cells = [_cell(sheet, i, cell) for i, cell in enumerate(row)]
        if sheet.bars:
            share = max(0.0, min(1.0, sheet.bars[number]))
            cells.insert(at, f'<td class="share"><i style="width:{100 * share:.2f}%"></i></td>')
        rows.append(f"<tr>{''.join(cells)}</tr>")
    look = " tokens" if sheet.pieces else " stacked" if sheet.stacked else ""
    return f'<div class="wide{look}"><table><tr>{"".join(heads)}</tr>\n{chr(10).join(rows)}\n</table></div>'


def _look(sheet: Sheet, column: int) -> str:
    return " ".join(["num"] * (column not in sheet.words) + ["piece"] * (column in sheet.pieces))


def _cell(sheet: Sheet, column: int, text: str) -> str:
    first, _, rest = text.partition("\n")
    small = f"<small>{escaped(rest)}</small>" if rest else ""
    return f'<td class="{_look(sheet, column)}">{escaped(first)}{small}</td>'


def _sum(found: Sum) -> str:
    strong = found.strong % len(found.lines) if found.lines else 0
    told = "".join(
        f'<div class="{"strong" if number == strong else ""}"><span>{escaped(what)}</span><code>{escaped(how)}</code>'
        f"<b>{escaped(result)}</b></div>"
        for number, (what, how, result) in enumerate(found.lines)
    )
    return f'<div class="sum">{told}</div>'


def _curve(points: Sequence[tuple[int, float]], now: tuple[int, float]) -> str:
    """A line as SVG, from 0 up."""
    first, last = points[0][0], points[-1][0]
    most = max([value for _, value in points] + [now[1]]) or 1.0

    def at(step: int, value: float) -> tuple[float, float]:
        x = LEFT + (WIDTH - LEFT - 10) * ((step - first) / (last - first) if last > first else 0.5)
        return x, TOP + (HEIGHT - BOTTOM - TOP) * (1 - value / most)

    line = " ".join(f"{x:.1f},{y:.1f}" for x, y in (at(*point) for point in points))
    x, y = at(*now)
    base = HEIGHT - BOTTOM
    label = say(f"step {now[0]}: {n(now[1])}", f"{now[0]}단계: {n(now[1])}")
    side = "end" if x > WIDTH / 2 else "start"
    return (
        f'<svg viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-label="{escaped(label)}">'
        f'<path class="axis" d="M{LEFT} {TOP}V{base}H{WIDTH - 10}" fill="none"/>'
        f'<text x="{LEFT - 6}" y="{TOP + 6}" text-anchor="end">{n(most)}</text><text x="{LEFT - 6}" y="{base}" text-anchor="end">0</text>'
        f'<text x="{LEFT}" y="{HEIGHT - 6}">{first}</text><text x="{WIDTH - 10}" y="{HEIGHT - 6}" text-anchor="end">{last}</text>'
        f'<polyline class="line" points="{line}"/><circle class="now" cx="{x:.1f}" cy="{y:.1f}" r="4"/>'
        f'<text x="{x:.1f}" y="{y - 10:.1f}" text-anchor="{side}">{escaped(label)}</text></svg>'
    )
