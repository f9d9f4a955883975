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
    by: Annotated[
        str | None,
        typer.Option(
            "--by",
            metavar=say("METRIC", "지표"),
            help=say(
                "show the rows that gained and lost most by this metric", "이 지표로 가장 오르고 내린 행을 보입니다"
            ),
        ),
    ] = None,
    fail_if: Annotated[
        list[str] | None,
        typer.Option(
            "--fail-if",
            metavar=say('"METRIC < MODEL"', '"지표 < 모델"'),
            help=say(
                'exit with 1 where this holds of the last model, such as "rougeL < base" or "chrf < 20"; may be repeated',
                '마지막 모델이 이러하면 종료 코드 1, 예: "rougeL < base", "chrf < 20". 여러 번 쓸 수 있습니다',
            ),
        ),
    ] = None,
) -> None:
    """Evaluate each, then compare."""
    from dadeum.cli.outcome import show_comparison
    from dadeum.cli.view import View
    from dadeum.run.comparison import compare_named, judged

    conditions = fail_if or []
    with View() as view:
        folder = compare_named(
            models,
            questions=questions,
            out=output,
            max_new_tokens=max_new_tokens,
            reporter=view,
            by=by,
            fail_if=conditions,
        )
    show_comparison(view, folder)
    view.note(say(f"written: {folder}", f"저장: {folder}"))
    found = judged(folder, conditions)
    for one in found:
        (view.warn if one.holds else view.note)(one.sentence)
    if any(one.holds for one in found):
        raise typer.Exit(1)
