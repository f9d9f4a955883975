"""`dadeum data download|preprocess|format`: one data stage, and what it needs."""

from dadeum.cli.dispatch import verb
from dadeum.cli.lab import ExperimentArgument, OverridesArgument, open_lab
from dadeum.core.language import say

app = verb()


def _until(goal: str, experiment: str, overrides: list[str] | None) -> None:
    from dadeum.cli.outcome import show_data
    from dadeum.cli.view import View
    from dadeum.run.execute import execute

    lab = open_lab(experiment, overrides)
    with View() as view:
        outcome = execute(lab, view, [goal])
    show_data(view, lab, outcome, goal)


@app.command(
    help=say(
        "Fetch model and data from the Hub; local files are only looked at.",
        "Hub에서 모델과 데이터를 내려받습니다. 로컬 파일은 확인만 합니다.",
    )
)
def download(experiment: ExperimentArgument, overrides: OverridesArgument = None) -> None:
    """The first stage."""
    _until("download", experiment, overrides)


@app.command(
    help=say(
        "Rows to messages: processed_conversations.json, parts, a report of faulty rows.",
        "행을 메시지로: processed_conversations.json, 나누기, 쓸 수 없는 행의 보고서.",
    )
)
def preprocess(experiment: ExperimentArgument, overrides: OverridesArgument = None) -> None:
    """The second stage."""
    _until("preprocess", experiment, overrides)


@app.command(
    name="format",
    help=say(
        "Messages to token ids with weights, through the model's chat template.",
        "메시지를 대화 템플릿으로 토큰과 가중치로 바꿉니다.",
    ),
)
def format_(experiment: ExperimentArgument, overrides: OverridesArgument = None) -> None:
    """The third stage."""
    _until("format", experiment, overrides)
