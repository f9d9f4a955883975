"""What heads are to say of rows: which column each looks at, its names, and rows' labels as numbers. Imports no torch.

Names that the settings do not give are those of the training rows, sorted; they travel with the model in `labels.json`,
beside tokenizer and prompt contract.
"""

import json
import math
import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, NamedTuple

from dadeum.config.purpose import Purpose, Target
from dadeum.core.artifact import read_json, write_json
from dadeum.core.errors import ArtifactError, DataError
from dadeum.core.language import say
from dadeum.core.near import hint, nearest
from dadeum.data.cells import FaultyRow, plain_name
from dadeum.data.columns import short

FILE = "labels.json"
VERSION = 1
UNLABELLED = -100.0  # a token or a word that says nothing
NONE = math.nan  # a row that says nothing to this head
LISTED = 20  # names in a message
ENTITY = re.compile(r"<([^<>]*):[A-Z]{2,}>")
LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
# class: one of some names; classes: any of them; numbers; words: a name for each word; choice: which of some answers.
Kind = Literal["class", "classes", "numbers", "words", "choice"]
Row = Mapping[str, Any]


class Head(NamedTuple):
    """What one head learns. `names` None: it has none. `size`: how many outputs, of a choice 1.

    `reads`: how cells are written, where that is not plain: `many`: a 0 or 1 for each name; of answers `letter`, `text`,
    `0` or `1` (where counting begins).
    """

    head: str
    kind: Kind
    column: str
    names: tuple[str, ...] | None
    size: int
    reads: str = ""


@dataclass(frozen=True)
class Labels:
    """All heads of a model in their order. `separator` joins two texts; None: the tokenizer's own template for pairs."""

    heads: tuple[Head, ...]
    separator: str | None = None
    # Heads to which every training row says the same, and what.
    constant: tuple[tuple[str, str], ...] = field(default=(), compare=False)

    def save(self, folder: Path) -> None:
        """Write `labels.json`."""
        heads = [head._asdict() for head in self.heads]
        write_json(folder / FILE, {"version": VERSION, "heads": heads, "separator": self.separator})

    @classmethod
    def load(cls, folder: Path) -> "Labels":
        """Read `labels.json`. Raises ArtifactError where it is absent, damaged or of a later dadeum."""
        value = read_json(folder / FILE)
        try:
            if value["version"] != VERSION:
                raise ValueError("another version")
            heads = [Head(**{**one, "names": one["names"] and tuple(one["names"])}) for one in value["heads"]]
            return cls(tuple(heads), value["separator"])
        except (TypeError, ValueError, KeyError, AttributeError):
            raise ArtifactError(
                say(
                    f"{folder / FILE}: no labels that this dadeum can read; save the model again with this version",
                    f"{folder / FILE}: 이 버전의 dadeum이 읽을 수 없는 라벨 파일입니다. 이 버전으로 다시 저장하세요",
                )
            ) from None

    def targets(self, row: Row) -> tuple[float, ...]:
        """The numbers that the row gives the heads, end to end; not for words. Raises FaultyRow."""
        return tuple(number for head in self.heads for number in numbers(head, row))


def kind_of(purpose: Purpose, target: Target) -> Kind:
    """What the head's labels are."""
    kinds: dict[str, Kind] = {"words": "words", "choices": "choice"}
    return kinds.get(purpose.takes, target.kind)


def column_of(target: Target, labels: Mapping[str, Any]) -> str | None:
    """The column that the head looks at, None where the row has none. Raises DataError where it has several."""
    if target.column is not None:
        wanted = plain_name(target.column)
        return next((name for name in labels if plain_name(name) == wanted), None)
    if len(labels) > 1:
        names = ", ".join(labels)
        raise DataError(
            say(
                f"the rows have several columns of labels ({names}), and head '{target.head}' names none; set head.column to one of them",
                f"라벨 열이 여럿({names})인데 '{target.head}' 헤드에 열이 정해지지 않았습니다. head.column에 하나를 적으세요",
            )
        )
    return next(iter(labels), None)


def no_column(target: Target, columns: Iterable[str]) -> DataError:
    """What is said where no row has the column that a head looks at."""
    there = list(columns)
    found = ", ".join(there) or say("none that is called like one", "라벨 열로 보이는 이름이 없음")
    near = hint(nearest(target.column or "", there))
    wanted = f" '{target.column}'" if target.column else ""
    return DataError(
        say(
            f"head '{target.head}': the rows have no column of labels{wanted}, found: {found}{near}; write in head.column which it is",
            f"'{target.head}' 헤드: 행에 라벨 열{wanted}이(가) 없습니다. 있는 라벨 열: {found}{near}. head.column에 어느 열인지 적으세요",
        )
    )


def said(target: Target, row: Row) -> Any:
    """What the row says to the head: the cell; None where it says nothing. Of several classes none may hold."""
    labels = row.get("labels") or {}
    column = column_of(target, labels)
    value = None if column is None else labels[column]
    blank = value is None or (isinstance(value, float) and math.isnan(value))
    if isinstance(value, list | tuple) and not value:
        blank = target.kind != "classes" and not row.get("words")
    return None if blank or (isinstance(value, str) and not value.strip()) else value


