"""`dadeum eval EXPERIMENT --model base|tuned`: scores on the test rows; `--self-test`: the metrics at work."""

from typing import Annotated

import typer

from dadeum.cli.dispatch import verb
from dadeum.cli.lab import EXPERIMENT, OverridesArgument, open_lab
from dadeum.core.errors import ConfigError
from dadeum.core.language import say

app = verb()
GOALS = {"base": "eval base", "tuned": "eval tuned"}


@app.command(
    name="eval",
    help=say(
        "Score the base or the tuned model of an experiment on its test rows.",
        "실험의 기본 모델 또는 학습한 모델을 시험 행으로 채점합니다.",
    ),
)
def evaluate(
    experiment: Annotated[str | None, typer.Argument(metavar="[EXPERIMENT]", help=EXPERIMENT)] = None,
    overrides: OverridesArgument = None,
    model: Annotated[
        str, typer.Option("--model", "-m", metavar="base|tuned", help=say("which of the two", "둘 중 어느 것"))
    ] = "tuned",
    self_test: Annotated[
        bool,
        typer.Option(
            "--self-test",
            help=say(
                "show metrics at work on examples worked by hand; all, or those named instead of EXPERIMENT",
                "손으로 구한 예로 지표 보이기. EXPERIMENT 대신 지표 이름을 적으면 그것만",
            ),
        ),
    ] = False,
) -> int:
    """Do what the scores need, then score."""
    from dadeum.cli.outcome import show_scores
    from dadeum.cli.view import View
    from dadeum.run.execute import execute

    if self_test:
        from dadeum.cli.self_test import show_self_test

        with View() as view:
            return show_self_test(view, [*([experiment] if experiment else []), *(overrides or [])])
    if experiment is None:
        raise ConfigError(
            say(
                "eval: expected an experiment, or --self-test",
                "eval: 실험 이름이나 --self-test가 필요합니다",
            )
        )
    if model not in GOALS:
        raise ConfigError(
            say(
                f"--model: found '{model}', expected base or tuned; `dadeum compare A B` takes any models",
                f"--model: '{model}' 대신 base 또는 tuned를 쓰세요. 다른 모델은 `dadeum compare A B`로 비교합니다",
            )
        )
    lab = open_lab(experiment, overrides)
    with View() as view:
        outcome = execute(lab, view, [GOALS[model]])
    show_scores(view, lab, outcome, model)
    return 0
