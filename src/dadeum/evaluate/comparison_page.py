"""A comparison as a page, made of what `comparison.json` holds; its pieces stand in a run's report too.

Everything that models, data and people say is escaped (`page.escaped`); a picture is drawn in percent, so that it is as wide
as there is room, on any screen and on paper.
"""

from collections.abc import Mapping
from typing import Any

from dadeum.core.language import say
from dadeum.data.page import document, escaped, facts, section, table
from dadeum.evaluate import elsewhere
from dadeum.evaluate.beside_page import judged, tasks
from dadeum.evaluate.defaults import FEW
from dadeum.evaluate.metrics import arrow
from dadeum.evaluate.seeds import spread_text

LONGEST = 1200  # characters of an answer that are shown
STYLE = """
.whisker { display: grid; grid-template-columns: 9.5rem minmax(6rem, 1fr) minmax(12rem, 28.5rem); gap: .1rem 1rem;
  align-items: center; font-size: .9rem; font-variant-numeric: tabular-nums; padding: .35rem 0; border-bottom: 1px solid var(--edge); }
.whisker:last-child { border-bottom: 0; } .whisker b { font-weight: 600; overflow-wrap: anywhere; }
.whisker svg { width: 100%; height: 1.3rem; display: block; overflow: visible; }
.whisker .told { color: var(--soft); font-size: .84rem; } .whisker .told strong { color: var(--ink); font-weight: 600; }
.zero { stroke: var(--rest); stroke-width: 1; stroke-dasharray: 3 3; } .bar { stroke-width: 2; }
.better { stroke: var(--ts-line); fill: var(--ts-line); } .worse { stroke: var(--c-ink); fill: var(--c-ink); }
.unclear, .differs { stroke: var(--plain); fill: var(--card); } .differs { fill: var(--plain); }
.legend { display: flex; justify-content: space-between; color: var(--soft); font-size: .8rem; } .whisker.ends { padding: 0; border: 0; }
.pair { display: grid; grid-template-columns: minmax(0, 1fr) minmax(0, 1fr); gap: 1rem; }
.pair > div { border-top: 2px solid var(--line); padding-top: .5rem; }
.said { white-space: pre-wrap; overflow-wrap: anywhere; font-size: .9rem; margin: .15rem 0 .6rem; }
.who { color: var(--soft); font-size: .8rem; margin: 0; overflow-wrap: anywhere; }
h3 { font-size: .95rem; font-weight: 600; margin: 1.5rem 0 .4rem; } article h3 { margin: 0 0 .5rem; overflow-wrap: anywhere; }
details { margin: .5rem 0; } summary { cursor: pointer; color: var(--soft); font-size: .9rem; }
.notes { font-size: .9rem; color: var(--soft); padding-left: 1.1rem; margin: 0; }
@media (max-width: 36rem) { .whisker { grid-template-columns: minmax(0, 1fr); } .pair { grid-template-columns: minmax(0, 1fr); } }
@media print { .pair, article { break-inside: avoid; } }
"""
Found = Mapping[str, Any]


def comparison_page(found: Found) -> str:
    """The whole page."""
    names = found["models"]
    lead = say(f"held against {names[0]}", f"{names[0]}에 견줌")
    parts = [f'<p class="lead">{escaped(" · ".join(names))} — {escaped(lead)}</p>', *pieces(found), about(found)]
    return document(say("Comparison of models", "모델 비교"), STYLE, "\n".join(part for part in parts if part))


def pieces(found: Found) -> list[str]:
    """The parts of the page but for what stands above and below: pictures, values, categories, gains and losses, notes."""
    made = [picture(found, name) for name in found["models"][1:] if found["metrics"]]
    beside = (tasks(found), judged(found))
    return [*made, values(found), *beside, by_category(found), changes(found), notes(found)]


def verdict(metric: Found, name: str) -> str:
    """`better`, `worse`, `differs` (where neither way is better), `unclear`, or nothing where it is not ranked."""
    held = metric["differences"].get(name)
    if held is None:
        return ""
    if not held.get("clear", True) or metric.get("units", FEW) < FEW:  # no resample differed, or there are hardly any
        return "unclear"
    return elsewhere.verdict(held["low"], held["high"], metric["higher_is_better"])


def verdict_word(kind: str) -> str:
    """The verdict as people read it."""
    english, korean = {
        "better": ("better", "나음"),
        "worse": ("worse", "못함"),
        "differs": ("differs", "다름"),
        "unclear": ("unclear", "불분명"),
        "": ("not ranked", "순위 없음"),
    }[kind]
    return say(english, korean)


def label(metric: Found) -> str:
    """The metric's name with the way that is better."""
    return f"{metric['name']} {arrow(metric['higher_is_better'])}"


