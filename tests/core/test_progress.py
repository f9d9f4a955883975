"""dadeum.core.progress: the reporter that draws nothing."""

import logging

import pytest

from dadeum.core.progress import Reporter, Silent


def test_notes_and_warnings_reach_the_log_only(
    caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(logging.getLogger("dadeum"), "propagate", True)
    reporter: Reporter = Silent()
    with caplog.at_level(logging.INFO, logger="dadeum"):
        reporter.start("title", 3, "rows")
        reporter.advance(1, loss=2.0)
        reporter.note("note 100%")
        reporter.warn("careful")
    assert [(r.levelname, r.getMessage()) for r in caplog.records] == [("INFO", "note 100%"), ("WARNING", "careful")]
    assert capfd.readouterr() == ("", "")
