"""Where one hooks in to change a step: in our loop and in `transformers.Trainer` as it is installed. Looked up, not remembered."""

import importlib
import inspect
from pathlib import Path
from typing import Any

from dadeum.core.language import say
from dadeum.explain.facts import Place


def places(objective: str, optimizer: str) -> list[Place]:
    """From the rows to the update, in the order of the step."""
    learning, moving = f"train.objectives.{objective}", f"train.optimizers.{optimizer}"
    trainer, callback = "trainer:Trainer", "trainer_callback:TrainerCallback"
    wanted = [
        (say("rows to a batch", "행을 배치로"), f"{learning}:collate", f"{trainer}.get_train_dataloader"),
        (say("which rows", "어느 행을"), "train.order:Order.of_step", f"{trainer}._get_train_sampler"),
        (say("the loss", "손실"), f"{learning}:compute", f"{trainer}.compute_loss"),
        (say("how it is averaged", "평균 내는 법"), "train.loop:Loop.factors", f"{trainer}.get_batch_samples"),
        (
            say("forward and backward", "순전파와 역전파"),
            "train.loop:Loop._forward_backward",
            f"{trainer}.training_step",
        ),
        (say("clipping", "그래디언트 자르기"), "train.loop:Loop._clip", f"{trainer}._clip_grad_norm"),
        (say("learning rate", "학습률"), "train.learning_rate:learning_rates", f"{trainer}.create_scheduler"),
        (say("optimizer", "옵티마이저"), f"{moving}:build", f"{trainer}.create_optimizer"),
        (
            say("before each forward", "순전파마다 앞에서"),
            "train.events:Hook.on_micro_step",
            f"{callback}.on_step_begin",
        ),
        (say("after each step", "단계가 끝날 때마다"), "train.events:Hook.on_step", f"{callback}.on_step_end"),
    ]
    return [Place(what, *_found("dadeum", ours), *_found("transformers", theirs)) for what, ours, theirs in wanted]


def _found(package: str, name: str) -> tuple[str, str]:
    """The name as people write it, and `file:line`; both empty where there is no such thing."""
    module_name, _, path = name.partition(":")
    try:
        found: Any = importlib.import_module(f"{package}.{module_name}")
        for part in path.split("."):
            found = getattr(found, part)
        found = inspect.unwrap(found)
        file, line = inspect.getsourcefile(found), inspect.getsourcelines(found)[1]
    except (ImportError, AttributeError, OSError, TypeError):
        return "", ""
    parts = Path(file or "").parts
    at = len(parts) - 1 - parts[::-1].index(package) if package in parts else 0
    return path, f"{'/'.join(parts[at + 1 :])}:{line}"
