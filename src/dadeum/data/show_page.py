"""Painted samples as one page that needs nothing else: no script, no file beside it, nothing from outside."""

from collections.abc import Iterator

from dadeum.core.language import say
from dadeum.data.exhibit import Exhibit, Shown
from dadeum.data.page import document, escaped, facts
from dadeum.data.show import Group, Painted, plain_text
from dadeum.tokenizer.readable import alone, visible

STYLE = """
.legend { display: flex; flex-wrap: wrap; gap: .5rem 1rem; align-items: center; font-size: .9rem; padding: .75rem 0;
  border-block: 1px solid var(--line); position: sticky; top: 0; background: var(--page); z-index: 1; }
.legend label { margin-left: auto; color: var(--soft); cursor: pointer; }
.legend input { accent-color: var(--ts-line); vertical-align: -1px; margin: 0 .35rem 0 0; }
h2 { font-size: 1rem; font-weight: 600; margin: 0; overflow-wrap: anywhere; }
h2 span { font-weight: 400; color: var(--soft); margin-left: .5rem; font-size: .875rem; }
.counts { font-size: .875rem; color: var(--soft); margin: .25rem 0 .75rem; font-variant-numeric: tabular-nums; }
.counts b { color: var(--ink); font-weight: 600; }
.why { color: var(--c-ink); margin: 0 0 .75rem; font-size: .9rem; }
.bar { display: flex; height: 4px; border-radius: 2px; overflow: hidden; background: var(--rest); margin-bottom: 1.1rem; }
.bar i { display: block; } .bar .bt { background: var(--ts-line); } .bar .bc { background: var(--c-ink); }
.text { white-space: pre-wrap; overflow-wrap: anywhere; line-height: 2; font-size: 1rem; }
.k { color: var(--plain); padding: .12em 0; box-shadow: inset -1px 0 var(--edge); -webkit-box-decoration-break: clone;
  box-decoration-break: clone; }
.k.t { background: var(--t); color: var(--t-ink); box-shadow: inset -1px 0 var(--t-edge); }
.k.s { background: var(--s); color: var(--s-ink); border-radius: 5px; padding: .12em .3em; margin: 0 2px; font-size: .85em;
  box-shadow: inset 0 0 0 1px var(--s-line); font-family: ui-monospace, "SF Mono", Consolas, monospace; }
.k.t.s { background: var(--t); color: var(--t-ink); box-shadow: inset 0 0 0 1.5px var(--ts-line); }
.k.c { background: var(--c); color: var(--c-ink); text-decoration: line-through; box-shadow: inset -1px 0 var(--card); }
.n, .b { font-style: normal; } .n::before { content: "⏎"; opacity: .45; } .b::before { content: attr(data-as); opacity: .45; display: none; }
.k small { display: none; }
#ids:checked ~ article .k { display: inline-block; text-align: center; vertical-align: top; line-height: 1.35; padding: .2em .35em;
  margin: 0 2px 4px 0; border-radius: 5px; min-width: 1.6em; max-width: 100%; }
#ids:checked ~ article .k:not(.t, .s, .c) { box-shadow: inset 0 0 0 1px var(--edge); }
#ids:checked ~ article .k small { display: inline-block; width: 100%; color: var(--soft);
  font: 400 .68rem/1.3 ui-monospace, "SF Mono", Consolas, monospace; }
#ids:checked ~ article .b::before { display: inline; }
#ids { position: absolute; opacity: 0; pointer-events: none; }
.legend label::before { content: ""; display: inline-block; width: 1.9em; height: 1.05em; border-radius: 1em; margin-right: .5em;
  vertical-align: -.15em; border: .18em solid var(--rest); background: radial-gradient(circle at .42em 50%, var(--card) .36em, transparent .4em) var(--rest); }
#ids:checked ~ .legend label::before { border-color: var(--ts-line);
  background: radial-gradient(circle at calc(100% - .42em) 50%, var(--card) .36em, transparent .4em) var(--ts-line); }
#ids:focus-visible ~ .legend label { outline: 2px solid var(--ts-line); outline-offset: 3px; border-radius: 4px; }
@media (max-width: 36rem) { .legend label { margin-left: 0; } }
@media print { .legend { position: static; } .legend label { display: none; } .counts { break-after: avoid; }
  .k { -webkit-print-color-adjust: exact; print-color-adjust: exact; } .k.t, .k.t.s { color: #000; }
  .k.t { text-decoration: underline; text-underline-offset: .2em; text-decoration-thickness: 1px; } }
"""


