"""Parts of a comparison's page that stand beside the test rows: other tasks, and what a judge said."""

from collections.abc import Mapping
from typing import Any

from dadeum.data.page import escaped, section, table
from dadeum.evaluate import elsewhere, judge_table

Found = Mapping[str, Any]


def tasks(found: Found) -> str:
    """What the training did to other text; nothing where no task was asked."""
    rows = found.get("tasks")
    if not rows:
        return ""
    columns = [(name, "right" if at in (2, 3) else "left") for at, name in enumerate(elsewhere.header())]
    return section(elsewhere.title(), table(columns, elsewhere.cells(rows)))


def judged(found: Found) -> str:
    """Win rates; nothing where nobody judged."""
    told = found.get("judge")
    if not told:
        return ""
    columns = [(name, "left") for name in judge_table.header()]
    items = "".join(f"<li>{escaped(note)}</li>" for note in judge_table.notes(told))
    inner = f'{table(columns, judge_table.cells(told))}<ul class="notes">{items}</ul>'
    return section(judge_table.title(told), inner)
