"""Tasks of lm-eval (`lm-eval:NAME`), asked of a model as dadeum holds it: adapters, few bits, device, type.

Scores are lm-eval's own, number for number; what is added is a row of statistics for each document where a score is a mean,
so that two models are compared over the same documents.

The prompt is lm-eval's: plain text unless `chat_template: true`, as in its own command; the signature says which.
"""

import contextlib
import copy
import importlib.util
import logging
from collections.abc import Iterator
from functools import lru_cache
from itertools import chain
from pathlib import Path
from typing import Any

from dadeum.config.evaluate import EvaluateSettings
from dadeum.core.errors import DadeumError, DataError, MissingExtra, ModelError
from dadeum.core.language import say
from dadeum.core.near import hint, nearest
from dadeum.core.progress import Reporter
from dadeum.evaluate.harness_guard import guarded
from dadeum.evaluate.harness_result import Asked, result_of
from dadeum.evaluate.result import EvaluationResult
from dadeum.evaluate.task import HARNESS, HarnessTask
from dadeum.generate.engine import Engine

logger = logging.getLogger("dadeum")
PACKAGE = "lm_eval"
FAULTS = (OSError, ValueError, LookupError, TypeError, AttributeError, ImportError, RuntimeError)
# What lm-eval's own command takes.
SEEDS = {"random_seed": 0, "numpy_random_seed": 1234, "torch_random_seed": 1234, "fewshot_random_seed": 1234}


def ready() -> None:
    """Raises MissingExtra with the command where lm-eval is not installed."""
    if importlib.util.find_spec(PACKAGE) is None:
        how = 'pip install "dadeum[lm-eval]"'
        raise MissingExtra(
            say(
                f"evaluate.tasks: {HARNESS}… needs the package lm-eval, which is not installed: {how}",
                f"evaluate.tasks: {HARNESS}…에는 lm-eval 패키지가 필요한데 설치되어 있지 않습니다: {how}",
            )
        )


@lru_cache(maxsize=4)
def _manager(own: Path | None, alone: bool) -> Any:
    """All tasks by name; `alone`, those of the user's own folder."""
    from lm_eval.tasks import TaskManager

    return TaskManager(include_path=None if own is None else [str(own)], include_defaults=not alone)


def _find(task: HarnessTask) -> Any:
    """The manager that knows the task. Raises DataError with the nearest name."""
    from lm_eval.tasks._index import Kind

    if task.own is not None:
        # Ten thousand files of lm-eval's own need not be read for a task that lies beside the experiment.
        alone = _manager(task.own, True)
        if task.inner in alone.all_tasks and alone.task_index[task.inner].kind is Kind.TASK:
            return alone
    manager = _manager(task.own, False)
    names = manager.all_tasks
    if task.inner in names:
        return manager
    alike = [name for name in names if name[:2] == task.inner[:2]]
    near = nearest(task.inner, chain(alike, names))
    shown = hint(f"{HARNESS}{near}" if near else None)
    raise DataError(
        say(
            f"{task.name}: lm-eval knows no such task, group or tag{shown}",
            f"{task.name}: lm-eval에 그런 과제나 묶음이 없습니다{shown}",
        )
    )