def page(exhibit: Exhibit) -> str:
    """The whole page, as text."""
    title = say(f"What {exhibit.name} is {exhibit.target} on", f"{exhibit.name}이(가) 실제로 {exhibit.target}하는 것")
    lead = say(
        "Every token, as it stands in the samples on disk. Point at one for its id.",
        "저장된 샘플의 모든 토큰입니다. 토큰을 가리키면 번호가 보입니다.",
    )
    notes = "".join(f'<p class="note">{escaped(note)}</p>' for note in exhibit.notes)
    body = f'<p class="lead">{escaped(lead)}</p>\n{facts(exhibit.facts.items())}\n{notes}\n{pieces(exhibit)}'
    return document(title, STYLE, body)


def pieces(exhibit: Exhibit) -> str:
    """The painted samples under their legend, for any page with this STYLE; only one exhibit may stand on a page."""
    articles = "\n".join(article for row in exhibit.shown for article in _articles(row, exhibit.target))
    return f'<input type="checkbox" id="ids">\n{_legend(exhibit.target)}\n{articles}'


def _legend(target: str) -> str:
    looks = [
        ("k t", target),
        ("k t s", say(f"{target} special token", f"{target}하는 특수 토큰")),
        ("k", say(f"not {target}", f"{target} 안 함")),
        ("k s", say("special token", "특수 토큰")),
        ("k c", say("cut, never seen", "잘려서 모델이 못 봄")),
    ]
    spans = "".join(f'<span class="{look}">{escaped(word)}</span>' for look, word in looks)
    return f'<div class="legend">{spans}<label for="ids">{say("token ids", "토큰 번호")}</label></div>'


def _articles(row_of: Shown, target: str) -> Iterator[str]:
    for sample in row_of.samples:
        row = say(f"row {row_of.row['source_row']}", f"{row_of.row['source_row']}번 행")
        which = say(f"sample {sample.number} of {sample.of}", f"샘플 {sample.number}/{sample.of}")
        about = " · ".join([row, row_of.why, *([which] if sample.of > 1 else [])])
        why = say(f"Dropped: {sample.dropped}", f"빠짐: {sample.dropped}")
        text = "".join(map(_group, sample.groups))
        if not sample.groups:
            text = f'<span class="k">{escaped(plain_text(row_of.row))}</span>'
        yield (
            f"<article>\n<h2>{escaped(row_of.row['where'])}<span>{escaped(about)}</span></h2>\n{_counts(sample, target)}\n"
            + (
                f'<p class="counts">{say("label", "라벨")}: <b>{escaped(sample.labels)}</b></p>\n'
                if sample.labels
                else ""
            )
            + (f'<p class="why">{escaped(why)}</p>\n' if sample.dropped else "")
            + f'<div class="text">{text}</div>\n</article>'
        )


def _counts(sample: Painted, target: str) -> str:
    found = sample.counts()
    whole = max(1, found["total"] + found["cut"])
    bar = "".join(
        f'<i class="{look}" style="width:{100 * count / whole:.2f}%"></i>'
        for look, count in (("bc", found["cut"]), ("", found["total"] - found["trained"]), ("bt", found["trained"]))
    )
    return f'<p class="counts">{sample.told(target, _bold)}</p>\n<div class="bar" aria-hidden="true">{bar}</div>'


def _bold(number: int) -> str:
    return f"<b>{number:,}</b>"


def _group(group: Group) -> str:
    look = "k" + " t" * group.trained + " s" * group.special + " c" * group.cut
    ids = " ".join(str(token.id) for token in group.tokens)
    told = f"{ids}  {' '.join(visible(token.name) for token in group.tokens)}"
    text = escaped(group.text)
    # A line end at the end of a token breaks the line after it, so that it does so too where tokens are boxes.
    ends = len(group.text) - len(group.text.rstrip("\n"))
    inner = text.rstrip("\n").replace("\n", '<i class="n"></i>\n') + '<i class="n"></i>' * ends
    if alone(group.text):
        inner = f'<i class="b" data-as="{escaped(alone(group.text))}"></i>{inner}'
    return f'<span class="{look}" title="{escaped(told)}">{inner}<small>{ids}</small></span>' + "\n" * ends
