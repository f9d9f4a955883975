"""What lm-eval may do while it works for us: its own code, and none that comes with a task file or a data set.

Its package's tasks may name functions (`!function`) of its own files. A task file of a user may not, unless he says
`trust_remote_code`; nor may any task have code fetched (metrics of the Hub, scripts of data sets), nor reach out of a template.
"""

import contextlib
import importlib
import io
import logging
import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from dadeum.core.errors import DataError
from dadeum.core.language import say


class Refused(DataError):
    """A task that would run code which is not lm-eval's own."""


def _refused(refused: list[Refused], what: str, korean: str) -> Refused:
    found = Refused(
        say(
            f"{what}; that runs code which is not lm-eval's own: read it, and then allow it with model.trust_remote_code "
            "(`dadeum eval --trust-remote-code`)",
            f"{korean}. lm-eval의 것이 아닌 코드를 실행하게 됩니다. 코드를 읽어 본 뒤 model.trust_remote_code"
            "(`dadeum eval --trust-remote-code`)로 허락하세요",
        )
    )
    refused.append(found)
    return found


@contextlib.contextmanager
def guarded(trusted: bool) -> Iterator[None]:
    """lm-eval works quietly, leaves the random numbers as they were, and unless `trusted` runs no code but its own."""
    import numpy as np
    import torch

    before = random.getstate(), np.random.get_state(), torch.get_rng_state()
    level = logging.getLogger("lm_eval").level
    with contextlib.ExitStack() as stack:
        refused: list[Refused] = []
        for module, name, ours in () if trusted else _replaced(refused):
            stack.callback(setattr, module, name, getattr(module, name))
            setattr(module, name, ours)
        for name in ("add_env_info", "get_git_commit_hash"):  # programs that it starts to describe the machine
            evaluator = importlib.import_module("lm_eval.evaluator")
            stack.callback(setattr, evaluator, name, getattr(evaluator, name))
            setattr(evaluator, name, lambda *_: None)
        stack.enter_context(contextlib.redirect_stderr(io.StringIO()))  # its bars
        logging.getLogger("lm_eval").setLevel(logging.ERROR)
        try:
            yield
        finally:
            logging.getLogger("lm_eval").setLevel(level)
            random.setstate(before[0])
            np.random.set_state(before[1])
            torch.set_rng_state(before[2])
        if refused:  # lm-eval goes on without a metric that cannot be loaded
            raise refused[0]


def _replaced(refused: list[Refused]) -> list[tuple[Any, str, Any]]:
    """Modules, names in them, and what stands there meanwhile."""
    import datasets
    import lm_eval
    from jinja2.sandbox import SandboxedEnvironment
    from lm_eval import utils
    from lm_eval.tasks import _yaml_loader as loader

    metrics_of_the_hub = importlib.import_module("evaluate")
    package = Path(lm_eval.__file__).parent.resolve()
    import_function, load_dataset = loader._import_func_in_yml, datasets.load_dataset

    def function(name: str, folder: Path) -> Any:
        if not Path(folder).resolve().is_relative_to(package):
            raise _refused(
                refused,
                f"{folder}: a task file names the function '{name}'",
                f"{folder}: 과제 파일이 함수 '{name}'을(를) 부릅니다",
            )
        return import_function(name, folder)

    def rows(*words: Any, **more: Any) -> Any:
        if more.get("trust_remote_code"):
            name = more.get("path", words[0] if words else "?")
            raise _refused(
                refused,
                f"the data set {name} wants a script of its own",
                f"데이터 {name}이(가) 스크립트를 실행하려 합니다",
            )
        return load_dataset(*words, **more)

    def metric(name: str, *_: Any, **__: Any) -> Any:
        raise _refused(
            refused, f"the metric '{name}' is a program of the Hub", f"지표 '{name}'은(는) Hub의 프로그램입니다"
        )

    boxed = SandboxedEnvironment(
        loader=utils.env.loader, undefined=utils.env.undefined, keep_trailing_newline=utils.env.keep_trailing_newline
    )
    boxed.filters.update(utils.env.filters)
    return [
        (loader, "_import_func_in_yml", function),
        (datasets, "load_dataset", rows),
        (metrics_of_the_hub, "load", metric),
        (utils, "env", boxed),
    ]
