"""`dadeum report [RUN]`: a run's evidence as one page, HTML or Markdown."""

from pathlib import Path
from typing import Annotated

import typer

from dadeum.cli.dispatch import verb
from dadeum.core.language import say

app = verb()


@app.command(
    help=say(
        "Write the report of a run again: did it get better, the data, the curves, the scores, answers side by side, how to do "
        "it again. One page that needs nothing else; --to FILE.md writes one worth keeping in docs/.",
        "실행의 보고서를 다시 씁니다: 나아졌는지, 데이터, 곡선, 점수, 나란히 본 답, 다시 하는 방법. 다른 것이 필요 없는 한 페이지입니다. "
        "--to 파일.md는 docs/에 둘 만한 글로 씁니다.",
    )
)
def report(
    run: Annotated[
        str | None,
        typer.Argument(
            metavar="[RUN]",
            help=say(
                "a run, or an experiment (its newest run); default: the newest",
                "실행 또는 실험(가장 새 실행). 기본값: 가장 새 실행",
            ),
        ),
    ] = None,
    to: Annotated[
        Path | None,
        typer.Option(
            "--to",
            metavar="FILE",
            help=say(
                "a file that ends with .html or .md; default: report.html of the run",
                ".html이나 .md로 끝나는 파일. 기본값: 실행의 report.html",
            ),
        ),
    ] = None,
) -> None:
    """Read the evidence, write the page, say where it is."""
    from dadeum.cli.view import View
    from dadeum.core.workspace import Workspace
    from dadeum.run.report import report_named

    written = report_named(run, to)
    root = Workspace.here().root
    shown = written.relative_to(root) if written.is_relative_to(root) else written
    View().note(say(f"written: {shown}", f"저장: {shown}"))
