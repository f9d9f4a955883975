"""dadeum.core.progress: the reporter that draws nothing."""

import logging

import pytest

from dadeum.core.progress import Reporter, Silent


class Kept(logging.Handler):
    """Keeps what is logged."""

    def __init__(self) -> None:
        super().__init__()
        self.lines: list[tuple[str, str]] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.lines.append((record.levelname, record.getMessage()))


def test_notes_and_warnings_reach_the_log_only(
    capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    logger, kept = logging.getLogger("dadeum"), Kept()
    monkeypatch.setattr(logger, "handlers", [kept])
    monkeypatch.setattr(logger, "propagate", False)
    before = logger.level
    logger.setLevel(logging.INFO)
    reporter: Reporter = Silent()
    reporter.start("title", 3, "rows")
    reporter.advance(1, loss=2.0)
    reporter.note("note 100%")
    reporter.warn("careful")
    logger.setLevel(before)
    assert kept.lines == [("INFO", "note 100%"), ("WARNING", "careful")]
    assert capfd.readouterr() == ("", "")
