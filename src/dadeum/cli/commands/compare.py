"""`dadeum compare A B`: models against each other, on the test rows of a run or on a file of questions."""

from pathlib import Path
from typing import Annotated

import typer

from dadeum.cli.dispatch import verb
from dadeum.core.language import say

app = verb()


@app.command(
    help=say(
        "Hold models against the first one: same prompts, same decoding, intervals.",
        "모델들을 첫 모델과 비교합니다: 같은 프롬프트, 같은 생성 방식, 신뢰 구간.",
    )
)
def compare(
    models: Annotated[
        list[str],
        typer.Argument(
            metavar="A B ...", help=say("experiments, runs, folders or Hub ids", "실험, 실행, 폴더 또는 Hub 이름")
        ),
    ],
    questions: Annotated[
        Path | None,
        typer.Option(
            "--questions",
            help=say(
                "file of questions; default: the test rows of the run among the models",
                "질문 파일. 기본값: 모델 가운데 실행의 시험 행",
            ),
        ),
    ] = None,
    output: Annotated[
        Path | None,
        typer.Option(
            "--output-dir",
            "-o",
            help=say("folder; default: experiments/comparisons/<time>", "폴더. 기본값: experiments/comparisons/<시각>"),
        ),
    ] = None,
    max_new_tokens: Annotated[
        int | None, typer.Option("--max-new-tokens", min=1, help=say("longest answer in tokens", "답의 최대 토큰 수"))
    ] = None,
) -> None:
    """Evaluate each, then compare."""
    from dadeum.cli.outcome import show_comparison
    from dadeum.cli.view import View
    from dadeum.run.comparison import compare_named

    with View() as view:
        folder = compare_named(models, questions=questions, out=output, max_new_tokens=max_new_tokens, reporter=view)
    show_comparison(view, folder)
    view.note(say(f"written: {folder}", f"저장: {folder}"))
