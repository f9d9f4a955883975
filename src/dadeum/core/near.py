"""What a name that is nearly right was meant to be."""

import difflib
from collections.abc import Iterable
from itertools import islice
from pathlib import Path

from dadeum.core.language import say

MANY = 2000  # names that are compared; more would take seconds


def nearest(name: str, names: Iterable[str], cutoff: float = 0.6) -> str | None:
    """The known name that `name` was probably meant to be, or None."""
    lowered = {n.lower(): n for n in islice(names, MANY)}
    close = difflib.get_close_matches(name.lower(), list(lowered), n=1, cutoff=cutoff)
    return lowered[close[0]] if close else None


def near_folder(name: str, root: Path = Path()) -> str | None:
    """The path, relative to `root`, with its last part as a folder beside it is called, or None."""
    path = Path(name).expanduser()
    try:
        found = nearest(path.name, (f.name for f in (root / path.parent).iterdir() if f.is_dir()))
    except OSError:
        return None
    start = "./" if name.startswith("./") else ""
    return start + str(path.with_name(found)) if found else None


def hint(near: str | None) -> str:
    """`; did you mean 'x'?`, or nothing."""
    return say(f"; did you mean '{near}'?", f"; '{near}'을(를) 뜻하셨나요?") if near else ""
