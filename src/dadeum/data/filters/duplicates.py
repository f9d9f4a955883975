"""Rows that say the same as another: to the letter, but for case and white space, or nearly.

Of such rows the one stays whose part keeps its twins (test, then validation, then training), else the first: as with
`data.duplicates`, which does the same after all filters and counts for itself what is left for it.
"""

from __future__ import annotations

import importlib.metadata
from abc import abstractmethod
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Literal

from dadeum.core.errors import MissingExtra
from dadeum.core.language import say
from dadeum.core.settings import MemberSettings, setting
from dadeum.core.workspace import Workspace
from dadeum.data.filters import Drop, Seen, Sieve, Tools, Verdict, When, _texts

if TYPE_CHECKING:
    from dadeum.data.filters._near import Sketches
    from dadeum.data.keys import Column


class Settings(MemberSettings):
    """One of all rows that say the same stays."""

    type: Literal["duplicates"] = "duplicates"
    by: Literal["exact", "normalised", "near"] = setting(
        "normalised",
        "Equal to the letter, equal but for case and white space, or as similar as `threshold` says "
        '(MinHash; needs `pip install "dadeum[near]"` and about 600 bytes of memory a row).',
        "글자까지 같음, 대소문자와 공백만 다름, 또는 `threshold`만큼 비슷함"
        '(MinHash. `pip install "dadeum[near]"`이 필요하고 한 행에 메모리 600바이트쯤 씁니다).',
    )
    of: _texts.Of = setting("whole", *_texts.OF)
    threshold: float = setting(
        0.8,
        "With `near`: from which share of common runs of characters on rows are the same (an estimate, give or take 0.04).",
        "`near`에서: 같은 글자 토막의 비율이 이 이상이면 같은 행으로 봅니다(추정값, 오차 0.04쯤).",
        ge=0.3,
        le=1,
    )
    shingle: int = setting(
        3,
        "With `near`: characters in such a run, white space and case aside; 5 suits long English texts.",
        "`near`에서: 토막의 글자 수(공백과 대소문자는 무시). 긴 영어 글에는 5가 맞습니다.",
        ge=1,
        le=50,
    )


def inputs(settings: Settings, workspace: Workspace) -> dict[str, str | None]:
    """The version of the library that decides what is near."""
    if settings.by != "near":
        return {}
    return {"datasketch version": _library()}


def _library() -> str:
    """The version of datasketch. Raises MissingExtra where it is not installed."""
    try:
        return importlib.metadata.version("datasketch")
    except importlib.metadata.PackageNotFoundError:
        how = 'pip install "dadeum[near]"'
        raise MissingExtra(
            say(
                f"data.filters: near duplicates need the package datasketch, which is not installed: {how}",
                f"data.filters: 비슷한 행을 찾는 데 필요한 datasketch 패키지가 없습니다: {how}",
            )
        ) from None


def build(settings: Settings, tools: Tools) -> Sieve:
    """The filter. Raises MissingExtra where the library for `near` is not installed."""
    if settings.by != "near":
        return Same(tools, settings)
    _library()
    return Near(tools, settings)


@dataclass
class _Doubles(Sieve):
    """Knows of each row its part, and in the end which go."""

    settings: Settings
    when: When = field(default="all", init=False)
    parts: bytearray = field(default_factory=bytearray, init=False)

    def look(self, row: Seen) -> None:
        """Remember the part."""
        from dadeum.data.split import number

        self.parts.append(number(row.part) % 256)

    @abstractmethod
    def found(self) -> dict[int, int]:
        """Of rows that go the one that stays."""

    @cached_property
    def _gone(self) -> dict[int, int]:
        return self.found()

    @cached_property
    def _places(self) -> dict[int, str]:
        return self.tools.places(self._gone.values())

    def judge(self, row: Seen) -> Verdict:
        """Drop all but one."""
        if row.number not in self._gone:
            return None
        where = self._places[self._gone[row.number]]
        if self.settings.by == "near":
            return Drop(say(f"says nearly the same as {where}", f"{where}과(와) 거의 같음"))
        return Drop(say(f"says the same as {where}", f"{where}과(와) 같음"))


@dataclass
class Same(_Doubles):
    """By a digest of 16 bytes a row."""

    @cached_property
    def _keys(self) -> Column:
        from dadeum.data.keys import Column

        return Column()

    def look(self, row: Seen) -> None:
        """Remember the row's digest."""
        from dadeum.data.keys import digest, keys, normalised

        super().look(row)
        loose = self.settings.by == "normalised"
        if self.settings.of == "whole":
            both = keys(row.conversation, 0)
            self._keys.add(both.loose if loose else both.exact)
        else:
            text = _texts.text(row, self.settings.of)
            self._keys.add(digest([normalised(text) if loose else text]))

    def found(self) -> dict[int, int]:
        """All but one of each kind."""
        import numpy as np

        from dadeum.data.split import extra

        return extra(self._keys.groups(), np.frombuffer(self.parts, np.int8))


@dataclass
class Near(_Doubles):
    """By MinHash."""

    @cached_property
    def _sketches(self) -> Sketches:
        from dadeum.data.filters._near import Sketches

        return Sketches(self.settings.shingle)

    def look(self, row: Seen) -> None:
        """Remember the row's sketch."""
        super().look(row)
        self._sketches.add(_texts.text(row, self.settings.of))

    def found(self) -> dict[int, int]:
        """Those near to one that stays."""
        import numpy as np

        from dadeum.data.split import ranks

        return self._sketches.doubles(ranks(np.frombuffer(self.parts, np.int8)), self.settings.threshold)
