"""What all rows tell of the heads, before any of them becomes a sample: names, sizes, how answers are written."""

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any

from dadeum.config.purpose import Purpose, Target
from dadeum.core.errors import DataError
from dadeum.core.language import say
from dadeum.data.labels import (
    LETTERS,
    Head,
    Kind,
    Labels,
    Row,
    bit,
    column_of,
    kind_of,
    name,
    no_column,
    number,
    numeric,
    said,
    several,
    unlabelled,
)


def survey(purpose: Purpose, rows: Iterable[Row], separator: str | None = None) -> Labels:
    """What the rows of the training part tell of the heads. Raises DataError where that is not enough."""
    surveys = [Survey(target, kind_of(purpose, target)) for target in purpose.targets]
    paired = False
    for row in rows:
        paired = paired or bool(row.get("second") or row.get("choices"))
        for one in surveys:
            one.see(row)
    heads = tuple(one.head() for one in surveys)
    same = tuple((one.target.head, value) for one in surveys if (value := one.constant) is not None)
    return Labels(heads, separator if paired else None, same)


class Survey:
    """What all rows tell of one head."""

    def __init__(self, target: Target, kind: Kind) -> None:
        self.target, self.kind = target, kind
        self.column: str | None = None
        self.columns: Counter[str] = Counter()  # of labels that there are
        self.names: Counter[str] = Counter()  # in training rows: classes, words, sets of classes as they are written
        self.lengths: Counter[int] = Counter()  # of cells with several values
        self.doubled, self.bits = False, True
        self.cells: set[str] = set()  # two that differ are enough
        self.answers: Counter[str] = Counter()  # how they are written: letter, text, number
        self.first = self.last = False  # whether an answer is 0, and whether one is as many as there are

    def see(self, row: Row) -> None:
        """One more row."""
        labels = row.get("labels") or {}
        self.columns.update(labels.keys())
        value = said(self.target, row)
        if value is None:
            return
        self.column = self.column or column_of(self.target, labels)
        if self.kind == "choice":
            self._answer(name(value), row["choices"])
        if row["part"] != "train":
            return
        if self.kind == "class":
            self.names[name(value)] += 1
            self._cell(name(value))
        elif self.kind == "classes":
            self._set(several(value))
        elif self.kind == "words":
            called = [name(one) for one in value if not unlabelled(one)]
            self.names.update(called)
            for one in dict.fromkeys(called):
                self._cell(one)
        elif self.kind == "numbers":
            self._numbers(value)

    def _set(self, values: list[Any]) -> None:
        if not values:
            self._cell("")
            return
        self.lengths[len(values)] += 1
        called = [name(one) for one in values]
        self.bits = self.bits and all(map(bit, values))
        self.doubled = self.doubled or len(set(called)) < len(called)
        self.names.update(called)
        self._cell(", ".join(sorted(called)))

    def _cell(self, written: str) -> None:
        if len(self.cells) < 2:
            self.cells.add(written)

    def _numbers(self, value: Any) -> None:
        values = [value] if isinstance(value, str) and numeric(value) else several(value)
        self.lengths[len(values)] += 1
        for one in values:
            if isinstance(one, str) and not numeric(one):
                continue  # the row is refused when its turn comes
            found = number(one, self.target.column or "")
            self._cell(f"{found:g}")

    def _answer(self, called: str, choices: Sequence[str]) -> None:
        if called.isdecimal():
            self.answers["number"] += 1
            self.first, self.last = self.first or int(called) == 0, self.last or int(called) == len(choices)
        elif len(called) == 1 and 0 <= LETTERS.find(called.upper()) < len(choices) and called not in choices:
            self.answers["letter"] += 1
        else:
            self.answers["text"] += 1

    @property
    def many(self) -> bool:
        """Whether a cell of classes holds a 0 or 1 for each of them."""
        size = len(self.target.names)
        whole = len(self.lengths) == 1 and self.bits and not {"0", "1"} & set(self.target.names)
        return whole and (self.lengths.keys() == {size} if size else self.doubled)

    def head(self) -> Head:
        """The head as it is saved. Raises DataError where the rows do not say enough."""
        target, kind = self.target, self.kind
        if self.column is None:
            there = dict.fromkeys(self.columns)
            raise self._blank() if there and column_of(target, there) else no_column(target, there)
        if kind == "numbers":
            size = target.size or max(self.lengths, default=1)
            return Head(target.head, kind, self.column, None, size)
        if kind == "choice":
            return Head(target.head, kind, self.column, None, 1, self._reads())
        if kind == "classes" and self.many:
            size = max(self.lengths)
            names = target.names or tuple(map(str, range(size)))
            return Head(target.head, kind, self.column, names, size, "many")
        names = target.names or tuple(sorted(self.names, key=_order))
        return Head(target.head, kind, self.column, names, len(names))

    def _blank(self) -> DataError:
        target = self.target
        column = target.column or next(iter(self.columns))
        return DataError(
            say(
                f"head '{target.head}': column '{column}' is blank in every row; fill it, or take the head out",
                f"'{target.head}' 헤드: 모든 행의 '{column}' 열이 비어 있습니다. 채우거나 헤드를 빼세요",
            )
        )

    def _reads(self) -> str:
        if not self.answers["number"] or self.answers["text"]:
            return "letter" if self.answers["letter"] > self.answers["text"] else "text"
        if self.first != self.last:
            return "0" if self.first else "1"
        raise DataError(
            say(
                f"column '{self.column}': the answers are numbers, and "
                + (
                    "both 0 and the number of answers occur"
                    if self.first
                    else "neither 0 nor the number of answers occurs"
                )
                + ", so that nobody can tell whether they count from 0 or from 1; write letters or the answers themselves",
                f"'{self.column}' 열: 답이 번호인데 0부터인지 1부터인지 알 수 없습니다. 글자(A, B …)나 답 자체를 적으세요",
            )
        )

    @property
    def constant(self) -> str | None:
        """What every training row says, where they all say the same."""
        return next(iter(self.cells)) if len(self.cells) == 1 else None


def _order(called: str) -> tuple[int, float, str]:
    """Numbers by value, before all else by its letters."""
    return (0, float(called), called) if numeric(called) else (1, 0.0, called)
