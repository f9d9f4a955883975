"""`dadeum quickstart [DIR]`: all of `dadeum run`, offline, on a small Korean model and the Civil Act."""

import os
from pathlib import Path
from typing import Annotated

import typer

from dadeum.cli.dispatch import verb
from dadeum.core.language import say

app = verb()
TRY = ("전세 보증금을 돌려받지 못하면 어떻게 합니까?", "상속은 언제 시작됩니까?")


@app.command(
    help=say(
        "See all of dadeum in minutes, offline: a small Korean model learns to answer on the Civil Act.",
        "몇 분 만에 다듬을 모두 봅니다(인터넷 없이): 작은 한국어 모델이 민법 질문에 답하는 법을 배웁니다.",
    )
)
def quickstart(
    folder: Annotated[Path, typer.Argument(metavar="[DIR]", help=say("a new folder for it", "만들 폴더"))] = Path(
        "dadeum-quickstart"
    ),
) -> None:
    """Lay out the folder, run the experiment in it, say what to try next."""
    from dadeum.cli.lab import open_lab
    from dadeum.cli.outcome import show_outcome
    from dadeum.cli.view import View
    from dadeum.run.execute import ALL, execute
    from dadeum.run.quickstart import EXPERIMENT, lay_out

    lay_out(folder)
    os.chdir(folder)
    os.environ["HF_HUB_OFFLINE"] = "1"
    lab = open_lab(EXPERIMENT, None)
    with View() as view:
        outcome = execute(lab, view, ALL)
    show_outcome(view, lab, outcome)
    view.note("")
    view.note(say(f"Try next, in {folder}:", f"다음으로, {folder}에서 해 보세요:"))
    view.note(f'  dadeum ask "{TRY[0]}"')
    view.note("  dadeum chat")
    view.note(f"  dadeum run {EXPERIMENT} train.learning_rate=3e-4")
    view.note(say("These answers are an example, not legal advice.", "이 답은 예시이며 법률 자문이 아닙니다."))
