"""The report as one page that needs nothing else. Every text is escaped here, and secrets taken out, whoever wrote it."""

from itertools import groupby

from dadeum.core.language import say
from dadeum.core.secrets import redact
from dadeum.data import show_page
from dadeum.data.page import document, facts, section, table
from dadeum.data.page import escaped as as_text
from dadeum.report import plots
from dadeum.report.blocks import Block, Code, Document, Facts, Figure, Link, Page, Section, Side, Table, Text

STYLE = """
h1 { overflow-wrap: anywhere; } .lead { margin: 0 0 1.25rem; overflow-wrap: anywhere; }
.verdict { margin-bottom: .35rem; text-wrap: pretty; } .verdict::before { width: auto; margin-right: .5em; } .verdict.open::before { content: "○"; color: var(--soft); }
.more { margin: 0 0 .35rem; } .look { color: var(--c-ink); font-size: .9rem; margin: .35rem 0 0; overflow-wrap: anywhere; }
section { margin-top: 2.75rem; } section > * + * { margin-top: 1rem; } section > h2 + * { margin-top: 0; } section .note { margin-bottom: 0; }
section > h2 { font-size: 1.2rem; padding-bottom: .35rem; border-bottom: 1px solid var(--line); margin-bottom: .9rem; }
h3 { font-size: .95rem; font-weight: 600; margin: 0 0 .4rem; } section > .hint, .hint { margin: .35rem 0 0; }
dl { grid-template-columns: minmax(6rem, max-content) minmax(0, 1fr); }
.figures { display: grid; grid-template-columns: repeat(2, minmax(0, 1fr)); gap: 1rem; }
.figures:has(> :only-child) { grid-template-columns: minmax(0, 32rem); }
figure { margin: 0; padding: .9rem .9rem .7rem; } figcaption { font-size: .85rem; line-height: 1.4; color: var(--ink); }
.keys { display: flex; flex-wrap: wrap; gap: .1rem .9rem; font-size: .8rem; color: var(--soft); margin-bottom: .35rem; }
.keys svg { width: 1.9em; height: .7em; margin-right: .4em; vertical-align: 0; overflow: visible; }
td, th { padding-right: .85rem; font-size: .87rem; } th { vertical-align: bottom; white-space: normal; } th:first-child { white-space: nowrap; } td:last-child, th:last-child { overflow-wrap: normal; }
td.rest { min-width: 11rem; } .wide { scrollbar-width: thin; }
.side { margin-top: 1rem; padding: 1.1rem 1.25rem; break-inside: avoid; } .side p, .side pre { margin: 0; }
.side h3 { color: var(--soft); font-weight: 400; font-size: .85rem; }
.asked { display: grid; grid-template-columns: minmax(4rem, max-content) minmax(0, 1fr); gap: .2rem 1rem; font-size: .92rem; }
.asked b, .said b { font-weight: 400; color: var(--soft); font-size: .82rem; }
.asked div, .said div { white-space: pre-wrap; overflow-wrap: anywhere; }
.said { display: grid; grid-template-columns: repeat(auto-fit, minmax(14rem, 1fr)); gap: .9rem 1.5rem; margin-top: .8rem; padding-top: .8rem;
  border-top: 1px solid var(--line); font-size: .92rem; } .said .none { color: var(--soft); }
pre { font: .85rem/1.5 ui-monospace, "SF Mono", Consolas, monospace; background: var(--card); border: 1px solid var(--line); border-radius: 8px;
  padding: .7rem .9rem; margin: 0; white-space: pre-wrap; overflow-wrap: anywhere; }
summary { cursor: pointer; color: var(--soft); font-size: .9rem; } details[open] summary { margin-bottom: .6rem; }
a { color: var(--s-ink); } .legend { position: static; border-top: 0; padding-top: 0; } .legend + article { margin-top: 1rem; }
article h2 { font-size: .9rem; }
@media (max-width: 44rem) { .figures { grid-template-columns: minmax(0, 1fr); } }
@media (max-width: 36rem) { dl { grid-template-columns: minmax(0, 1fr); } .asked { grid-template-columns: minmax(0, 1fr); gap: 0; } .asked div { margin-bottom: .4rem; }
  section { margin-top: 2.25rem; } figure { padding: .75rem .6rem .5rem; } }
@media print { @page { margin: 16mm 14mm; } body { font-size: 10pt; line-height: 1.45; } section { margin-top: 1.6rem; } section > h2 + * { break-before: avoid; }
  .figures { display: block; columns: 2; column-gap: 1rem; } .figures:has(> :only-child) { columns: auto; max-width: 24rem; } .figures figure { margin: 0 0 1rem; }
  figure { border-radius: 0; } .side { padding: .7rem 0; } td, th { padding-right: .6rem; font-size: 8.5pt; } th, td.left { white-space: normal; }
  details:not([open]) { display: none; } a { color: inherit; text-decoration: none; } article .text { line-height: 1.7; } }
"""


