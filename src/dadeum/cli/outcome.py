"""How a walk ends on the screen: data, training, scores, what to do next."""

from typing import TYPE_CHECKING, Any

from dadeum.cli.comparison_view import show_rows, show_tables
from dadeum.core.artifact import read_json
from dadeum.core.language import say
from dadeum.evaluate import elsewhere, judge_table
from dadeum.model.files import is_headed

if TYPE_CHECKING:
    from pathlib import Path

    from dadeum.cli.view import View
    from dadeum.run.stages import Lab
    from dadeum.run.store import Run
    from dadeum.run.works import Outcome
    from dadeum.train.smoke import Smoke


def show_outcome(view: "View", lab: "Lab", outcome: "Outcome") -> None:
    """The comparison, three answers side by side, and where things are."""
    run = outcome.run
    if run is None:
        return
    show_comparison(view, run.evaluation)
    _where(view, lab, run)


def show_comparison(view: "View", folder: "Path") -> None:
    """What `comparison.json` holds, and rows of the evaluations."""
    found = read_json(folder / "comparison.json")
    if found["metrics"]:
        show_tables(view, found)
    if found.get("tasks"):
        view.table(elsewhere.title(), elsewhere.header(), elsewhere.cells(found["tasks"]))
    if found.get("judge"):
        view.table(judge_table.title(found["judge"]), judge_table.header(), judge_table.cells(found["judge"]))
        for note in judge_table.notes(found["judge"]):
            view.note(note)
    for note in found["notes"]:
        view.note(note)
    view.note("")
    show_rows(view, found, folder)


def _where(view: "View", lab: "Lab", run: "Run") -> None:
    root = lab.workspace.root
    places = {
        say("weights", "가중치"): run.final.relative_to(root).as_posix(),
        say("evidence", "증거"): run.evidence.relative_to(root).as_posix(),
    }
    report = run.evidence / "report.html"
    if report.is_file():
        places[say("report", "보고서")] = report.relative_to(root).as_posix()
    merged = run.checkpoints / "merged"
    if merged.is_dir():
        places[say("merged model", "병합된 모델")] = merged.relative_to(root).as_posix()
    asked = f'dadeum chat -m {run.experiment}   ·   dadeum ask "…" -m {run.experiment}'
    places[say("next", "다음")] = f"dadeum predict … -m {run.experiment}" if is_headed(run.final) else asked
    view.facts(places)


def show_training(view: "View", lab: "Lab", outcome: "Outcome") -> None:
    """The main figures of `training_stats.json`."""
    run = outcome.run
    if run is None:
        return
    stats = read_json(run.final / "training_stats.json")
    keys = (
        "rows",
        "optimizer_steps",
        "epochs",
        "final_loss",
        "best_validation_loss",
        "tokens_per_second",
        "seconds",
        "peak_memory_bytes",
    )
    view.facts({key.replace("_", " "): stats[key] for key in keys if stats.get(key) is not None})
    _where(view, lab, run)


def show_data(view: "View", lab: "Lab", outcome: "Outcome", goal: str) -> None:
    """What the data stages counted."""
    from dadeum.run.stages import artifact_folder

    for name, file in (("preprocess", "report.json"), ("format", "statistics.json")):
        folder = artifact_folder(lab, outcome.plan.step(name))
        if folder is None or not (folder / file).is_file():
            continue
        view.facts({f"{name}: {key}".replace("_", " "): value for key, value in _counts(read_json(folder / file))})
        if name == goal:
            break


def _counts(report: dict[str, Any]) -> list[tuple[str, object]]:
    found: list[tuple[str, object]] = []
    for key, value in report.items():
        if isinstance(value, int | float | str) and not isinstance(value, bool):
            found.append((key, value))
        elif isinstance(value, dict) and value and all(isinstance(v, int | float) for v in value.values()):
            found.append((key, ", ".join(f"{k} {v:,}" for k, v in value.items())))
    return found


def show_smoke(view: "View", found: "Smoke") -> None:
    """Whether the model learnt 8 rows, and whether it stops."""
    facts: dict[str, Any] = {
        say("loss", "손실"): f"{found.first_loss:.3f} → {found.final_loss:.4f}",
        say("steps", "단계"): found.steps,
    }
    if found.answers is not None:
        facts[say("stops by itself", "스스로 멈춤")] = f"{found.answers.stopped}/{found.rows}"
        facts[say("word for word", "그대로 답함")] = f"{found.answers.exact}/{found.rows}"
    view.facts({**facts, say("seconds", "초"): round(found.seconds, 1)})


def show_scores(view: "View", lab: "Lab", outcome: "Outcome", kind: str) -> None:
    """The metrics of one model."""
    from dadeum.evaluate.metrics import arrow
    from dadeum.evaluate.step import FILES

    if outcome.run is None:
        return
    path = outcome.run.evaluation / FILES[kind]
    found = read_json(path)
    columns = [
        say("metric", "지표"),
        say("value", "값"),
        say("95 % interval", "95 % 구간"),
        say("random pairs", "무작위 짝"),
        "n",
    ]
    rows = []
    for name, metric in found["metrics"].items():
        low, high = metric["interval"]
        floor = f"{metric['floor']:.4g}" if "floor" in metric else ""
        rows.append(
            [
                f"{name} {arrow(metric['higher_is_better'])}",
                f"{metric['value']:.4g}",
                f"[{low:.4g}, {high:.4g}]",
                floor,
                str(metric["n"]),
            ]
        )
    view.table(f"{found['model']} · {found['dataset']}", columns, rows)
    view.facts({name: f"{share:.0%}" for name, share in found["shares"].items()})
    view.note(path.relative_to(lab.workspace.root).as_posix())
