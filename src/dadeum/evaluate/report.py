"""A comparison as the files that users open: CSV, JSON, Markdown, and a page."""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from dadeum.core.artifact import write_json, write_text
from dadeum.core.language import say
from dadeum.evaluate import elsewhere, judge_table
from dadeum.evaluate.compare import Comparison
from dadeum.evaluate.comparison_page import category_difference, comparison_page, label, p_text, verdict, verdict_word
from dadeum.evaluate.rows import spread
from dadeum.evaluate.seeds import spread_text
from dadeum.generate.questions import csv_text

CSV = "model_comparison_results.csv"
JSON = "comparison.json"
MARKDOWN = "comparison.md"
PAGE = "comparison.html"
SAMPLES = 3
LONGEST = 600  # characters of an answer shown in the page


def write_comparison(folder: Path, comparison: Comparison) -> list[Path]:
    """Write `model_comparison_results.csv`, `comparison.md`, `comparison.html` and, last, `comparison.json`."""
    found = comparison.plain()
    write_text(folder / CSV, table_csv(comparison))
    write_text(folder / MARKDOWN, markdown(comparison))
    write_text(folder / PAGE, comparison_page(found))
    write_json(folder / JSON, found)
    return [folder / name for name in (CSV, MARKDOWN, PAGE, JSON)]


def table_csv(comparison: Comparison) -> str:
    """question, reference, category where there is one, an answer a model, and a model's tokens and seconds."""
    samples = list(zip(*(column.samples for column in comparison.columns), strict=True))
    category = any("category" in row[0] for row in samples)
    header = ["question", "reference", *(["category"] if category else []), *comparison.names]
    for name in comparison.names:
        header += [f"{name}_tokens", f"{name}_seconds"]
    rows = []
    for row in samples:
        cells = [row[0]["question"], row[0]["reference"], *([row[0].get("category")] if category else [])]
        cells += [sample["prediction"] for sample in row]
        for sample in row:
            cells += [sample.get("tokens"), sample.get("seconds")]
        rows.append(cells)
    return csv_text(header, rows)


def markdown(comparison: Comparison) -> str:
    """A page: the table, what it covers, categories, the largest gains and losses (or else a few rows) side by side."""
    found = comparison.plain()
    parts = [say("# Comparison", "# 비교"), "", *_table(found), ""]
    parts += [f"- {_plain(note)}" for note in comparison.notes]
    parts += [*elsewhere.lines(comparison.tasks), *judge_table.lines(comparison.judge), "", *_categories(found)]
    parts += _changes(found) or _samples(comparison)
    return "\n".join(parts) + "\n"


def _table(found: Mapping[str, Any]) -> list[str]:
    names, seeds = found["models"], found.get("seeds")
    ties = say("wins/ties/losses", "승/무/패")
    header = [say("metric", "지표"), "n", *names, *(f"{name} − {names[0]} [95 %], p, {ties}" for name in names[1:])]
    lines = [_line(header), _rule(header)]
    for metric in found["metrics"]:
        cells = [label(metric), str(metric["n"]), *(_value(metric, name) for name in names)]
        spread = spread_text(seeds, metric["name"])
        cells[-1] += f" ({spread})" if spread else ""
        lines.append(_line([*cells, *(_difference(metric, name) for name in names[1:])], metric, names))
    return lines


def _plain(text: str) -> str:
    """Text of people, models and data in which nothing is Markdown or HTML."""
    for mark in ("\\", "`", "*", "|"):
        text = text.replace(mark, f"\\{mark}")
    text = text.replace("](", "]\\(").replace("][", "]\\[")
    text = re.sub(r"&(?=#?\w+;)", "&amp;", text)
    return " ".join(re.sub(r"<(?=[A-Za-z/!?])", "&lt;", text).split())


def _rule(header: list[str]) -> str:
    return "| " + " | ".join(["---"] * len(header)) + " |"


def _line(cells: list[str], metric: Mapping[str, Any] | None = None, names: tuple[str, ...] | list[str] = ()) -> str:
    """A line of a table; the differences of models that are better stand out."""
    shown = [_plain(cell) for cell in cells]
    if metric is not None:
        for place, name in enumerate(names[1:], len(shown) - len(names) + 1):
            if verdict(metric, name) in ("better", "worse"):
                shown[place] = f"**{shown[place]}**"
    return "| " + " | ".join(shown) + " |"


