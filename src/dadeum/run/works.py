"""How each step is done: the stage's own function with what it needs, and the files that came of it."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from dadeum.config.experiment import Experiment
from dadeum.core.artifact import MANIFEST, damage, read_manifest
from dadeum.core.errors import ArtifactError, ConfigError
from dadeum.core.language import say
from dadeum.core.progress import Reporter
from dadeum.data import step as data_step
from dadeum.evaluate import step as evaluate_step
from dadeum.model.heads import HEADS
from dadeum.plan.steps import Step
from dadeum.run.inputs import places
from dadeum.run.models import base_of, formatted_of
from dadeum.run.purpose import objective_of, purpose_of
from dadeum.run.report import report_of
from dadeum.run.seeds import scores_by_seed
from dadeum.run.stages import Lab, Plan, artifact_folder, make_plan
from dadeum.run.store import Run, done_before, find_model, open_run, publish
from dadeum.run.tasks import beside_of, fetch_tasks
from dadeum.train.job import TrainJob

Resume = Literal["auto", "never", "must"]


@dataclass(frozen=True)
class Outcome:
    """What a walk ended with: the plan, the run (None where it has none), and the steps that were done."""

    plan: Plan
    run: Run | None
    done: tuple[str, ...]


def download(lab: Lab, reporter: Reporter) -> list[Path]:
    """Fetch the model's and the data's files from the Hub."""
    places(lab.experiment, lab.workspace, reporter)
    fetched = data_step.download(lab.experiment.data, lab.workspace, reporter)
    return fetched + fetch_tasks(lab.experiment, lab.workspace, reporter)


def folder_of(lab: Lab, plan: Plan, name: str) -> Path:
    """The folder of a stage that is kept by its fingerprint."""
    folder = artifact_folder(lab, plan.step(name))
    assert folder is not None
    return folder


def prepare(step: Step, lab: Lab, plan: Plan, reporter: Reporter) -> list[Path]:
    """Preprocess, format, or make fresh base weights."""
    experiment, tokenizer = lab.experiment, plan.places.tokenizer
    assert tokenizer is not None
    common: dict[str, Any] = {
        "tokenizer_place": tokenizer,
        "chat_template": template_of(experiment, lab),
        "new_tokens": tuple(experiment.tokenizer.new_tokens),
        "purpose": purpose_of(experiment),
        "workspace": lab.workspace,
        "fingerprint": step.fingerprint,
        "reporter": reporter,
    }
    if step.name == "preprocess":
        return [data_step.preprocess(experiment.data, **common)]
    if step.name == "format":
        return [data_step.format_(experiment.data, preprocessed=folder_of(lab, plan, "preprocess"), **common)]
    return [_initialise(step, lab, plan)]


def template_of(experiment: Experiment, lab: Lab) -> str | None:
    """The chat template's name, or the absolute path of a file of the workspace."""
    named = experiment.tokenizer.chat_template
    if named is None:
        return None
    path = lab.workspace.at(named)
    return str(path) if path.is_file() else named


def _initialise(step: Step, lab: Lab, plan: Plan) -> Path:
    from dadeum.model.load import make_base
    from dadeum.tokenizer.load import load_tokenizer

    assert plan.places.tokenizer is not None
    out = folder_of(lab, plan, "initialise")
    tokenizer = load_tokenizer(
        plan.places.tokenizer,
        chat_template=template_of(lab.experiment, lab),
        new_tokens=tuple(lab.experiment.tokenizer.new_tokens),
    )
    return make_base(
        lab.experiment.model,
        place=plan.places.model,
        tokenizer=tokenizer,
        seed=lab.experiment.train.seed,
        out=out,
        fingerprint=step.fingerprint,
    )


def before_training(lab: Lab) -> list[str]:
    """The goals that a training stands on."""
    return ["format", *(["initialise"] if lab.experiment.model.init == "random" else [])]


def base_place(lab: Lab, plan: Plan) -> Path:
    """Folder of the base weights: stored ones, or the fresh ones that were made."""
    place = folder_of(lab, plan, "initialise") if plan.has("initialise") else plan.places.model
    assert place is not None
    return place


def job_of(lab: Lab, plan: Plan, run: Run, resume: Resume) -> TrainJob:
    """What the training is given."""
    experiment = lab.experiment
    return TrainJob(
        train=experiment.train.model_copy(update={"objective": objective_of(experiment)}),
        model=experiment.model,
        adapter=experiment.adapter,
        head=experiment.head,
        new_tokens=experiment.tokenizer.new_tokens,
        packing=experiment.data.packing,
        max_length=experiment.data.max_length,
        formatted=folder_of(lab, plan, "format"),
        model_place=base_place(lab, plan),
        checkpoints=run.checkpoints,
        evidence=run.evidence,
        fingerprint=plan.step("train").fingerprint,
        experiment=experiment.model_dump(mode="json"),
        resume=resume,
        teacher_place=plan.places.teacher,
    )


