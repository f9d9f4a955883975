"""`dadeum explain EXPERIMENT`: one real optimizer step on its data, taken apart, and the same by transformers.Trainer."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from dadeum.cli.dispatch import verb
from dadeum.cli.lab import EXPERIMENT, OverridesArgument, open_lab
from dadeum.cli.page_option import HTML, FileMayBeLeftOut, expect_page
from dadeum.core.language import say
from dadeum.core.workspace import Workspace

if TYPE_CHECKING:
    from dadeum.explain.facts import Explanation
    from dadeum.run.stages import Lab

app = verb()


@app.command(
    cls=FileMayBeLeftOut,
    help=say(
        "Take one real training step on your data apart: row, tokens, probabilities, loss, gradients, update; and the same step by "
        "transformers.Trainer. Nothing is trained for good.",
        "내 데이터로 하는 진짜 학습 한 단계를 뜯어봅니다: 행, 토큰, 확률, 손실, 그래디언트, 갱신. 같은 단계를 transformers.Trainer로도 합니다. "
        "학습 결과는 남지 않습니다.",
    ),
)
def explain(
    experiment: Annotated[str | None, typer.Argument(metavar="[EXPERIMENT]", help=EXPERIMENT)] = None,
    overrides: OverridesArgument = None,
    row: Annotated[
        str | None,
        typer.Option(
            "--row",
            metavar="N",
            help=say(
                "show this row: its number in reading order from 0, or its place, file:line; default: the shortest of the step",
                "이 행을 보기: 읽은 순서의 번호(0부터) 또는 자리(파일:줄). 기본값: 단계에서 가장 짧은 행",
            ),
        ),
    ] = None,
    step: Annotated[
        int | None,
        typer.Option(
            "--step",
            metavar="N",
            help=say(
                "go on to this step and take it apart; default: the first whose learning rate is not 0",
                "이 단계까지 가서 뜯어보기. 기본값: 학습률이 0이 아닌 첫 단계",
            ),
        ),
    ] = None,
    html: Annotated[
        str | None,
        typer.Option(
            HTML,
            metavar="[FILE.html]",
            help=say(
                "write a page instead; default: experiments/<name>/explain.html",
                "화면 대신 페이지로 저장. 기본값: experiments/<이름>/explain.html",
            ),
        ),
    ] = None,
    json_file: Annotated[
        str | None,
        typer.Option("--json", metavar="FILE", help=say("also write all numbers", "모든 수를 파일로도 쓰기")),
    ] = None,
    trainer: Annotated[
        bool,
        typer.Option(
            "--trainer/--no-trainer", help=say("also by transformers.Trainer", "transformers.Trainer로도 하기")
        ),
    ] = True,
) -> None:
    """Record, then show."""
    from dadeum.run.explaining import embedded, the_experiment

    if html:
        expect_page(html)
    words = list(overrides or [])
    if experiment is not None and "=" in experiment and not Path(experiment).exists():
        words, experiment = [experiment, *words], None
    named = experiment or the_experiment(Workspace.here())
    if named is not None:
        lab = open_lab(named, words)
        _show(lab, row, step, trainer, html, json_file, lab.workspace.experiments(lab.experiment.name))
        return
    with embedded(words) as lab:
        _show(lab, row, step, trainer, html, json_file, Path.cwd())


def _show(
    lab: "Lab", row: str | None, step: int | None, trainer: bool, html: str | None, json_file: str | None, beside: Path
) -> None:
    """On the screen, or into files; relative names start at the current folder."""
    from dadeum.cli.explain_view import show_explanation
    from dadeum.cli.view import View
    from dadeum.core.artifact import write_json
    from dadeum.run.explaining import PAGE, explain

    here = Workspace.here()
    with View() as view:
        found = explain(lab, view, row=row, step=step, trainer=trainer)
    written = []
    if html is None:
        show_explanation(view.console, found)
    else:
        written.append(_write_page(found, here.at(html) if html else beside / PAGE))
    if json_file is not None:
        written.append(here.at(json_file))
        written[-1].parent.mkdir(parents=True, exist_ok=True)
        write_json(written[-1], found.as_json())
    for path in written:
        name = path.relative_to(here.root) if path.is_relative_to(here.root) else path
        view.note(say(f"written: {name}", f"저장: {name}"))


def _write_page(found: "Explanation", path: Path) -> Path:
    from dadeum.core.artifact import write_text
    from dadeum.explain.page import page

    path.parent.mkdir(parents=True, exist_ok=True)
    write_text(path, page(found))
    return path
