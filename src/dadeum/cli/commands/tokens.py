"""`dadeum tokens MODEL`: its special tokens, how they are cut, where its chat template uses them, what goes wrong."""

import sys
from pathlib import Path
from typing import Annotated

import typer

from dadeum.cli.dispatch import verb
from dadeum.core.errors import DataError
from dadeum.core.language import say

app = verb()


@app.command(
    help=say(
        "Show every special token: its id, its role, how its string is cut, where the chat template uses it, and what goes "
        "wrong. Loads no weights. Also written to special_tokens_analysis.csv.",
        "특수 토큰을 모두 보여 줍니다: 번호, 역할, 글 속에서 잘리는 방식, 대화 템플릿에서 쓰이는 곳, 잘못된 점. 가중치는 읽지 않습니다. "
        "special_tokens_analysis.csv에도 씁니다.",
    )
)
def tokens(
    model: Annotated[
        str | None,
        typer.Argument(
            metavar="MODEL",
            help=say(
                "experiment, run, folder or Hub id; default: the last finished run",
                "실험, 실행, 폴더 또는 Hub 이름. 기본값: 마지막으로 끝난 실행",
            ),
        ),
    ] = None,
    text: Annotated[
        str | None,
        typer.Option("--text", help=say("also show how this text is cut", "이 글이 어떻게 잘리는지도 보기")),
    ] = None,
    chat_template: Annotated[
        str | None,
        typer.Option(
            "--chat-template",
            help=say(
                "look at another template than the model's: chatml, plain or a Jinja file",
                "모델의 것 대신 볼 템플릿: chatml, plain 또는 Jinja 파일",
            ),
        ),
    ] = None,
    output: Annotated[
        Path | None,
        typer.Option(
            "--output",
            "-o",
            metavar="FILE",
            help=say(
                "CSV file; default: special_tokens_analysis.csv here",
                "CSV 파일. 기본값: 여기의 special_tokens_analysis.csv",
            ),
        ),
    ] = None,
) -> None:
    """Print the table, and write it."""
    from dadeum.cli.token_view import show_analysis, show_cut
    from dadeum.cli.view import View
    from dadeum.core.artifact import write_text
    from dadeum.core.workspace import Workspace
    from dadeum.data.special import CSV, HEADER, Analysis
    from dadeum.generate.questions import csv_text
    from dadeum.run.models import open_tokenizer
    from dadeum.run.store import find_model
    from dadeum.tokenizer.special import count, cut

    workspace = Workspace.here()
    file = workspace.at(str(output)) if output is not None else workspace.root / CSV
    if file.suffix.lower() != ".csv":
        raise DataError(
            say(
                f"{output}: found '{file.suffix}', expected a name that ends in .csv",
                f"{output}: '{file.suffix}'(으)로는 쓸 수 없습니다. .csv로 끝나는 이름이어야 합니다",
            )
        )
    name, place = find_model(workspace, model, tell=lambda said: print(said, file=sys.stderr), weights=False)
    tokenizer, contract, declared = open_tokenizer(workspace, place, chat_template=chat_template)
    analysis = Analysis(tokenizer, contract, declared)
    # With a byte order mark: Excel takes a UTF-8 file without one for the system's code page, and breaks Hangul.
    # Whoever reads it with a program writes encoding="utf-8-sig". What would be a formula gets a `'`.
    table = csv_text(HEADER, [row.cells() for row in analysis.rows])
    view = View()
    show_analysis(view.console, name, analysis)
    if text is not None:
        # Where the locale is no UTF-8, the words of the command line come in pieces.
        text = text.encode(errors="surrogateescape").decode(errors="replace")
        pieces = cut(tokenizer, text)
        view.console.print()
        show_cut(view.console, text, pieces, count(pieces, text))
    write_text(file, table)
    view.note(say(f"written: {file}", f"저장: {file}"))
