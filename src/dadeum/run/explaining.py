"""`dadeum explain`: the data of an experiment, one step of its own loop, and the row that is shown of it."""

import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from dadeum.core.errors import DataError, TrainError
from dadeum.core.language import say
from dadeum.core.progress import Reporter
from dadeum.core.workspace import Workspace
from dadeum.data.exhibit import Cabinet, Exhibit
from dadeum.run import works
from dadeum.run.execute import Board, execute, several_processes
from dadeum.run.fit import fits
from dadeum.run.purpose import purpose_of
from dadeum.run.stages import Lab, Plan
from dadeum.run.store import Run

if TYPE_CHECKING:
    from dadeum.explain.facts import Explanation

PAGE = "explain.html"


def explain(
    lab: Lab, board: Board, *, row: str | None = None, step: int | None = None, trainer: bool = True
) -> "Explanation":
    """Make what a training stands on where it is stale, then take one step apart. Nothing is written into the runs."""
    from dadeum.explain.facts import Explanation
    from dadeum.explain.row import cells_of, row_facts, why_trained
    from dadeum.explain.step import take_apart

    if several_processes():
        raise TrainError(
            say(
                "one process takes a step apart; run `dadeum explain` without torchrun",
                "단계 하나를 뜯어보는 일은 한 프로세스로 합니다. torchrun 없이 실행하세요",
            )
        )
    plan = execute(lab, board, works.before_training(lab)).plan
    fits(lab, plan)
    cabinet = cabinet_of(lab, plan)
    number = None if row is None else _trained(cabinet.row(row), row)
    job = works.job_of(lab, plan, Run(lab.experiment.name, "explain", Path(), Path()), "auto")
    _tell(board, trainer=trainer)
    taken = take_apart(job, board, row=number, step=step, trainer=trainer)
    found = cabinet.row(str(taken.shown))
    (shown,) = found.shown
    painted = shown.samples[taken.shown_sample % len(shown.samples)]
    one = replace(found, facts={}, notes=[], shown=[replace(shown, why=_why(taken.shown, number), samples=[painted])])
    cells = cells_of(lab.experiment.data, lab.workspace, str(shown.row["where"]))
    facts = row_facts(painted, cells, why_trained(purpose_of(lab.experiment).takes, lab.experiment.data))
    return Explanation(taken, facts, one)


def _why(shown: int, asked: int | None) -> str:
    if shown == asked:
        return say("asked for", "고른 행")
    return say("the shortest of the step", "이 단계에서 가장 짧은 행")


def _tell(reporter: Reporter, *, trainer: bool) -> None:
    then = say(", then the same by transformers.Trainer", ", 이어서 transformers.Trainer로 같은 단계")
    reporter.note(say("one step of the run's own loop", "실행과 같은 루프로 한 단계") + then * trainer + " …")


def cabinet_of(lab: Lab, plan: Plan) -> Cabinet:
    """The rows of the experiment, to be painted."""
    folders = [works.folder_of(lab, plan, name) for name in ("preprocess", "format")]
    return Cabinet(lab.experiment.name, lab.experiment.data, purpose_of(lab.experiment), folders[0], folders[1])


def _trained(found: Exhibit, asked: str) -> int:
    """The row's number. Raises DataError where the training never sees it, and says why."""
    (shown,) = found.shown
    where = shown.row["where"]
    if shown.samples[0].dropped:
        raise DataError(
            say(
                f"--row: {where} was dropped: {shown.samples[0].dropped}",
                f"--row: {where} 행은 빠졌습니다: {shown.samples[0].dropped}",
            )
        )
    part = shown.row["part"]
    if part != "train":
        raise DataError(
            say(
                f"--row: {asked} is {where}, which is of the part '{part}' and never trained; choose a row of 'train', "
                "or see it with `dadeum data show`",
                f"--row: {asked}은(는) {where}, '{part}' 부분의 행이라 학습하지 않습니다. 'train' 행을 고르거나 "
                "`dadeum data show`로 보세요",
            )
        )
    return int(shown.row["source_row"])


def the_experiment(workspace: Workspace) -> str | None:
    """The only experiment of the workspace; None where it has none. Raises TrainError where there are several."""
    there = sorted(f.stem for f in [*workspace.configs.glob("*.yaml"), *workspace.configs.glob("*.yml")])
    if len(there) < 2:
        return there[0] if there else None
    listed = ", ".join(there[:8]) + (" …" if len(there) > 8 else "")
    raise TrainError(
        say(
            f"which experiment? configs/ has {listed}; name one: dadeum explain {there[0]}",
            f"어느 실험인가요? configs/에 {listed}이(가) 있습니다. 하나를 고르세요: dadeum explain {there[0]}",
        )
    )


@contextmanager
def embedded(overrides: Sequence[str]) -> Iterator[Lab]:
    """The quickstart's experiment in a folder that is gone afterwards: what is explained where there is no experiment."""
    from dadeum.config.load import load
    from dadeum.run.quickstart import EXPERIMENT, lay_out

    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        lay_out(folder)
        yield Lab(load(folder / EXPERIMENT, overrides, root=folder), Workspace(folder))
