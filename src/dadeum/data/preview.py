"""The first rows of the sources through the gate, before anything is made: what `dadeum plan` can say in a second."""

import json
from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path
from typing import Any

from dadeum.config.data import DataSettings
from dadeum.config.purpose import Purpose
from dadeum.core.errors import DadeumError
from dadeum.core.language import say
from dadeum.core.progress import Silent
from dadeum.core.workspace import Workspace
from dadeum.data.bench import Bench
from dadeum.data.cells import FaultyRow
from dadeum.data.clean import Cleaner
from dadeum.data.contract import PromptContract
from dadeum.data.early import Early
from dadeum.data.format import Formatter
from dadeum.data.kinds import Recogniser
from dadeum.data.maker import beside
from dadeum.data.prompt import load_prompt
from dadeum.data.render import Renderer
from dadeum.data.shape import Chunk
from dadeum.data.sources import SOURCES, Row
from dadeum.data.usable import LeftOut, usable
from dadeum.data.verdict import Finding, judge, other_head

ROWS = 300
LARGEST = 64_000_000  # bytes of a file: some kinds are read whole, whatever is wanted of them


@dataclass(frozen=True)
class Preview:
    """How many rows were looked at, what the gate finds in them, and any other sentence with which the data stages would stop."""

    rows: int
    findings: tuple[Finding, ...] = ()
    stops: tuple[str, ...] = ()


def preview(
    data: DataSettings,
    *,
    tokenizer_place: Path,
    chat_template: str | None,
    purpose: Purpose,
    workspace: Workspace,
    new_tokens: tuple[str, ...] = (),
) -> Preview | None:
    """The gate on the first rows; None where a file is too large to look into quickly. Writes nothing, imports no torch."""
    try:
        for source in data.sources:
            if any(path.stat().st_size > LARGEST for path in SOURCES.of(source).files(source, workspace)):
                return None
        bench = Bench(data, purpose, tokenizer_place, chat_template, workspace, new_tokens)
        rows = list(_rows(data, purpose, workspace, bench.renderer))
        # A file may stand in the order of its labels: its first rows say nothing of how they are spread.
        if bench.survey(rows) is not None and bench.labels is not None:
            bench.labels = replace(bench.labels, constant=())
        formatter = Formatter(data, purpose, Silent(), bench.labels)
        formatter.take(bench.shaper(Chunk([json.dumps(row) for row in rows])))
    except DadeumError as error:
        return Preview(0, (), (str(error),))
    stops = []
    if formatter.first_faulty is not None and data.faulty_rows == "error":
        stops.append(f"{formatter.first_faulty['where']}: {formatter.first_faulty['reason']}")
    try:
        formatter.refuse_overlong()
    except DadeumError as error:
        stops.append(str(error))
    if not stops and not formatter.tallies["train"].lengths:
        said = f"nothing_trained: nothing is left to train of the first {len(rows)} rows"
        stops.append(say(said, f"nothing_trained: 처음 {len(rows)}행 중 학습할 것이 없습니다"))
    prompt = load_prompt(data.prompt, workspace)
    written = prompt.model_dump(mode="json") if prompt is not None else None
    gate, renderer = bench.shaper.gate, bench.renderer
    gate.merge(formatter.seen)
    contract = PromptContract.of(renderer, system_prompt=data.system_prompt, prompt=written)
    found = [*judge(gate, renderer, lambda _: {}, None), *other_head(gate, contract)]
    return Preview(len(rows), tuple(found), tuple(stops))


def _rows(data: DataSettings, purpose: Purpose, workspace: Workspace, renderer: Renderer) -> Iterator[dict[str, Any]]:
    """The first rows of each source as the format stage gets them, all for training; unusable ones are passed over."""
    recognise, clean = Recogniser.of(data, workspace, purpose), Cleaner(data.system_prompt)
    fit, sift = usable(purpose, data.preference), Early(data.filters, workspace, renderer)
    number = 0
    for source in data.sources:
        member = SOURCES.of(source)
        items = islice(member.read(source, member.files(source, workspace)), -(-ROWS // len(data.sources)))
        rows = [item for item in items if isinstance(item, Row) and item.values]
        columns = list(dict.fromkeys(column for row in rows for column in row.values))
        if not columns:
            continue
        name = str(getattr(source, "path", None) or getattr(source, "name", source.type))
        convert, _ = recognise(name, columns)
        for row in rows:
            number += 1
            try:
                made = sift(clean(fit(convert(row.values))), row.where, row.part, number)
            except (FaultyRow, LeftOut):
                continue
            if made is not None:
                seen = {"messages": made.messages, "text": made.text, "source_row": number, "where": row.where}
                yield {**seen, **beside(made), "part": "train"}


def told(found: Preview) -> str:
    """The look in one line; what was found is told by itself."""
    if found.stops or any(not finding.allowed for finding in found.findings):
        return say(f"would stop, seen in the first {found.rows} rows", f"멈춥니다(처음 {found.rows}행에서 봄)")
    if found.findings:
        return say(f"only what is allowed, in the first {found.rows} rows", f"처음 {found.rows}행에 허용한 것뿐")
    return say(f"nothing found in the first {found.rows} rows", f"처음 {found.rows}행에서 걸린 것 없음")