def p_text(p: float | None) -> str:
    """`p 0.012`; nothing where it was not tested."""
    return "" if p is None else f"p {p:.3f}" if p >= 0.001 else "p < 0.001"


def picture(found: Found, name: str) -> str:
    """Differences of one model from the first, each metric by its own measure, better to the right of the dashed zero."""
    first = found["models"][0]
    rows = "\n".join(
        _whisker(metric, name, found.get("seeds"), name == found["models"][-1]) for metric in found["metrics"]
    )
    title = say(f"{name} against {first}", f"{first}에 견준 {name}")
    caption = say(
        "Difference and its 95 % interval; each metric has a scale of its own.",
        "차이와 95 % 구간. 지표마다 눈금이 다릅니다.",
    )
    ends = f"<span>← {escaped(say('worse', '못함'))}</span><span>{escaped(say('better', '나음'))} →</span>"
    inner = f'<figure><figcaption>{escaped(caption)}</figcaption><div class="whisker ends"><span></span><div class="legend">{ends}</div></div>\n{rows}</figure>'
    return section(title, inner)


def _whisker(metric: Found, name: str, seeds: Found | None, last: bool) -> str:
    held, kind = metric["differences"].get(name), verdict(metric, name)
    if held is None:
        reason = say("not ranked: unlike tokenizers", "순위 없음: 토크나이저가 다름")
        return f'<div class="whisker"><b>{escaped(label(metric))}</b><span></span><span class="told">{escaped(reason)}</span></div>'
    interval = f"[{held['low']:+.4g}, {held['high']:+.4g}]"
    counts = "" if held["wins"] is None else f"{held['wins']}/{held['ties']}/{held['losses']}"
    spread = spread_text(seeds, metric["name"]) if last else ""
    told = " · ".join(escaped(part) for part in (interval, p_text(held.get("p")), counts, spread) if part)
    return (
        f'<div class="whisker"><b>{escaped(label(metric))}</b>{_svg(metric, held, kind)}'
        f'<span class="told"><strong>{held["difference"]:+.4g}</strong> {told} · {escaped(verdict_word(kind))}</span></div>'
    )


def _svg(metric: Found, held: Found, kind: str) -> str:
    """Dot and whisker about zero, in percent of the width; to the right is better."""
    sign = -1 if metric["higher_is_better"] is False else 1
    ends = [held["low"], held["difference"], held["high"]]
    widest = max(abs(value) for value in ends) or 1.0
    low, middle, high = (50 + 46 * sign * value / widest for value in ends)
    said = (
        f"{metric['name']}: {held['difference']:+.4g} [{held['low']:+.4g}, {held['high']:+.4g}], {verdict_word(kind)}"
    )
    return (
        f'<svg role="img" aria-label="{escaped(said)}" height="21">'
        '<line class="zero" x1="50%" x2="50%" y1="0" y2="100%"/>'
        f'<line class="bar {kind}" x1="{low:.2f}%" x2="{high:.2f}%" y1="50%" y2="50%"/>'
        f'<circle class="bar {kind}" cx="{middle:.2f}%" cy="50%" r="4.5"/></svg>'
    )


def random_pairs(name: str) -> str:
    """The head of the column of floors, which are those of one model's answers: what is long has a high one."""
    return say(f"random pairs: {name}", f"무작위 짝: {name}")


def values(found: Found) -> str:
    """Each model's value with its interval; beside them what random pairs reach."""
    metrics, names = found["metrics"], found["models"]
    if not metrics:
        return ""
    floors = any(metric["floors"] for metric in metrics)
    columns = [(say("metric", "지표"), "left"), ("n", "right"), *((name, "right") for name in names)]
    columns += [(random_pairs(names[-1]), "right")] if floors else []
    rows = []
    for metric in metrics:
        floor = metric["floors"].get(names[-1])
        last = ["" if floor is None else f"{floor:.4g}"] if floors else []
        rows.append([label(metric), str(metric["n"]), *(_with_interval(metric, name) for name in names), *last])
    return section(say("Values", "값"), table(columns, rows))


def _with_interval(metric: Found, name: str) -> str:
    value, ends = metric["values"].get(name), metric["intervals"].get(name)
    if value is None:
        return "–"
    return f"{value:.4g}" if ends is None else f"{value:.4g} [{ends[0]:.4g}, {ends[1]:.4g}]"


