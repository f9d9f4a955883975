"""Any models against each other: found by what users call them, asked the same rows."""

import time
from collections.abc import Sequence
from pathlib import Path

from dadeum.config.evaluate import DEFAULT_METRICS, EvaluateSettings
from dadeum.core.artifact import read_json
from dadeum.core.errors import ArtifactError, ConfigError
from dadeum.core.language import say
from dadeum.core.log import open_log
from dadeum.core.near import hint, nearest
from dadeum.core.progress import Reporter
from dadeum.core.workspace import Workspace
from dadeum.evaluate import step as evaluate_step
from dadeum.evaluate.fail_if import Condition, Judged, check, condition, judge, known, named
from dadeum.evaluate.judge import ready as judge_ready
from dadeum.evaluate.metrics import METRICS
from dadeum.evaluate.step import BASE, BASE_FEW_SHOT, FILES, TUNED, few_shot_name
from dadeum.model.files import is_headed
from dadeum.run.evaluated import base_scores, experiment_of, is_base, preprocessed_of, run_at, tuned_scores
from dadeum.run.models import base_of, formatted_of
from dadeum.run.store import find_model

Found = Sequence[tuple[str, Path]]


def compare_named(
    models: Sequence[str],
    *,
    questions: Path | None,
    out: Path | None,
    max_new_tokens: int | None,
    reporter: Reporter,
    by: str | None = None,
    fail_if: Sequence[str] = (),
) -> Path:
    """Write `model_comparison_results.csv`, `comparison.json`, `.md` and `.html` into a folder, and return it.

    Without `questions`, the test rows are those of the first of the models that is a run of this workspace; a plain
    model is then asked under that run's prompt, without and with examples before the question. Metrics and decoding are
    that run's too, and scores that were made so already are used again.
    """
    workspace = Workspace.here()
    conditions = [condition(text) for text in fail_if]
    if len(models) < 2:
        raise ArtifactError(
            say(
                f"found {len(models)} model, expected two or more",
                f"모델이 {len(models)}개입니다. 둘 이상이어야 합니다",
            )
        )
    if questions is not None and not questions.is_file():
        raise ArtifactError(say(f"{questions}: no such file of questions", f"{questions}: 질문 파일이 없습니다"))
    found = [
        (_unlike(name, i, models), place)
        for i, (name, place) in enumerate(find_model(workspace, text) for text in models)
    ]
    places = [place for _, place in found]
    formatted = None if questions is not None else _test_rows(workspace, places)
    _of_one_kind(found)
    settings = _settings(workspace, found, max_new_tokens, reporter)
    judge_ready(settings.judge)
    measured = None if is_headed(places[0]) else [metric.type for metric in settings.metrics]
    check(conditions, [name for name, _ in found], measured)
    by = _by(by, measured)
    folder = (
        workspace.at(str(out))
        if out is not None
        else workspace.root / "experiments" / "comparisons" / time.strftime("%Y%m%d_%H%M%S")
    )
    open_log(folder, "comparison")
    if questions is not None:
        _ask(workspace, found, questions, folder, settings, reporter, by)
    else:
        assert formatted is not None
        columns = _columns(workspace, found, formatted, folder, settings, reporter)
        evaluate_step.compare_models(columns, out=folder, settings=settings, reporter=reporter, by=by)
    return folder


def judged(folder: Path, fail_if: Sequence[str]) -> list[Judged]:
    """What is to be said of each condition, in a folder of `compare_named`. Raises ConfigError where one has no value."""
    found = read_json(folder / "comparison.json")
    extra = {few_shot_name(name) for name in found["models"]}
    conditions: list[Condition] = [condition(text) for text in fail_if]
    return [judge(one, found, [name for name in found["models"] if name not in extra]) for one in conditions]


def _settings(workspace: Workspace, found: Found, max_new_tokens: int | None, reporter: Reporter) -> EvaluateSettings:
    """Those of the first model that is a run here, else what is usual."""
    runs = [(name, run) for name, place in found if (run := run_at(workspace, place)) is not None]
    experiment = experiment_of(workspace, runs[0][1]) if runs else None
    changed = {} if max_new_tokens is None else {"max_new_tokens": max_new_tokens}
    if experiment is None:
        return EvaluateSettings.model_validate(changed)
    values = experiment.evaluate.model_dump(mode="json") | changed
    if tuple(metric.type for metric in experiment.evaluate.metrics) == DEFAULT_METRICS:
        del values["metrics"]  # not chosen, so a model with a head is measured by what is usual for it
    reporter.note(
        say(
            f"rows are asked and measured by the settings of {runs[0][0]}",
            f"{runs[0][0]}의 설정으로 묻고 잽니다",
        )
    )
    return EvaluateSettings.model_validate(values)


