"""A page that needs nothing else: no script, no file beside it, nothing from outside. What is on it is said by others."""

from collections.abc import Iterable
from html import escape

from dadeum.core.language import language
from dadeum.tokenizer.readable import visible

# The browser itself refuses whatever a row might try to load or run.
POLICY = "default-src 'none'; style-src 'unsafe-inline'"
LOOK = """
:root { color-scheme: light dark; --page: #f7f6f3; --card: #fff; --ink: #24272c; --soft: #70757d; --line: #e4e2dc;
  --plain: #767b83; --edge: #eceae4; --t: #d8eee0; --t-edge: #b4dbc2; --t-ink: #123f27; --s: #e9edf5; --s-ink: #3d5682;
  --s-line: #c3cee2; --ts-line: #3f9a66; --c: #fbeceb; --c-ink: #a8504a; --rest: #d9d7d1; }
@media (prefers-color-scheme: dark) { :root { --page: #14161a; --card: #1b1e23; --ink: #dfe2e6; --soft: #8d939c;
  --line: #2b2f36; --plain: #969ca5; --edge: #262a30; --t: #1d3a2a; --t-edge: #2d5941; --t-ink: #b9e6c9; --s: #232c3b;
  --s-ink: #9fb8e3; --s-line: #3a4a66; --ts-line: #58b582; --c: #3a2323; --c-ink: #e08f88; --rest: #3a3f47; } }
* { box-sizing: border-box; }
body { margin: 0; background: var(--page); color: var(--ink); line-height: 1.6;
  font-family: system-ui, -apple-system, "Segoe UI", "Apple SD Gothic Neo", "Malgun Gothic", "Noto Sans CJK KR", "Noto Sans KR", sans-serif; }
main { max-width: 60rem; margin: 0 auto; padding: 3rem 1.5rem 5rem; }
h1 { font-size: 1.6rem; font-weight: 650; letter-spacing: -.01em; margin: 0 0 .25rem; text-wrap: balance; }
.lead { color: var(--soft); margin: 0 0 1.5rem; }
dl { display: grid; grid-template-columns: max-content 1fr; gap: .15rem 1.25rem; margin: 0 0 1.5rem; font-size: .9rem; }
dt { color: var(--soft); } dd { margin: 0; }
.note { font-size: .9rem; color: var(--c-ink); margin: 0 0 1.5rem; }
"""


def escaped(text: str) -> str:
    """Any text, a row's too, as text of a page."""
    return escape(visible(text))


def facts(pairs: Iterable[tuple[str, str]]) -> str:
    """Names and values."""
    told = "".join(f"<dt>{escaped(key)}</dt><dd>{escaped(value)}</dd>" for key, value in pairs)
    return f"<dl>{told}</dl>"


def document(title: str, style: str, body: str) -> str:
    """The whole page under its title, as text."""
    return (
        f'<!doctype html>\n<html lang="{language()}">\n<head>\n<meta charset="utf-8">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{POLICY}">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{escaped(title)}</title>\n<style>{LOOK}{style}</style>\n</head>\n<body>\n<main>\n"
        f"<h1>{escaped(title)}</h1>\n{body}\n</main>\n</body>\n</html>\n"
    )
