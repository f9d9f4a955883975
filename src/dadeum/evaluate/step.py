"""The stages `eval` and `compare`: artifacts in, files of one folder out. Heavy things are imported when they run."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from dadeum.config.evaluate import EvaluateSettings
from dadeum.config.model import QuantizationSettings
from dadeum.core.faults import point
from dadeum.core.language import say
from dadeum.core.progress import Reporter
from dadeum.core.settings import MemberSettings

if TYPE_CHECKING:
    from dadeum.evaluate.heads import Predictor
    from dadeum.evaluate.result import EvaluationResult
    from dadeum.evaluate.task_step import Beside
    from dadeum.generate.engine import Engine

# Raised when the files of a comparison come to hold something else, so that older ones are made again.
COMPARISON_VERSION = 2
EVALUATION_VERSION = 1  # the same for scores: a signature that changed would not be compared with the one before
TEST = "test.jsonl"
CONVERSATIONS = "processed_conversations.json"
BASE, BASE_FEW_SHOT, TUNED = "base", "base_few_shot", "tuned"
FILES = {
    BASE: "base_model_evaluation.json",
    BASE_FEW_SHOT: "base_model_few_shot_evaluation.json",
    TUNED: "finetuned_model_evaluation.json",
}


@dataclass(frozen=True)
class ModelAt:
    """Where a model lies: `prompt` holds tokenizer and prompt contract (default `place`), `base` is an adapter's base.

    `quantization` and `new_tokens` (with their descriptions) are for a base, which is asked as training finds it; a
    tuned model brings its own.
    """

    place: Path
    prompt: Path | None = None
    base: Path | None = None
    device: str = "auto"
    dtype: str = "auto"
    trusted: bool = False
    quantization: QuantizationSettings | None = None
    new_tokens: Mapping[str, str] = field(default_factory=dict)


def few_shot_name(name: str) -> str:
    """What the column of a model is called that is shown examples."""
    return f"{name}_few_shot"


@contextmanager
def _opened(model: ModelAt, name: str) -> "Iterator[Engine]":
    """An engine; its memory is given back afterwards."""
    from dadeum.generate.engine import Engine
    from dadeum.model.form import Form

    engine = Engine.open(
        model.place,
        prompt=model.prompt,
        base=model.base,
        device=model.device,
        dtype=model.dtype,
        trusted=model.trusted,
        name=name,
        form=Form(model.quantization) if model.quantization else None,
        new_tokens=model.new_tokens,
    )
    try:
        yield engine
    finally:
        del engine
        _give_back()


def _give_back() -> None:
    """Memory of a model that is gone, and of the encoder that read its answers: the training needs it."""
    import gc

    import torch

    from dadeum.evaluate.encoder import load_encoder

    load_encoder.cache_clear()
    gc.collect()
    if torch.cuda.is_available():
        torch.cuda.empty_cache()


def evaluate_model(
    kind: Literal["base", "tuned"],
    model: ModelAt,
    *,
    name: str,
    dataset: str,
    formatted: Path,
    preprocessed: Path | None,
    out: Path,
    settings: EvaluateSettings,
    reporter: Reporter,
    headed: bool = False,
    beside: "Beside | None" = None,
) -> list[Path]:
    """Score a model on the test part of `formatted` into `out`; returns the files written.

    The base is asked a second time with `settings.few_shot` examples of the training part of `preprocessed` before each
    question, where the context has room for them. Of a `headed` model there is no base to ask: in its place stands who
    knows the labels of the training part and reads nothing. `beside`: the tasks that are asked as well.
    """
    if headed:
        if beside is not None and beside.tasks and kind == TUNED:
            reporter.note(no_tasks())
        with _labeller(kind, model, formatted, name) as said:
            return [_label(said, kind, formatted, out, settings, dataset, reporter)]
    from dadeum.evaluate.few_shot import draw_examples
    from dadeum.evaluate.rows import read_rows
    from dadeum.evaluate.score import evaluate
    from dadeum.evaluate.task_step import prepare, score_all

    rows = read_rows(formatted / TEST, settings.limit)
    written = []
    with _opened(model, name) as engine:
        ready = prepare(beside, engine, settings, reporter) if beside is not None else []
        result = evaluate(engine, rows, settings, dataset=dataset, reporter=reporter)
        point("evaluate.before_write")
        written.append(result.write(out / FILES[kind]))
        for note in result.notes:
            reporter.note(note)
        if kind == BASE:
            (out / FILES[BASE_FEW_SHOT]).unlink(missing_ok=True)
            examples = (
                draw_examples(preprocessed / "processed_conversations.json", settings.few_shot, settings.seed)
                if preprocessed
                else None
            )
            fit = examples and any(
                examples.count(engine, row, settings.max_new_tokens) for row in rows if row.text is None
            )
            if examples and fit:
                result = evaluate(engine, rows, settings, dataset=dataset, reporter=reporter, few_shot=examples)
                written.append(result.write(out / FILES[BASE_FEW_SHOT]))
            elif examples and any(row.text is None for row in rows):
                reporter.warn(
                    say(
                        f"the context of {engine.context} tokens has no room for an example beside question and answer: the base is shown none",
                        f"문맥 {engine.context}토큰에 질문과 답 말고 예시를 둘 자리가 없어 기본 모델에 예시를 보이지 않습니다",
                    )
                )
        written += score_all(ready, engine, kind, out=out, settings=settings, reporter=reporter)
    return written


def score_tasks(
    model: ModelAt, name: str, beside: "Beside", *, out: Path, settings: EvaluateSettings, reporter: Reporter
) -> list[Path]:
    """Score a model on tasks alone; returns a file a task, `out/<task>.json`."""
    from dadeum.evaluate.task_step import prepare, score, tell

    written = []
    with _opened(model, name) as engine:
        for ready in prepare(beside, engine, settings, reporter):
            result = score(ready, engine, settings, reporter)
            written.append(result.write(out / f"{ready.task.folder}.json"))
            tell(result, reporter)
    return written


def no_tasks() -> str:
    """Why a model with a head is not asked other things."""
    return say(
        "the model says labels and writes no text, so it is asked no tasks (evaluate.tasks)",
        "라벨을 말하고 글을 쓰지 않는 모델이므로 다른 과제(evaluate.tasks)는 묻지 않습니다",
    )


@contextmanager
def _labeller(kind: str, model: ModelAt, formatted: Path, name: str) -> "Iterator[Predictor]":
    """Who says labels: the model, or the baseline. Raises ArtifactError for a model of other labels than the test rows'."""
    from dadeum.data.samples import Samples
    from dadeum.evaluate.heads import TRAIN, Baseline, labels_of, refuse_other

    labels = labels_of(formatted)
    if kind == BASE:
        yield Baseline(labels, Samples.open(formatted / TRAIN))
        return
    from dadeum.generate.predictor import Predictor as Headed

    opened = Headed.open(
        model.place,
        prompt=model.prompt,
        base=model.base,
        device=model.device,
        dtype=model.dtype,
        trusted=model.trusted,
        name=name,
    )
    try:
        refuse_other(opened, labels, formatted)
        yield opened
    finally:
        del opened
        _give_back()


