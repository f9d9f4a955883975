"""The report of a run of the workspace: where its files lie, the page that is made of them, and what becomes of a fault in it."""

import logging
from pathlib import Path
from typing import TYPE_CHECKING

from dadeum.core.errors import DadeumError
from dadeum.core.language import say
from dadeum.core.lock import held
from dadeum.core.progress import Reporter
from dadeum.core.workspace import Workspace
from dadeum.report import step as report_step
from dadeum.run.ledger import find_run
from dadeum.run.purpose import purpose_of
from dadeum.run.store import Run

if TYPE_CHECKING:
    from dadeum.report.evidence import Place

logger = logging.getLogger("dadeum")


def report_named(text: str | None, to: Path | None) -> Path:
    """The report of the run that `text` means, into `to` or the run's own `report.html`; returns the file.

    Raises ArtifactError for a run that is not there, is no run, or a file that is not to be written.
    """
    workspace = Workspace.here()
    if to is not None:
        report_step.check(workspace.at(str(to)))
    run = find_run(workspace, text)
    if to is not None:
        return _write(run, workspace, workspace.at(str(to)))
    path = _write(run, workspace, run.evidence / report_step.REPORT)
    done = run.record().get("stages", {}).get("report")
    if done is not None and not held(run.evidence):  # `dadeum run` finds it as fresh as it was
        run.finish("report", done["fingerprint"], done["made_from"], [path], workspace.root)
    return path


def report_of(run: Run, workspace: Workspace, reporter: Reporter) -> list[Path]:
    """The report as the last step of a run that ends well; the files that came of it.

    The weights are done by then: whatever goes wrong here is one warning, with the traceback in the log, and no failure.
    """
    try:
        return [_write(run, workspace, run.evidence / report_step.REPORT, status="finished")]
    except Exception as error:
        if not isinstance(error, DadeumError):
            logger.exception("report")
        reporter.warn(
            say(
                f"no report was written ({type(error).__name__}: {error}); the run itself is whole. `dadeum report {run.name}` tries again",
                f"보고서를 쓰지 못했습니다 ({type(error).__name__}: {error}). 실행은 온전합니다. `dadeum report {run.name}`(으)로 다시 해 보세요",
            )
        )
        return []


def _write(run: Run, workspace: Workspace, path: Path, *, status: str | None = None) -> Path:
    return report_step.write(report_step.make(place_of(run, workspace), status=status), path)


def place_of(run: Run, workspace: Workspace) -> "Place":
    """Where the run lies, with its settings as far as they can still be read."""
    from dadeum.config.load import load
    from dadeum.report.evidence import CONFIG, Place

    settings, purpose, unread = None, None, ""
    try:
        settings = load(run.evidence / CONFIG, root=workspace.root).experiment
        purpose = purpose_of(settings)
    except (DadeumError, OSError) as error:
        unread = f"{CONFIG}: {error}" if (run.evidence / CONFIG).exists() else ""  # the page says that it is not there
    return Place(run.experiment, run.name, workspace.root, run.evidence, run.checkpoints, settings, purpose, unread)