class Prepared:
    """A task of lm-eval with its data at hand."""

    def __init__(self, task: HarnessTask, manager: Any, loaded: list[Any], trusted: bool) -> None:
        self.task, self.manager, self.loaded, self.trusted = task, manager, loaded, trusted

    @classmethod
    def of(cls, task: HarnessTask, *, trusted: bool) -> "Prepared":
        """Find it and load its data. Raises DadeumError: MissingExtra, an unknown name, data that are not there, foreign code."""
        ready()
        with guarded(trusted), _said(task):
            manager = _find(task)
            built = manager._load_spec(task.inner)
        return cls(task, manager, built if isinstance(built, list) else [built], trusted)

    def score(self, engine: Engine, settings: EvaluateSettings, reporter: Reporter) -> EvaluationResult:
        """Ask the model. Raises ModelError where the prompt needs a chat template that it has not."""
        from lm_eval import simple_evaluate

        choice = self.task.choice
        chat = bool(choice.chat_template)
        if chat and not engine.tokenizer.chat_template:
            raise ModelError(
                say(
                    f"{self.task.name}: chat_template is asked for, and {engine.name} has none",
                    f"{self.task.name}: chat_template을 쓰라고 했지만 {engine.name}에는 없습니다",
                )
            )
        reporter.start(f"{engine.name}: {self.task.name}")
        with guarded(self.trusted), _said(self.task), _lent(engine, settings.batch_size) as lm:
            found = simple_evaluate(
                model=lm,
                tasks=self.loaded,
                task_manager=self.manager,
                num_fewshot=choice.shots,
                limit=choice.limit,
                batch_size=settings.batch_size,
                # Errors of means are computed by their formula (harness_result); no pool of processes is started.
                bootstrap_iters=0,
                apply_chat_template=chat,
                log_samples=True,
                **SEEDS,
            )
        return result_of(found, Asked(self.task, chat, engine, settings))


@contextlib.contextmanager
def _said(task: HarnessTask) -> Iterator[None]:
    """What lm-eval and its data raise for what a task is, as one sentence; the whole goes to the log."""
    from jinja2 import TemplateError

    try:
        yield
    except DadeumError:
        raise
    except (*FAULTS, TemplateError) as error:
        cause: BaseException | None = error
        while cause is not None and not isinstance(cause, DadeumError):
            cause = cause.__cause__ or cause.__context__
        if isinstance(cause, DadeumError):
            raise cause from None
        logger.exception("%s", task.name)
        raise _sentence(task, error) from None


def _sentence(task: HarnessTask, error: Exception) -> DataError:
    reason = (str(error).strip().splitlines() or [type(error).__name__])[0][:200]
    kind = type(error).__name__
    if isinstance(error, OSError) or kind in (
        "DatasetNotFoundError",
        "OfflineModeIsEnabled",
        "LocalEntryNotFoundError",
    ):
        return DataError(
            say(
                f"{task.name}: its data are not here and cannot be fetched ({reason}); connect to the Hub once, or take the task out",
                f"{task.name}: 데이터가 없고 내려받을 수도 없습니다 ({reason}). 한 번 Hub에 연결하거나 과제를 빼세요",
            )
        )
    return DataError(
        say(
            f"{task.name}: lm-eval cannot do this task ({kind}: {reason}); the log has the details",
            f"{task.name}: lm-eval이 이 과제를 하지 못했습니다 ({kind}: {reason}). 자세한 내용은 로그에 있습니다",
        )
    )


@contextlib.contextmanager
def _lent(engine: Engine, batch_size: int) -> Iterator[Any]:
    """The engine's model for lm-eval; what that changes is put back.

    Its tokenizer is a copy, the weights are not tied again, and answers end where the engine's end.
    """
    from lm_eval.models.huggingface import HFLM
    from transformers import GenerationConfig

    from dadeum.generate.neighbours import ignores_neighbours
    from dadeum.model.packing import unwrap

    model, core = engine.model, unwrap(engine.model)
    before = [(one, one.generation_config) for one in (model, core)]
    tied = "tie_weights" in vars(model)
    held = vars(model).get("tie_weights")
    stops = list(engine.stop_ids)
    pad = engine.tokenizer.pad_token_id
    config = GenerationConfig(
        eos_token_id=stops or None, pad_token_id=pad if pad is not None else stops[0] if stops else 0
    )
    model.generation_config = core.generation_config = config
    model.tie_weights = lambda *_, **__: None
    alone = batch_size > 1 and not ignores_neighbours(model)
    try:
        yield HFLM(
            pretrained=model,
            tokenizer=copy.deepcopy(engine.tokenizer),
            batch_size=1 if alone else batch_size,
            max_length=engine.context,
            chat_template_args=dict(engine.contract.chat_template_kwargs),
        )
    finally:
        del model.tie_weights
        if tied:
            model.tie_weights = held
        for one, config in before:
            one.generation_config = config
        model.eval()
