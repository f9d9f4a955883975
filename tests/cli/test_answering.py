"""What ask, chat, batch and bench open: a model, and a log of this use."""

from pathlib import Path

import pytest

from dadeum.cli.answering import opened
from dadeum.core.errors import DadeumError
from dadeum.core.log import close_log
from tests.run.lab import NAME, files_below, inside, runs_of


def test_a_log_that_says_which_model(ran: Path) -> None:
    try:
        with inside(ran):
            engine = opened(NAME)
    finally:
        close_log()
    (log,) = (ran / "experiments").glob("inference_*.log")
    text = log.read_text(encoding="utf-8")
    assert engine.name == NAME and str(runs_of(ran)[0].final) in text and "device cpu, template" in text


def test_no_model_no_log(written: Path) -> None:
    before = files_below(written)
    with inside(written), pytest.raises(DadeumError):
        opened(None)
    assert files_below(written) == before
