"""The rows of a task: read, converted and cleaned as training rows are; which are scored, which are shown as examples."""

import json
import random
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dadeum.config.purpose import SFT
from dadeum.core.errors import DataError
from dadeum.core.language import say
from dadeum.core.progress import Reporter, Silent
from dadeum.core.workspace import Workspace
from dadeum.data.formats import Conversation
from dadeum.data.usable import Usable
from dadeum.evaluate.few_shot import FewShot
from dadeum.evaluate.rows import AskedRow, row_of, spread
from dadeum.evaluate.task import Task, as_data

if TYPE_CHECKING:
    import numpy as np

    from dadeum.data.account import Account
    from dadeum.data.render import Renderer


@dataclass(frozen=True)
class TaskRows:
    """What is asked, the examples before it (None: none), how many rows there were, and how many could not be used."""

    rows: list[AskedRow]
    few_shot: FewShot | None
    found: int
    dropped: dict[str, int]


def read_task(task: Task, renderer: "Renderer", workspace: Workspace, reporter: Reporter, *, seed: int) -> TaskRows:
    """The rows of a task for one renderer. Raises DataError where none can be used; those that cannot are told."""
    from dadeum.data.account import Account
    from dadeum.data.maker import Maker
    from dadeum.data.prepare import RowReader

    data = as_data(task.settings)
    with tempfile.TemporaryDirectory() as aside:
        with Account(Path(aside) / "kept.jsonl", Path(aside) / "faulty.jsonl", seed=0) as account:
            maker = Maker.of(data, SFT, workspace, lambda row: row.text or "")
            maker.usable = _whatever(maker.usable)
            RowReader(workspace, Silent(), maker, account).read(data.sources)
        first = account.first
        if not account.kept:
            why = f"{first['where']}: {first['reason']}" if first is not None else "-"
            raise DataError(
                say(
                    f"task {task.name}: none of {account.read} rows can be used, first {why}",
                    f"과제 {task.name}: {account.read}행 모두 쓸 수 없습니다. 첫 행 {why}",
                )
            )
        if first is not None:
            reporter.warn(
                say(
                    f"task {task.name}: {account.faulty} of {account.read} rows left out, first {first['where']}: {first['reason']}",
                    f"과제 {task.name}: {account.read}행 중 {account.faulty}행을 뺐습니다. 첫 행 {first['where']}: {first['reason']}",
                )
            )
        asked, shown = _choose(account.pins, task, seed)
        lines = _lines(account, {*asked, *shown})
    rows = [_asked(lines[at], renderer) for at in asked]
    return TaskRows(rows, _examples([lines[at] for at in shown], task), account.kept, dict(account.dropped))


def _whatever(of_messages: Usable) -> Usable:
    """Plain text is read, conversations are answered."""

    def reduce(row: Conversation) -> Conversation:
        return row if row.text is not None else of_messages(row)

    return reduce


def _choose(pins: "np.ndarray[Any, Any]", task: Task, seed: int) -> tuple[list[int], list[int]]:
    """Places of the rows that are scored, and of those that are shown."""
    from dadeum.data.sources import PARTS

    parts = {part: [int(at) for at in (pins == number).nonzero()[0]] for number, part in enumerate(PARTS)}
    asked = parts["test"] or parts["validation"]
    shots = task.settings.shots
    if asked and len(parts["train"]) >= shots:
        shown = sorted(random.Random(seed).sample(parts["train"], shots))
    else:
        asked = asked or list(range(len(pins)))
        shown, asked = asked[:shots], asked[shots:]
    if not asked:
        raise DataError(
            say(
                f"task {task.name}: {len(pins)} rows are no more than the {shots} examples, so none is left to score; lower shots",
                f"과제 {task.name}: 행이 {len(pins)}개뿐이어서 예시 {shots}개를 빼면 채점할 행이 없습니다. shots를 줄이세요",
            )
        )
    return [asked[at] for at in spread(len(asked), task.settings.limit)], shown


def _lines(account: "Account", wanted: set[int]) -> dict[int, dict[str, Any]]:
    return {at: json.loads(line) for at, line in enumerate(account.lines()) if at in wanted}


def _asked(line: dict[str, Any], renderer: "Renderer") -> AskedRow:
    from dadeum.data.shape import question

    return row_of(question(line, renderer))


def _examples(lines: Sequence[dict[str, Any]], task: Task) -> FewShot | None:
    if not lines:
        return None
    if any(not line["messages"] for line in lines):
        raise DataError(
            say(
                f"task {task.name}: plain text has no examples; set shots: 0",
                f"과제 {task.name}: 일반 글에는 예시를 둘 수 없습니다. shots: 0으로 두세요",
            )
        )
    return FewShot(tuple(tuple(dict(m) for m in line["messages"] if m["role"] != "system") for line in lines))
