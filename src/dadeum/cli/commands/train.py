"""`dadeum train`: one training, from an experiment or from flags alone."""

import re
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from dadeum.cli.dataset import source_of
from dadeum.cli.dispatch import verb
from dadeum.cli.lab import EXPERIMENT, OverridesArgument, open_lab
from dadeum.cli.resume import ResumeOption, decide
from dadeum.config.aliases import FLAGS
from dadeum.core.errors import ConfigError, TrainError
from dadeum.core.language import say

if TYPE_CHECKING:
    from dadeum.run.stages import Lab

app = verb()


def flag(name: str, english: str, korean: str) -> Any:
    """An option that sets one key; which one stands in `config.aliases.FLAGS`."""
    return typer.Option(f"--{name.replace('_', '-')}", metavar=FLAGS[name].upper(), help=say(english, korean))


def from_flags(flags: dict[str, Any], overlay: bool) -> dict[str, Any]:
    """The mapping that the flags stand for: a whole experiment, or (with `overlay`) only what they say."""
    given = {FLAGS[name]: value for name, value in flags.items() if value is not None}
    tree: dict[str, Any] = {}
    for key, value in given.items():
        section, _, rest = key.partition(".")
        if key == "data.sources":
            value = [source_of(value)]
        if rest:
            tree.setdefault(section, {})[rest] = value
        else:
            tree[section] = value
    if "adapter" in tree or not overlay:
        tree["adapter"] = {"type": "lora", **tree.get("adapter", {})}
    if not overlay:
        if flags.get("dataset_path") is None:
            raise ConfigError(
                say(
                    "found no experiment and no --dataset-path; give a YAML file, or --model and --dataset-path",
                    "실험 파일도 --dataset-path도 없습니다. YAML 파일을 주거나 --model과 --dataset-path를 주세요",
                )
            )
        tree["name"] = _name(flags["dataset_path"])
    return tree


def _name(path: str) -> str:
    """What the experiment is called: as its file or folder, without what tells the kind."""
    from dadeum.data.files import PATTERN
    from dadeum.data.packed import inner
    from dadeum.data.sources import kind_of

    last = next((Path(part) for part in reversed(Path(path).parts) if not PATTERN.search(part)), Path())
    stem = inner(last).stem if kind_of(last) else last.name
    return re.sub(r"[^\w.\-]+", "-", stem).strip("-._") or "train"


@app.command(
    help=say(
        "Train: EXPERIMENT with key=value changes, or flags alone.", "학습합니다: 실험 파일과 키=값, 또는 플래그만으로."
    )
)
def train(
    experiment: Annotated[str | None, typer.Argument(metavar="[EXPERIMENT]", help=EXPERIMENT)] = None,
    overrides: OverridesArgument = None,
    config: Annotated[
        str | None, typer.Option("--config", help=say("the same as EXPERIMENT", "EXPERIMENT와 같음"))
    ] = None,
    model: Annotated[
        str | None, flag("model", "Hub id or folder of the base", "기본 모델의 Hub 이름 또는 폴더")
    ] = None,
    dataset_path: Annotated[str | None, flag("dataset_path", "file or folder of rows", "행이 든 파일이나 폴더")] = None,
    epochs: Annotated[float | None, flag("epochs", "passes over the rows", "행을 도는 횟수")] = None,
    batch_size: Annotated[int | None, flag("batch_size", "samples of one step", "한 단계의 샘플 수")] = None,
    lr: Annotated[float | None, flag("lr", "learning rate", "학습률")] = None,
    lora_r: Annotated[int | None, flag("lora_r", "rank of LoRA", "LoRA의 rank")] = None,
    load_8bit: Annotated[
        bool, typer.Option("--load-8bit", help=say("hold the base in 8 bits", "기본 모델을 8비트로"))
    ] = False,
    load_4bit: Annotated[
        bool, typer.Option("--load-4bit", help=say("hold the base in 4 bits (QLoRA)", "기본 모델을 4비트로(QLoRA)"))
    ] = False,
    output_dir: Annotated[str | None, flag("output_dir", "plain copy of the result", "결과의 사본 폴더")] = None,
    resume_mode: ResumeOption = None,
    smoke: Annotated[
        bool,
        typer.Option(
            "--smoke",
            help=say(
                "only overfit 8 rows for seconds: does it learn, and does it stop by itself?",
                "8행만 몇 초 외우게 해 봅니다: 배우는가, 스스로 멈추는가?",
            ),
        ),
    ] = False,
) -> None:
    """Do what the training needs, then train."""
    from dadeum.cli.outcome import show_smoke, show_training
    from dadeum.cli.view import View
    from dadeum.run.execute import execute, smoke_test

    words = list(overrides or [])
    if experiment is not None and "=" in experiment and not Path(experiment).exists():
        words, experiment = [experiment, *words], None
    named = experiment or config
    flags = {
        "model": model,
        "dataset_path": dataset_path,
        "epochs": epochs,
        "batch_size": batch_size,
        "lr": lr,
        "lora_r": lora_r,
        "load_8bit": load_8bit or None,
        "load_4bit": load_4bit or None,
        "output_dir": output_dir,
    }
    tree = from_flags(flags, overlay=named is not None)
    lab = open_lab(named, [*_words(tree), *words]) if named else open_lab(None, words, base=tree)
    if smoke:
        with View() as view:
            found = smoke_test(lab, view)
        show_smoke(view, found)
        if not found.passed:
            raise TrainError(
                say(
                    "the model did not learn 8 rows by heart, or does not stop; look at the data and the template before a long run",
                    "모델이 8행을 외우지 못하거나 멈추지 않습니다. 길게 학습하기 전에 데이터와 템플릿을 살펴보세요",
                )
            )
        return
    resume = decide(resume_mode, lab)
    with View() as view:
        outcome = execute(lab, view, goals_of(lab), resume=resume)
    show_training(view, lab, outcome)


def goals_of(lab: "Lab") -> list[str]:
    """The training; where a copy of the result is asked for, also what makes it. Several processes only train."""
    from dadeum.run.execute import several_processes

    return ["train"] if lab.experiment.output_dir is None or several_processes() else ["train", "export"]


def _words(tree: dict[str, Any]) -> list[str]:
    """The flags as `key=value`, to lie over an experiment file."""
    import json

    words = []
    for section, value in tree.items():
        pairs = value.items() if isinstance(value, dict) else [("", value)]
        words += [
            f"{section}.{key}={json.dumps(item)}" if key else f"{section}={json.dumps(item)}" for key, item in pairs
        ]
    return words
