"""`dadeum track`: send what a tracker lacks, see what each has, look at MLflow's pages."""

from pathlib import Path
from typing import Annotated

import typer

from dadeum.cli.dispatch import verb
from dadeum.core.errors import ArtifactError
from dadeum.core.language import say
from dadeum.core.workspace import Workspace

app = verb()
RunArgument = Annotated[
    str | None,
    typer.Argument(
        metavar="[RUN]", help=say("a run or an experiment; default: all runs", "실행이나 실험. 기본값: 모든 실행")
    ),
]


@app.callback(
    help=say("Trackers: what they have of the runs, and what they lack.", "추적 도구에 보낸 것과 못 보낸 것.")
)
def _track() -> None:
    """Send, show, look."""


def chosen(workspace: Workspace, text: str | None) -> list[Path]:
    """Evidence folders that RUN means: of a run, of an experiment's runs, or of all that are tracked."""
    from dadeum.run.ledger import find_run
    from dadeum.track.position import tracked_runs

    there = tracked_runs(workspace.root)
    if text is None:
        return there
    found = [f for f in there if f.parent.name == text]
    if not found:
        run = find_run(workspace, text)
        found = [f for f in there if f == run.evidence]
    if not found:
        raise ArtifactError(
            say(
                f"{text}: was not to be sent to a tracker (`track:` in the experiment)",
                f"{text}: 추적 도구에 보내기로 한 실행이 아닙니다(실험의 `track:`)",
            )
        )
    return found


@app.command(
    name="send",
    help=say(
        "Send what trackers lack of RUN, or of all runs.", "RUN이나 모든 실행에서 추적 도구에 못 보낸 것을 보냅니다."
    ),
)
def send(run: RunArgument = None) -> None:
    """One run after the other; exit code 1 where something is still missing."""
    from dadeum.cli.view import View
    from dadeum.config.load import read_environment
    from dadeum.track.send import send_run

    workspace = Workspace.here()
    read_environment(workspace.root)
    missing = 0
    with View() as view:
        for evidence in chosen(workspace, run):
            missing += send_run(evidence, view)
    if missing:
        raise typer.Exit(1)


@app.command(
    name="status",
    help=say("Show what each tracker has of the runs.", "추적 도구마다 무엇을 보냈는지 봅니다."),
)
def status(run: RunArgument = None) -> None:
    """A table."""
    from dadeum.cli.view import View
    from dadeum.track.position import positions, unsent

    rows, errors = [], []
    for evidence in chosen(Workspace.here(), run):
        for position in positions(evidence):
            lines, files = unsent(evidence, position)
            rows.append(
                [evidence.name, position.type, position.place, position.status or "–", f"{lines:,} + {files:,}"]
            )
            if position.error:
                errors.append(f"{evidence.name}: {position.type}: {position.error}")
    view = View()
    if not rows:
        view.note(
            say(
                "no run was to be sent to a tracker (`track:` in the experiment)",
                "추적 도구에 보내기로 한 실행이 없습니다(실험의 `track:`)",
            )
        )
        return
    columns = [say("run", "실행"), say("tracker", "도구"), say("place", "곳"), say("status", "상태")]
    view.table(say("Trackers", "추적 도구"), [*columns, say("lines + files to send", "보낼 줄 + 파일")], rows)
    for error in errors:
        view.warn(error)


@app.command(
    name="ui",
    help=say(
        "Open MLflow's pages over mlruns/mlflow.db, for this machine only; Ctrl-C ends them.",
        "mlruns/mlflow.db를 MLflow 화면으로 엽니다. 이 컴퓨터에서만 보이며 Ctrl-C로 끝냅니다.",
    ),
)
def ui(
    port: Annotated[
        int, typer.Option("--port", min=1, max=65535, help=say("port on 127.0.0.1", "127.0.0.1의 포트"))
    ] = 5000,
) -> None:
    """Until it is stopped."""
    from dadeum.track import senders
    from dadeum.track import ui as pages
    from dadeum.track.sinks import SINKS

    workspace = Workspace.here().root
    senders.ready([SINKS.settings("mlflow")(type="mlflow")])
    pages.check(workspace, port)
    print(f"http://{pages.HOST}:{port}", flush=True)
    pages.serve(workspace, port)
