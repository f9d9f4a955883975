"""Walks the plan: does what is stale, in order, and records what was done. The only module that joins the stages."""

import logging
import os
from collections.abc import Callable, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, Protocol

from dadeum.config.experiment import Experiment
from dadeum.core.artifact import read_manifest, sweep, write_json, write_text
from dadeum.core.errors import ArtifactError, Interrupted, TrainError
from dadeum.core.language import say
from dadeum.core.lock import locked
from dadeum.core.log import open_log
from dadeum.core.progress import Reporter
from dadeum.evaluate.defaults import refuse_missing
from dadeum.export.output_dir import KIND, check_ours
from dadeum.export.step import refuse_head
from dadeum.export.targets import TARGETS
from dadeum.model.heads import parts
from dadeum.plan.steps import Step
from dadeum.run import works
from dadeum.run.fit import fits, mergeable
from dadeum.run.inputs import materials, pinned
from dadeum.run.removal import settle
from dadeum.run.seeds import train_others
from dadeum.run.stages import Lab, Plan, artifact_folder, make_plan
from dadeum.run.store import Run, new_run
from dadeum.run.works import Outcome
from dadeum.track.senders import catch_up, ready, tracked

if TYPE_CHECKING:
    from dadeum.train.smoke import Smoke

logger = logging.getLogger("dadeum")
Resume = Literal["auto", "never", "must"]
# What must be done before a step.
NEEDS = {
    "download": (),
    "preprocess": ("download",),
    "format": ("preprocess",),
    "initialise": ("download",),
    "eval base": ("format", "initialise"),
    "train": ("format", "initialise"),
    "eval tuned": ("train",),
    "other seeds": ("eval base",),
    "compare": ("eval base", "other seeds", "eval tuned"),
    "export": ("train",),
    "report": ("compare",),
}
IN_RUN = ("eval base", "other seeds", "train", "eval tuned", "compare", "export", "report")
ALL = ("compare", "export", "report")  # the goals of `dadeum run`


class Board(Reporter, Protocol):
    """A reporter that also shows the list of steps."""

    def mark(self, name: str, state: str, text: str = "") -> None:
        """The step is now waiting, fresh, running, done or failed."""


def wanted(goals: Sequence[str], plan: Plan) -> list[str]:
    """The goals and all that they need, in the plan's order."""
    found: set[str] = set()

    def add(name: str) -> None:
        if plan.has(name) and name not in found:
            found.add(name)
            for need in NEEDS[name]:
                add(need)

    for goal in goals:
        add(goal)
    return [step.name for step in plan.steps if step.name in found]


def several_processes() -> bool:
    """Whether torchrun or `accelerate launch` started more than one of us."""
    return int(os.environ.get("WORLD_SIZE", "1")) > 1


def has_checkpoint(run: Run | None) -> bool:
    """Whether the run was begun and can go on."""
    return (
        run is not None
        and read_manifest(run.final) is None
        and any(read_manifest(f) for f in run.checkpoints.glob("step-*"))
    )