def _value(metric: Mapping[str, Any], name: str) -> str:
    floor, value = metric["floors"].get(name), metric["values"].get(name)
    beside = "" if floor is None else say(f" (floor {floor:.3g})", f" (바닥 {floor:.3g})")
    return "–" if value is None else f"{value:.4g}{beside}"


def _difference(metric: Mapping[str, Any], name: str) -> str:
    found = metric["differences"].get(name)
    if found is None:
        return say("not ranked: unlike tokenizers", "순위 없음: 토크나이저가 다름")
    parts = [
        f"{found['difference']:+.4g} [{found['low']:+.4g}, {found['high']:+.4g}] {verdict_word(verdict(metric, name))}"
    ]
    parts += [p_text(found["p"])] if found["p"] is not None else []
    parts += [] if found["wins"] is None else [f"{found['wins']}/{found['ties']}/{found['losses']}"]
    return ", ".join(parts)


def _categories(found: Mapping[str, Any]) -> list[str]:
    """The metric that rows are sorted by, category by category; the others stand in the page and in the JSON."""
    told = found["categories"]
    chosen = (found["changes"] or {}).get("metric") or next(iter((told or {}).get("metrics", ())), None)
    if not told or chosen not in told["metrics"]:
        return []
    names, metric = found["models"], next(m for m in found["metrics"] if m["name"] == chosen)
    header = [say("category", "분류"), "n", *names, *(f"{name} − {names[0]} [95 %]" for name in names[1:])]
    lines = [
        f"## {_plain(say(f'By category: {label(metric)}', f'분류별: {label(metric)}'))}",
        "",
        _line(header),
        _rule(header),
    ]
    for category, cell in told["metrics"][chosen].items():
        values = [f"{cell['values'][name]:.4g}" if name in cell["values"] else "–" for name in names]
        differences = [category_difference(metric, cell, name, names[0]) for name in names[1:]]
        lines.append(_line([category or "–", str(cell["n"]), *values, *differences]))
    return [*lines, ""]


def _changes(found: Mapping[str, Any]) -> list[str]:
    told = found["changes"]
    lines = []
    for name, both in reversed((told or {"models": {}})["models"].items()):
        for kind, english, korean in (
            ("gains", "largest gains", "가장 오른 행"),
            ("losses", "largest losses", "가장 내린 행"),
        ):
            if both[kind]:
                title = say(f"{name}: {english} by {told['metric']}", f"{name}: {told['metric']}, {korean}")
                lines += [f"## {_plain(title)}", ""]
                for row in both[kind]:
                    answers = [(f"{who} ({row['values'][who]:.4g})", text) for who, text in row["answers"].items()]
                    shown = _shown([(say("question", "질문"), row["question"]), *_reference(row), *answers])
                    lines += [*shown, "---", ""]
    return lines


def _reference(row: Mapping[str, Any]) -> list[tuple[str, str | None]]:
    return [(say("reference", "기준 답"), row.get("reference"))]


def _samples(comparison: Comparison) -> list[str]:
    count = len(comparison.columns[0].samples)
    lines = []
    for number, place in enumerate(spread(count, SAMPLES), 1):
        row = [column.samples[place] for column in comparison.columns]
        lines += [say(f"## Sample {number}", f"## 예 {number}"), ""]
        answers = [(name, sample["prediction"]) for name, sample in zip(comparison.names, row, strict=True)]
        lines += _shown([(say("question", "질문"), row[0]["question"]), *_reference(row[0]), *answers])
    return lines


def _shown(texts: list[tuple[str, str | None]]) -> list[str]:
    lines = []
    for name, text in texts:
        if text:
            lines += [f"**{_plain(name)}**", "", *_quoted(text), ""]
    return lines


def _quoted(text: str) -> list[str]:
    """Text of models and data as an indented block: nothing in it is Markdown or HTML."""
    short = text if len(text) <= LONGEST else text[:LONGEST] + " …"
    return [f"    {line}" for line in short.splitlines() or [""]]
