"""One look at all rows of the sources before anything is made of them: what `dadeum data check` tells.

Goes the way of the data stages (source, format, cleaning, template) and stops nowhere: what would stop them is noted and
the rest is still read. Rows are not kept; of each about a hundred bytes are, and its place on disk.
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import chain, islice
from pathlib import Path
from typing import IO, Any

import numpy as np

from dadeum.config.data import DataSettings
from dadeum.config.purpose import PRETRAIN, SFT, Purpose
from dadeum.core.errors import DadeumError, DataError
from dadeum.core.language import say
from dadeum.core.progress import Reporter
from dadeum.core.settings import MemberSettings
from dadeum.core.workspace import Workspace
from dadeum.data.cells import FaultyRow
from dadeum.data.clean import Cleaner
from dadeum.data.columns import Columns
from dadeum.data.compared import Compared
from dadeum.data.early import Early
from dadeum.data.files import label
from dadeum.data.formats import Conversation
from dadeum.data.keys import ABSENT, id_key, row_id
from dadeum.data.kinds import Convert, Recogniser
from dadeum.data.label_check import LabelCheck
from dadeum.data.lengths import Lengths
from dadeum.data.measure import Measure, spoken
from dadeum.data.mixture import Origins, name_of
from dadeum.data.sources import SOURCES, Fault, FileFacts, Part, Row
from dadeum.data.usable import LeftOut, Usable, refuse_settings, usable

LOOK = 100  # rows that tell which columns there are
CHUNK = 512  # rows that are rendered at once
STEP = 500
PLACES = 3  # of each kind of fault
MOST_TROUBLES = 20
Item = Row | Fault | FileFacts


@dataclass(frozen=True)
class Trouble:
    """What would stop a run: the kind, and the sentence that the run would say."""

    kind: str
    text: str


@dataclass
class Faults:
    """Rows that cannot be used for one reason."""

    count: int = 0
    first: list[tuple[str, str]] = field(default_factory=list)  # place, reason

    def see(self, where: str, reason: str) -> None:
        """One more."""
        self.count += 1
        if len(self.first) < PLACES:
            self.first.append((where, reason))


@dataclass(frozen=True, slots=True)
class _Waiting:
    """A row that is understood and not yet rendered."""

    where: str
    part: Part | None
    id_key: bytes
    row: Conversation
    refused: bool


class Check:
    """Everything that was found. `read` fills it."""

    def __init__(
        self,
        data: DataSettings,
        purpose: Purpose | None,
        workspace: Workspace,
        reporter: Reporter,
        spool: IO[str],
        measure: Measure | None = None,
    ) -> None:
        """Without a purpose the rows tell: plain text is pretrained on, all else is fine-tuned on.

        `spool` takes the places of the rows; without `measure` no tokens are counted.
        """
        self.data, self.purpose, self.workspace, self.reporter = data, purpose, workspace, reporter
        self.measure = measure
        self.cleaner = Cleaner(data.system_prompt)
        self.compared = Compared(spool, data.split.seed)
        self.columns = Columns()
        self.files: list[dict[str, Any]] = []
        self.kinds: Counter[str] = Counter()  # rows by recognised kind
        self.troubles: list[Trouble] = []
        self.tables: list[str] = []  # sources of plain text that look like tables
        self.faults: dict[str, Faults] = {}
        self.read_rows = self.refused = self.left_out = self.not_understood = self.damaged_letters = 0
        self.whole, self.questions, self.answers = Lengths(), Lengths(), Lengths()
        targets = purpose.targets if purpose is not None else ()
        self.labels = [LabelCheck(purpose, target) for target in targets if purpose is not None]
        self._usable: Usable | None = usable(purpose, data.preference) if purpose is not None else None
        self._recognise: Recogniser | None = None
        self.filters: Early | None = None
        self.filtered = 0
        self._begins: list[tuple[int, int]] = []  # of each source: rows kept and rows read before it
        self._waiting: list[_Waiting] = []

    def trouble(self, kind: str, error: Exception | str) -> None:
        """Note what would stop a run; the same sentence once."""
        found = Trouble(kind, str(error))
        if found not in self.troubles and len(self.troubles) < MOST_TROUBLES:
            self.troubles.append(found)

    @property
    def kept(self) -> int:
        """Rows that a run would take."""
        return len(self.compared) - self.refused

    @property
    def origins(self) -> Origins:
        """Of each kept row its source, and how many rows each source had."""
        kept = np.array([kept for kept, _ in self._begins], np.int64)
        read = np.diff([*(read for _, read in self._begins), self.read_rows])
        return Origins(np.searchsorted(kept, np.arange(len(self.compared)), side="right") - 1, tuple(read.tolist()))

    def read(self) -> None:
        """Go through all sources."""
        self.reporter.start(say("looking at rows", "행 살펴보는 중"), unit=say("rows", "행"))
        try:
            if self.purpose is not None:
                refuse_settings(self.data, self.purpose)
            self._recognise = Recogniser.of(self.data, self.workspace, self.purpose)
        except DataError as error:
            self.trouble("settings", error)
        self._build_filters()
        for place, source in enumerate(self.data.sources):
            member = SOURCES.of(source)
            self._begins.append((len(self.compared), self.read_rows))
            try:
                files = member.files(source, self.workspace)
            except DataError as error:
                self.trouble("source", error)
                continue
            self._source(place, source, self._items(member, source, files))
            self._flush()
        if self._recognise is not None and self.not_understood < self.read_rows:
            try:
                self._recognise.finish()
            except DataError as error:
                self.trouble("settings", error)
        self.reporter.advance(self.read_rows)

    def _build_filters(self) -> None:
        renderer = None if self.measure is None else self.measure.renderer
        try:
            self.filters = Early(self.data.filters, self.workspace, renderer)
        except DadeumError as error:
            self.trouble("settings", error)

    def _items(self, member: Any, source: MemberSettings, files: Sequence[Path]) -> Iterator[Item]:
        """What the source gives; of a damaged file what stands before the damage, then the other files."""
        left = list(files)
        while left:
            try:
                for item in member.read(source, left):
                    if isinstance(item, FileFacts):
                        left = left[1:]
                    yield item
                return
            except DataError as error:
                self.trouble("damaged file", error)
                yield FileFacts(left[0], counts={"damaged": 1})
                left = [] if hasattr(member, "commit") else left[1:]

    def _source(self, place: int, source: MemberSettings, items: Iterator[Item]) -> None:
        name = name_of(source)
        head = list(islice(items, LOOK))
        found = any(isinstance(item, Row) and item.values for item in head)
        while not found and (item := next(items, None)) is not None:
            head.append(item)
            found = isinstance(item, Row) and bool(item.values)
        columns = list(dict.fromkeys(column for item in head if isinstance(item, Row) for column in item.values))
        convert, kind = self._understood(name, columns)
        before = self.read_rows
        tabs: Counter[int] = Counter()  # of lines that are read as plain text
        for item in chain(head, items):
            if isinstance(item, FileFacts):
                self._file(item, kind, self.read_rows - before)
                before = self.read_rows
                continue
            self.read_rows += 1
            if self.read_rows % STEP == 0:
                self.reporter.advance(self.read_rows)
            if isinstance(item, Fault):
                self._fault(item.kind, item.where, item.reason)
            else:
                self.columns.see(item.values)
                if source.type == "text":
                    tabs[item.values["text"].count("\t")] += 1
                self._row(item, convert, kind, place)
        if len(tabs) == 1 and 0 not in tabs and tabs.total() > 1:
            self.tables.append(name)

    def _understood(self, name: str, columns: list[str]) -> tuple[Convert | None, str | None]:
        if self._recognise is None or not columns:
            return None, None
        try:
            return self._recognise(name, columns)
        except DataError as error:
            self.trouble("format", error)
            return None, None

    def _file(self, facts: FileFacts, kind: str | None, rows: int) -> None:
        file = label(self.workspace, facts.file)
        damaged = "damaged" in facts.counts
        if not rows and not damaged:
            self.trouble(
                "no rows",
                say(
                    f"{file}: holds no rows; take it out, or fill it",
                    f"{file}: 행이 없습니다. 빼거나 내용을 채우세요",
                ),
            )
        counts = {key: value for key, value in facts.counts.items() if key != "damaged"}
        entry = {"file": file, "rows": rows, "encoding": facts.encoding, "format": kind, "damaged": damaged}
        self.files.append({**entry, "blank_lines": facts.blank, **counts})

    def _fault(self, kind: str, where: str, reason: str) -> None:
        self.faults.setdefault(kind, Faults()).see(where, reason)

    def _row(self, item: Row, convert: Convert | None, kind: str | None, source: int) -> None:
        if not item.values:
            self._fault("no columns", item.where, say("the row has no column", "행에 열이 없습니다"))
            return
        if convert is None:
            self.not_understood += 1
            return
        refused = False
        try:
            row = convert(item.values)
            try:
                row = self._fit(row)(row)
            except FaultyRow:
                raise
            except DataError as error:
                self.trouble("objective", error)
                refused = True
            row = self.cleaner(row._replace(rejected=()) if refused else row)
            left = row if refused or self.filters is None else self.filters(row, item.where, item.part, self.read_rows)
        except LeftOut:
            self.left_out += 1
            return
        except FaultyRow as fault:
            self._fault(fault.kind, item.where, str(fault))
            return
        except DataError as error:
            self.trouble("format", error)
            self.not_understood += 1
            return
        self.kinds[kind or "?"] += 1
        if left is None:
            self.filtered += 1
            return
        self._waiting.append(_Waiting(item.where, item.part, _id(item.values, source), left, refused))
        if len(self._waiting) == CHUNK:
            self._flush()

    def _fit(self, row: Conversation) -> Usable:
        """What is done with rows; the first row decides where no purpose was named."""
        if self._usable is None:
            self.purpose = PRETRAIN if row.text is not None and not row.labels and row.second is None else SFT
            self._usable = usable(self.purpose, self.data.preference)
        return self._usable

    def _flush(self) -> None:
        rows, self._waiting = self._waiting, []
        if not rows:
            return
        faults: Sequence[DataError | None] = [None] * len(rows)
        if self.measure is not None:
            faults = self.measure.see([w.row for w in rows], self.purpose or SFT, self.data.train_on)
        for waiting, fault in zip(rows, faults, strict=True):
            if fault is not None:
                self._fault(getattr(fault, "kind", "not rendered"), waiting.where, str(fault))
                continue
            self.refused += waiting.refused
            for labels in self.labels if not waiting.refused else ():
                labels.see(waiting.row, waiting.where)
            texts = spoken(waiting.row)
            self.damaged_letters += any("\ufffd" in text for text in texts)
            self.whole.add(sum(map(len, texts)))
            if waiting.row.text is None:
                self.questions.add(sum(map(len, texts[:-1])))
                self.answers.add(len(texts[-1]))
            self.compared.add(waiting.row, waiting.where, waiting.part, waiting.id_key)


def _id(values: Mapping[str, Any], source: int) -> bytes:
    try:
        found = row_id(values)
        return ABSENT if found is None else id_key(source, found)
    except UnicodeEncodeError:  # half a character
        return ABSENT
