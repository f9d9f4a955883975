"""A19: gradient checkpointing with LoRA: gradients reach every adapter, or the first step stops."""

from pathlib import Path

import pytest
import torch

from dadeum.core.errors import TrainError
from dadeum.core.progress import Silent
from dadeum.train.processes import Processes
from dadeum.train.step import prepare
from tests.train.support import make_formatted, make_job


def test_checkpointed_adapters_get_gradients(tmp_path: Path) -> None:
    job = make_job(tmp_path, make_formatted(tmp_path), adapter="lora", gradient_checkpointing=True)
    loop = prepare(job, Silent(), Processes(), {})
    before = {n: p.detach().clone() for n, p in loop.module.named_parameters() if p.requires_grad}
    loop._optimizer_step()
    moved = {n: not torch.equal(p, before[n]) for n, p in loop.module.named_parameters() if n in before}
    # At first B is zero, so A has a gradient of zero.
    assert all(moved[name] for name in moved if "lora_B" in name) and any("lora_B" in name for name in moved)


def test_gradients_that_are_cut_off_abort(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As if nobody had asked for input gradients under reentrant checkpointing."""

    def reentrant(model: torch.nn.Module) -> None:
        core = model.get_base_model()  # type: ignore[operator]
        core.gradient_checkpointing_enable(gradient_checkpointing_kwargs={"use_reentrant": True})
        core.disable_input_require_grads()

    monkeypatch.setattr("dadeum.model.load.enable_checkpointing", reentrant)
    job = make_job(tmp_path, make_formatted(tmp_path), adapter="lora", gradient_checkpointing=True)
    with pytest.warns(UserWarning, match="requires_grad"), pytest.raises(TrainError, match="get no gradient"):
        prepare(job, Silent(), Processes(), {})
    monkeypatch.setattr("dadeum.train.batch_size.require", lambda *_: None)  # the loop itself looks too
    loop = prepare(job, Silent(), Processes(), {})
    before = loop.weights_sha256
    with pytest.warns(UserWarning, match="requires_grad"), pytest.raises(TrainError, match="get no gradient"):
        loop.run()
    assert loop.weights_sha256 == before
