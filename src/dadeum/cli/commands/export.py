"""`dadeum export merged|gguf [MODEL]`: something made of a finished run."""

from pathlib import Path
from typing import Annotated, Any

import typer

from dadeum.cli.dispatch import verb
from dadeum.core.language import say

app = verb()
ModelArgument = Annotated[
    str | None,
    typer.Argument(
        metavar="[MODEL]",
        help=say(
            "experiment, run or folder; default: the last finished run",
            "실험, 실행 또는 폴더. 기본값: 마지막으로 끝난 실행",
        ),
    ),
]


@app.callback()
def export() -> None:
    """Targets are subcommands."""


def _make(target: str, model: str | None, output: Path | None, settings: dict[str, Any]) -> None:
    from dadeum.cli.view import View
    from dadeum.run.works import export_one

    with View() as view:
        folder, proof = export_one(target, model, output, settings, view)
    view.note(say(f"written: {folder}", f"저장: {folder}"))
    view.facts(proof)


@app.command(
    help=say(
        "Merge the adapter into its base: a folder that plain transformers loads.",
        "어댑터를 기본 모델에 병합합니다. transformers가 그대로 여는 폴더가 됩니다.",
    )
)
def merged(
    model: ModelArgument = None,
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
    _make("merged", model, output, {"dtype": dtype})


@app.command(
    help=say(
        "Convert to one GGUF file with llama.cpp's converter (LLAMA_CPP_DIR names a checkout).",
        "llama.cpp의 변환기로 GGUF 파일 하나를 만듭니다 (LLAMA_CPP_DIR: llama.cpp 폴더).",
    )
)
def gguf(
    model: ModelArgument = None,
    output: Annotated[
        Path | None,
        typer.Option(
            "--output-dir",
            "-o",
            help=say("folder; default: gguf/ beside the run's final/", "폴더. 기본값: 실행의 final/ 옆 gguf/"),
        ),
    ] = None,
    quantization: Annotated[
        str,
        typer.Option("--quantization", "-q", help=say("auto, f32, f16, bf16 or q8_0", "auto, f32, f16, bf16, q8_0")),
    ] = "auto",
) -> None:
    """Merge, convert, and look at what came out."""
    _make("gguf", model, output, {"quantization": quantization})
