"""`dadeum run EXPERIMENT`: everything that is not yet done."""

import sys

from dadeum.cli.dispatch import verb
from dadeum.cli.lab import ExperimentArgument, OverridesArgument, open_lab
from dadeum.cli.resume import ResumeOption, decide
from dadeum.core.language import say

app = verb()


@app.command(
    help=say(
        "Do everything that is not yet done: data, base scored, trained, tuned scored, compared, exported, reported.",
        "남은 일을 모두 합니다: 데이터, 기본 모델 채점, 학습, 학습한 모델 채점, 비교, 내보내기, 보고서.",
    )
)
def run(
    experiment: ExperimentArgument,
    overrides: OverridesArgument = None,
    resume_mode: ResumeOption = None,
) -> None:
    """Walk the plan and end with the comparison."""
    from dadeum.cli.outcome import show_outcome
    from dadeum.cli.view import View
    from dadeum.run.execute import ALL, execute

    lab = open_lab(experiment, overrides)
    resume = decide(resume_mode, lab)
    with View() as view:
        outcome = execute(lab, view, ALL, resume=resume)
    show_outcome(view, lab, outcome)
    sys.stdout.flush()
