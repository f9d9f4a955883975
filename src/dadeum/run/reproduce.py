"""A run done again from its own record: what is no longer the same is told first, and the two results are held against each other."""

import time
from dataclasses import dataclass, field, replace
from typing import Any

from dadeum.config.load import load
from dadeum.core.artifact import read_json, read_manifest, write_json
from dadeum.core.errors import ArtifactError, DadeumError
from dadeum.core.fingerprint import versions
from dadeum.core.language import say
from dadeum.core.workspace import Workspace
from dadeum.plan.steps import Step
from dadeum.run import works
from dadeum.run.execute import NEEDS, Board, execute
from dadeum.run.ledger import CONFIG, STATS, read_object_or_none
from dadeum.run.sameness import TOLERANCE, Sameness, hold
from dadeum.run.stages import Lab, Plan, make_plan
from dadeum.run.store import Run

RECORD = "reproduction.json"
PLAN = "plan.json"
STEPS = ("preprocess", "format", "initialise", "train")
SECTIONS = ("model.", "tokenizer.", "adapter.", "head.", "data.", "train.")
Pair = tuple[Any, Any]


@dataclass(frozen=True)
class Conditions:
    """What is not as it was: what the result is made from, and where and with what it is made. (then, now) by name."""

    materials: dict[str, Pair] = field(default_factory=dict)
    surroundings: dict[str, Pair] = field(default_factory=dict)


@dataclass(frozen=True)
class Reproduction:
    """The new run, what was other about its making, and what came of it."""

    of: Run
    run: Run
    conditions: Conditions
    found: Sameness


def lab_of(workspace: Workspace, run: Run) -> Lab:
    """The run's own settings, commits pinned. Raises ArtifactError where the run was not finished or its record is not whole."""
    name = f"{run.experiment}/{run.name}"
    if read_manifest(run.final) is None:
        raise ArtifactError(
            say(
                f"{name}: has no finished weights to hold a second run against; go on with `dadeum run {run.experiment}`",
                f"{name}: 견줄 끝난 가중치가 없습니다. `dadeum run {run.experiment}`(으)로 이어서 하세요",
            )
        )
    missing = [f for f in (CONFIG, PLAN) if not (run.evidence / f).is_file()]
    if missing:
        raise ArtifactError(
            say(
                f"{name}: {missing[0]} is gone, and without it the run cannot be done again",
                f"{name}: {missing[0]}이(가) 없어 다시 실행할 수 없습니다",
            )
        )
    try:
        loaded = load(run.evidence / CONFIG, root=workspace.root)
    except DadeumError as error:
        raise ArtifactError(
            say(f"{name}: its {CONFIG} cannot be read: {error}", f"{name}: {CONFIG}을(를) 읽을 수 없습니다: {error}")
        ) from None
    # One seed, and no copy over that of the first run.
    experiment = loaded.experiment.model_copy(update={"seeds": (), "output_dir": None})
    beside = (read_object_or_none(run.evidence / "manifest.json") or {}).get("beside", False)
    return Lab(replace(loaded, experiment=experiment), workspace, seed=experiment.train.seed if beside else None)


def conditions(lab: Lab, plan: Plan, run: Run) -> Conditions:
    """Hold what the run was made from and in against what is here. The plan must not wait for downloads."""
    then = {step["name"]: step["made_from"] for step in read_json(run.evidence / PLAN) if isinstance(step, dict)}
    found = Conditions()
    for name in STEPS:
        step: Step | None = plan.step(name) if plan.has(name) else None
        before, now = then.get(name) or {}, step.made_from if step else {}
        for key in dict.fromkeys([*before, *now]):
            pair = (before.get(key), now.get(key))
            if pair[0] == pair[1] or key in NEEDS:  # an earlier step's mark: that step's own parts are told
                continue
            told = key if key not in ("tokenizer", "model", "teacher") else f"{key} (SHA-256)"
            # A setting that one side does not know is another dadeum's, not another value.
            known = (key in before and key in now) or not key.startswith(SECTIONS)
            kind = found.materials if known and not key.endswith(" version") else found.surroundings
            kind[told] = pair
    found.surroundings.update(_surroundings(run))
    return found


