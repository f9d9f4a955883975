"""A comparison in the terminal: values, differences with their intervals, categories, and where most was gained and lost."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dadeum.core.language import say

if TYPE_CHECKING:
    from dadeum.cli.view import View

SAMPLES = 3
Found = Mapping[str, Any]


def show_tables(view: "View", found: Found) -> None:
    """Values of all models; each one's differences from the first; the metric by category that rows are sorted by."""
    from dadeum.evaluate.comparison_page import label, random_pairs

    names, metrics = found["models"], found["metrics"]
    floors = any(metric["floors"] for metric in metrics)
    view.table(
        say("On the test rows", "시험 행에서"),
        [say("metric", "지표"), *names, *([random_pairs(names[-1])] if floors else [])],
        [_values(metric, names, floors) for metric in metrics],
    )
    for name in names[1:]:
        rows = [[label(metric), *_difference(metric, name)] for metric in metrics]
        title = say(f"{name} against {names[0]}, 95 % intervals", f"{names[0]}에 견준 {name}, 95 % 구간")
        view.table(title, _shown([say("metric", "지표"), *_heads()], rows), _cut(rows))
    _categories(view, found)
    _seeds(view, found)


def _heads() -> list[str]:
    return [say("change", "차이"), say("interval", "구간"), "p", say("w/t/l", "승/무/패"), ""]


def _cut(rows: Sequence[Sequence[str]]) -> list[list[str]]:
    """Without columns in which nothing stands."""
    kept = [place for place in range(len(rows[0])) if any(row[place] for row in rows)] if rows else []
    return [[row[place] for place in kept] for row in rows]


def _shown(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    return [head for place, head in enumerate(heads) if any(row[place] for row in rows)]


def _values(metric: Found, names: Sequence[str], floors: bool) -> list[str]:
    """Values of all models, and what the last one's answers reach against other rows' references."""
    from dadeum.evaluate.comparison_page import label

    floor = metric["floors"].get(names[-1])
    last = ["" if floor is None else f"{floor:.4g}"] if floors else []
    values = [metric["values"].get(name) for name in names]
    return [label(metric), *("–" if value is None else f"{value:.4g}" for value in values), *last]


def _difference(metric: Found, name: str) -> list[str]:
    from dadeum.evaluate.comparison_page import p_text, verdict, verdict_word

    found = metric["differences"].get(name)
    if found is None:
        return ["", "", "", "", say("not ranked", "비교 안 함")]
    counts = "" if found.get("wins") is None else f"{found['wins']}/{found['ties']}/{found['losses']}"
    return [
        f"{found['difference']:+.3g}",
        f"[{found['low']:+.3g}, {found['high']:+.3g}]",
        p_text(found.get("p")).removeprefix("p ").replace("< ", "<"),
        counts,
        verdict_word(verdict(metric, name)),
    ]


def _categories(view: "View", found: Found) -> None:
    from dadeum.evaluate.comparison_page import category_difference, label

    told = found.get("categories")
    chosen = (found.get("changes") or {}).get("metric")
    if not told or chosen not in told["metrics"]:
        return
    names = found["models"]
    metric = next(m for m in found["metrics"] if m["name"] == chosen)
    last = names[-1]
    rows = []
    for category, cell in told["metrics"][chosen].items():
        values = [cell["values"].get(name) for name in (names[0], last)]
        shown = ["–" if value is None else f"{value:.3g}" for value in values]
        rows.append([category or "–", str(cell["n"]), *shown, category_difference(metric, cell, last, names[0])])
    title = say(f"{label(metric)} by category", f"분류별 {label(metric)}")
    view.table(title, [say("category", "분류"), "n", names[0], last, say("difference", "차이")], rows)


def _seeds(view: "View", found: Found) -> None:
    from dadeum.evaluate.seeds import spread_text

    told = {m["name"]: spread_text(found.get("seeds"), m["name"]) for m in found["metrics"]}
    rows = [[name, text] for name, text in told.items() if text]
    if rows:
        title = say(f"{found['models'][-1]}: spread between seeds", f"{found['models'][-1]}: 씨앗에 따른 차이")
        view.table(title, [say("metric", "지표"), say("spread", "퍼짐")], rows)


def show_rows(view: "View", found: Found, folder: Path) -> None:
    """The largest gain and loss of the last model and a few more; without them some rows of the table of answers."""
    told = (found.get("changes") or {}).get("models", {}).get(found["models"][-1])
    if not told or not (told["gains"] or told["losses"]):
        _samples(view, folder, found["models"])
        return
    for kind, title in (
        ("gains", say("largest gains", "가장 오른 행")),
        ("losses", say("largest losses", "가장 내린 행")),
    ):
        if told[kind]:
            view.note(f"{title} · {found['changes']['metric']}")
        for row in told[kind][: SAMPLES - 1]:
            reference = {say("reference", "기준 답"): _short(row["reference"])} if row.get("reference") else {}
            answers = {f"{name} ({row['values'][name]:.3g})": _short(text) for name, text in row["answers"].items()}
            view.facts({say("question", "질문"): _short(row["question"]), **reference, **answers})
            view.note("")


def _samples(view: "View", folder: Path, names: Sequence[str]) -> None:
    import csv

    from dadeum.generate.questions import from_cell

    path = folder / "model_comparison_results.csv"
    if not path.is_file():
        return
    with path.open(encoding="utf-8-sig", newline="") as file:
        rows = [{name: from_cell(cell) for name, cell in row.items()} for row in csv.DictReader(file)]
    step = max(1, len(rows) // SAMPLES)
    for row in rows[::step][:SAMPLES]:
        reference = {say("reference", "기준 답"): _short(row["reference"])} if row["reference"] else {}
        answers = {name: _short(row[name]) for name in names}
        view.facts({say("question", "질문"): _short(row["question"]), **reference, **answers})
        view.note("")


def _short(text: str | None, width: int = 160) -> str:
    line = " ".join((text or "").split())
    return line if len(line) <= width else line[: width - 1] + "…"