def _label(
    said: "Predictor",
    kind: str,
    formatted: Path,
    out: Path,
    settings: EvaluateSettings,
    dataset: str,
    reporter: Reporter,
) -> Path:
    from dadeum.evaluate.heads import evaluate_heads, labels_of

    labels = labels_of(formatted)
    result = evaluate_heads(said, formatted, settings, labels=labels, dataset=dataset, reporter=reporter)
    point("evaluate.before_write")
    return result.write(out / FILES[kind])


def compare_models(
    evaluations: Mapping[str, Path],
    *,
    out: Path,
    settings: EvaluateSettings,
    reporter: Reporter,
    by: str | None = None,
    seeds: Mapping[int, Path] | None = None,
) -> list[Path]:
    """Compare evaluations by name, the first against the others, into `out`; returns the files written. Rows are shown `by` a
    metric's gain, and beside the intervals the spread of the evaluations by `seeds`, where there are some.

    Tasks that both models of a run were asked stand beside them.
    """
    from dadeum.evaluate.result import EvaluationResult
    from dadeum.evaluate.seeds import spread_of

    columns = [(name, EvaluationResult.read(path)) for name, path in evaluations.items()]
    spread = spread_of({seed: EvaluationResult.read(path) for seed, path in seeds.items()}) if seeds else None
    return _held_together(columns, out, settings, reporter, by, spread)


