"""A comparison as the files that users open: CSV, JSON, Markdown."""

from pathlib import Path

from dadeum.core.artifact import write_json, write_text
from dadeum.core.language import say
from dadeum.evaluate.compare import Comparison, MetricRow
from dadeum.evaluate.rows import spread
from dadeum.generate.questions import csv_text

CSV = "model_comparison_results.csv"
JSON = "comparison.json"
MARKDOWN = "comparison.md"
SAMPLES = 3
LONGEST = 600  # characters of an answer shown in the page


def write_comparison(folder: Path, comparison: Comparison) -> list[Path]:
    """Write `model_comparison_results.csv`, `comparison.md` and, last, `comparison.json`."""
    write_text(folder / CSV, table_csv(comparison))
    write_text(folder / MARKDOWN, markdown(comparison))
    write_json(folder / JSON, comparison.plain())
    return [folder / CSV, folder / MARKDOWN, folder / JSON]


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
    """A page: the table, what it covers, a few rows side by side."""
    parts = [say("# Comparison", "# 비교"), "", *_table(comparison), ""]
    parts += [f"- {note}" for note in comparison.notes]
    parts += ["", *_samples(comparison)]
    return "\n".join(parts) + "\n"


def _table(comparison: Comparison) -> list[str]:
    names = comparison.names
    better, ties = say("better", "나음"), say("wins/ties/losses", "승/무/패")
    header = [say("metric", "지표"), "n", *names, *(f"{name} − {names[0]} [95 %], {ties}" for name in names[1:])]
    lines = [_line(header), _line(["---"] * len(header))]
    for metric in comparison.metrics:
        arrow = "↑" if metric.higher_is_better else "↓"
        cells = [f"{metric.name} {arrow}", str(metric.n), *(_value(metric, name) for name in names)]
        lines.append(_line([*cells, *(_difference(metric, name, better) for name in names[1:])]))
    return lines


def _line(cells: list[str]) -> str:
    return "| " + " | ".join(cell.replace("|", "\\|").replace("\n", " ") for cell in cells) + " |"


def _value(metric: MetricRow, name: str) -> str:
    floor = metric.floors.get(name)
    beside = "" if floor is None else say(f" (floor {floor:.3g})", f" (바닥 {floor:.3g})")
    return f"{metric.values[name]:.4g}{beside}"


def _difference(metric: MetricRow, name: str, better: str) -> str:
    found = metric.differences.get(name)
    if found is None:
        return say("not ranked: unlike tokenizers", "순위 없음: 토크나이저가 다름")
    good = found.clear and (found.difference > 0) == metric.higher_is_better
    mark = f" **{better}**" if good else ""
    counts = "" if found.wins is None else f", {found.wins}/{found.ties}/{found.losses}"
    return f"{found.difference:+.4g} [{found.low:+.4g}, {found.high:+.4g}]{mark}{counts}"


def _samples(comparison: Comparison) -> list[str]:
    count = len(comparison.columns[0].samples)
    lines = []
    for number, place in enumerate(spread(count, SAMPLES), 1):
        row = [column.samples[place] for column in comparison.columns]
        lines += [say(f"## Sample {number}", f"## 예 {number}"), ""]
        shown = [(say("question", "질문"), row[0]["question"]), (say("reference", "기준 답"), row[0]["reference"])]
        shown += [(name, sample["prediction"]) for name, sample in zip(comparison.names, row, strict=True)]
        for label, text in shown:
            if text:
                lines += [f"**{label}**", "", *_quoted(text), ""]
    return lines


def _quoted(text: str) -> list[str]:
    """Text of models and data as an indented block: nothing in it is Markdown or HTML."""
    short = text if len(text) <= LONGEST else text[:LONGEST] + " …"
    return [f"    {line}" for line in short.splitlines() or [""]]
