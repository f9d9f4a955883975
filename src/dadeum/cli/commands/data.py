"""`dadeum data download|preprocess|format`: one data stage, and what it needs. `show`: what came of them. `check`: before them."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from dadeum.cli.dispatch import verb
from dadeum.cli.lab import ExperimentArgument, OverridesArgument, open_lab
from dadeum.cli.page_option import HTML, FileMayBeLeftOut, expect_page
from dadeum.core.language import say

if TYPE_CHECKING:
    from dadeum.cli.view import View
    from dadeum.data.exhibit import Exhibit
    from dadeum.run.stages import Lab
    from dadeum.run.works import Outcome

app = verb()


def _done(goal: str, experiment: str, overrides: list[str] | None) -> "tuple[View, Lab, Outcome]":
    from dadeum.cli.view import View
    from dadeum.run.execute import execute

    lab = open_lab(experiment, overrides)
    with View() as view:
        outcome = execute(lab, view, [goal])
    return view, lab, outcome


def _until(goal: str, experiment: str, overrides: list[str] | None) -> None:
    from dadeum.cli.outcome import show_data

    show_data(*_done(goal, experiment, overrides), goal)


@app.command(
    help=say(
        "Fetch model and data from the Hub; local files are only looked at.",
        "Hub에서 모델과 데이터를 내려받습니다. 로컬 파일은 확인만 합니다.",
    )
)
def download(experiment: ExperimentArgument, overrides: OverridesArgument = None) -> None:
    """The first stage."""
    _until("download", experiment, overrides)


@app.command(
    help=say(
        "Rows to messages: processed_conversations.json, parts, a report of faulty rows.",
        "행을 메시지로: processed_conversations.json, 나누기, 쓸 수 없는 행의 보고서.",
    )
)
def preprocess(experiment: ExperimentArgument, overrides: OverridesArgument = None) -> None:
    """The second stage."""
    _until("preprocess", experiment, overrides)


@app.command(
    name="format",
    help=say(
        "Messages to token ids with weights, through the model's chat template.",
        "메시지를 대화 템플릿으로 토큰과 가중치로 바꿉니다.",
    ),
)
def format_(experiment: ExperimentArgument, overrides: OverridesArgument = None) -> None:
    """The third stage."""
    _until("format", experiment, overrides)


@app.command(
    cls=FileMayBeLeftOut,
    help=say(
        "Show what is really trained: each token of some samples, trained or not, special, cut, with its id.",
        "실제로 학습하는 것을 봅니다: 샘플의 토큰마다 학습 여부, 특수 토큰, 잘림, 번호.",
    ),
)
def show(
    experiment: ExperimentArgument,
    overrides: OverridesArgument = None,
    count: Annotated[
        int,
        typer.Option(
            "-n",
            metavar="N",
            min=1,
            help=say(
                "how many rows: the first, the longest, the shortest, then by hash",
                "몇 행: 첫 행, 가장 긴 행, 가장 짧은 행, 그다음은 해시 순서",
            ),
        ),
    ] = 3,
    part: Annotated[
        Literal["train", "validation", "test"], typer.Option("--part", help=say("of which part", "어느 부분에서"))
    ] = "train",
    row: Annotated[
        str | None,
        typer.Option(
            "--row",
            metavar="N",
            help=say(
                "this row only: its number in reading order from 0, or its place, file:line",
                "이 행만: 읽은 순서의 번호(0부터) 또는 자리(파일:줄)",
            ),
        ),
    ] = None,
    html: Annotated[
        str | None,
        typer.Option(
            HTML,
            metavar="[FILE.html]",
            help=say(
                "write a page instead; default: experiments/<name>/samples-<part>.html",
                "화면 대신 페이지로 저장. 기본값: experiments/<이름>/samples-<부분>.html",
            ),
        ),
    ] = None,
    ids: Annotated[
        bool, typer.Option("--ids/--no-ids", help=say("list the tokens with their ids", "토큰과 번호 목록도 보기"))
    ] = True,
) -> None:
    """Paint a few samples."""
    from dadeum.cli.paint import show_exhibit
    from dadeum.data.exhibit import Cabinet
    from dadeum.run.purpose import purpose_of
    from dadeum.run.works import folder_of

    if html:
        expect_page(html)
    view, lab, outcome = _done("format", experiment, overrides)
    settings = lab.experiment
    cabinet = Cabinet(
        settings.name,
        settings.data,
        purpose_of(settings),
        folder_of(lab, outcome.plan, "preprocess"),
        folder_of(lab, outcome.plan, "format"),
    )
    found = cabinet.choose(part, count) if row is None else cabinet.row(row)
    if html is None:
        show_exhibit(view.console, found, ids=ids)
    else:
        written = _write(found, html, lab)
        view.note(say(f"written: {written}", f"저장: {written}"))


@app.command(
    help=say(
        "Look at data before training: a file, folder, pattern, Hub data set or an experiment's. Columns, faulty rows, "
        "duplicates, questions with several answers, lengths, tokens, leakage between parts. "
        "Exit code 0: it can be trained as it is; 1: what was found would stop a run; 2: the command is wrong.",
        "학습 전에 데이터를 살펴봅니다: 파일, 폴더, 패턴, Hub 데이터셋 또는 실험의 데이터. 열, 쓸 수 없는 행, 중복, 답이 여럿인 질문, "
        "길이, 토큰, 나눈 부분 사이의 누출. 종료 코드 0: 이대로 학습할 수 있음, 1: 실행을 멈출 것이 있음, 2: 명령이 잘못됨.",
    ),
)
def check(
    target: Annotated[
        str,
        typer.Argument(
            metavar="FILE|EXPERIMENT",
            help=say(
                "a file, folder or pattern of rows, a Hub data set, or an experiment (YAML file, or its name in configs/)",
                "행이 든 파일이나 폴더, 패턴, Hub 데이터셋, 또는 실험(YAML 파일 또는 configs/ 안의 이름)",
            ),
        ),
    ],
    overrides: OverridesArgument = None,
    tokenizer: Annotated[
        str | None,
        typer.Option(
            "--tokenizer",
            metavar="NAME|FOLDER",
            help=say(
                "count tokens with this one: a folder, a Hub id, an experiment; default: the experiment's",
                "이 토크나이저로 토큰 세기: 폴더, Hub 이름, 실험. 기본값: 실험의 것",
            ),
        ),
    ] = None,
    json_file: Annotated[
        str | None,
        typer.Option("--json", metavar="FILE", help=say("also write all figures", "모든 수치를 파일로도 쓰기")),
    ] = None,
    html: Annotated[
        str | None,
        typer.Option(
            HTML,
            metavar="FILE.html",
            help=say("also write a page, with the lengths as a picture", "페이지로도 쓰기(길이는 그림으로)"),
        ),
    ] = None,
) -> None:
    """Print what was found."""
    from dadeum.cli.check_page import page
    from dadeum.cli.check_view import CheckView
    from dadeum.cli.dataset import check_dataset, open_dataset
    from dadeum.cli.view import View
    from dadeum.core.artifact import write_json, write_text

    if html is not None:
        expect_page(html)
    dataset = open_dataset(target, overrides)
    with View() as view:
        found = check_dataset(dataset, tokenizer, view)
    how = say("with --tokenizer NAME|FOLDER tokens are counted too", "--tokenizer 이름|폴더를 주면 토큰도 셉니다")
    CheckView(view.console).show(dataset.name, found, how)
    if json_file is not None:
        path = dataset.lab.workspace.at(json_file)
        write_json(path, {"data": dataset.name, **found.as_json()})
        view.note(say(f"written: {json_file}", f"저장: {json_file}"))
    if html is not None:
        path = dataset.lab.workspace.at(html)
        path.parent.mkdir(parents=True, exist_ok=True)
        write_text(path, page(dataset.name, found, how))
        view.note(say(f"written: {html}", f"저장: {html}"))
    if not found.trainable:
        raise typer.Exit(1)


def _write(exhibit: "Exhibit", html: str, lab: "Lab") -> Path:
    """The page; relative paths start at the workspace."""
    from dadeum.core.artifact import write_text
    from dadeum.data.show_page import page

    root = lab.workspace.root
    default = lab.workspace.experiments(lab.experiment.name) / f"samples-{exhibit.slug}.html"
    path = lab.workspace.at(html) if html else default
    path.parent.mkdir(parents=True, exist_ok=True)
    write_text(path, page(exhibit))
    return path.relative_to(root) if path.is_relative_to(root) else path
