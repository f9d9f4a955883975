"""The log file of a verb: `<verb>_YYYYMMDD_HHMMSS.log`, UTF-8, with tracebacks of internal faults, without secrets."""

import logging
import os
import time
from pathlib import Path

from dadeum.core.secrets import redact

logger = logging.getLogger("dadeum")
# Warnings of libraries belong into the log, not between the lines that a person reads.
library = logging.getLogger("py.warnings")
# Without a log file open, nothing is printed: what the user should see, the command line shows.
for _one in (logger, library):
    _one.addHandler(logging.NullHandler())
    _one.propagate = False


class _Redacting(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        return redact(super().format(record))


def open_log(folder: Path, verb: str) -> Path:
    """Send the `dadeum` logger to a new file in `folder`, which is the user's alone where it is made here; returns its path.

    Logs that are open go on.
    """
    folder.parent.mkdir(parents=True, exist_ok=True)
    folder.mkdir(mode=0o700, exist_ok=True)
    path = folder / f"{verb}_{time.strftime('%Y%m%d_%H%M%S')}.log"
    handler = logging.FileHandler(path, encoding="utf-8")
    path.chmod(0o600)  # a traceback may quote the user's rows
    handler.setFormatter(_Redacting("%(asctime)s %(levelname)s %(message)s"))
    logger.addHandler(handler)
    library.addHandler(handler)
    logger.setLevel(logging.INFO)
    return path


def close_log(path: Path | None = None) -> None:
    """Close the log file at `path`, or all that are open."""
    for handler in list(logger.handlers):
        if isinstance(handler, logging.FileHandler) and (path is None or os.path.abspath(path) == handler.baseFilename):
            logger.removeHandler(handler)
            library.removeHandler(handler)
            handler.close()
