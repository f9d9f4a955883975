"""The stage `export`: targets made of a run's final weights. Heavy things are imported when it runs."""

import shutil
import uuid
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from dadeum.core.artifact import ASIDE, replace_folder
from dadeum.core.errors import ConfigError
from dadeum.core.faults import point
from dadeum.core.language import say
from dadeum.core.progress import Reporter
from dadeum.core.settings import MemberSettings
from dadeum.export.output_dir import check_ours
from dadeum.export.targets import TARGETS, Source
from dadeum.model.files import is_headed


def export(
    target: MemberSettings,
    *,
    final: Path,
    base: Path | None,
    out: Path,
    reporter: Reporter,
    trusted: bool = False,
    formatted: Path | None = None,
) -> dict[str, Any]:
    """Make one target of the weights in `final` (an adapter on `base`, or a whole model) at `out`, and verify it.

    `formatted` holds the rows of the training, on which models that cannot be equal are compared.

    Returns what was measured; what does not verify is not kept. An older `out` of ours stays until the new one is verified. Raises ArtifactError where `out` holds anything else.
    """
    from dadeum.model.merge import refuse_input

    if is_headed(final):
        refuse_head(target)
    member, source = TARGETS.of(target), Source(final, base, trusted, formatted)
    refuse_input(out, tuple(place for place in (final, base) if place is not None))
    check_ours(out, member.folder)
    out.parent.mkdir(parents=True, exist_ok=True)
    for leftover in out.parent.glob(f"{ASIDE}*{out.name}-*"):
        shutil.rmtree(leftover, ignore_errors=True)
    aside = out.with_name(f"{ASIDE}{out.name}-{uuid.uuid4().hex[:8]}")
    reporter.start(f"export {target.type}", 2)
    try:
        member.write(target, source, aside, reporter)
        point("export.written")
        reporter.advance(1)
        report: dict[str, Any] = member.verify(target, source, aside, reporter)
        point("export.before_rename")
        replace_folder(aside, out)
    finally:
        shutil.rmtree(aside, ignore_errors=True)
    point("export.after_rename")
    reporter.advance(2, **report)
    return {"type": target.type, "folder": out.as_posix(), **report}


def refuse_head(target: MemberSettings) -> None:
    """Raises ConfigError for a target that cannot be made of a model with a head."""
    if not TARGETS.of(target).takes_heads:
        fitting = ", ".join(name for name in TARGETS.names if TARGETS.member(name).takes_heads)
        raise ConfigError(
            say(
                f"export: found '{target.type}', which takes models that write text, and this one has a head; use: {fitting}",
                f"export: '{target.type}'은(는) 글을 쓰는 모델만 받는데 이 모델에는 헤드가 있습니다. 쓸 수 있는 것: {fitting}",
            )
        )


def forecast(targets: Sequence[MemberSettings], *, weights: int | None) -> dict[str, Any]:
    """What would be written, for the plan; `weights` is the size of the base on disk in bytes. Imports no torch."""
    sizes = None if weights is None else {t.type: TARGETS.of(t).size(t, weights) for t in targets}
    return {"targets": [t.type for t in targets], "bytes": sizes and sum(sizes.values())}