def inside(step: Step, lab: Lab, plan: Plan, run: Run, reporter: Reporter, resume: Resume) -> list[Path]:
    """A step that belongs to a run; returns the files that it left."""
    works: dict[str, Callable[[], list[Path]]] = {
        "eval base": lambda: _eval_base(step, lab, plan, run, reporter),
        "train": lambda: _train(lab, plan, run, reporter, resume),
        "eval tuned": lambda: _eval(lab, plan, run, "tuned", reporter),
        "compare": lambda: _compare(lab, run, reporter),
        "export": lambda: _export(lab, plan, run, reporter),
        "report": lambda: report_of(run, lab.workspace, reporter),
    }
    return works[step.name]()


def _train(lab: Lab, plan: Plan, run: Run, reporter: Reporter, resume: Resume) -> list[Path]:
    from dadeum.train.step import train

    _tell_gate(folder_of(lab, plan, "format"), reporter)
    # A run that was chosen as new has nothing to resume; the trainer would rightly refuse `never` for one that is begun.
    _tell_followers(run)
    result = train(job_of(lab, plan, run, "auto" if resume == "never" else resume), reporter)
    if lab.seed is None:
        publish(run)
    return [result.final]


def _tell_gate(formatted: Path, reporter: Reporter) -> None:
    """Conditions that are allowed are named before every training, not only when the samples are made."""
    from dadeum.data.verdict import line

    manifest = read_manifest(formatted)
    gate = manifest.facts.get("gate") if manifest is not None else None
    if gate is not None and gate["found"]:
        reporter.warn(line(gate))


def _tell_followers(run: Run) -> None:
    """Which run it is, to the other processes of a torchrun; alone, nothing."""
    from dadeum.train.processes import Processes

    Processes().gather(run.name.encode())


def follow(lab: Lab) -> Outcome:
    """Another process than the first: wait until it has prepared everything, then train with it."""
    from dadeum.core.progress import Silent
    from dadeum.train.processes import Processes
    from dadeum.train.step import train

    name = Processes().gather(b"?")[0].decode()
    plan = make_plan(lab)
    run = open_run(lab.workspace, lab.experiment.name, name)
    train(job_of(lab, plan, run, "auto"), Silent())
    return Outcome(plan, None, ())


def _eval_base(step: Step, lab: Lab, plan: Plan, run: Run, reporter: Reporter) -> list[Path]:
    """The base is the same for every run of like data and settings: its scores are taken over where they exist."""
    import shutil

    earlier = done_before(lab.workspace, run.experiment, step)
    record = earlier.stage(step.name) if earlier is not None else None
    if earlier is None or record is None:
        return _eval(lab, plan, run, "base", reporter)
    run.evaluation.mkdir(parents=True, exist_ok=True)
    taken = []
    for file in map(lab.workspace.root.joinpath, record["files"]):
        place = run.evaluation / file.relative_to(earlier.evaluation)
        place.parent.mkdir(parents=True, exist_ok=True)
        taken.append(Path(shutil.copyfile(file, place)))
    reporter.note(
        say(f"the base's scores are those of {earlier.name}", f"기본 모델의 점수는 {earlier.name}의 것을 씁니다")
    )
    return taken


def _eval(lab: Lab, plan: Plan, run: Run, kind: Literal["base", "tuned"], reporter: Reporter) -> list[Path]:
    formatted = folder_of(lab, plan, "format")
    model = model_at(lab, plan, run, kind)
    name = Path(lab.experiment.model.name_or_path or "base").name if kind == "base" else lab.experiment.name
    return evaluate_step.evaluate_model(
        kind,
        model,
        name=name,
        dataset=dataset_name(lab.experiment),
        formatted=formatted,
        preprocessed=folder_of(lab, plan, "preprocess"),
        out=run.evaluation,
        settings=lab.experiment.evaluate,
        reporter=reporter,
        headed=HEADS.of(lab.experiment.head).gives != "tokens",
        beside=beside_of(lab.experiment, lab.workspace),
    )


def model_at(lab: Lab, plan: Plan, run: Run, kind: Literal["base", "tuned"]) -> evaluate_step.ModelAt:
    """Base and tuned model, both under the prompt of the experiment."""
    settings, prompt = lab.experiment.model, folder_of(lab, plan, "format") / "prompt"
    base = base_place(lab, plan)
    if kind == "base":
        return evaluate_step.ModelAt(
            base,
            prompt=prompt,
            dtype=settings.dtype,
            trusted=settings.trust_remote_code,
            quantization=settings.quantization,
            new_tokens={} if settings.init == "random" else lab.experiment.tokenizer.new_tokens,
        )
    adapted = (run.final / "adapter_config.json").is_file()
    return evaluate_step.ModelAt(
        run.final,
        prompt=prompt,
        base=base if adapted else None,
        dtype=settings.dtype,
        trusted=settings.trust_remote_code,
    )


