"""A39: weights that are not finite never become a result."""

from pathlib import Path

import pytest

from dadeum.core.errors import ModelError
from dadeum.core.progress import Silent
from dadeum.train.hooks import Hook
from dadeum.train.hooks.statistics import Statistics
from dadeum.train.loop import Loop
from dadeum.train.step import train
from tests.train.support import make_formatted, make_job


@pytest.mark.parametrize("adapter", ["full", "lora"])
def test_no_final_folder_is_made(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, adapter: str) -> None:
    """One value in one tensor, after the last step and its checkpoint."""
    honest: object = Statistics.on_end

    def on_end(self: Hook, loop: Loop) -> None:
        honest(self, loop)  # type: ignore[operator]
        _, weight = next((n, p) for n, p in loop.module.named_parameters() if p.requires_grad)
        weight.data.view(-1)[3] = float("nan")

    monkeypatch.setattr(Statistics, "on_end", on_end)
    job = make_job(tmp_path, make_formatted(tmp_path), adapter=adapter)
    with pytest.raises(ModelError, match=r"1 of .* values are not finite"):
        train(job, Silent())
    assert not job.final.exists() and not list(job.checkpoints.glob(".writing-*"))
    monkeypatch.undo()
    assert train(job, Silent()).final.is_dir()
