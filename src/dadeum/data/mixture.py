"""The mixture: how many rows each source gives, by `rows` or by `weight`.

Drawn last, after filters, duplicates and the split: who asks for 500 rows gets 500, and no row changes its part because
the mixture did. The parts of a source give by their sizes. Rows are taken in an order that only their content and the
seed decide, so that a larger draw holds the smaller one. Numbers in arrays: there may be millions of rows.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from dadeum.config.data import DataSettings
from dadeum.core.errors import DataError
from dadeum.core.language import say
from dadeum.core.settings import MemberSettings
from dadeum.data.keys import Column, Rows
from dadeum.data.sources import PARTS, Part
from dadeum.data.sources._mixed import Mixed
from dadeum.data.split import ENOUGH, NONE, Numbers, number, places

NOT_DRAWN = "not drawn"  # the kind of a row that the mixture leaves out
MOST_TIMES = 1000
Ints = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Origins:
    """Of each row its source as a number, and of each source the rows that were read."""

    of_row: Ints
    read: tuple[int, ...]


@dataclass(frozen=True)
class Mixture:
    """What was drawn of the kept rows."""

    out: Rows  # rows that were not drawn
    times: Ints  # how often a row is trained
    facts: list[dict[str, Any]]  # of each source
    emptied: list[Part]  # parts that have no rows any more
    origins: Origins

    def more(self, row: int) -> str:
        """What a line of a conversation says more: that it is trained several times."""
        times = int(self.times[row])
        return f', "times": {times}' if times > 1 else ""

    def reason(self, row: int) -> str:
        """Why a row is out."""
        found = self.facts[int(self.origins.of_row[row])]
        name, kept, left = found["name"], found["kept"], found["left"]
        return say(f"{kept:,} of {left:,} rows of {name} are taken", f"{name}의 {left:,}행 중 {kept:,}행을 씁니다")


def mixed(data: DataSettings) -> bool:
    """Whether any source says how much of it is taken."""
    return any(_asks(source) for source in data.sources)


def _asks(source: MemberSettings) -> bool:
    return isinstance(source, Mixed) and (source.rows is not None or source.weight is not None)


def origins(begins: Sequence[int], read: int, source_rows: Ints) -> Origins:
    """From the number of the first row of each source, of all rows that were read, and of each kept row."""
    ends = [*begins[1:], read]
    counts = tuple(end - begin for begin, end in zip(begins, ends, strict=True))
    return Origins(np.searchsorted(np.array(begins, np.int64), source_rows, side="right") - 1, counts)


def mix(data: DataSettings, found: Origins, parts: Numbers, pins: Numbers, exact: Column) -> Mixture:
    """Draw from the rows that have a part. Raises DataError where a source has too few."""
    out = np.zeros(len(parts), np.bool_)
    times = np.ones(len(parts), np.int64)
    free: list[Ints] = []
    for place, source in enumerate(data.sources):
        pin = number(getattr(source, "part", None))
        free.append(np.flatnonzero((found.of_row == place) & (parts != NONE) & (pins == pin)))
    wanted = _wanted(data.sources, [len(rows) for rows in free], found.read)
    order = _order(exact, pins, data.split.seed)
    for place, (rows, count) in enumerate(zip(free, wanted, strict=True)):
        if count is None:
            continue
        sizes = [int((parts[rows] == number(part)).sum()) for part in PARTS]
        for part, share in zip(PARTS, quotas(sizes, min(count, len(rows))), strict=True):
            of_part = rows[parts[rows] == number(part)]
            of_part = of_part[np.argsort(order[of_part], kind="stable")]
            out[of_part[share:]] = True
            if part == "train" and count > len(rows):
                times[of_part] = _spread(len(of_part), count - len(rows), _who(place, data.sources[place]))
    facts = [_facts(place, source, found, parts, out, times) for place, source in enumerate(data.sources)]
    emptied = [p for p in PARTS if (parts == number(p)).any() and not ((parts == number(p)) & ~out).any()]
    return Mixture(out, times, facts, emptied, found)


def quotas(sizes: Sequence[int], count: int) -> list[int]:
    """How many rows each part gives of `count`: by their sizes, and one at least of ten or more."""
    total = sum(sizes)
    if not total:
        return [0] * len(sizes)
    due = [size * count / total for size in sizes]
    given = [int(share) for share in due]
    by_rest = sorted(range(len(sizes)), key=lambda at: (given[at] - due[at], at))
    for at in by_rest[: count - sum(given)]:
        given[at] += 1
    most = given.index(max(given))
    for at, size in enumerate(sizes):
        if size and not given[at] and count >= ENOUGH:
            given[at] += 1
            given[most] -= 1
    return given


def _spread(rows: int, more: int, who: str) -> Ints:
    """How often each of the training rows comes so that there are `more` than they are."""
    if not rows or more > rows * (MOST_TIMES - 1):
        raise DataError(
            say(
                f"{who}: each of its {rows:,} training rows would come more than {MOST_TIMES:,} times; ask for fewer rows, or give "
                "it more of its own",
                f"{who}: 학습 행 {rows:,}개가 각각 {MOST_TIMES:,}번 넘게 되풀이됩니다. 더 적은 행을 바라거나 행을 더하세요",
            )
        )
    whole, rest = divmod(rows + more, rows)
    found = np.full(rows, whole, np.int64)
    found[:rest] += 1
    return found


def name_of(source: MemberSettings) -> str:
    """How a source is called where several are told apart."""
    return str(getattr(source, "path", None) or getattr(source, "name", source.type))


def _who(place: int, source: MemberSettings) -> str:
    return f"data.sources.{place} ({name_of(source)})"


def _wanted(sources: Sequence[MemberSettings], left: Sequence[int], read: Sequence[int]) -> list[int | None]:
    """How many rows each source gives; None: all of them."""
    wanted: list[int | None] = [None] * len(sources)
    bounds: list[tuple[float, bool]] = []
    weighted: list[tuple[int, Mixed]] = []
    for place, source in enumerate(sources):
        if not isinstance(source, Mixed):
            continue
        if source.rows is not None:
            wanted[place] = source.rows
            if source.rows > left[place] and not (source.repeat and left[place]):
                raise _too_few(place, source, source.rows, left[place], read[place])
        elif source.weight is not None:
            weighted.append((place, source))
            bounds.append((left[place] / source.weight, source.repeat))
            if not left[place]:
                raise _too_few(place, source, 1, 0, read[place])
    if weighted:
        fixed = [bound for bound, repeats in bounds if not repeats]
        scale = min(fixed) if fixed else max(bound for bound, _ in bounds)
        for place, source in weighted:
            wanted[place] = _of_weight(place, source, scale, left[place])
    return wanted


def _of_weight(place: int, source: Mixed, scale: float, left: int) -> int:
    weight = source.weight or 0.0
    count = round(min(scale * weight, left if not source.repeat else float(left) * MOST_TIMES * 2))
    if not count:
        who = _who(place, source)
        raise DataError(
            say(
                f"{who}: weight {weight:g} beside the others gives it less than one row; raise it, or add rows to the source "
                "that has too few",
                f"{who}: 다른 데이터에 견준 weight {weight:g}은(는) 한 행도 되지 않습니다. 늘리거나 모자라는 데이터에 행을 더하세요",
            )
        )
    return count


def _too_few(place: int, source: Mixed, wanted: int, left: int, read: int) -> DataError:
    who = _who(place, source)
    cure = (
        say("ask for fewer, or add repeat: true", "수를 줄이거나 repeat: true를 더하세요")
        if left
        else say(
            "take the source out, or loosen what leaves its rows out", "이 데이터를 빼거나 행을 빼는 조건을 늦추세요"
        )
    )
    asked = (
        say(f"rows asks for {wanted:,}", f"rows는 {wanted:,}행인데")
        if source.rows
        else say("it has a weight", "weight가 있는데")
    )
    return DataError(
        say(
            f"{who}: {asked}, but {left:,} of {read:,} rows are left to draw from after filters, duplicates and twins; {cure}",
            f"{who}: {asked} 필터, 중복, 쌍둥이를 빼면 {read:,}행 중 {left:,}행만 뽑을 수 있습니다. {cure}",
        )
    )


def _order(exact: Column, pins: Numbers, seed: int) -> npt.NDArray[np.uint64]:
    """A number for each row by which rows are taken: from its content, the seed, and how many equal ones come before."""
    if not len(exact):
        return np.zeros(0, np.uint64)
    again = places(exact.groups(), pins).astype(np.uint64)
    with np.errstate(over="ignore"):
        return _scattered(
            _scattered(exact.halves[:, 0].astype(np.uint64) ^ _scattered(np.array([seed], np.uint64))) + again
        )


def _scattered(values: npt.NDArray[np.uint64]) -> npt.NDArray[np.uint64]:
    """SplitMix64 (Steele, Lea, Flood 2014): each value becomes another, without order."""
    mixed_up = values + np.uint64(0x9E3779B97F4A7C15)
    mixed_up = (mixed_up ^ (mixed_up >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    mixed_up = (mixed_up ^ (mixed_up >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return mixed_up ^ (mixed_up >> np.uint64(31))


def _facts(
    place: int, source: MemberSettings, found: Origins, parts: Numbers, out: Rows, times: Ints
) -> dict[str, Any]:
    left = (found.of_row == place) & (parts != NONE)
    kept = left & ~out
    asked = {key: value for key in ("rows", "weight") if (value := getattr(source, key, None)) is not None}
    return {
        "source": place,
        "name": name_of(source),
        **asked,
        "read": found.read[place],
        "left": int(left.sum()),
        "kept": int(kept.sum()),
        "repeated": int((times[kept] - 1).sum()),
    }


def said(facts: Sequence[Mapping[str, Any]]) -> str:
    """The mixture in words, for notes and plans."""
    total = sum(found["kept"] + found["repeated"] for found in facts) or 1
    told = []
    for found in facts:
        count = found["kept"] + found["repeated"]
        taken = say(f"{found['kept']:,} of {found['left']:,} rows", f"{found['left']:,}행 중 {found['kept']:,}행")
        again = say(f", repeated to {count:,}", f", 되풀이해 {count:,}행") if found["repeated"] else ""
        told.append(f"{found['name']} {taken}{again} ({count / total:.0%})")
    return " · ".join(told)