def page(report: Document) -> str:
    """The whole page, as text."""
    mark, sentences = report.verdict.mark, report.verdict.sentences
    parts = [f'<p class="lead">{escaped(report.lead)}</p>']
    parts += [f'<p class="verdict {mark}">{escaped(sentences[0])}</p>']
    parts += [f'<p class="more">{escaped(one)}</p>' for one in sentences[1:]]
    parts += [f'<p class="look">{escaped(one)}</p>' for one in report.damaged]
    parts += map(_section, report.sections)
    style = show_page.STYLE + plots.STYLE + STYLE
    return redact(document(redact(report.title), style, "\n".join(parts)))


def escaped(text: str) -> str:
    """As text of the page, secrets taken out first: escaping would change how they look."""
    return as_text(redact(text))


def _section(one: Section) -> str:
    inner = []
    for pictures, blocks in groupby(one.blocks, key=lambda block: isinstance(block, Figure)):
        told = "\n".join(map(_block, blocks))
        inner.append(f'<div class="figures">\n{told}\n</div>' if pictures else told)
    return section(redact(one.title), "\n".join(inner))


def _block(block: Block) -> str:
    match block:
        case Text():
            look = f' class="{block.look}"' if block.look else ""
            return f"<p{look}>{_with_code(block.text)}</p>"
        case Facts():
            return facts((redact(name), redact(value)) for name, value in block.pairs)
        case Table():
            head = f"<h3>{escaped(block.title)}</h3>\n" if block.title else ""
            columns = [(redact(name), how) for name, how in block.columns]
            return f"<div>{head}{table(columns, [[redact(cell) for cell in row] for row in block.rows])}</div>"
        case Figure():
            return _figure(block)
        case Side():
            return _side(block)
        case Code():
            code = f"<pre>{escaped(block.text)}</pre>"
            return f"<details><summary>{escaped(block.title)}</summary>{code}</details>" if block.title else code
        case Page():
            return block.html
        case Link():
            return f'<p class="hint"><a href="{escaped(block.target)}">{escaped(block.text)}</a></p>'


def _with_code(text: str) -> str:
    """Our own sentences name commands between backticks."""
    parts = escaped(text).split("`")
    if len(parts) % 2 == 0:
        return escaped(text)
    return "".join(f"<code>{part}</code>" if at % 2 else part for at, part in enumerate(parts))


def _figure(figure: Figure) -> str:
    keys = "".join(f"<span>{_key(look)}{escaped(label)}</span>" for look, label in figure.legend)
    legend = f'<div class="keys">{keys}</div>\n' if keys else ""
    return f"<figure><figcaption>{escaped(figure.title)}</figcaption>\n{legend}{figure.svg}</figure>"


def _key(look: int) -> str:
    return f'<svg viewBox="0 0 19 7" aria-hidden="true">{plots.key(look)}</svg>'


def _side(side: Side) -> str:
    asked = "".join(f"<b>{escaped(name)}</b><div>{escaped(text)}</div>" for name, text in side.asked)
    none = f'<span class="none">{say("(nothing)", "(없음)")}</span>'
    said = "".join(
        f"<div><b>{escaped(name)}</b><div>{escaped(text) or none}</div></div>" for name, text in side.answers
    )
    return (
        f'<article class="side"><h3>{escaped(side.title)}</h3>\n<div class="asked">{asked}</div>\n'
        f'<div class="said">{said}</div></article>'
    )
