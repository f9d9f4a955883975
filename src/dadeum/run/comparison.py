"""Any models against each other: found by what users call them, asked the same rows."""

import time
from collections.abc import Sequence
from pathlib import Path

from dadeum.config.evaluate import EvaluateSettings
from dadeum.core.errors import ArtifactError
from dadeum.core.language import say
from dadeum.core.log import open_log
from dadeum.core.progress import Reporter
from dadeum.core.workspace import Workspace
from dadeum.evaluate import step as evaluate_step
from dadeum.model.files import is_headed
from dadeum.run.models import base_of, formatted_of
from dadeum.run.store import find_model


def compare_named(
    models: Sequence[str], *, questions: Path | None, out: Path | None, max_new_tokens: int | None, reporter: Reporter
) -> Path:
    """Write `model_comparison_results.csv`, `comparison.json` and `comparison.md` into a folder, and return it.

    Without `questions`, the test rows are those of the first of the models that is a run of this workspace; a plain
    model is then asked under that run's prompt.
    """
    workspace = Workspace.here()
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
    formatted = None if questions is not None else _test_rows(workspace, [place for _, place in found])
    folder = (
        workspace.at(str(out))
        if out is not None
        else workspace.root / "experiments" / "comparisons" / time.strftime("%Y%m%d_%H%M%S")
    )
    open_log(folder, "comparison")
    _of_one_kind(found)
    settings = EvaluateSettings() if max_new_tokens is None else EvaluateSettings(max_new_tokens=max_new_tokens)
    prompt = formatted / "prompt" if formatted else _prompt_of([place for _, place in found])
    named = [(name, _model_at(workspace, place, prompt)) for name, place in found]
    if questions is not None:
        evaluate_step.compare_questions(named, questions, out=folder, settings=settings, reporter=reporter)
        return folder
    assert formatted is not None
    written = {}
    for name, model in named:
        place = folder / "evaluation" / name.replace("/", "--")
        files = evaluate_step.evaluate_model(
            "tuned",
            model,
            name=name,
            dataset=formatted.name,
            formatted=formatted,
            preprocessed=None,
            out=place,
            settings=settings,
            reporter=reporter,
            headed=is_headed(model.place),
        )
        written[name] = files[0]
    evaluate_step.compare_models(written, out=folder, settings=settings, reporter=reporter)
    return folder


def _of_one_kind(found: Sequence[tuple[str, Path]]) -> None:
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


def _model_at(workspace: Workspace, place: Path, prompt: Path | None) -> evaluate_step.ModelAt:
    """A model with the prompt contract that it carries, or with `prompt` where it carries none."""
    from dadeum.data.contract import FILE as CONTRACT

    own = (place / CONTRACT).is_file()
    return evaluate_step.ModelAt(place, prompt=None if own else prompt, base=base_of(place, workspace))


def _prompt_of(places: Sequence[Path]) -> Path | None:
    from dadeum.data.contract import FILE as CONTRACT

    return next((place for place in places if (place / CONTRACT).is_file()), None)


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
