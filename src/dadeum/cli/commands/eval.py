"""`dadeum eval EXPERIMENT --model base|tuned`: scores on the test rows; `--task NAME`: any model on tasks; `--self-test`: the metrics at work."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from dadeum.cli.dispatch import verb
from dadeum.cli.lab import EXPERIMENT, OverridesArgument, open_lab
from dadeum.core.errors import ConfigError
from dadeum.core.language import say

if TYPE_CHECKING:
    from dadeum.run.task_scores import Wanted

app = verb()
GOALS = {"base": "eval base", "tuned": "eval tuned"}
Model = Annotated[
    str | None,
    typer.Option(
        "--model",
        "-m",
        metavar="base|tuned|MODEL",
        help=say(
            "which of the two (default: tuned); with --task also a run, a folder or a Hub id",
            "둘 중 어느 것(기본값 tuned). --task와 함께라면 실행, 폴더, Hub 이름도",
        ),
    ),
]
Tasks = Annotated[
    list[str] | None,
    typer.Option(
        "--task",
        "-t",
        metavar="NAME",
        help=say(
            "a task in place of the test rows, repeatable: a shipped one, a YAML file, lm-eval:NAME",
            "시험 행 대신 물을 과제(여러 번 가능): 내장 과제, YAML 파일, lm-eval:이름",
        ),
    ),
]
Limit = Annotated[
    int | None, typer.Option("--limit", min=1, help=say("only so many rows of each task", "과제마다 이만큼의 행만"))
]
Shots = Annotated[
    int | None,
    typer.Option("--shots", min=0, help=say("examples before each question of a task", "과제의 질문 앞에 둘 예시 수")),
]
ChatTemplate = Annotated[
    bool,
    typer.Option(
        "--chat-template",
        help=say("ask lm-eval's tasks through the chat template", "lm-eval 과제를 대화 템플릿으로 묻기"),
    ),
]
IncludePath = Annotated[
    str | None,
    typer.Option(
        "--include-path",
        metavar="DIR",
        help=say(
            "folder of your own lm-eval tasks; default: configs/tasks",
            "직접 만든 lm-eval 과제의 폴더. 기본값: configs/tasks",
        ),
    ),
]
Trust = Annotated[
    bool,
    typer.Option(
        "--trust-remote-code",
        help=say(
            "let the model's repository and lm-eval task files run code of their own",
            "모델 저장소와 lm-eval 과제 파일의 코드 실행 허락",
        ),
    ),
]
Output = Annotated[
    Path | None,
    typer.Option(
        "--output-dir",
        "-o",
        help=say(
            "folder for the scores of tasks; default: experiments/evaluations/<time>",
            "과제 점수를 둘 폴더. 기본값: experiments/evaluations/<시각>",
        ),
    ),
]
SelfTest = Annotated[
    bool,
    typer.Option(
        "--self-test",
        help=say(
            "show metrics at work on examples worked by hand; all, or those named instead of EXPERIMENT",
            "손으로 구한 예로 지표 보이기. EXPERIMENT 대신 지표 이름을 적으면 그것만",
        ),
    ),
]


@app.command(
    name="eval",
    help=say(
        "Score the base or the tuned model of an experiment on its test rows, or any model on tasks.",
        "실험의 기본 모델 또는 학습한 모델을 시험 행으로, 또는 어떤 모델이든 과제로 채점합니다.",
    ),
)
def evaluate(
    experiment: Annotated[str | None, typer.Argument(metavar="[EXPERIMENT]", help=EXPERIMENT)] = None,
    overrides: OverridesArgument = None,
    model: Model = None,
    tasks: Tasks = None,
    limit: Limit = None,
    shots: Shots = None,
    chat_template: ChatTemplate = False,
    include_path: IncludePath = None,
    trust_remote_code: Trust = False,
    output: Output = None,
    self_test: SelfTest = False,
) -> int:
    """Do what the scores need, then score."""
    if self_test:
        return _self_test([*([experiment] if experiment else []), *(overrides or [])])
    if not tasks:
        given = (limit, shots, include_path, output)
        _only_with_tasks(chat_template or trust_remote_code or any(one is not None for one in given))
        return _test_rows(experiment, overrides, model or "tuned")
    from dadeum.run.task_scores import Wanted

    wanted = Wanted(tuple(tasks), limit, shots, chat_template, include_path, trust_remote_code)
    return _tasks(experiment, overrides, model, wanted, output)


def _self_test(names: list[str]) -> int:
    from dadeum.cli.self_test import show_self_test
    from dadeum.cli.view import View

    with View() as view:
        return show_self_test(view, names)


def _only_with_tasks(wrong: bool) -> None:
    if wrong:
        raise ConfigError(
            say(
                "eval: --limit, --shots, --chat-template, --include-path, --trust-remote-code and -o go with --task; "
                "for the test rows set evaluate.limit and the like",
                "eval: --limit, --shots, --chat-template, --include-path, --trust-remote-code, -o는 --task와 함께 씁니다. "
                "시험 행에는 evaluate.limit 등을 쓰세요",
            )
        )


def _test_rows(experiment: str | None, overrides: list[str] | None, model: str) -> int:
    from dadeum.cli.outcome import show_scores
    from dadeum.cli.view import View
    from dadeum.run.execute import execute

    if experiment is None:
        raise ConfigError(
            say(
                "eval: expected an experiment, --task NAME, or --self-test",
                "eval: 실험 이름, --task 이름, --self-test 가운데 하나가 필요합니다",
            )
        )
    if model not in GOALS:
        raise ConfigError(
            say(
                f"--model: found '{model}', expected base or tuned; `dadeum compare A B` takes any models, and so does --task NAME",
                f"--model: '{model}' 대신 base 또는 tuned를 쓰세요. 다른 모델은 `dadeum compare A B`나 --task 이름으로 잽니다",
            )
        )
    lab = open_lab(experiment, overrides)
    with View() as view:
        outcome = execute(lab, view, [GOALS[model]])
    show_scores(view, lab, outcome, model)
    return 0


def _tasks(
    experiment: str | None, overrides: list[str] | None, model: str | None, wanted: "Wanted", output: Path | None
) -> int:
    from dadeum.cli.task_view import show_tasks
    from dadeum.cli.view import View
    from dadeum.run.task_scores import score_experiment, score_model

    of_experiment = experiment is not None and (model or "tuned") in GOALS
    if not of_experiment and (experiment is not None or model in GOALS):
        raise ConfigError(
            say(
                "eval: expected EXPERIMENT with --model base or tuned, or --model MODEL alone",
                "eval: 실험에는 --model base나 tuned를, 다른 모델은 실험 없이 --model만 쓰세요",
            )
        )
    with View() as view:
        if of_experiment:
            lab = open_lab(experiment, overrides)
            kind: Literal["base", "tuned"] = "base" if model == "base" else "tuned"
            folder, files = score_experiment(lab, kind, wanted, out=output, board=view)
        else:
            folder, files = score_model(model, wanted, out=output, board=view)
    show_tasks(view, folder, files)
    return 0
