"""`--resume-mode ask|auto|never|must`: what to do with a run that was begun."""

import sys
from typing import TYPE_CHECKING, Annotated

import typer

from dadeum.core.errors import ConfigError
from dadeum.core.language import say

if TYPE_CHECKING:
    from dadeum.run.execute import Resume
    from dadeum.run.stages import Lab

MODES = ("ask", "auto", "never", "must")
ResumeOption = Annotated[
    str | None,
    typer.Option(
        "--resume-mode",
        metavar="|".join(MODES),
        help=say(
            "a run that was begun: go on (auto), ask (on a terminal), start anew (never), or fail if there is none (must)",
            "시작된 실행이 있으면: 이어 하기(auto), 묻기(ask, 터미널에서), 새로 하기(never), 없으면 실패(must)",
        ),
    ),
]


def decide(mode: str | None, lab: "Lab") -> "Resume":
    """The mode without `ask`: asked on a terminal, `auto` elsewhere. Left out, it is `ask` where checkpoints exist."""
    if mode is not None and mode not in MODES:
        raise ConfigError(
            say(
                f"--resume-mode: found '{mode}', expected one of: {', '.join(MODES)}",
                f"--resume-mode: '{mode}' 대신 {', '.join(MODES)} 가운데 하나를 쓰세요",
            )
        )
    if mode in ("auto", "never", "must"):
        return mode  # type: ignore[return-value]
    if not sys.stdin.isatty():
        return "auto"
    from dadeum.run.execute import has_checkpoint
    from dadeum.run.stages import make_plan

    run = make_plan(lab).run
    if run is None or not has_checkpoint(run):
        return "auto"
    newest = sorted(f.name for f in run.checkpoints.glob("step-*"))[-1]
    yes = typer.confirm(
        say(
            f"{run.name} stopped after {newest}. Go on with it?",
            f"{run.name}이(가) {newest} 뒤에 멈췄습니다. 이어서 할까요?",
        ),
        default=True,
    )
    return "auto" if yes else "never"
