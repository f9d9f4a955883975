"""`dadeum export merged [MODEL]`: something made of a finished run."""

from pathlib import Path
from typing import Annotated

import typer

from dadeum.cli.dispatch import verb
from dadeum.core.language import say

app = verb()


@app.callback()
def export() -> None:
    """Targets are subcommands."""


@app.command(
    help=say(
        "Merge the adapter into its base: a folder that plain transformers loads.",
        "어댑터를 기본 모델에 병합합니다. transformers가 그대로 여는 폴더가 됩니다.",
    )
)
def merged(
    model: Annotated[
        str | None,
        typer.Argument(
            metavar="[MODEL]",
            help=say(
                "experiment, run or folder; default: the last finished run",
                "실험, 실행 또는 폴더. 기본값: 마지막으로 끝난 실행",
            ),
        ),
    ] = None,
    output: Annotated[
        Path | None,
        typer.Option(
            "--output-dir",
            "-o",
            help=say("folder; default: merged/ beside the run's final/", "폴더. 기본값: 실행의 final/ 옆 merged/"),
        ),
    ] = None,
    dtype: Annotated[str, typer.Option(help=say("auto, float32 or bfloat16", "auto, float32, bfloat16"))] = "auto",
) -> None:
    """Write, load again, and compare with the adapter."""
    from dadeum.cli.view import View
    from dadeum.run.works import export_one

    with View() as view:
        folder, proof = export_one("merged", model, output, {"dtype": dtype}, view)
    view.note(say(f"written: {folder}", f"저장: {folder}"))
    view.facts(proof)