def _surroundings(run: Run) -> dict[str, Pair]:
    """Versions, device, threads and processes that are not as they were when the weights were made."""
    import torch

    manifest = read_manifest(run.final)
    made: dict[str, Any] = manifest.made_from if manifest is not None else {}
    stats = read_object_or_none(run.evidence / STATS) or {}
    then, now = stats.get("versions") or made.get("versions") or {}, versions()
    found: dict[str, Pair] = {
        f"{name} version": (then.get(name), now[name]) for name in now if then.get(name) != now[name]
    }
    device = "cuda" if torch.cuda.is_available() else "cpu"
    here: dict[str, Any] = {
        "device": device,
        "threads": torch.get_num_threads() if device == "cpu" else 0,
        "world_size": 1,
    }
    names = {"world_size": "processes"}
    found |= {names.get(k, k): (made[k], v) for k, v in here.items() if k in made and made[k] != v}
    if device == "cuda" and made.get("device") == device:
        card = torch.cuda.get_device_name(0)
        found |= {"GPU": (stats.get("device"), card)} if stats.get("device") != card else {}
    return found


def planned(lab: Lab, board: Board) -> Plan:
    """The plan after what the record pins was fetched."""
    plan = make_plan(lab)
    if not plan.step("download").fresh:
        works.download(lab, board)
        plan = make_plan(lab)
    return plan


def refuse(run: Run, found: Conditions, *, anyway: bool) -> None:
    """Raises ArtifactError where it would not be the same run; other surroundings are let through with `anyway`."""
    name = f"{run.experiment}/{run.name}"
    if found.materials:
        raise ArtifactError(
            say(
                f"{name}: is no longer made of the same: {listed(found.materials)}; put it back",
                f"{name}: 재료가 그때와 다릅니다: {listed(found.materials)}. 되돌리세요",
            )
        )
    if found.surroundings and not anyway:
        threads = f"OMP_NUM_THREADS={found.surroundings['threads'][0]} " if "threads" in found.surroundings else ""
        raise ArtifactError(
            say(
                f"{name}: was made with other versions, or another device: {listed(found.surroundings)}; "
                f"put them back, or go on: {threads}dadeum reproduce {run.name} --anyway",
                f"{name}: 버전이나 장치가 그때와 다릅니다: {listed(found.surroundings)}. "
                f"되돌리거나 계속하세요: {threads}dadeum reproduce {run.name} --anyway",
            )
        )


def listed(pairs: dict[str, Pair]) -> str:
    """`name then → now`, of hashes their beginning."""
    return ", ".join(f"{name} {_short(then)} → {_short(now)}" for name, (then, now) in pairs.items())


def _short(value: Any) -> str:
    if isinstance(value, str) and len(value) == 64:
        return value[:12]
    return say("absent", "없음") if value is None else str(value)


def reproduce(
    workspace: Workspace, run: Run, board: Board, *, anyway: bool = False, tolerance: float = TOLERANCE
) -> Reproduction:
    """Do the run again as a new one of its experiment, and write `reproduction.json` into its evidence.

    Raises ArtifactError before anything is done where it is not made of the same any more.
    """
    lab = lab_of(workspace, run)
    found = conditions(lab, planned(lab, board), run)
    refuse(run, found, anyway=anyway)
    for name, pair in found.surroundings.items():
        board.warn(say(f"other than then: {listed({name: pair})}", f"그때와 다름: {listed({name: pair})}"))
    outcome = execute(_as_then(lab, run), board, [_goal(run)], resume="never")
    again = outcome.run
    assert again is not None and again.name != run.name
    held = hold(run, again, tolerance=tolerance)
    write_json(
        again.evidence / RECORD,
        {
            "of": f"{run.experiment}/{run.name}",
            "run": f"{again.experiment}/{again.name}",
            "time": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
            "surroundings_that_differ": {name: list(pair) for name, pair in found.surroundings.items()},
            **held.as_json(),
        },
    )
    return Reproduction(run, again, found, held)


def _as_then(lab: Lab, run: Run) -> Lab:
    """With the micro-batch that `auto` found then: it depends on the memory that is free, and rounding on it."""
    train = lab.loaded.experiment.train
    size = (read_object_or_none(run.evidence / STATS) or {}).get("per_device_train_batch_size")
    if train.per_device_train_batch_size != "auto" or not isinstance(size, int):
        return lab
    pinned = train.model_copy(update={"per_device_train_batch_size": size})
    experiment = lab.loaded.experiment.model_copy(update={"train": pinned})
    return replace(lab, loaded=replace(lab.loaded, experiment=experiment))


def _goal(run: Run) -> str:
    """As far as the run itself went; its exports say nothing new."""
    stages = (read_object_or_none(run.evidence / "manifest.json") or {}).get("stages") or {}
    return next((name for name in ("compare", "eval tuned") if name in stages), "train")
