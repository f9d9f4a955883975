"""What `dadeum data check` found, as one page: what is wrong first, then what is there, lengths as a picture."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from dadeum.cli import check_words as words
from dadeum.core.language import say
from dadeum.data.page import document, escaped, facts, section, table

if TYPE_CHECKING:
    from dadeum.data.findings import Finding, Report

STYLE = """
h1, .lead { overflow-wrap: anywhere; } .lead { margin: 0; font-size: .9rem; }
.finding { display: grid; grid-template-columns: 5.5rem 1fr; gap: .25rem .75rem; padding: .7rem 0; border-top: 1px solid var(--line); }
.finding:last-of-type { border-bottom: 1px solid var(--line); }
.finding b { font-size: .8rem; font-weight: 600; line-height: 1.9; color: var(--soft); }
.finding.is-stop b { color: var(--c-ink); } .finding.is-look b { color: var(--w-ink); }
.finding p { margin: 0; overflow-wrap: anywhere; }
.finding ul { grid-column: 2; margin: .15rem 0 0; padding: 0; list-style: none; font-size: .85rem; color: var(--soft); overflow-wrap: anywhere; }
svg { display: block; width: 100%; height: auto; font: 12px system-ui, sans-serif; font-variant-numeric: tabular-nums; }
svg .bar { fill: var(--ts-line); } svg .base { stroke: var(--line); } svg .count { fill: var(--ink); } svg .name { fill: var(--soft); }
@media (max-width: 36rem) { figure { overflow-x: auto; } svg { min-width: 36rem; } .finding { grid-template-columns: 1fr; } .finding ul { grid-column: 1; } }
@media print { .finding { break-inside: avoid; } svg .bar { -webkit-print-color-adjust: exact; print-color-adjust: exact; } }
"""
# The picture: its size, and what stands above and below the bars.
WIDTH, HEIGHT, ABOVE, BELOW, GAP = 720, 240, 24, 30, 6


def page(name: str, report: "Report", tokens_with: str) -> str:
    """The whole page, as text; `tokens_with` says how tokens would be counted, where they are not."""
    found = report.facts
    last = name.rstrip("/").rsplit("/", 1)[-1]
    title = say(f"Data check: {last}", f"데이터 점검: {last}")
    verdict = f'<p class="verdict {"yes" if report.trainable else "no"}">{escaped(words.verdict(report))}</p>'
    parts = [
        f'<p class="lead">{escaped(name)}</p>' if last != name else "",
        verdict,
        "\n".join(map(_finding, report.findings)),
        section(say("Rows", "행"), facts(words.row_facts(found))),
        _sheet(say("Files", "파일"), words.files(found["files"])),
        _sheet(say("Columns", "열"), words.columns(found["columns"])),
    ]
    lengths = words.lengths(found)
    if lengths is not None:
        told, tokens = _table(lengths), found["tokens"]
        more = "" if tokens else f'<p class="hint">{escaped(tokens_with)}</p>'
        parts.append(section(say("Lengths", "길이"), _picture(*words.histogram(found)) + told + more))
        if tokens:
            rule = f'<p class="hint">{escaped(words.rule(tokens))}</p>'
            head = say("What a limit would do", "길이 한도에 따라")
            parts.append(section(head, _table(words.limits(tokens)) + rule))
            parts.append(section(say("Tokens", "토큰"), facts(words.token_facts(tokens))))
    return document(title, STYLE, "\n".join(part for part in parts if part))


def _finding(finding: "Finding") -> str:
    places = "".join(f"<li>{escaped(place)}</li>" for place in finding.places)
    listed = f"<ul>{places}</ul>" if places else ""
    level = words.levels()[finding.level]
    return (
        f'<div class="finding is-{finding.level}"><b>{escaped(level)}</b><p>{escaped(finding.text)}</p>{listed}</div>'
    )


def _sheet(title: str, sheet: words.Sheet | None) -> str:
    return "" if sheet is None else section(title, _table(sheet))


def _table(sheet: words.Sheet) -> str:
    more = say(f"… {sheet.more} more", f"… {sheet.more}개 더")
    rest = f'\n<p class="hint">{more}</p>' if sheet.more else ""
    return table(sheet.columns, sheet.rows) + rest


def _picture(title: str, bins: Sequence[tuple[str, int]]) -> str:
    """Bars of how many there are of each length."""
    most = max(count for _, count in bins)
    step = WIDTH / len(bins)
    drawn = []
    for at, (name, count) in enumerate(bins):
        # What there is is never drawn as nothing.
        height = max(2.0 if count else 0.0, count / most * (HEIGHT - ABOVE - BELOW))
        left, middle, top = at * step + GAP / 2, (at + 0.5) * step, HEIGHT - BELOW - height
        drawn.append(
            f'<g><title>{escaped(name)}: {count:,}</title><rect class="bar" x="{left:.1f}" y="{top:.1f}" '
            f'width="{step - GAP:.1f}" height="{height:.1f}" rx="2"/>'
            f'<text class="count" x="{middle:.1f}" y="{top - 6:.1f}" text-anchor="middle">{count:,}</text>'
            f'<text class="name" x="{middle:.1f}" y="{HEIGHT - 10}" text-anchor="middle">{escaped(_short(name))}</text></g>'
        )
    base = f'<line class="base" x1="0" x2="{WIDTH}" y1="{HEIGHT - BELOW}" y2="{HEIGHT - BELOW}"/>'
    bars = "\n".join(drawn)
    return (
        f'<figure><figcaption>{escaped(title)}</figcaption>\n<svg viewBox="0 0 {WIDTH} {HEIGHT}" role="img" '
        f'aria-label="{escaped(title)}">\n{bars}\n{base}\n</svg></figure>'
    )


def _short(name: str) -> str:
    """`1,000 – 1,999` as `1,000–1,999`, `2,000 –` as `2,000+`: there is little room below a bar."""
    return name.removesuffix(" –") + "+" if name.endswith(" –") else name.replace(" ", "")