def execute(lab: Lab, board: Board, goals: Sequence[str], *, resume: Resume = "auto") -> Outcome:
    """Do what the goals need and what is not fresh. Raises what a stage raises, with the step marked as failed.

    Under torchrun the first process does so; the others join it in the training.
    """
    if several_processes():
        if list(goals) != ["train"]:
            raise TrainError(
                say(
                    "several processes can only train; use `dadeum train` under torchrun, and one process for the rest",
                    "여러 프로세스로는 학습만 할 수 있습니다. torchrun에는 `dadeum train`을 쓰고 나머지는 한 프로세스로 하세요",
                )
            )
        if int(os.environ.get("RANK", "0")) > 0:
            return works.follow(lab)
    ready(lab.experiment.track)
    sweep(lab.workspace.checkpoints(lab.experiment.name))
    settle(lab.workspace, lab.experiment.name)
    plan = make_plan(lab)
    names = wanted(goals, plan)
    for step in plan.steps:
        if step.name in names:
            board.mark(step.name, "waiting", "" if step.fresh else step.why)
    _check_goals(lab, {name for name in names if not plan.step(name).fresh})
    if not plan.step("download").fresh or list(goals) == ["download"]:  # asked for, it looks for news on the Hub
        _do(plan.step("download"), lab, board, lambda: works.download(lab, board))
        plan = make_plan(lab)
    _check_adapter(lab, plan, names)
    done: list[str] = []
    _walk(
        [plan.step(n) for n in names if n not in IN_RUN],
        lab,
        board,
        done,
        lambda step: works.prepare(step, lab, plan, board),
    )
    inside = [n for n in names if n in IN_RUN]
    if not inside:
        return Outcome(plan, plan.run, tuple(done))
    if resume == "auto" and all(plan.step(n).fresh for n in inside):
        for name in inside:
            board.mark(name, "fresh")
        lab.remember(*map(plan.step, inside))
        if plan.run is not None and plan.run.record()["status"] in ("failed", "stopped") and _whole(plan):
            plan.run.note(status="finished", reason=None)
        _catch_up(lab, plan, board)
        return Outcome(plan, plan.run, tuple(done))
    run = _choose_run(lab, plan, resume)
    with locked(run.evidence), tracked(lab.experiment.track, run.evidence, board):
        sweep(run.checkpoints)
        open_log(run.evidence, "run")
        _save_config(lab, plan, run)
        write_json(
            run.evidence / "plan.json", [asdict(step) | {"fingerprint": step.fingerprint} for step in plan.steps]
        )
        run.note(status="started", reason=None, materials=_materials(lab, plan), beside=lab.seed is not None)
        run.note(formatted=works.folder_of(lab, plan, "format").relative_to(lab.workspace.root).as_posix())
        logger.info("run %s of %s; goals: %s", run.name, run.experiment, ", ".join(goals))
        plan = make_plan(lab)
        try:
            _walk(
                [plan.step(n) for n in inside],
                lab,
                board,
                done,
                lambda step: _inside(step, lab, plan, run, board, resume),
                run,
            )
        except BaseException as error:
            run.note(
                status="stopped" if isinstance(error, Interrupted) or not isinstance(error, Exception) else "failed",
                reason=str(error) or type(error).__name__,
            )
            raise
        if read_manifest(run.final) is not None:
            run.note(status="finished", reason=None)
    return Outcome(plan, run, tuple(done))


def _catch_up(lab: Lab, plan: Plan, board: Board) -> None:
    """Nothing is to be done, but a tracker may have been down when it was."""
    if plan.run is not None:
        catch_up(lab.experiment.track, plan.run.evidence, board)


def _inside(step: Step, lab: Lab, plan: Plan, run: Run, board: Board, resume: Resume) -> list[Path]:
    if step.name == "other seeds":
        return train_others(lab, board, lambda other, beside: execute(other, beside, ["eval tuned"]))
    return works.inside(step, lab, plan, run, board, resume)


def _check_goals(lab: Lab, stale: set[str]) -> None:
    """Raises DadeumError for what could not be done at the end, before anything is begun."""
    if "export" in stale:
        _check_export(lab)
    if stale & {"eval base", "eval tuned"}:
        refuse_missing(lab.experiment.evaluate)


def _check_export(lab: Lab) -> None:
    """What would stop the export is told now, not after hours of training."""
    for target in lab.experiment.export:
        if parts(lab.experiment.head):
            refuse_head(target)
        TARGETS.of(target).ready(target)
        mergeable(lab.experiment.adapter, target.type)
    if lab.experiment.output_dir is not None:
        check_ours(lab.workspace.at(lab.experiment.output_dir), KIND)


def _check_adapter(lab: Lab, plan: Plan, names: Sequence[str]) -> None:
    """What would stop the training is told now, not after the data are made."""
    if "train" in names and not plan.step("train").fresh:
        fits(lab, plan)


