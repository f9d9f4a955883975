"""The scores: values with intervals and floors, differences, categories, other text, labels, a judge."""

from collections.abc import Sequence
from typing import Any

from dadeum.core.language import say
from dadeum.evaluate import elsewhere as other_text
from dadeum.evaluate import judge_table
from dadeum.evaluate.comparison_page import category_difference, label, p_text, random_pairs, verdict, verdict_word
from dadeum.report import pictures
from dadeum.report.blocks import Block, Link, Section, Table, Text
from dadeum.report.evidence import Evidence, mapping
from dadeum.report.pictures import Row, Whisker
from dadeum.report.words import between, count, score, share, signed

MOST_ROWS = 12  # metrics in a picture
Metric = dict[str, Any]


def scores(found: Evidence) -> Section:
    """What `dadeum compare` found of base and tuned model."""
    title = say("Scores on the test rows", "시험 행의 점수")
    comparison = found.comparison
    if comparison is None:
        alone = _alone(found)
        return Section(title, tuple(alone) or (Text(_why_none(found), "note"),))
    names, metrics = comparison["models"], comparison["metrics"]
    if not metrics:
        return Section(title, (Text(say("Nothing was measured of both.", "둘 다 잰 것이 없습니다."), "note"),))
    blocks: list[Block] = [_values(names, metrics, mapping(comparison.get("seeds")))]
    rows = [_values_row(metric, names) for metric in metrics[:MOST_ROWS]]
    blocks.append(
        pictures.whiskers(
            "scores",
            say("Values with 95 % intervals; dotted: random pairs", "값과 95 % 구간. 점선은 무작위 짝"),
            rows,
            len(names),
        )
    )
    moved = [row for metric in metrics[:MOST_ROWS] if (row := _moved(metric, names)) is not None]
    if moved:
        told = say(f"Against {names[0]}: right of the dotted line is better", f"{names[0]}에 견줌: 점선 오른쪽이 나음")
        blocks.append(pictures.whiskers("moved", told, moved, len(names)))
    blocks += [Text(str(note), "hint") for note in comparison.get("notes", [])]
    if mapping(comparison.get("seeds")).get("metrics"):
        blocks.append(Text(_seeds_told(comparison["seeds"]), "hint"))
    page = found.place.evidence / "evaluation" / "comparison.html"
    if page.is_file():
        blocks.append(
            Link(say("the comparison with all its rows", "모든 행을 담은 비교"), "evaluation/comparison.html")
        )
    return Section(title, tuple(blocks))


def _why_none(found: Evidence) -> str:
    if found.trained and found.without_questions:
        return say("Not measured: the data have no test rows.", "재지 않았습니다: 데이터에 시험 행이 없습니다.")
    if found.trained:
        return say(
            f"Not measured: only the training was run. `dadeum run {found.place.experiment}` measures it.",
            f"재지 않았습니다: 학습만 했습니다. `dadeum run {found.place.experiment}` 명령이 잽니다.",
        )
    return say("Not measured: the training did not come to its end.", "재지 않았습니다: 학습이 끝나지 않았습니다.")


def _alone(found: Evidence) -> list[Block]:
    """One model was scored and nothing compared."""
    blocks: list[Block] = []
    for kind, evaluation in found.evaluations.items():
        columns = (
            (f"{kind}: {evaluation.get('model', '')}", "left"),
            (say("value", "값"), "right"),
            ("95 %", "right"),
            ("n", "right"),
        )
        rows = tuple(
            (
                label({"name": name, **m}),
                score(m["value"]),
                between(*pair) if (pair := _pair(m.get("interval"))) else "–",
                count(m["n"]),
            )
            for name, m in mapping(evaluation.get("metrics")).items()
        )
        blocks.append(Table(columns, rows))  # type: ignore[arg-type]
    if blocks:
        blocks.append(
            Text(say("These were not held against another model.", "다른 모델과 비교하지 않았습니다."), "note")
        )
    return blocks


def _values(names: Sequence[str], metrics: Sequence[Metric], seeds: Any) -> Table:
    last = names[-1]
    by_chance = any(last in (metric.get("floors") or {}) for metric in metrics)
    sure = any((metric["differences"].get(last) or {}).get("p") is not None for metric in metrics)
    spread = mapping(seeds.get("metrics"))
    columns = [
        (say("metric", "지표"), "left"),
        ("", "left"),
        *((str(name), "right") for name in names),
        *([(random_pairs(str(last)), "right")] if by_chance else []),
        (f"{last} − {names[0]}", "right"),
        (say("95 % interval", "95 % 구간"), "right"),
        *([("p", "right")] if sure else []),
        *([(say("± over seeds", "씨앗 사이 ±"), "right")] if spread else []),
        (say("wins / ties / losses", "승 / 무 / 패"), "right"),
    ]
    rows = []
    for metric in metrics:
        found = metric["differences"].get(last)
        floor = (metric.get("floors") or {}).get(last)
        cells = [
            label(metric),
            verdict_word(verdict(metric, last)),
            *(score(metric["values"].get(name)) for name in names),
        ]
        cells += [score(floor)] if by_chance else []
        cells += (
            [signed(found["difference"]), between(found["low"], found["high"], signs=True)] if found else ["–", "–"]
        )
        cells += [p_text((found or {}).get("p")).removeprefix("p ") or "–"] if sure else []
        sd = mapping(spread.get(metric["name"])).get("sd")
        cells += ["–" if sd is None else f"±{sd:.2g}"] if spread else []
        won = found and found.get("wins") is not None
        cells.append(f"{found['wins']}/{found['ties']}/{found['losses']}" if won else "–")
        rows.append(tuple(cells))
    return Table(tuple(columns), tuple(rows))  # type: ignore[arg-type]