def _by(by: str | None, measured: Sequence[str] | None) -> str | None:
    """The name of the value that is meant. Raises ConfigError for one that is not measured, or of which a row has none."""
    if by is None:
        return None
    there = {key: name for key, name in known().items() if measured is None or name in measured}
    fit = [key for key, name in there.items() if _by_row(name)]
    meant = named(by)
    if meant is None or meant.rpartition(".")[2] not in fit:
        near, listed = hint(nearest(by, fit)), ", ".join(fit)
        raise ConfigError(
            say(
                f"--by: found '{by}', expected one of: {listed}{near}",
                f"--by: '{by}' 대신 다음 중 하나를 쓰세요: {listed}{near}",
            )
        )
    return meant


def _by_row(name: str) -> bool:
    member = METRICS.member(name)
    return member.higher_is_better is not None and not hasattr(member, "value") and getattr(member, "alone", True)


def _columns(
    workspace: Workspace, found: Found, formatted: Path, folder: Path, settings: EvaluateSettings, reporter: Reporter
) -> dict[str, Path]:
    """The evaluations by column: those that are there already, and those that are made now."""
    columns: dict[str, Path] = {}
    places = [place for _, place in found]
    preprocessed = preprocessed_of(workspace, formatted)
    for name, place in found:
        plain = _plain(workspace, place, places)
        scores = (
            base_scores(workspace, place, places, formatted, settings)
            if plain
            else tuned_scores(workspace, place, formatted, settings)
        )
        if scores:
            reporter.note(say(f"{name}: evaluated already, its scores are used", f"{name}: 이미 채점한 점수를 씁니다"))
        else:
            files = evaluate_step.evaluate_model(
                "base" if plain else "tuned",
                _model_at(workspace, place, formatted / "prompt", places),
                name=name,
                dataset=formatted.name,
                formatted=formatted,
                preprocessed=preprocessed if plain else None,
                out=folder / "evaluation" / name.replace("/", "--"),
                settings=settings,
                reporter=reporter,
                headed=is_headed(place),
            )
            scores = {kind: file for kind in (BASE, BASE_FEW_SHOT, TUNED) for file in files if file.name == FILES[kind]}
        columns |= {few_shot_name(name) if kind == BASE_FEW_SHOT else name: file for kind, file in scores.items()}
    return columns


def _ask(
    workspace: Workspace,
    found: Found,
    questions: Path,
    folder: Path,
    settings: EvaluateSettings,
    reporter: Reporter,
    by: str | None,
) -> None:
    """The questions of a file; plain models also with examples, where one of the models is a run here."""
    places = [place for _, place in found]
    prompt = _prompt_of(workspace, places)
    formatted = next((f for place in places if (f := formatted_of(workspace, place)) is not None), None)
    evaluate_step.compare_questions(
        [(name, _model_at(workspace, place, prompt, places)) for name, place in found],
        questions,
        out=folder,
        settings=settings,
        reporter=reporter,
        by=by,
        plain=[name for name, place in found if _plain(workspace, place, places)],
        preprocessed=preprocessed_of(workspace, formatted) if formatted is not None else None,
    )


def _of_one_kind(found: Found) -> None:
    """Raises ArtifactError where some of the models say labels and others write text."""
    says = {name: is_headed(place) for name, place in found}
    if len(set(says.values())) > 1:
        headed, other = (next(name for name, head in says.items() if head is wanted) for wanted in (True, False))
        raise ArtifactError(
            say(
                f"'{headed}' says labels and '{other}' writes text: nothing measures both; compare models of one kind",
                f"'{headed}'은(는) 라벨을 말하고 '{other}'은(는) 글을 써서 함께 잴 수 없습니다. 같은 종류끼리 비교하세요",
            )
        )


def _unlike(name: str, place: int, models: Sequence[str]) -> str:
    return name if list(models).count(models[place]) == 1 else f"{name}-{place + 1}"


def _plain(workspace: Workspace, place: Path, places: Sequence[Path]) -> bool:
    """Whether a model has no head, and is the base of one of the runs or knows no prompt of its own."""
    return not is_headed(place) and (not _has_prompt(place) or is_base(workspace, place, places))


def _has_prompt(place: Path) -> bool:
    from dadeum.data.contract import FILE as CONTRACT

    return (place / CONTRACT).is_file()


def _model_at(workspace: Workspace, place: Path, prompt: Path | None, places: Sequence[Path]) -> evaluate_step.ModelAt:
    """A model with the prompt contract that it carries, or with `prompt` where it is a plain one: as a run asks its base."""
    own = not _plain(workspace, place, places)
    return evaluate_step.ModelAt(place, prompt=None if own else prompt, base=base_of(place, workspace))


def _prompt_of(workspace: Workspace, places: Sequence[Path]) -> Path | None:
    """The prompt of the first model that is no plain one, else of the first that has one."""
    ordered = sorted(places, key=lambda place: _plain(workspace, place, places))
    return next((place for place in ordered if _has_prompt(place)), None)


def _test_rows(workspace: Workspace, places: Sequence[Path]) -> Path:
    """The formatted data of the first model that is a run here."""
    for place in places:
        if (formatted := formatted_of(workspace, place)) is not None:
            return formatted
    raise ArtifactError(
        say(
            "none of the models is a run of this workspace with its test rows; give --questions FILE",
            "이 작업 폴더에서 시험 행이 있는 실행이 없습니다. --questions 파일을 주세요",
        )
    )