def _held_together(
    columns: "Sequence[tuple[str, EvaluationResult]]",
    out: Path,
    settings: EvaluateSettings,
    reporter: Reporter,
    by: str | None,
    seeds: dict[str, Any] | None = None,
) -> list[Path]:
    """Models compared and judged, with the tasks that both were asked; returns the files."""
    from dadeum.evaluate.compare import compare
    from dadeum.evaluate.elsewhere import elsewhere
    from dadeum.evaluate.judge import judge
    from dadeum.evaluate.report import write_comparison

    reporter.start(say("comparison", "비교"), len(columns))
    comparison = compare(columns, draws=settings.bootstrap, seed=settings.seed, by=by, seeds=seeds)
    reporter.advance(len(columns))
    said = judge(columns, settings, out, reporter)
    comparison = replace(comparison, tasks=elsewhere(out, settings, reporter), judge=said)
    point("compare.before_write")
    return write_comparison(out, comparison)


def evaluations_in(folder: Path) -> dict[str, Path]:
    """The evaluations of a run by column name, base first."""
    return {name: folder / file for name, file in FILES.items() if (folder / file).is_file()}


def compare_questions(
    models: Sequence[tuple[str, ModelAt]],
    questions: Path,
    *,
    out: Path,
    settings: EvaluateSettings,
    reporter: Reporter,
    by: str | None = None,
    plain: Sequence[str] = (),
    preprocessed: Path | None = None,
) -> list[Path]:
    """Ask several models the questions of a file, one model after the other, and compare; metrics where it has references.

    Those named in `plain` are asked a second time with examples of `preprocessed`, where there is room for them.
    """
    from dadeum.evaluate.few_shot import draw_examples
    from dadeum.evaluate.rows import rows_of
    from dadeum.evaluate.score import evaluate
    from dadeum.generate.questions import read_questions

    asked = read_questions(questions)
    columns = []
    drawn = preprocessed and draw_examples(preprocessed / CONVERSATIONS, settings.few_shot, settings.seed)
    for name, model in models:
        with _opened(model, name) as engine:
            rows = rows_of(engine, asked)
            columns.append((name, evaluate(engine, rows, settings, dataset=questions.name, reporter=reporter)))
            if drawn and name in plain and any(drawn.count(engine, row, settings.max_new_tokens) for row in rows):
                shown = evaluate(engine, rows, settings, dataset=questions.name, reporter=reporter, few_shot=drawn)
                columns.append((few_shot_name(name), shown))
    return _held_together(columns, out, settings, reporter, by)


def forecast(settings: EvaluateSettings, *, rows: int | None, kind: Literal["base", "tuned"]) -> dict[str, Any]:
    """What an evaluation would do, for the plan; `rows` of the test part where they are known. Imports no torch."""
    kept = None if rows is None else rows if settings.limit is None else min(rows, settings.limit)
    metrics: tuple[MemberSettings, ...] = settings.metrics
    times = 2 if kind == BASE and settings.few_shot else 1
    return {
        "rows": kept,
        "prompts": None if kept is None else kept * times,
        "new_tokens_at_most": None if kept is None else kept * times * settings.max_new_tokens,
        "metrics": [metric.type for metric in metrics],
    }
