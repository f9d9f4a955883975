"""Rows that become more than one sequence, or sequences with targets. Knows no other rows.

What makes the samples of rows is chosen by what the training takes: `maker` gives None for plain messages and text, which
the shaper renders itself.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from dadeum.config.purpose import Purpose
from dadeum.core.errors import DataError
from dadeum.data.render import Renderer, Sample

Row = Mapping[str, Any]
Made = list[Sample] | DataError
Make = Callable[[Sequence[Row]], list[Made]]


def maker(purpose: Purpose, renderer: Renderer) -> Make | None:
    """What makes the samples of a chunk's rows."""
    if purpose.takes == "pair":
        return lambda rows: pairs(rows, renderer)
    return None


def pairs(rows: Sequence[Row], renderer: Renderer) -> list[Made]:
    """Of each row a unit of two sequences: the conversation with the better answer, and that with the worse.

    Trained, that is compared, is the last answer of each.
    """
    better, worse = (
        renderer.samples_batch((row[name] for row in rows), "last_assistant") for name in ("messages", "rejected")
    )
    found: list[Made] = []
    for one, other in zip(better, worse, strict=True):
        wrong = next((made for made in (one, other) if isinstance(made, DataError)), None)
        if wrong is not None:
            found.append(wrong)
        else:
            assert not isinstance(one, DataError) and not isinstance(other, DataError)
            found.append([one[0]._replace(sequences=2), other[0]._replace(sequences=0)])
    return found
