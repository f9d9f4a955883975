"""What an experiment is for: its head and its objective, held against each other. Imports no torch."""

from dadeum.config.experiment import Experiment
from dadeum.config.purpose import Purpose
from dadeum.core.errors import ConfigError
from dadeum.core.language import say
from dadeum.core.settings import MemberSettings
from dadeum.data.labels import kind_of
from dadeum.evaluate.defaults import refuse_unfit
from dadeum.model.heads import HEADS
from dadeum.train.objectives import OBJECTIVES

AUTO = "auto"


def objective_of(experiment: Experiment) -> MemberSettings:
    """The objective's settings; `auto` is the head's own. Raises ConfigError where it cannot use what the head gives."""
    chosen, head = experiment.train.objective, HEADS.of(experiment.head)
    if chosen.type == AUTO:
        return _of_the_head(chosen, head.objective)
    needs = OBJECTIVES.of(chosen).needs
    if needs != head.gives:
        fitting = ", ".join(n for n in OBJECTIVES.names if n != AUTO and OBJECTIVES.member(n).needs == head.gives)
        raise ConfigError(
            say(
                f"train.objective: '{chosen.type}' needs {needs}, but head '{experiment.head.type}' gives {head.gives}; "
                f"use auto, or one of: {fitting}",
                f"train.objective: '{chosen.type}'은(는) {needs}이(가) 필요한데 head '{experiment.head.type}'은(는) {head.gives}을(를) 줍니다. "
                f"auto 또는 다음 가운데 하나를 쓰세요: {fitting}",
            )
        )
    return chosen


def _of_the_head(auto: MemberSettings, name: str) -> MemberSettings:
    """The head's objective with what was set of `auto`. Raises ConfigError where it has no such setting."""
    given = {key: getattr(auto, key) for key in auto.model_fields_set - {"type"}}
    unknown = sorted(set(given) - set(OBJECTIVES.settings(name).model_fields))
    if unknown:
        raise ConfigError(
            say(
                f"train.objective.{unknown[0]}: objective '{name}', which is that of the head, has no such setting; take it out",
                f"train.objective.{unknown[0]}: head의 objective인 '{name}'에는 그런 설정이 없습니다. 빼세요",
            )
        )
    return OBJECTIVES.validate({"type": name, **given})


def purpose_of(experiment: Experiment) -> Purpose:
    """What the data stage is to make of rows. Raises ConfigError also for a metric that the head gives nothing to measure of."""
    objective, head = objective_of(experiment), HEADS.of(experiment.head)
    takes = OBJECTIVES.of(objective).takes or head.takes
    purpose = Purpose(objective.type, takes, head.targets(experiment.head))
    if "metrics" in experiment.evaluate.model_fields_set:
        kinds: list[str] = [kind_of(purpose, target) for target in purpose.targets]
        refuse_unfit(experiment.evaluate, head.gives, kinds or ["pair"])
    return purpose
