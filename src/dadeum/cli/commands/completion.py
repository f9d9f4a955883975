"""`dadeum completion SHELL`: the script that makes a shell complete."""

from typing import Annotated

import typer

from dadeum.cli.app import SCRIPTS
from dadeum.cli.dispatch import verb
from dadeum.core.errors import ConfigError
from dadeum.core.language import say

app = verb()


@app.command(
    help=say(
        "Print the completion script; put it into your shell's start-up file.",
        "자동 완성 스크립트를 출력합니다. 셸 시작 파일에 넣으세요.",
    )
)
def completion(shell: Annotated[str, typer.Argument(help="bash, zsh, fish")]) -> None:
    """Print the script of one shell."""
    if shell not in SCRIPTS:
        raise ConfigError(
            say(
                f"shell: found '{shell}', expected bash, zsh or fish",
                f"shell: '{shell}' 대신 bash, zsh, fish 가운데 하나를 쓰세요",
            )
        )
    print(SCRIPTS[shell])
