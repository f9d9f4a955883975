"""A picture (PNG) of a command in a real terminal, for the README.

    python -m scripts.terminal_picture PICTURE.png [--columns 100] [--lines 60] -- COMMAND ...

Runs the command in tmux, waits for its end, and photographs what the terminal shows then, in Chromium, colours and all.
"""

import argparse
import shlex
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from html import escape
from pathlib import Path

FONTS = "'DejaVu Sans Mono', 'Noto Sans Mono CJK KR', monospace"
LIMIT = 600.0  # seconds that a command may take


def capture(command: Sequence[str], columns: int, lines: int) -> str:
    """What a terminal of this size shows when the command has ended, with its escape sequences. Raises TimeoutError."""
    session = f"picture-{time.time_ns()}"
    with tempfile.TemporaryDirectory() as aside:
        ended = Path(aside) / "ended"
        line = f"{shlex.join(command)}; touch {shlex.quote(str(ended))}; sleep 60"
        size = ["-x", str(columns), "-y", str(lines)]
        subprocess.run(["tmux", "-u", "new-session", "-d", "-s", session, *size, line], check=True)
        try:
            end = time.monotonic() + LIMIT
            while not ended.exists():
                if time.monotonic() > end:
                    raise TimeoutError(f"{shlex.join(command)}: not done after {LIMIT:.0f} s")
                time.sleep(0.2)
            shown = subprocess.run(
                ["tmux", "capture-pane", "-p", "-e", "-t", session], check=True, capture_output=True, encoding="utf-8"
            )
        finally:
            subprocess.run(["tmux", "kill-session", "-t", session], check=False, capture_output=True)
    return shown.stdout.rstrip() + "\n"


def page(shown: str, columns: int) -> str:
    """A web page of a terminal's content, every character in its cell: Hangul takes two."""
    from rich.cells import cell_len
    from rich.console import Console
    from rich.terminal_theme import MONOKAI as THEME
    from rich.text import Text

    console = Console(width=columns, force_terminal=True, color_system="truecolor", legacy_windows=False)
    lines = []
    for line in console.render_lines(Text.from_ansi(shown), pad=False):
        spans = []
        for text, style, _ in line:
            cells = "".join(f"<b>{escape(c)}</b>" if cell_len(c) == 2 else escape(c) for c in text.replace("\n", ""))
            spans.append(f'<span style="{style.get_html_style(THEME) if style else ""}">{cells}</span>')
        lines.append("".join(spans))
    return (
        f"<!doctype html><meta charset=utf-8><style>body{{margin:0;background:{THEME.background_color.hex}}}"
        f"pre{{margin:16px;font:15px/20px {FONTS};color:{THEME.foreground_color.hex}}}"
        "b{display:inline-block;width:2ch;font-weight:inherit;text-align:center}</style><pre>" + "\n".join(lines)
    )


def photograph(html: str, picture: Path, columns: int) -> None:
    """The page as PNG, through Chromium. Raises FileNotFoundError where there is none, CalledProcessError."""
    height = 20 * (html.count("\n") + 1) + 32
    with tempfile.TemporaryDirectory() as aside:
        place = Path(aside) / "page.html"
        place.write_text(html, encoding="utf-8")
        browser = ["chromium", "--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars"]
        size = f"--window-size={round(columns * 9.1) + 32},{height}"
        subprocess.run(
            [*browser, size, f"--screenshot={picture.resolve()}", place.as_uri()], check=True, capture_output=True
        )


def main(arguments: Sequence[str] | None = None) -> int:
    """The command. Returns its exit code."""
    parser = argparse.ArgumentParser(description="A picture of a command in a real terminal.")
    parser.add_argument("picture", type=Path, help="the PNG to write")
    parser.add_argument("--columns", type=int, default=100)
    parser.add_argument("--lines", type=int, default=60)
    parser.add_argument("command", nargs="+")
    given = parser.parse_args(arguments)
    given.picture.parent.mkdir(parents=True, exist_ok=True)
    shown = capture(given.command, given.columns, given.lines)
    photograph(page(shown, given.columns), given.picture, given.columns)
    return 0


if __name__ == "__main__":
    sys.exit(main())
