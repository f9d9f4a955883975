"""The steps of an experiment: what each is made from, and which are fresh. Judged without torch."""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from dadeum.config.experiment import Experiment
from dadeum.config.load import Loaded
from dadeum.core.artifact import damage, read_json, read_manifest, write_json
from dadeum.core.fingerprint import SHORT, fingerprint, version, versions
from dadeum.core.language import say
from dadeum.core.workspace import Workspace
from dadeum.data import step as data_step
from dadeum.evaluate.step import COMPARISON_VERSION, EVALUATION_VERSION
from dadeum.plan.steps import Step, flat, why_stale
from dadeum.report.step import CODE_VERSION as REPORT_VERSION
from dadeum.run.inputs import (
    Places,
    base_made_from,
    pinned,
    places,
    teacher_made_from,
    teacher_of,
    template_hash,
    tokenizer_hash,
)
from dadeum.run.purpose import purpose_of
from dadeum.run.store import Run, done_before, newest
from dadeum.run.tasks import measured_with, task_facts

# Settings of `train:` that change when something is written down, not what is learnt.
BESIDE = {"train.logging_steps", "train.save_total_limit", "train.eval_steps", "train.save_steps"}
FORMAT_KEYS = {"data.max_length", "data.overlong", "data.train_on", "data.allow", "data.cut_answers"}


@dataclass(frozen=True)
class Lab:
    """An experiment in its workspace."""

    loaded: Loaded
    workspace: Workspace
    seed: int | None = None  # one of the experiment's further seeds, and nothing else

    @property
    def experiment(self) -> Experiment:
        """The settings, with the seed that this training has."""
        experiment = self.loaded.experiment
        if self.seed is not None:
            return of_seed(experiment, self.seed)
        return of_seed(experiment, experiment.seeds[0], experiment.seeds) if experiment.seeds else experiment

    @property
    def others(self) -> "dict[int, Lab]":
        """The experiment with each of its further seeds."""
        return {} if self.seed is not None else {s: replace(self, seed=s) for s in self.loaded.experiment.seeds[1:]}

    @property
    def notebook(self) -> Path:
        """Remembers what each stage was last made from, so that a stale one can say why."""
        return self.workspace.experiments(self.experiment.name) / "stages.json"

    def remember(self, *steps: Step) -> None:
        """Note that the steps were just done, or found done; with a further seed they are not the experiment's own."""
        if self.seed is not None:
            return
        known = read_json(self.notebook) if self.notebook.is_file() else {}
        now = {**known, **{step.name: step.made_from for step in steps}}
        if now != known:
            write_json(self.notebook, now)


def of_seed(experiment: Experiment, seed: int, seeds: tuple[int, ...] = ()) -> Experiment:
    """The experiment trained with one seed."""
    train = experiment.train.model_copy(update={"seed": seed})
    return experiment.model_copy(update={"train": train, "seeds": seeds})


@dataclass(frozen=True)
class Plan:
    """All steps in order, the places of the base, and the run that they belong to (None: not begun)."""

    steps: tuple[Step, ...]
    places: Places
    run: Run | None

    def step(self, name: str) -> Step:
        """The step of that name."""
        return next(s for s in self.steps if s.name == name)

    def has(self, name: str) -> bool:
        """Whether the experiment has such a step."""
        return any(s.name == name for s in self.steps)


def make_plan(lab: Lab) -> Plan:
    """Compare what the steps would be made from with what is on disk. Raises the errors of missing inputs."""
    experiment, workspace = lab.experiment, lab.workspace
    where = places(experiment, workspace)
    made = _made_from(pinned(experiment, where, workspace), where, workspace)
    known = read_json(lab.notebook) if lab.notebook.is_file() else {}
    steps = [Step(name, parts) for name, parts in made.items()]
    train = next(s for s in steps if s.name == "train")
    run = None if _waits(train) else newest(workspace, experiment.name, train.fingerprint)
    judged = [_judge(step, lab, run, known.get(step.name)) for step in steps]
    return Plan(tuple(judged), where, run)


def _waits(step: Step) -> bool:
    return "download" in step.made_from


