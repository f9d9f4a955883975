"""A teacher, rows with weights, and trainings that learn from it."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch

from dadeum.core.progress import Silent
from dadeum.tokenizer.load import load_tokenizer
from dadeum.train.job import TrainJob
from dadeum.train.loop import Loop
from dadeum.train.processes import Processes
from dadeum.train.step import prepare
from tests.train.support import LLAMA, make_formatted, make_job, random_rows, save_tokenizer


def make_teacher(folder: Path, **changes: Any) -> Path:
    """A wider Llama with the tokenizer of the rows, seven rows of padding, and something to say."""
    from transformers import AutoConfig, AutoModelForCausalLM

    save_tokenizer(folder)
    rows = len(load_tokenizer(folder)) + 7
    config = AutoConfig.for_model(**{**LLAMA, "hidden_size": 96, "vocab_size": rows, **changes})
    torch.manual_seed(7)
    model = AutoModelForCausalLM.from_config(config)
    model.lm_head.weight.data.mul_(30)
    model.save_pretrained(folder)
    return folder


@pytest.fixture(scope="session")
def teacher(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_teacher(tmp_path_factory.mktemp("teacher"))


@pytest.fixture(scope="session")
def formatted(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Rows with weights of their own."""
    rows = [(ids, [w * (0.5 if n % 3 else 1.0) for w in ws]) for n, (ids, ws) in enumerate(random_rows(22))]
    return make_formatted(tmp_path_factory.mktemp("data"), rows)


def job_of(root: Path, formatted: Path, teacher: Path, run: str = "run", **changes: Any) -> TrainJob:
    names = ("divergence", "beta", "temperature", "alpha", "store_top_k")
    own = {name: changes.pop(name) for name in names if name in changes}
    objective = {"type": "distillation", "teacher_model_name_or_path": str(teacher), **own}
    return replace(make_job(root, formatted, run, objective=objective, **changes), teacher_place=teacher)


def loop_of(*given: Any, **changes: Any) -> Loop:
    return prepare(job_of(*given, **changes), Silent(), Processes(), {})


def one_step(*given: Any, **changes: Any) -> tuple[float, dict[str, torch.Tensor]]:
    """The loss of a step of eight rows, and all gradients."""
    loop = loop_of(*given, max_grad_norm=0.0, **changes)
    kept: dict[str, torch.Tensor] = {}
    clip = loop._clip

    def keep() -> float:
        kept.update({n: p.grad.clone() for n, p in loop.module.named_parameters() if p.grad is not None})
        return clip()

    loop._clip = keep  # type: ignore[method-assign]
    return loop._optimizer_step().loss, kept


def same(one: Any, other: Any, tolerance: float = 1e-5) -> None:
    assert one[0] == pytest.approx(other[0], rel=tolerance)
    assert one[1].keys() == other[1].keys() and one[1]
    for name, gradient in one[1].items():
        largest = float(gradient.abs().max())
        assert torch.allclose(gradient, other[1][name], rtol=10 * tolerance, atol=tolerance * largest), name