def dataset_name(experiment: Experiment) -> str:
    """The sources, as users know them."""
    return ", ".join(str(getattr(s, "path", None) or getattr(s, "name", s.type)) for s in experiment.data.sources)


def _compare(lab: Lab, run: Run, reporter: Reporter) -> list[Path]:
    found, settings = evaluate_step.evaluations_in(run.evaluation), lab.experiment.evaluate
    seeds = scores_by_seed(lab, run)
    return evaluate_step.compare_models(found, out=run.evaluation, settings=settings, reporter=reporter, seeds=seeds)


def _export(lab: Lab, plan: Plan, run: Run, reporter: Reporter) -> list[Path]:
    from dadeum.export.output_dir import copy_result
    from dadeum.export.step import export
    from dadeum.export.targets import TARGETS
    from dadeum.export.words import word

    adapted = (run.final / "adapter_config.json").is_file()
    base = base_place(lab, plan) if adapted else None
    folders, reports = [], {}
    for target in lab.experiment.export:
        folder = run.checkpoints / TARGETS.of(target).folder
        _clear_damaged(folder, reporter)
        found = export(
            target,
            final=run.final,
            base=base,
            out=folder,
            reporter=reporter,
            trusted=lab.experiment.model.trust_remote_code,
            formatted=folder_of(lab, plan, "format"),
        )
        reporter.note(
            f"{target.type}: "
            + ", ".join(f"{word(key)} {value}" for key, value in found.items() if key not in ("type", "folder"))
        )
        folders.append(folder)
        reports[target.type] = found
    run.note(export=reports)
    if lab.experiment.output_dir is not None:
        out = lab.workspace.at(lab.experiment.output_dir)
        merged = next((f for f in folders if f.name == "merged"), None)
        copy_result(
            out,
            final=run.final,
            merged=merged,
            stats=run.evidence / "training_stats.json",
            evaluation=run.evaluation if run.evaluation.is_dir() else None,
        )
        folders.append(out / MANIFEST)  # its presence: what users do with their copy is theirs
        reporter.note(say(f"copied to {lab.experiment.output_dir}", f"{lab.experiment.output_dir}에 사본을 두었습니다"))
    return folders


def _clear_damaged(folder: Path, reporter: Reporter) -> None:
    """Take away what its manifest lists where that is no longer whole; files of others stay, and are refused later."""
    manifest = None if folder.is_symlink() else read_manifest(folder)
    broken = damage(folder, manifest) if manifest is not None else None
    if manifest is None or broken is None:
        return
    reporter.warn(
        say(f"{folder}: '{broken}' is damaged; made again", f"{folder}: '{broken}' 파일이 손상되어 다시 만듭니다")
    )
    for name in (*manifest.files, MANIFEST):
        (folder / name).unlink(missing_ok=True)


def export_one(
    target: str, model: str | None, out: Path | None, settings: dict[str, Any], reporter: Reporter
) -> tuple[Path, dict[str, Any]]:
    """Export a finished run, or any adapter folder, by name; returns the folder and the proof of equality."""
    from pydantic import ValidationError

    from dadeum.core.workspace import Workspace
    from dadeum.export.step import export
    from dadeum.export.targets import TARGETS

    workspace = Workspace.here()
    name, place = find_model(workspace, model)
    if out is None and place.name != "final":
        raise ArtifactError(
            say(
                f"{name}: no run of this workspace; say where to write with --output-dir",
                f"{name}: 이 작업 폴더의 실행이 아닙니다. --output-dir로 저장할 곳을 정하세요",
            )
        )
    try:
        chosen = TARGETS.validate({"type": target, **settings})
    except ValidationError as error:
        wrong = error.errors()[0]
        key, expected = wrong["loc"][-1], wrong.get("ctx", {}).get("expected", wrong["msg"])
        raise ConfigError(
            say(
                f"{target}: {key}: found {wrong['input']!r}, expected {expected}",
                f"{target}: {key}: {wrong['input']!r} 대신 {expected} 가운데 하나를 쓰세요",
            )
        ) from None
    folder = workspace.at(str(out)) if out is not None else place.parent / TARGETS.of(chosen).folder
    report = export(
        chosen,
        final=place,
        base=base_of(place, workspace),
        out=folder,
        reporter=reporter,
        formatted=formatted_of(workspace, place),
    )
    return folder, report
