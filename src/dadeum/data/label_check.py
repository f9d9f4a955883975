"""What `dadeum data check` tells of labels: how often each is there, which a head does not know, what never changes."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from dadeum.config.purpose import Purpose, Target
from dadeum.core.errors import DataError
from dadeum.core.language import say
from dadeum.data.cells import FaultyRow
from dadeum.data.formats import Conversation
from dadeum.data.labels import Head, choice, index, kind_of, name, number, said, several, unlabelled
from dadeum.data.survey import Survey

MOST = 10_000  # different labels that are counted
SHOWN = 12  # of these in a line
PLACES = 3
Told = tuple[Literal["stop", "look"], str, str, tuple[str, ...]]


@dataclass
class _Value:
    """One label: in how many rows, and where first; what must be known of the row to judge it."""

    count: int
    where: str
    choices: int = 0
    there: bool = False


class LabelCheck:
    """The labels of all rows for one head."""

    def __init__(self, purpose: Purpose, target: Target) -> None:
        self.target, self.kind = target, kind_of(purpose, target)
        self.survey = Survey(target, self.kind)
        self.values: dict[Any, _Value] = {}
        self.wrong: list[tuple[str, str]] = []  # place, reason
        self.wrongs = self.more = self.rows = 0
        self.least = self.most = self.total = 0.0

    def see(self, row: Conversation, where: str) -> None:
        """One more row, as `usable` left it."""
        entry = {"labels": row.labels, "words": row.words, "choices": row.choices, "part": "train"}
        value = said(self.target, entry)
        if value is None:
            return
        self.rows += 1
        try:
            self.survey.see(entry)
            self._see(value, row, where)
        except FaultyRow as fault:
            self._wrong(where, str(fault))

    def _see(self, value: Any, row: Conversation, where: str) -> None:
        if self.kind == "numbers":
            for one in several(value):
                found = number(one, self.survey.column or "")
                self.least, self.most = (
                    (min(self.least, found), max(self.most, found)) if self.total else (found, found)
                )
                self.total += 1
        elif self.kind == "choice":
            called = name(value)
            self._count(
                (called, len(row.choices), called in row.choices), where, len(row.choices), called in row.choices
            )
        else:
            for one in several(value) if self.kind == "classes" else value if self.kind == "words" else [value]:
                if self.kind != "words" or not unlabelled(one):
                    self._count(name(one), where)

    def _count(self, key: Any, where: str, choices: int = 0, there: bool = False) -> None:
        found = self.values.get(key)
        if found is not None:
            found.count += 1
        elif len(self.values) < MOST:
            self.values[key] = _Value(1, where, choices, there)
        else:
            self.more += 1

    def _wrong(self, where: str, reason: str, rows: int = 1) -> None:
        self.wrongs += rows
        if len(self.wrong) < PLACES:
            self.wrong.append((where, reason))

    def finish(self) -> "LabelFacts":
        """What was found, when all rows were seen."""
        try:
            head = self.survey.head()
        except DataError as error:
            return LabelFacts(
                self.target.head, {"kind": self.kind, "rows": self.rows}, ((("stop", "labels", str(error), ())),)
            )
        facts: dict[str, Any] = {"kind": self.kind, "column": head.column, "rows": self.rows}
        if self.kind == "numbers":
            facts |= {"least": self.least, "most": self.most}
        else:
            facts["counts"] = self._counts(head)
            facts["not_counted"] = self.more
        return LabelFacts(head.head, facts, tuple(self._told()))

    def _counts(self, head: Head) -> dict[str, int]:
        """How often each label is there; those that the head does not know go to the wrong ones."""
        known = dict.fromkeys(head.names or (), 0)
        for key, value in self.values.items():
            try:
                if self.kind == "choice":
                    answers = [key[0] if value.there else ""] * value.choices
                    place = str(choice(head, key[0], answers) if head.reads != "text" else key[0])
                elif head.reads == "many":
                    continue
                else:
                    place = (head.names or ())[index(head, key)]
                known[place] = known.get(place, 0) + value.count
            except FaultyRow as fault:
                self._wrong(value.where, str(fault), value.count)
        return known

    def _told(self) -> Iterator[Told]:
        if self.wrongs:
            text = say(
                f"head '{self.target.head}' cannot learn {self.wrongs:,} labels; correct them, or leave such rows out with data.faulty_rows=drop",
                f"'{self.target.head}' 헤드가 배울 수 없는 라벨이 {self.wrongs:,}개입니다. 고치거나 data.faulty_rows=drop으로 빼세요",
            )
            yield "stop", "unknown label", text, tuple(f"{where}: {reason}" for where, reason in self.wrong)
        constant = self.survey.constant
        if constant is not None and self.rows:
            text = say(
                f"every row says '{constant}' to head '{self.target.head}', which has nothing to tell apart; choose another "
                "column (head.column), or add rows with other labels",
                f"모든 행의 라벨이 '{constant}'이어서 '{self.target.head}' 헤드가 구별할 것이 없습니다. 다른 열을 고르거나(head.column) "
                "다른 라벨의 행을 더하세요",
            )
            yield "stop", "constant_labels", text, ()
        unseen = [called for called in self.target.names if called not in self.survey.names]
        if unseen and self.kind != "numbers" and not any(called.isdecimal() for called in self.survey.names):
            text = say(
                f"no row is labelled {', '.join(unseen)}, which head '{self.target.head}' knows; add such rows, or take the label out",
                f"'{self.target.head}' 헤드가 아는 {', '.join(unseen)} 라벨의 행이 없습니다. 그런 행을 더하거나 라벨을 빼세요",
            )
            yield "look", "unseen label", text, ()


@dataclass(frozen=True)
class LabelFacts:
    """One head: figures for machines, and findings."""

    head: str
    facts: Mapping[str, Any]
    told: tuple[Told, ...]

    @property
    def line(self) -> str:
        """The balance in words."""
        facts = self.facts
        if "counts" not in facts:
            return f"{facts['least']:g} – {facts['most']:g}" if "least" in facts else "-"
        counts, whole = facts["counts"], max(1, sum(facts["counts"].values()))
        shown = [f"{called} {count:,} ({count / whole:.0%})" for called, count in list(counts.items())[:SHOWN]]
        return " · ".join([*shown, *(["…"] if len(counts) > SHOWN else [])])
