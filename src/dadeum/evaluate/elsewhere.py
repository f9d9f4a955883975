"""Elsewhere: the same tasks before and after the training, and so what was forgotten for what was learnt.

`<run>/evaluation/tasks/<task>/base.json` and `tuned.json` hold the scores; here they are held against each other, over the
same rows, with the same paired intervals as the test rows of the run.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from dadeum.config.evaluate import EvaluateSettings
from dadeum.core.errors import ArtifactError
from dadeum.core.language import say
from dadeum.core.progress import Reporter
from dadeum.evaluate.defaults import FEW
from dadeum.evaluate.harness_metric import member_of
from dadeum.evaluate.metrics import arrow
from dadeum.evaluate.result import ALIKE, EvaluationResult
from dadeum.evaluate.task import folder_of

FOLDER = "tasks"
BASE, TUNED = "base", "tuned"
# What must be equal for two scores of a task to be compared.
LIKE = (*ALIKE, "task")


def file_of(out: Path, task: str, kind: str) -> Path:
    """Where the scores of one model on a task lie, below the folder of an evaluation."""
    return out / FOLDER / task / f"{kind}.json"


def elsewhere(folder: Path, settings: EvaluateSettings, reporter: Reporter) -> list[dict[str, Any]]:
    """A row a task and metric: `{task, name, metric, base, tuned, difference, low, high, p, n, verdict, …}`.

    `folder` is that of an evaluation. A task that was scored for one of the two alone, or for both unlike, is told and left out.
    """
    found: list[dict[str, Any]] = []
    names = [folder_of(one if isinstance(one, str) else one.task) for one in settings.tasks]
    for place in (folder / FOLDER / name for name in names):
        pair = [place / f"{kind}.json" for kind in (BASE, TUNED)]
        if not all(path.is_file() for path in pair):
            continue
        try:
            base, tuned = (EvaluationResult.read(path) for path in pair)
            _refuse_unlike(place.name, base, tuned)
        except ArtifactError as error:
            reporter.warn(str(error))
            continue
        rows = (_row(place.name, name, base, tuned, settings) for name in base.metrics)
        found += [row for row in rows if row is not None]
    return found


def _refuse_unlike(task: str, base: EvaluationResult, tuned: EvaluationResult) -> None:
    unlike = next((key for key in LIKE if base.environment.get(key) != tuned.environment.get(key)), None)
    signatures = [{name: m["signature"] for name, m in one.metrics.items()} for one in (base, tuned)]
    if unlike is None and signatures[0] != signatures[1]:
        unlike = "signature"
    if unlike is not None:
        raise ArtifactError(
            say(
                f"task {task}: base and tuned model were scored unlike ({unlike}), so they are not compared; score both again",
                f"과제 {task}: 기본 모델과 학습한 모델의 조건({unlike})이 달라 비교하지 않습니다. 둘 다 다시 채점하세요",
            )
        )


def _row(
    task: str, name: str, base: EvaluationResult, tuned: EvaluationResult, settings: EvaluateSettings
) -> dict[str, Any] | None:
    from dadeum.evaluate.statistics import paired, total

    first = base.metrics[name]
    member = member_of(first)
    if member.per_token and base.environment["tokenizer_sha256"] != tuned.environment["tokenizer_sha256"]:
        return None
    row = {
        "task": task,
        "dataset": base.dataset,
        "metric": name,
        "higher_is_better": first["higher_is_better"],
        "unit": first["unit"],
        "signature": first["signature"],
        "n": first["n"],
        "base": first["value"],
        "tuned": tuned.metrics[name]["value"],
        "difference": tuned.metrics[name]["value"] - first["value"],
        "interval": None,
        "p": None,
        "verdict": "unknown",
    }
    pairs = [
        (a["statistics"][name], b["statistics"][name], a.get("group"))
        for a, b in zip(base.samples, tuned.samples, strict=True)
        if name in a["statistics"] and name in b["statistics"]
    ]
    if not pairs:  # the metric of a package, which is no function of its rows that we know
        return row
    before, after, groups = (list(column) for column in zip(*pairs, strict=True))
    found = paired(before, after, member, draws=settings.bootstrap, seed=settings.seed, groups=groups)
    return {
        **row,
        "n": found.n,
        "base": total(member, before),
        "tuned": total(member, after),
        "difference": found.difference,
        "interval": [found.low, found.high],
        "p": found.p,
        "verdict": verdict(found.low, found.high, first["higher_is_better"])
        if found.clear and found.n >= FEW
        else "unclear",
    }


def verdict(low: float, high: float, higher_is_better: bool | None) -> str:
    """better, worse, differs where neither way is better, or unclear where the interval holds zero."""
    if low <= 0 <= high:
        return "unclear"
    if higher_is_better is None:
        return "differs"
    return "better" if (low > 0) == higher_is_better else "worse"


def title() -> str:
    """What the table is called."""
    return say("Elsewhere: what the training did to other text", "다른 글에서: 학습이 다른 글에 미친 영향")


def header() -> list[str]:
    """The columns of `cells`."""
    return [
        say("task (rows)", "과제 (행)"),
        say("metric", "지표"),
        say("base", "기본"),
        say("tuned", "학습"),
        say("difference [95 %]", "차이 [95 %]"),
        "",
    ]


def cells(rows: Sequence[dict[str, Any]]) -> list[list[str]]:
    """The rows as a table shows them."""
    words = {
        "better": say("better", "나아짐"),
        "worse": say("forgotten", "잊음"),
        "differs": say("differs", "다름"),
        "unclear": say("unclear", "불분명"),
        "unknown": "",
    }
    found = []
    for row in rows:
        span = row["interval"]
        beside = "" if span is None else f" [{span[0]:+.3g}, {span[1]:+.3g}]"
        found.append(
            [
                f"{row['task']} ({row['n']})",
                f"{row['metric']} {arrow(row['higher_is_better'])}",
                f"{row['base']:.4g}",
                f"{row['tuned']:.4g}",
                f"{row['difference']:+.3g}{beside}",
                words[row["verdict"]],
            ]
        )
    return found


def lines(rows: Sequence[dict[str, Any]]) -> list[str]:
    """The table as Markdown; nothing where there is none."""
    if not rows:
        return []
    table = [header(), ["---"] * len(header()), *cells(rows)]
    written = ["| " + " | ".join(cell.replace("|", "\\|") for cell in row) + " |" for row in table]
    return ["", f"## {title()}", "", *written]
