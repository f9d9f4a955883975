"""`--html [FILE.html]`: an option whose value may be left out."""

from typing import Any

from typer.core import TyperCommand

from dadeum.core.errors import ConfigError
from dadeum.core.language import say

HTML = "--html"


class FileMayBeLeftOut(TyperCommand):
    """`--html` takes the next word only where that is a page's name; Typer knows no option whose value may be left out."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Alone it becomes `--html=`."""
        alone = [
            at
            for at, word in enumerate(args)
            if word == HTML and not "".join(args[at + 1 : at + 2]).lower().endswith((".html", ".htm"))
        ]
        return super().parse_args(ctx, [f"{word}=" if at in alone else word for at, word in enumerate(args)])


def expect_page(html: str) -> None:
    """Raises ConfigError for a name that is no page's."""
    if not html.lower().endswith((".html", ".htm")):
        raise ConfigError(
            say(
                f"--html: found '{html}', expected a file that ends with .html",
                f"--html: '{html}' 대신 .html로 끝나는 파일을 쓰세요",
            )
        )