def name(value: Any) -> str:
    """A class as it is called: whole numbers without a point, texts composed and without blanks around."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return unicodedata.normalize("NFC", str(value)).strip()


def several(value: Any) -> list[Any]:
    """The names in a cell that may hold many: a list, JSON of one, or a text parted by | , or ;."""
    if isinstance(value, list | tuple):
        return list(value)
    if isinstance(value, str):
        if value.lstrip().startswith("["):
            try:
                found = json.loads(value)
            except ValueError:
                found = None
            if isinstance(found, list):
                return found
        mark = next((mark for mark in "|,;" if mark in value), None)
        return [part.strip() for part in value.split(mark)] if mark else [value]
    return [value]


def number(value: Any, column: str) -> float:
    """A score. Raises FaultyRow where it is none."""
    try:
        found = float(value)
    except (TypeError, ValueError):
        found = math.nan
    if math.isfinite(found):
        return found
    raise FaultyRow(
        "no number",
        say(
            f"column '{column}' holds '{short(value)}', expected a number to predict; for names take a head such as sequence_classification",
            f"'{column}' 열에 예측할 수가 아니라 '{short(value)}'이(가) 있습니다. 이름이라면 sequence_classification 같은 헤드를 쓰세요",
        ),
    )


def numbers(head: Head, row: Row) -> list[float]:
    """The numbers that a row gives one head. Raises FaultyRow."""
    value = said(Target(head.head, "classes" if head.kind == "classes" else "class", head.column), row)
    if head.kind == "choice":
        return [float(choice(head, value, row["choices"]))]
    count = 1 if head.kind == "class" else head.size
    if value is None:
        return [NONE] * count
    if head.kind == "class":
        return [float(index(head, value))]
    if head.kind == "classes":
        return _classes(head, value)
    found = [number(one, head.column) for one in (several(value) if count > 1 else [value])]
    if len(found) != count:
        raise _uneven(head, len(found), count)
    return found


def index(head: Head, value: Any) -> int:
    """The number of a class, by its name, or by its number where no name is one. Raises FaultyRow."""
    names, called = head.names or (), name(value)
    if called in names:
        return names.index(called)
    if called.isdecimal() and int(called) < len(names) and not any(map(numeric, names)):
        return int(called)
    listed = ", ".join(names[:LISTED]) + (", …" if len(names) > LISTED else "")
    near = hint(nearest(called, names))
    raise FaultyRow(
        "unknown label",
        say(
            f"column '{head.column}' holds '{short(called)}', which head '{head.head}' does not know, expected one of: {listed}{near}; "
            "correct it, or name it among the labels of the head",
            f"'{head.column}' 열의 '{short(called)}'은(는) '{head.head}' 헤드가 모르는 라벨입니다. 아는 라벨: {listed}{near}. "
            "고치거나 헤드의 라벨에 더하세요",
        ),
    )


def _classes(head: Head, value: Any) -> list[float]:
    found = several(value)
    if head.reads == "many":
        if len(found) != head.size:
            raise _uneven(head, len(found), head.size)
        return [float(bool(int(one))) if bit(one) else float(index(head, one)) for one in found]
    here = {index(head, one) for one in found}
    return [float(i in here) for i in range(head.size)]


def bit(value: Any) -> bool:
    """Whether it is a 0 or a 1."""
    return isinstance(value, bool) or name(value) in ("0", "1")


def numeric(text: str) -> bool:
    """Whether the text is a number."""
    try:
        return math.isfinite(float(text))
    except ValueError:
        return False


def _uneven(head: Head, found: int, expected: int) -> FaultyRow:
    return FaultyRow(
        "uneven labels",
        say(
            f"column '{head.column}' holds {found} values, expected {expected}, as head '{head.head}' predicts",
            f"'{head.column}' 열에 값이 {found}개 있습니다. '{head.head}' 헤드는 {expected}개를 예측합니다",
        ),
    )


def choice(head: Head, value: Any, choices: Sequence[str]) -> int:
    """Which of the answers is the right one. Raises FaultyRow."""
    called, place = "" if value is None else name(value), -1
    if head.reads == "letter" and len(called) == 1:
        place = LETTERS.find(called.upper())
    elif head.reads == "text":
        place = choices.index(called) if called in choices else -1
    elif called.isdecimal():
        place = int(called) - int(head.reads or 0)
    if 0 <= place < len(choices):
        return place
    how = {"letter": say("a letter", "글자"), "text": say("one of the answers", "답 하나")}.get(
        head.reads, say(f"a number from {head.reads or 0}", f"{head.reads or 0}부터 세는 번호")
    )
    raise FaultyRow(
        "no such answer",
        say(
            f"column '{head.column}' holds '{short(called)}', expected {how}, of {len(choices)} answers",
            f"'{head.column}' 열에 '{short(called)}'이(가) 있습니다. 답 {len(choices)}개 가운데 {how}이어야 합니다",
        ),
    )


def unlabelled(value: Any) -> bool:
    """Whether a word carries no label: nothing, or -100."""
    return value is None or (isinstance(value, float) and math.isnan(value)) or name(value) in ("", "-100")


def said_words(head: Head, row: Row) -> list[Any]:
    """The label of each word. Raises FaultyRow where they are not as many as the words."""
    value = said(Target(head.head, "class", head.column), row)
    return worded(head.column, value, row["words"])


def worded(column: str, value: Any, words: Sequence[str]) -> list[Any]:
    """The labels of so many words. Raises FaultyRow."""
    found = list(value) if isinstance(value, list | tuple) else []
    if len(found) != len(words):
        raise FaultyRow(
            "unequal words and labels",
            say(
                f"{len(words)} words and {len(found)} labels (column '{column}'), expected a label for each word; correct the row",
                f"단어가 {len(words)}개인데 라벨('{column}' 열)은 {len(found)}개입니다. 단어마다 라벨이 하나여야 합니다. 행을 고치세요",
            ),
        )
    return found


def joined(words: Sequence[str], text: str | None = None) -> str:
    """Words as one text: with blanks between, or as `text` has them where these are its words without.

    KLUE-NER's sentences hold their entities as `<서울:LC>`.
    """
    whole = "".join(words)
    plain = None if text is None else ENTITY.sub(r"\1", text)
    return whole if whole in (text, plain) or any(not word.strip() for word in words) else " ".join(words)