def by_category(found: Found) -> str:
    """A table a metric; that of the metric that rows are sorted by stands open."""
    told = found.get("categories")
    if not told:
        return ""
    chosen = (found.get("changes") or {}).get("metric") or next(iter(told["metrics"]), None)
    of_name = {metric["name"]: metric for metric in found["metrics"]}
    parts = [
        f"<details{' open' if name == chosen else ''}><summary>{escaped(label(of_name[name]))}</summary>"
        f"{_category_table(found, of_name[name], cells)}</details>"
        for name, cells in sorted(told["metrics"].items(), key=lambda pair: pair[0] != chosen)
    ]
    hint = say(
        f"A category of fewer than {told['few']} rows has no interval.",
        f"{told['few']}행이 안 되는 분류에는 구간이 없습니다.",
    )
    if told["left_out"]:
        hint += " " + say(
            f"{told['left_out']} further categories are not shown.",
            f"분류 {told['left_out']}개는 더 있으나 보이지 않습니다.",
        )
    return section(say("By category", "분류별"), "\n".join(parts) + f'<p class="hint">{escaped(hint)}</p>')


def _category_table(found: Found, metric: Found, cells: Found) -> str:
    names = found["models"]
    columns = [(say("category", "분류"), "left"), ("n", "right"), *((name, "right") for name in names)]
    columns += [(f"{name} − {names[0]}", "left") for name in names[1:]]
    rows = []
    for category, cell in cells.items():
        row = [category or "–", str(cell["n"])]
        row += [f"{cell['values'][name]:.4g}" if name in cell["values"] else "–" for name in names]
        rows.append([*row, *(category_difference(metric, cell, name, names[0]) for name in names[1:])])
    return table(columns, rows)


def category_difference(metric: Found, cell: Found, name: str, first: str) -> str:
    """A category's difference with its interval, or alone where the rows are few."""
    held = cell["differences"].get(name)
    if held is not None:
        word = verdict_word(verdict({**metric, "differences": {name: held}}, name))
        return f"{held['difference']:+.3g} [{held['low']:+.3g}, {held['high']:+.3g}] {word}"
    values_of = cell["values"]
    if not metric["ranked"] or name not in values_of or first not in values_of:
        return "–"
    return f"{values_of[name] - values_of[first]:+.3g}"


def changes(found: Found) -> str:
    """The rows in which each model gained and lost most, both answers side by side."""
    told = found.get("changes")
    if not told:
        return ""
    parts = []
    for name, both in reversed(told["models"].items()):
        for kind, title in (
            (
                "gains",
                say(f"{name}: largest gains by {told['metric']}", f"{name}: {told['metric']} 기준으로 가장 오른 행"),
            ),
            (
                "losses",
                say(f"{name}: largest losses by {told['metric']}", f"{name}: {told['metric']} 기준으로 가장 내린 행"),
            ),
        ):
            cards = "\n".join(_card(row) for row in both[kind]) or f'<p class="hint">{escaped(say("none", "없음"))}</p>'
            parts.append(section(title, cards))
    return "\n".join(parts)


def _card(row: Found) -> str:
    category = f" · {row['category']}" if row.get("category") else ""
    head = f"<h3>{escaped(shortened(row['question']))}</h3>"
    who = f'<p class="who">{escaped(say("row", "행"))} {escaped(str(row["row"]))}{escaped(category)}</p>'
    reference = (
        f'<p class="who">{escaped(say("reference", "기준 답"))}</p><p class="said">{escaped(shortened(row["reference"]))}</p>'
        if row.get("reference")
        else ""
    )
    sides = "".join(
        f'<div><p class="who">{escaped(name)} · {row["values"][name]:.4g}</p>'
        f'<p class="said">{escaped(shortened(answer or "–"))}</p></div>'
        for name, answer in row["answers"].items()
    )
    return f'<article>{head}{who}{reference}<div class="pair">{sides}</div></article>'


def shortened(text: str) -> str:
    """A text that is not too long for a page."""
    return text if len(text) <= LONGEST else text[:LONGEST] + " …"


def notes(found: Found) -> str:
    """What is to be known before anything is believed."""
    items = "".join(f"<li>{escaped(note)}</li>" for note in found["notes"])
    return section(say("What this stands on", "이 결과의 근거"), f'<ul class="notes">{items}</ul>') if items else ""


def about(found: Found) -> str:
    """Draws, seed, signatures, and the environments of the models."""
    drawn = found["bootstrap"]
    pairs = [
        (say("draws", "추출"), f"{drawn['draws']:,} ({drawn.get('units', 'rows')})"),
        (say("seed", "씨앗"), str(drawn["seed"])),
    ]
    for name, environment in found["environments"].items():
        tools = environment.get("versions", {})
        shown = [f"{tool} {tools[tool]}" for tool in ("dadeum", "torch", "transformers") if tool in tools]
        pairs.append((name, ", ".join([str(environment.get("device")), str(environment.get("dtype")), *shown])))
    signatures = "".join(f"<li>{escaped(metric['signature'])}</li>" for metric in found["metrics"])
    more = (
        f'<details><summary>{escaped(say("Signatures", "서명"))}</summary><ul class="notes">{signatures}</ul></details>'
    )
    return section(say("How it was made", "만든 방법"), facts(pairs) + more)