def _made_from(experiment: Experiment, where: Places, workspace: Workspace) -> dict[str, dict[str, Any]]:
    data, installed = experiment.data, versions()
    sources = data_step.inputs(data, workspace)
    tasks = task_facts(experiment, workspace)
    made: dict[str, dict[str, Any]] = {
        "download": {**sources, **{k: None for k, found in tasks.items() if found is None}}
    }
    waiting = (
        where.tokenizer is None
        or (where.model is None and experiment.model.init != "random")
        or (where.teacher is None and teacher_of(experiment) is not None)
        or None in made["download"].values()
    )
    if waiting:
        made["download"]["pending"] = True
        later = [
            "preprocess",
            "format",
            *(["initialise"] if experiment.model.init == "random" else []),
            "eval base",
            *(["other seeds"] if experiment.seeds else []),
            "train",
            "eval tuned",
            "compare",
        ]
        made |= {name: {"download": "pending"} for name in later}
    else:
        made |= _known(experiment, where, workspace, sources, installed, tasks)
    if experiment.export or experiment.output_dir is not None:
        made["export"] = {
            "train": _mark(made, "train"),
            "export": [t.model_dump(mode="json") for t in experiment.export],
            "output_dir": experiment.output_dir,
        }
        if waiting:
            made["export"]["download"] = "pending"
    shown: dict[str, Any] = {name: _mark(made, name) for name in ("compare", "export") if name in made and not waiting}
    made["report"] = {"download": "pending"} if waiting else {**shown, "report version": REPORT_VERSION}
    return made


def _mark(made: dict[str, dict[str, Any]], name: str) -> str:
    return fingerprint(name, made[name])[:SHORT]


def _known(
    experiment: Experiment,
    where: Places,
    workspace: Workspace,
    sources: dict[str, Any],
    installed: dict[str, str],
    tasks: dict[str, Any],
) -> dict[str, dict[str, Any]]:
    assert where.tokenizer is not None
    keys = flat(experiment.data.model_dump(mode="json"), "data")
    packing = keys.pop("data.packing")
    if keys["data.duplicates"] == "keep":  # as before there was such a setting
        del keys["data.duplicates"]
    if not keys["data.filters"]:
        del keys["data.filters"]
    formatting = {key: keys.pop(key) for key in FORMAT_KEYS}
    base = base_made_from(experiment, where.model, workspace)
    tokens = experiment.tokenizer.new_tokens
    added = {"tokenizer.add_special_tokens": list(tokens)} if tokens else {}
    model = _held(experiment)
    scores = flat(experiment.evaluate.model_dump(mode="json"), "evaluate") | tasks
    scores |= {**measured_with(experiment, workspace), "evaluation version": EVALUATION_VERSION}
    judge = {key: scores.pop(key) for key in [*scores] if key.split(".")[1:2] == ["judge"]}
    tools = {f"{name} version": installed[name] for name in ("torch", "transformers")}
    purpose = purpose_of(experiment)
    made: dict[str, dict[str, Any]] = {}
    made["preprocess"] = {
        **keys,
        **sources,  # later: of a prompt file its bytes count, not its name
        "tokenizer": tokenizer_hash(where.tokenizer),
        "tokenizer.chat_template": template_hash(experiment.tokenizer.chat_template, workspace),
        **added,
        "train.objective": purpose.objective,
        # Of labels only those are kept that heads look at.
        **({"head": [purpose.takes, *(target.column for target in purpose.targets)]} if purpose.targets else {}),
        "data stage version": data_step.CODE_VERSION,
        **{f"{name} version": installed[name] for name in ("transformers", "tokenizers")},
    }
    made["format"] = {"preprocess": _mark(made, "preprocess"), **formatting, "gate version": data_step.GATE_VERSION}
    if purpose.targets:
        made["format"]["head"] = [target._asdict() for target in purpose.targets]
    if experiment.model.init == "random":
        # New tokens have rows of these weights.
        made["initialise"] = {**base, "tokenizer": made["preprocess"]["tokenizer"], **added, **tools}
        base = {"initialise": _mark(made, "initialise")}
    made["eval base"] = {"format": _mark(made, "format"), **base, **model, **scores, **tools}
    train = {k: v for k, v in flat(experiment.train.model_dump(mode="json"), "train").items() if k not in BESIDE}
    made["train"] = {
        "format": _mark(made, "format"),
        **base,
        **model,
        **flat(experiment.adapter.model_dump(mode="json"), "adapter"),
        **flat(experiment.head.model_dump(mode="json"), "head"),
        **train,
        "data.packing": packing,
        **teacher_made_from(where.teacher, workspace),
        **tools,
        "peft version": installed["peft"],
    }
    made["eval tuned"] = {"train": _mark(made, "train"), **scores}
    made["compare"] = {
        "eval base": _mark(made, "eval base"),
        "eval tuned": _mark(made, "eval tuned"),
        "comparison version": COMPARISON_VERSION,
    }
    if experiment.evaluate.judge is not None:
        made["compare"] |= judge
    if experiment.seeds:
        alone = [of_seed(experiment, seed) for seed in experiment.seeds[1:]]
        others = {
            f"seed {one.train.seed}": _mark(_known(one, where, workspace, sources, installed, tasks), "eval tuned")
            for one in alone
        }
        # Before the training, so that the first seed's is the newest run.
        made = {**_until(made, "train"), "other seeds": others, **_since(made, "train")}
        made["compare"] |= {"other seeds": _mark(made, "other seeds")}
    return made


