"""Runs one verb and turns what went wrong into an exit code: 2 for the user's input, 1 for a fault of ours."""

import errno
import importlib
import signal
import sys
import warnings
from collections.abc import Sequence
from typing import Any

import typer

from dadeum.core.errors import DadeumError, Interrupted
from dadeum.core.language import say
from dadeum.core.log import close_log, logger
from dadeum.core.secrets import redact

INTERRUPTED = 130
# What the machine refuses is no fault of ours.
DISK = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EROFS, errno.EACCES, errno.EPERM}
DISK |= {errno.ENOTDIR, errno.EISDIR, errno.EEXIST, errno.ENAMETOOLONG}


def verb() -> typer.Typer:
    """An empty Typer application with our manners; each file of `commands/` makes one, `app`."""
    return typer.Typer(
        add_completion=False, rich_markup_mode=None, pretty_exceptions_enable=False, no_args_is_help=False
    )


def dispatch(name: str, words: Sequence[str]) -> int:
    """Import the verb's file, run it, and return the exit code."""
    # Long flags may be written with underscores, as the five systems' users do.
    end = words.index("--") if "--" in words else len(words)
    spelled = [*map(_dashed, words[:end]), *words[end:]]
    shown, told = warnings.showwarning, signal.signal(signal.SIGTERM, _terminated)
    if not sys.warnoptions:
        warnings.showwarning = _warning_to_log
    try:
        module: Any = importlib.import_module(f"dadeum.cli.commands.{name}")
        result = module.app(spelled, prog_name=f"dadeum {name}", standalone_mode=False)
        code = result if isinstance(result, int) else 0
        if code == INTERRUPTED:  # Typer turns Ctrl-C into this
            _say_error(say("stopped", "멈췄습니다"))
        return code
    except DadeumError as error:
        logger.error("%s", error)
        _say_error(str(error))
        return error.exit_code
    except KeyboardInterrupt:  # while the verb was imported
        _say_error(say("stopped", "멈췄습니다"))
        return INTERRUPTED
    except SystemExit as left:  # Typer leaves with 1 when nobody reads any more; shells know that as SIGPIPE
        if isinstance(left.__context__, BrokenPipeError):
            return 128 + signal.SIGPIPE
        raise
    except Exception as error:
        return _usage_or_fault(error)
    finally:
        warnings.showwarning = shown
        signal.signal(signal.SIGTERM, told)
        close_log()


def _terminated(number: int, frame: object) -> None:
    """SIGTERM ends a verb as Ctrl-C does: what was begun is left in good order. The training has a handler of its own."""
    raise Interrupted(
        say(
            "stopped by SIGTERM; run the same command again to go on",
            "SIGTERM으로 멈췄습니다. 같은 명령을 다시 실행하면 이어집니다",
        ),
        number,
    )


def _warning_to_log(
    message: Warning | str,
    category: type[Warning],
    filename: str,
    lineno: int,
    file: Any = None,
    line: str | None = None,
) -> None:
    """What libraries tell developers is not for the user's screen."""
    logger.info("%s (%s:%d): %s", category.__name__, filename, lineno, message)


def _dashed(word: str) -> str:
    flag, equals, value = word.partition("=")
    return flag.replace("_", "-") + equals + value if flag.startswith("--") else word


def _say_error(text: str) -> None:
    for line in redact(text).splitlines():
        print(f"{say('error', '오류')}: {line}", file=sys.stderr)


def _usage_or_fault(error: Exception) -> int:
    """Typer's own complaints about the command line are the user's; the rest is ours and keeps its traceback."""
    if type(error).__name__ == "Exit":
        return int(getattr(error, "exit_code", 0))
    if type(error).__name__ == "Abort":  # Typer's word for the end of the input
        _say_error(say("stopped", "멈췄습니다"))
        return INTERRUPTED
    if hasattr(error, "format_message"):
        _say_error(error.format_message())
        return 2
    if isinstance(error, OSError) and error.errno in DISK:
        logger.error("%s", error)
        place = error.filename or say("disk", "디스크")
        _say_error(
            say(
                f"{place}: cannot be written or read ({error.strerror}); make room or change its rights, then run again",
                f"{place}: 쓰거나 읽을 수 없습니다 ({error.strerror}). 공간이나 권한을 확인하고 다시 실행하세요",
            )
        )
        return 2
    logger.exception("internal fault")
    import traceback

    print(redact(traceback.format_exc()), file=sys.stderr)
    _say_error(
        say(
            f"a fault in dadeum ({type(error).__name__}); please report it with the lines above",
            f"dadeum의 오류입니다 ({type(error).__name__}). 위의 내용과 함께 알려 주세요",
        )
    )
    return 1
