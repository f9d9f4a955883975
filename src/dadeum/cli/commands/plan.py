"""`dadeum plan EXPERIMENT`: what would run, and why; rows, tokens, steps, parameters, disk, warnings."""

from typing import Annotated

import typer

from dadeum.cli.dispatch import verb
from dadeum.cli.lab import ExperimentArgument, OverridesArgument, open_lab
from dadeum.core.language import say

app = verb()


@app.command(
    help=say(
        "Show what would run and why, and what it needs. The cached data stages may run for it.",
        "무엇이 왜 실행될지, 무엇이 필요한지 보여 줍니다. 캐시되는 데이터 단계는 실행될 수 있습니다.",
    )
)
def plan(
    experiment: ExperimentArgument,
    overrides: OverridesArgument = None,
    no_data: Annotated[
        bool,
        typer.Option("--no-data", help=say("run nothing, not even the data stages", "데이터 단계도 실행하지 않기")),
    ] = False,
    probe: Annotated[
        bool,
        typer.Option(
            "--probe", help=say("take a few real steps and tell the time", "몇 단계를 실제로 해 보고 시간을 알려 주기")
        ),
    ] = False,
) -> None:
    """Print the plan."""
    from dadeum.cli.view import View
    from dadeum.run.execute import execute
    from dadeum.run.forecast import forecast
    from dadeum.run.stages import make_plan

    lab = open_lab(experiment, overrides)
    view = View()
    if not no_data:
        with View(view.console) as drawn:
            execute(lab, drawn, ["format"])
    found = make_plan(lab)
    view.table(
        say(f"Plan of {lab.experiment.name}", f"{lab.experiment.name} 계획"),
        [say("step", "단계"), say("state", "상태"), say("why", "까닭")],
        [
            [step.name, say("fresh", "그대로") if step.fresh else say("will run", "실행"), step.why]
            for step in found.steps
        ],
    )
    with View(view.console) as drawn:
        told = forecast(lab, found, probe=probe, reporter=drawn)
    view.facts(told.facts)
    for warning in told.warnings:
        view.warn(warning)
