"""`dadeum lesson [NAME]`: five lessons on the embedded model or the user's; without a name, all of them."""

import os
import sys
import time
from typing import TYPE_CHECKING, Annotated, Any

import typer

from dadeum.cli.commands.train import flag, from_flags
from dadeum.cli.dispatch import verb
from dadeum.cli.lab import OverridesArgument, open_lab
from dadeum.cli.lesson_words import ORDER
from dadeum.core.errors import ConfigError, Interrupted
from dadeum.core.language import say
from dadeum.core.workspace import Workspace

if TYPE_CHECKING:
    from dadeum.cli.lessons import Lesson
    from dadeum.cli.view import View
    from dadeum.run.stages import Lab

app = verb()


@app.command(
    help=say(
        "Learn by doing, in the terminal: base and taught model, special tokens, preprocessing, a training step taken apart, "
        "training. All five, or one. Offline on the embedded model; or on yours by the flags.",
        "터미널에서 해 보며 배웁니다: 기본 모델과 가르친 모델, 특수 토큰, 전처리, 학습 한 단계 뜯어보기, 학습. 다섯 모두 또는 하나. "
        "들어 있는 모델로 인터넷 없이, 또는 플래그로 내 모델과 데이터로.",
    )
)
def lesson(
    name: Annotated[
        str | None,
        typer.Argument(
            metavar="LESSON",
            help=say(f"{', '.join(ORDER)}; default: all five", f"{', '.join(ORDER)}. 기본값: 다섯 모두"),
        ),
    ] = None,
    overrides: OverridesArgument = None,
    model: Annotated[
        str | None, flag("model", "Hub id or folder of the base", "기본 모델의 Hub 이름 또는 폴더")
    ] = None,
    instruct: Annotated[
        str | None,
        typer.Option(
            "--instruct",
            metavar="MODEL",
            help=say(
                "the taught model of the first lesson; default: what the training makes of the base",
                "첫 실습의 가르친 모델. 기본값: 기본 모델을 학습해 얻은 것",
            ),
        ),
    ] = None,
    dataset_path: Annotated[
        str | None,
        typer.Option(
            "--dataset-path",
            "--dataset",
            metavar="DATA.SOURCES",
            help=say("file or folder of rows, or a Hub data set", "행이 든 파일이나 폴더, 또는 Hub 데이터셋"),
        ),
    ] = None,
    epochs: Annotated[float | None, flag("epochs", "passes over the rows", "행을 도는 횟수")] = None,
    batch_size: Annotated[int | None, flag("batch_size", "samples of one step", "한 단계의 샘플 수")] = None,
    lr: Annotated[float | None, flag("lr", "learning rate", "학습률")] = None,
    lora_r: Annotated[int | None, flag("lora_r", "rank of LoRA", "LoRA의 rank")] = None,
    load_8bit: Annotated[
        bool, typer.Option("--load-8bit", help=say("hold the base in 8 bits", "기본 모델을 8비트로"))
    ] = False,
    output_dir: Annotated[
        str | None,
        flag(
            "output_dir",
            "where the result goes; default: results/final_model",
            "결과 폴더. 기본값: results/final_model",
        ),
    ] = None,
) -> None:
    """Take one lesson, or walk through all."""
    words = list(overrides or [])
    if name is not None and "=" in name:
        words, name = [name, *words], None
    chosen = _chosen(name)
    flags = {
        "model": model,
        "dataset_path": dataset_path,
        "epochs": epochs,
        "batch_size": batch_size,
        "lr": lr,
        "lora_r": lora_r,
        "load_8bit": load_8bit or None,
        "output_dir": output_dir,
    }
    given = from_flags(flags, overlay=True) if any(value is not None for value in flags.values()) else {}
    lab, view = _opened(given, words, chosen)
    from dadeum.cli.lessons import Lesson

    _walk(chosen, Lesson(lab, view, instruct))


def _opened(given: dict[str, Any], words: list[str], chosen: tuple[str, ...]) -> "tuple[Lab, View]":
    """The experiment, laid out where it is not there, and the screen, on which it is said where things go."""
    from dadeum.cli.view import View
    from dadeum.run.lesson import EMBEDDED_MODEL, FILE, done_before, lay_lesson

    workspace, view = Workspace.here(), View()
    path = lay_lesson(workspace, given)
    lab = open_lab(str(path), words)
    if lab.experiment.model.name_or_path == EMBEDDED_MODEL and not {"model", "data"} & given.keys():
        os.environ.setdefault("HF_HUB_OFFLINE", "1")
    view.note(
        say(
            f"The lessons' experiment: {FILE}; files go into {workspace.root}",
            f"실습의 실험 파일: {FILE}, 결과 파일: {workspace.root}",
        )
    )
    for one, when in done_before(workspace).items():
        if one in chosen:
            at = time.strftime("%m-%d %H:%M", time.localtime(when))
            view.note(
                say(
                    f"{one}: done on {at}; only what is stale is done again", f"{one}: {at}에 함. 바뀐 것만 다시 합니다"
                )
            )
    return lab, view


def _chosen(name: str | None) -> tuple[str, ...]:
    """The lessons; `special_tokens` is how the practice spells it. Raises ConfigError for an unknown one."""
    if name is None:
        return ORDER
    plain = name.replace("_", "-")
    if plain in ORDER:
        return (plain,)
    from dadeum.core.near import hint, nearest

    near = hint(nearest(plain, ORDER))
    raise ConfigError(
        say(
            f"lesson: found '{name}', expected one of: {', '.join(ORDER)}{near}",
            f"lesson: '{name}' 대신 {', '.join(ORDER)} 가운데 하나를 쓰세요{near}",
        )
    )


def _walk(names: tuple[str, ...], given: "Lesson") -> None:
    """One after the other; on a terminal with a pause between them. Stopped, it says what is done."""
    from dadeum.cli.lessons import teach

    done: list[str] = []
    try:
        for name in names:
            if done and sys.stdin.isatty() and not _goes_on(given, name):
                break
            teach(name, given)
            done.append(name)
    except (KeyboardInterrupt, Interrupted):
        left = say(
            f"lessons done: {', '.join(done) or 'none'}; the same command goes on, and what is done is not done again",
            f"마친 실습: {', '.join(done) or '없음'}. 같은 명령으로 이어집니다. 한 일은 다시 하지 않습니다",
        )
        given.view.note(left)
        raise


def _goes_on(given: "Lesson", name: str) -> bool:
    given.view.console.print()
    asked = say(f"Enter: on to '{name}'. q: leave ", f"Enter: 다음 실습 '{name}'. q: 그만 ")
    try:
        return given.view.console.input(asked).strip().lower() not in ("q", "quit", "ㅂ")
    except EOFError:
        return False
