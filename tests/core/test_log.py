"""dadeum.core.log: one UTF-8 file a verb, no secret in it."""

import logging
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from dadeum.core.log import close_log, logger, open_log


@pytest.fixture(autouse=True)
def closed() -> Iterator[None]:
    state = logger.level, logger.propagate
    yield
    close_log()
    logger.setLevel(state[0])
    logger.propagate = state[1]


def test_file_has_messages_tracebacks_and_no_secret(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_TOKEN", "canary-0123456789")
    path = open_log(tmp_path / "새 폴더", "training")
    assert re.fullmatch(r"training_\d{8}_\d{6}\.log", path.name)
    logger.info("손실 %s", 1.5)
    logger.debug("not this")
    try:
        raise RuntimeError("token canary-0123456789 refused")
    except RuntimeError:
        logger.exception("with canary-0123456789")
    close_log()
    logger.info("after")
    text = path.read_text(encoding="utf-8")
    assert path.stat().st_mode & 0o777 == 0o600
    assert "INFO 손실 1.5" in text
    assert "RuntimeError: token <HF_TOKEN> refused" in text
    assert "canary" not in text
    assert "not this" not in text
    assert "after" not in text


def test_without_a_file_nothing_is_printed(capfd: pytest.CaptureFixture[str]) -> None:
    logging.getLogger("dadeum").warning("quiet")
    assert capfd.readouterr() == ("", "")


def test_a_second_log_does_not_stop_the_first(tmp_path: Path) -> None:
    first, second = open_log(tmp_path, "run"), open_log(tmp_path, "training")
    logger.info("both")
    close_log()
    assert "both" in first.read_text(encoding="utf-8")
    assert "both" in second.read_text(encoding="utf-8")
    assert not [h for h in logger.handlers if isinstance(h, logging.FileHandler)]


def test_one_log_is_closed_and_the_other_goes_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    first, second = open_log(Path("a"), "run"), open_log(tmp_path / "b", "training")
    close_log(first)
    logger.info("later")
    assert "later" not in first.read_text(encoding="utf-8")
    assert "later" in second.read_text(encoding="utf-8")


def test_warnings_of_libraries_go_to_the_log_and_not_to_the_screen(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    path = open_log(tmp_path, "run")
    logging.getLogger("py.warnings").warning("a library grumbles")
    close_log()
    assert "WARNING a library grumbles" in path.read_text(encoding="utf-8")
    assert capfd.readouterr() == ("", "")
