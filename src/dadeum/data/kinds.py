"""Which kind of rows a source holds: found from its columns, named by `data.format`, or said by `data.prompt`."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from dadeum.config.data import AUTO, DataSettings
from dadeum.config.purpose import Purpose, Takes
from dadeum.core.errors import DataError
from dadeum.core.language import say
from dadeum.core.near import hint, nearest
from dadeum.core.workspace import Workspace
from dadeum.data.cells import by_name, plain_name
from dadeum.data.formats import FORMATS, Conversation
from dadeum.data.group import group_in
from dadeum.data.prompt import PromptFormat, along, load_prompt

# The column under which formats with labels find one that only a head names.
STAND_IN = "label"
Convert = Callable[[Mapping[str, Any]], Conversation]


@dataclass
class Recogniser:
    """How the rows of each source become conversations."""

    prompt: PromptFormat | None = None
    format: str = AUTO
    columns: Mapping[str, str] = field(default_factory=dict)  # our name: the column
    alone: bool = True  # there is one source: what it lacks, no other has
    takes: Takes = "messages"
    labels: tuple[str, ...] = ()  # columns that heads name, whatever formats know
    found: set[str] = field(default_factory=set)

    @classmethod
    def of(cls, data: DataSettings, workspace: Workspace, purpose: Purpose | None = None) -> "Recogniser":
        """As the settings say. Raises DataError where `data.prompt` or `data.columns` is wrong."""
        settings = load_prompt(data.prompt, workspace)
        prompt = PromptFormat(settings, data.system_prompt) if settings else None
        _check_names(data)
        takes: Takes = "messages" if purpose is None else purpose.takes
        named = () if purpose is None else tuple(target.column for target in purpose.targets if target.column)
        return cls(prompt, data.format, data.columns, len(data.sources) == 1, takes, tuple(dict.fromkeys(named)))

    def __call__(self, name: str, columns: list[str]) -> tuple[Convert, str]:
        """How rows of the source `name` with these columns are read, and what that is called. Raises DataError."""
        if self.prompt is not None:
            self.prompt.check(columns)
            return self.prompt.convert, "prompt"
        there = {plain_name(column) for column in columns}
        mapped = {ours: column for ours, column in self.columns.items() if _head(column, there) in there}
        self.found |= set(mapped)
        if self.alone:
            self.finish(columns)
        moved = {plain_name(column) for column in mapped.values() if plain_name(column) in there}
        plain = frozenset((there - moved) | {plain_name(ours) for ours in mapped})
        said = {column: plain_name(column) for column in self.labels if plain_name(column) in there}
        # Formats look for labels under names of their own.
        plain |= {STAND_IN} if said and self.takes != "messages" else set()
        kind = self.format if self.format != AUTO else _recognised(name, columns, plain, self.takes)
        member = FORMATS.member(kind)
        if not member.matches(plain):
            raise _not_this(name, kind, columns)

        if not mapped and not said:
            return lambda values: _grouped(member.convert(row := by_name(values)), row), kind

        def convert(values: Mapping[str, Any]) -> Conversation:
            row = by_name(values)
            kept = {column: value for column, value in row.items() if column not in moved}
            whole = kept | {plain_name(k): _cell(row, c) for k, c in mapped.items()}
            made = _with_labels(member, whole, {column: row.get(name) for column, name in said.items()})
            return _grouped(made, whole)

        return convert, kind

    def finish(self, columns: list[str] | None = None) -> None:
        """All sources were seen, or the only one, which has these columns. Raises DataError for columns that none has."""
        missing = sorted(set(self.columns) - self.found)
        if self.prompt is not None or not missing:
            return
        ours, column = missing[0], self.columns[missing[0]]
        near = hint(nearest(column, columns or ()))
        names = say(f"; found: {', '.join(columns)}", f". 있는 열: {', '.join(columns)}") if columns else ""
        raise DataError(
            say(
                f"data.columns: {ours}: no source has a column '{column}'{names}{near}",
                f"data.columns: {ours}: '{column}' 열이 어느 데이터에도 없습니다{names}{near}",
            )
        )


def _grouped(made: Conversation, row: Mapping[str, Any]) -> Conversation:
    """With the name of its context, where it has one."""
    group = group_in(row)
    return made if group is None else made._replace(group=group)


def _with_labels(member: Any, row: dict[str, Any], said: Mapping[str, Any]) -> Conversation:
    """The row with the labels that heads name; where the format finds none of its own, these stand for them."""
    added = bool(said) and STAND_IN not in row
    if added:
        row = {**row, STAND_IN: next((value for value in said.values() if value not in (None, "", [])), None)}
    made: Conversation = member.convert(row)
    if not said:
        return made
    labels = {name: value for name, value in made.labels.items() if not (added and name == STAND_IN)}
    # A cell that holds several labels under names of their own is read by these.
    return made._replace(
        labels=labels | {name: value for name, value in said.items() if not isinstance(value, Mapping)}
    )


def _head(column: str, there: set[str]) -> str:
    """The column that is asked for: itself, or the first part of a path such as `answers.0.text`."""
    return plain_name(column) if plain_name(column) in there else plain_name(column.partition(".")[0])


def _cell(row: Mapping[str, Any], column: str) -> Any:
    return row[plain_name(column)] if plain_name(column) in row else along(row, column)


def _check_names(data: DataSettings) -> None:
    kinds = FORMATS.names if data.format == AUTO else (data.format,)
    known = sorted({name for kind in kinds for name in FORMATS.member(kind).READS})
    for ours in data.columns:
        if plain_name(ours) not in known:
            near, names = hint(nearest(ours, known)), ", ".join(known)
            raise DataError(
                say(
                    f"data.columns: no format reads '{ours}', expected our names on the left, one of: {names}{near}",
                    f"data.columns: '{ours}'을(를) 읽는 형식이 없습니다. 왼쪽에는 다음 이름을 쓰세요: {names}{near}",
                )
            )


def _recognised(name: str, columns: list[str], plain: frozenset[str], takes: Takes) -> str:
    """The one kind that fits, or that outranks the others that do: first of all what the training takes."""
    fits = [kind for kind in FORMATS.names if FORMATS.member(kind).matches(plain)]
    gives = {kind: getattr(FORMATS.member(kind), "GIVES", "messages") for kind in fits}
    ranks = {kind: (gives[kind] == takes != "messages", FORMATS.member(kind).RANK) for kind in fits}
    fits = [kind for kind in fits if ranks[kind] == max(ranks.values())]
    if len(fits) == 1:
        return fits[0]
    found = ", ".join(columns)
    expected = "; ".join(FORMATS.member(kind).COLUMNS for kind in FORMATS.names)
    which = (
        say(f"more than one kind of rows ({', '.join(fits)})", f"여러 종류({', '.join(fits)})")
        if fits
        else say("no known kind of rows", "알려진 종류가 아님")
    )
    raise DataError(
        say(
            f"{name}: columns {found}: {which}; expected one of: {expected}; else say in data.columns which column is which "
            "(text: review), name the kind in data.format, or write the messages in data.prompt",
            f"{name}: 열 {found}: {which}. 다음 중 하나여야 합니다: {expected}. 아니면 data.columns에 어느 열이 무엇인지"
            "(text: 후기) 적거나, data.format에 종류를 적거나, data.prompt에 메시지를 적으세요",
        )
    )


def _not_this(name: str, kind: str, columns: list[str]) -> DataError:
    found, expected = ", ".join(columns), FORMATS.member(kind).COLUMNS
    return DataError(
        say(
            f"{name}: data.format={kind} expects columns {expected}, found: {found}; say in data.columns which column is which",
            f"{name}: data.format={kind}에는 열 {expected}이(가) 있어야 하는데 있는 열은 {found}입니다. "
            "data.columns에 어느 열이 무엇인지 적으세요",
        )
    )