def _until(made: dict[str, Any], name: str) -> dict[str, Any]:
    names = list(made)
    return {key: made[key] for key in names[: names.index(name)]}


def _since(made: dict[str, Any], name: str) -> dict[str, Any]:
    names = list(made)
    return {key: made[key] for key in names[names.index(name) :]}


def _held(experiment: Experiment) -> dict[str, Any]:
    """How the base is held; what is not asked for is left out, as before there were such settings."""
    model, tokens = experiment.model, experiment.tokenizer.new_tokens
    names = ("dtype", "attn_implementation", "trust_remote_code")
    found = {f"model.{name}": getattr(model, name) for name in names}
    if model.quantization is not None:
        found |= flat(model.quantization.model_dump(mode="json"), "model.quantization")
        found |= {"bitsandbytes version": version("bitsandbytes")}
    if model.untie_embeddings:
        found["model.untie_embeddings"] = True
    if any(tokens.values()):
        found["tokenizer.add_special_tokens"] = tokens
    return found


def artifact_folder(lab: Lab, step: Step) -> Path | None:
    """The folder of a stage that is kept by its fingerprint, not in a run."""
    if step.name == "preprocess":
        return lab.workspace.processed / f"preprocessed-{step.short}"
    if step.name == "format":
        return lab.workspace.processed / f"formatted-{step.short}"
    if step.name == "initialise":
        return lab.workspace.checkpoints(lab.experiment.name) / f"base-{step.short}"
    return None


def _judge(step: Step, lab: Lab, run: Run | None, last: dict[str, Any] | None) -> Step:
    if step.name == "download":
        pending = "pending" in step.made_from
        return replace(step, fresh=not pending, why=say("not here yet", "아직 내려받지 않음") if pending else "")
    if _waits(step):
        return replace(step, why=say("after the download", "내려받은 뒤"))
    folder = artifact_folder(lab, step)
    if folder is not None:
        manifest = read_manifest(folder)
        fresh = manifest is not None and manifest.fingerprint == step.fingerprint and damage(folder, manifest) is None
    else:
        record = run.stage(step.name) if run else None
        fresh = record is not None and record["fingerprint"] == step.fingerprint
    if fresh:
        return replace(step, fresh=True)
    why = why_stale(last, step.made_from)
    if folder is None and run is not None and step.name not in run.record().get("stages", {}):
        if step.name == "train" and any(run.checkpoints.glob("step-*")):
            why = say("begun, goes on", "시작됨, 이어서 함")
        elif last == step.made_from:
            why = why_stale(None, step.made_from)  # it was made in another run
    earlier = None if step.name != "eval base" else done_before(lab.workspace, lab.experiment.name, step)
    if earlier is not None:
        why = say(f"taken over from {earlier.name}", f"{earlier.name}의 것을 씀")
    return replace(step, why=why)