def _seeds_told(seeds: Any) -> str:
    listed = ", ".join(map(str, seeds.get("seeds", [])))
    return say(
        f"± is the standard deviation between trainings with the seeds {listed}: what no interval over test rows shows.",
        f"±는 여러 씨앗({listed})으로 학습한 결과 사이의 표준편차입니다. 시험 행의 구간은 이것을 보이지 못합니다.",
    )


def _values_row(metric: Metric, names: Sequence[str]) -> Row:
    dots = tuple(
        Whisker(name, metric["values"][name], _pair(metric["intervals"].get(name)), look % 6)
        for look, name in enumerate(names)
        if metric["values"].get(name) is not None
    )
    floor = (metric.get("floors") or {}).get(names[-1])
    return Row(label(metric), dots, () if floor is None else (floor,))


def _pair(found: Any) -> tuple[float, float] | None:
    return None if not found or None in found else (found[0], found[1])


def _moved(metric: Metric, names: Sequence[str]) -> Row | None:
    dots = tuple(
        Whisker(name, d["difference"], _pair((d.get("low"), d.get("high"))), look % 6)
        for look, name in enumerate(names)
        if (d := metric["differences"].get(name))
    )
    return Row(label(metric), dots, (0.0,), metric["higher_is_better"] is False) if dots else None


def elsewhere(found: Evidence) -> Section | None:
    """What the training did to other text and tasks: what was forgotten."""
    rows = [row for row in mapping(found.comparison).get("tasks") or [] if isinstance(row, dict)]
    if not rows:
        return None
    columns = tuple((name, "right" if at in (2, 3) else "left") for at, name in enumerate(other_text.header()))
    table = Table(columns, tuple(map(tuple, other_text.cells(rows))))  # type: ignore[arg-type]
    told = say(
        "Text that the training was not about: where this got worse, something was forgotten.",
        "학습한 것과 다른 글입니다. 여기서 나빠졌다면 잊은 것이 있습니다.",
    )
    return Section(other_text.title(), (table, Text(told, "hint")))


def categories(found: Evidence) -> Section | None:
    """Where the data have a category column: the metric that rows are sorted by, category by category."""
    comparison = mapping(found.comparison)
    told = mapping(comparison.get("categories"))
    by = mapping(told.get("metrics"))
    if not by:
        return None
    names, chosen = comparison["models"], mapping(comparison.get("changes")).get("metric")
    metric = next(m for m in comparison["metrics"] if m["name"] == (chosen if chosen in by else next(iter(by))))
    columns = (
        (say("category", "분류"), "left"),
        ("n", "right"),
        *((str(name), "right") for name in names),
        (f"{names[-1]} − {names[0]}", "left"),
    )
    rows = tuple(
        (
            category or "–",
            count(cell["n"]),
            *(score(cell["values"].get(name)) for name in names),
            category_difference(metric, cell, names[-1], names[0]),
        )
        for category, cell in by[metric["name"]].items()
    )
    few = say(
        f"A category of fewer than {told['few']} rows has no interval.",
        f"{told['few']}행이 안 되는 분류에는 구간이 없습니다.",
    )
    title = say(f"By category: {label(metric)}", f"분류별: {label(metric)}")
    return Section(title, (Table(columns, rows), Text(few, "hint")))  # type: ignore[arg-type]


def labels(found: Evidence) -> Section | None:
    """Of each head: which labels were said of which."""
    confusion = mapping(mapping(found.evaluations.get("tuned")).get("confusion"))
    title = say("Which labels were said of which", "실제 라벨과 예측한 라벨")
    return (
        Section(title, tuple(_confusion(str(head), matrix) for head, matrix in confusion.items()))
        if confusion
        else None
    )


def _confusion(head: str, matrix: Any) -> Table:
    names, counts = [str(name) for name in matrix["names"]], matrix["counts"]
    rows: tuple[tuple[str, ...], ...]
    if counts and isinstance(
        counts[0][0], list
    ):  # any number of labels a row: of each whether it is there, and was said
        told = (
            say("found", "찾음"),
            say("missed", "놓침"),
            say("said wrongly", "잘못 말함"),
            say("rightly not", "없고 말하지 않음"),
        )
        columns = ((head, "left"), *((name, "right") for name in told))
        rows = tuple(
            (name, count(hit), count(missed), count(over), count(no))
            for name, ((no, over), (missed, hit)) in zip(names, counts, strict=True)
        )
    else:
        columns = (
            (f"{head}: " + say("is ↓  said →", "실제 ↓  예측 →"), "left"),
            *((name, "right") for name in names),
            (say("right", "맞음"), "right"),
        )
        rows = tuple(
            (name, *(count(number) for number in row), share(row[at] / sum(row)) if sum(row) else "–")
            for at, (name, row) in enumerate(zip(names, counts, strict=True))
        )
    return Table(columns, rows)  # type: ignore[arg-type]


def judged(found: Evidence) -> Section | None:
    """What a model that was asked to judge said; nothing where it is not told in the way of `judge_table`."""
    judge = mapping(mapping(found.comparison).get("judge"))
    if not mapping(judge.get("models")):
        return None
    columns = tuple((name, "left") for name in judge_table.header())
    table = Table(columns, tuple(map(tuple, judge_table.cells(judge))))  # type: ignore[arg-type]
    notes = tuple(Text(note, "hint") for note in judge_table.notes(judge))
    return Section(judge_table.title(judge), (table, *notes))
