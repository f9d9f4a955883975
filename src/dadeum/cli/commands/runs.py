"""`dadeum runs list|show|compare|rm`: the runs of a workspace."""

import json
import sys
from typing import Annotated

import typer

from dadeum.cli.dispatch import verb
from dadeum.core.errors import ArtifactError
from dadeum.core.language import say
from dadeum.core.workspace import Workspace

app = verb()
RUN = say(
    "a run's id or the beginning of one, or an experiment (its newest); default: the newest run",
    "실행 이름이나 그 앞부분, 또는 실험(가장 최근 실행). 기본값: 가장 최근 실행",
)
Json = Annotated[bool, typer.Option("--json", help=say("print JSON", "JSON으로 출력"))]
Several = Annotated[list[str], typer.Argument(metavar="RUN ...", help=RUN)]


@app.command(
    name="list",
    help=say(
        "All runs of the workspace, the newest last; damaged ones say why.",
        "작업 폴더의 모든 실행(가장 최근 것이 마지막). 손상된 것은 이유를 보입니다.",
    ),
)
def list_(
    sort: Annotated[
        str | None,
        typer.Option(
            "--sort",
            metavar="KEY",
            help=say(
                "a column, metric or setting: loss, rougeL, train.seed", "열, 지표, 설정: loss, rougeL, train.seed"
            ),
        ),
    ] = None,
    reverse: Annotated[bool, typer.Option("--reverse", "-r", help=say("greatest or newest first", "거꾸로"))] = False,
    where: Annotated[
        list[str] | None,
        typer.Option(
            "--where",
            metavar="FILTER",
            help=say(
                'only runs for which it holds: status=failed, "rougeL>0.3", "experiment=civil*"; may be repeated',
                '조건에 맞는 실행만: status=failed, "rougeL>0.3", "experiment=civil*". 여러 번 쓸 수 있음',
            ),
        ),
    ] = None,
    as_json: Json = False,
) -> None:
    """Print the table."""
    from dadeum.run.ledger import entries
    from dadeum.run.selection import FILTER, chosen, ordered

    workspace = Workspace.here()
    everything = entries(workspace)
    found = ordered(chosen(everything, where or []), sort, reverse=reverse)
    if as_json:
        print(json.dumps([entry.as_json() for entry in found], ensure_ascii=False, indent=2))
        return
    from dadeum.cli.run_view import show_list
    from dadeum.cli.view import View

    view = View()
    if found:
        asked = [match[1] for text in where or [] if (match := FILTER.fullmatch(text))]
        show_list(view.console, found, [key for key in dict.fromkeys([sort, *asked]) if key])
    elif everything:
        view.note(
            say(f"none of the {len(everything)} runs is so", f"실행 {len(everything)}개 가운데 맞는 것이 없습니다")
        )
    else:
        view.note(
            say(
                "no run in this workspace yet; start one: dadeum run EXPERIMENT",
                "이 작업 폴더에는 아직 실행이 없습니다. 시작하기: dadeum run 실험",
            )
        )


@app.command(
    help=say(
        "One run: facts, stages, scores with intervals, curves, files, warnings.",
        "실행 하나: 사실, 단계, 구간이 있는 점수, 곡선, 파일, 주의할 점.",
    )
)
def show(run: Annotated[str | None, typer.Argument(metavar="[RUN]", help=RUN)] = None, as_json: Json = False) -> None:
    """Print it."""
    from dadeum.run.exhibit import exhibit
    from dadeum.run.ledger import find_run

    workspace = Workspace.here()
    facts = exhibit(workspace, find_run(workspace, run))
    if as_json:
        print(json.dumps(facts.as_json(), ensure_ascii=False, indent=2))
        return
    from dadeum.cli.run_view import show_run
    from dadeum.cli.view import View

    show_run(View(), facts)


@app.command(
    help=say(
        "What differs between runs: settings, materials, versions, scores; losses over each other.",
        "실행들의 다른 점: 설정, 재료, 버전, 점수. 손실 곡선을 겹쳐 봅니다.",
    )
)
def compare(runs: Several, as_json: Json = False) -> None:
    """Print only what differs."""
    from dadeum.run.differences import between
    from dadeum.run.ledger import find_run, metric_lines, series

    workspace = Workspace.here()
    found = list(dict.fromkeys(find_run(workspace, text) for text in runs))
    if len(found) < 2:
        raise ArtifactError(
            say(
                f"found {len(found)} run, expected two or more unlike ones",
                f"실행이 {len(found)}개입니다. 서로 다른 실행이 둘 이상이어야 합니다",
            )
        )
    differences = between(found)
    if as_json:
        print(json.dumps(differences.as_json(), ensure_ascii=False, indent=2))
        return
    from dadeum.cli.run_view import show_differences
    from dadeum.cli.view import View

    show_differences(View(), differences, {run.name: series(metric_lines(run), "loss") for run in found})


@app.command(
    help=say(
        "Remove runs: their weights and their evidence, nothing else. Asks on a terminal.",
        "실행을 지웁니다: 가중치와 증거만. 터미널에서는 묻습니다.",
    )
)
def rm(
    runs: Several,
    yes: Annotated[bool, typer.Option("--yes", "-y", help=say("do not ask", "묻지 않기"))] = False,
) -> None:
    """Check all, ask once, then remove."""
    from dadeum.cli.run_view import size_word
    from dadeum.cli.view import View
    from dadeum.run.ledger import find_run
    from dadeum.run.removal import check, heir, published, remove, settle, size_of

    workspace, view = Workspace.here(), View()
    found = list(dict.fromkeys(find_run(workspace, text) for text in runs))
    for run in found:
        check(workspace, run)
    going = {run.name for run in found}
    for run in found:
        view.note(f"{run.experiment}/{run.name}  {size_word(size_of(run))}")
        if published(workspace, run.experiment) == run.name:
            view.warn(_left_behind(run.experiment, heir(workspace, run, going)))
    if not yes:
        if not sys.stdin.isatty():
            raise ArtifactError(
                say(
                    f"{len(found)} runs would be removed; without a terminal that needs --yes",
                    f"실행 {len(found)}개를 지우게 됩니다. 터미널이 아니면 --yes가 있어야 합니다",
                )
            )
        if not typer.confirm(say("Remove?", "지울까요?"), default=False):
            view.note(say("nothing was removed", "아무것도 지우지 않았습니다"))
            return
    for run in found:
        settle(workspace, run.experiment)
        remove(workspace, run)
        view.note(say(f"removed {run.experiment}/{run.name}", f"지움: {run.experiment}/{run.name}"))


def _left_behind(experiment: str, other: object) -> str:
    name = getattr(other, "name", None)
    if name is None:
        return say(
            f"checkpoints/{experiment}/ is of this run, and no other is finished: no model '{experiment}' will be left",
            f"checkpoints/{experiment}/은(는) 이 실행의 것이고 끝난 다른 실행이 없어, '{experiment}' 모델이 남지 않습니다",
        )
    return say(
        f"checkpoints/{experiment}/ is of this run; it will be that of {name}",
        f"checkpoints/{experiment}/은(는) 이 실행의 것입니다. {name}의 것으로 바뀝니다",
    )
