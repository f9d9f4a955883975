"""A page that needs nothing else: no script, no file beside it, nothing from outside. What is on it is said by others."""

from collections.abc import Iterable, Sequence
from html import escape

from dadeum.core.language import language
from dadeum.tokenizer.readable import visible

# The browser itself refuses whatever a row might try to load or run.
POLICY = "default-src 'none'; style-src 'unsafe-inline'"
LOOK = """
:root { color-scheme: light dark; --page: #f7f6f3; --card: #fff; --ink: #24272c; --soft: #70757d; --line: #e4e2dc;
  --plain: #767b83; --edge: #eceae4; --t: #d8eee0; --t-edge: #b4dbc2; --t-ink: #123f27; --s: #e9edf5; --s-ink: #3d5682;
  --s-line: #c3cee2; --ts-line: #3f9a66; --c: #fbeceb; --c-ink: #a8504a; --w-ink: #8a6412; --rest: #d9d7d1; }
@media (prefers-color-scheme: dark) { :root { --page: #14161a; --card: #1b1e23; --ink: #dfe2e6; --soft: #8d939c;
  --line: #2b2f36; --plain: #969ca5; --edge: #262a30; --t: #1d3a2a; --t-edge: #2d5941; --t-ink: #b9e6c9; --s: #232c3b;
  --s-ink: #9fb8e3; --s-line: #3a4a66; --ts-line: #58b582; --c: #3a2323; --c-ink: #e08f88; --w-ink: #d8b25c; --rest: #3a3f47; } }
* { box-sizing: border-box; }
body { margin: 0; background: var(--page); color: var(--ink); line-height: 1.6;
  font-family: system-ui, -apple-system, "Segoe UI", "Apple SD Gothic Neo", "Malgun Gothic", "Noto Sans CJK KR", "Noto Sans KR", sans-serif; }
main { max-width: 60rem; margin: 0 auto; padding: 3rem 1.5rem 5rem; }
h1 { font-size: 1.6rem; font-weight: 650; letter-spacing: -.01em; margin: 0 0 .25rem; text-wrap: balance; }
.lead { color: var(--soft); margin: 0 0 1.5rem; }
dl { display: grid; grid-template-columns: max-content 1fr; gap: .15rem 1.25rem; margin: 0 0 1.5rem; font-size: .9rem; }
dt { color: var(--soft); } dd { margin: 0; }
.note { font-size: .9rem; color: var(--c-ink); margin: 0 0 1.5rem; }
section { margin-top: 2.25rem; } section dl { margin: 0; } dd { font-variant-numeric: tabular-nums; overflow-wrap: anywhere; }
h2 { font-size: 1.05rem; font-weight: 600; margin: 0 0 .6rem; } h2, h3 { break-after: avoid; }
.verdict { font-size: 1.05rem; font-weight: 600; margin: .25rem 0 1.75rem; }
.verdict::before { display: inline-block; width: 1.5em; }
.verdict.yes { color: var(--t-ink); } .verdict.yes::before { content: "✓"; }
.verdict.no { color: var(--c-ink); } .verdict.no::before { content: "✗"; }
.wide { overflow-x: auto; } table { border-collapse: collapse; width: 100%; font-size: .9rem; font-variant-numeric: tabular-nums; }
th { font-weight: 400; color: var(--soft); } th, td { text-align: left; padding: .3rem 1rem .3rem 0; border-bottom: 1px solid var(--line);
  vertical-align: top; white-space: nowrap; } th:last-child, td:last-child { padding-right: 0; }
.right { text-align: right; } .rest { white-space: normal; overflow-wrap: anywhere; width: 100%; min-width: 14rem; }
.hint { color: var(--soft); font-size: .9rem; margin: .6rem 0 0; }
article { background: var(--card); border: 1px solid var(--line); border-radius: 12px; margin-top: 1.75rem; padding: 1.5rem; }
figure { margin: 0 0 1.25rem; background: var(--card); border: 1px solid var(--line); border-radius: 12px; padding: 1.25rem 1.25rem .75rem; }
figcaption { color: var(--soft); font-size: .9rem; margin-bottom: .5rem; }
@media (max-width: 36rem) { main { padding: 1.5rem 1rem 3rem; } article { padding: 1rem; } dl { grid-template-columns: minmax(0, 1fr); }
  dd { margin-bottom: .4rem; } }
@media print { :root { --page: #fff; --card: #fff; --ink: #000; --soft: #555; --plain: #555; --t: #e2f2e8; --t-ink: #063; --t-edge: #9cc; --s: #fff;
    --s-ink: #000; --s-line: #888; --ts-line: #2a7d4d; --c: #fff; --c-ink: #933; --w-ink: #640; --line: #ccc; --edge: #eee; --rest: #ccc; }
  main { max-width: none; padding: 0; } figure, tr { break-inside: avoid; } .wide { overflow: visible; }
  article { border: 0; border-top: 1px solid var(--line); border-radius: 0; padding: 1rem 0; } }
"""


def escaped(text: str) -> str:
    """Any text, a row's too, as text of a page."""
    return escape(visible(text))


def facts(pairs: Iterable[tuple[str, str]]) -> str:
    """Names and values."""
    told = "".join(f"<dt>{escaped(key)}</dt><dd>{escaped(value)}</dd>" for key, value in pairs)
    return f"<dl>{told}</dl>"


def section(title: str, inner: str) -> str:
    """A part of a page under its heading."""
    return f"<section>\n<h2>{escaped(title)}</h2>\n{inner}\n</section>"


def table(columns: Iterable[tuple[str, str]], rows: Iterable[Sequence[str]]) -> str:
    """Columns are names and how they stand: `left`, `right`, or `rest` for the one that breaks its lines."""
    named = tuple(columns)
    looks = ["" if how == "left" else f' class="{how}"' for _, how in named]
    head = "".join(f"<th{look}>{escaped(name)}</th>" for (name, _), look in zip(named, looks, strict=True))
    told = ("".join(f"<td{look}>{escaped(cell)}</td>" for cell, look in zip(row, looks, strict=True)) for row in rows)
    body = "\n".join(f"<tr>{row}</tr>" for row in told)
    return f'<div class="wide"><table>\n<tr>{head}</tr>\n{body}\n</table></div>'


def document(title: str, style: str, body: str) -> str:
    """The whole page under its title, as text."""
    return (
        f'<!doctype html>\n<html lang="{language()}">\n<head>\n<meta charset="utf-8">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{POLICY}">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{escaped(title)}</title>\n<style>{LOOK}{style}</style>\n</head>\n<body>\n<main>\n"
        f"<h1>{escaped(title)}</h1>\n{body}\n</main>\n</body>\n</html>\n"
    )