def _whole(plan: Plan) -> bool:
    return all(step.fresh for step in plan.steps)


def _choose_run(lab: Lab, plan: Plan, resume: Resume) -> Run:
    name, fingerprint = lab.experiment.name, plan.step("train").fingerprint
    if resume == "must" and not (plan.run and (has_checkpoint(plan.run) or read_manifest(plan.run.final))):
        raise ArtifactError(
            say(
                f"{name}: no checkpoint of these settings to resume from; use --resume-mode auto",
                f"{name}: 이 설정으로 이어 할 체크포인트가 없습니다. --resume-mode auto를 쓰세요",
            )
        )
    if plan.run is None or (resume == "never" and (has_checkpoint(plan.run) or read_manifest(plan.run.final))):
        return new_run(lab.workspace, name, fingerprint)
    return plan.run


def _materials(lab: Lab, plan: Plan) -> dict[str, object]:
    """Everything from outside that the run is made of; of data files the SHA-256, of Hub data sets the commit."""
    return {**materials(lab.experiment, plan.places, lab.workspace), "data": plan.step("download").made_from}


def _save_config(lab: Lab, plan: Plan, run: Run) -> None:
    """The resolved experiment with commits instead of branches, as YAML that dadeum reads back."""
    from io import StringIO

    from ruamel.yaml import YAML

    out = StringIO()
    yaml = YAML(typ="safe", pure=True)
    yaml.default_flow_style, yaml.allow_unicode = False, True
    yaml.dump(_written(pinned(lab.experiment, plan.places, lab.workspace)), out)
    write_text(run.evidence / "config.yaml", out.getvalue())


def _written(experiment: Experiment) -> dict[str, Any]:
    """Every setting, but for those that stand for what the head has: as a file they would be asked for, and refused."""
    found = experiment.model_dump(mode="json")
    if experiment.train.objective.type == "auto":
        asked = experiment.train.objective.model_dump(mode="json", exclude_unset=True)
        found["train"]["objective"] = {**asked, "type": "auto"}
    if parts(experiment.head) and "metrics" not in experiment.evaluate.model_fields_set:
        del found["evaluate"]["metrics"]
    return found


def _walk(
    steps: Sequence[Step],
    lab: Lab,
    board: Board,
    done: list[str],
    work: Callable[[Step], list[Path]],
    run: Run | None = None,
) -> None:
    for step in steps:
        if step.name == "download":
            if step.fresh:
                board.mark(step.name, "fresh", step.why)
            continue
        if step.fresh and (run is None or run.stage(step.name) is not None):
            board.mark(step.name, "fresh")
            lab.remember(step)
            continue
        files = _do(step, lab, board, lambda step=step: work(step))  # type: ignore[misc]
        if step.name == "report" and not files:  # it was told; the next walk tries again
            continue
        if run is not None:
            run.finish(step.name, step.fingerprint, step.made_from, files, lab.workspace.root)
        done.append(step.name)


def _do(step: Step, lab: Lab, board: Board, work: Callable[[], list[Path]]) -> list[Path]:
    board.mark(step.name, "running", step.why)
    try:
        files = work()
    except BaseException:
        board.mark(step.name, "failed")
        raise
    if step.name == "report" and not files:
        board.mark(step.name, "failed")
        return files
    if step.name != "download":
        lab.remember(step)
    board.mark(step.name, "done", _place(step, lab))
    return files


def _place(step: Step, lab: Lab) -> str:
    folder = artifact_folder(lab, step)
    return folder.relative_to(lab.workspace.root).as_posix() if folder else ""


def smoke_test(lab: Lab, board: Board) -> "Smoke":
    """Learn 8 rows by heart, and see whether the answers stop by themselves. Nothing is written into the workspace's runs."""
    from dadeum.train.smoke import smoke

    plan = execute(lab, board, works.before_training(lab)).plan
    nowhere = Run(lab.experiment.name, "smoke", Path(), Path())
    return smoke(works.job_of(lab, plan, nowhere, "auto"), board)
