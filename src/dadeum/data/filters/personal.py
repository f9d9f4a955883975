"""Personal data that can be told by its form: resident registration numbers, phone numbers, e-mail, cards of Korea.

Names and addresses have no such form: they stay. What looks like one of these but cannot be one stays too: a date that
is none, a check digit that is wrong, a run of digits in a longer one.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from typing import Literal

from dadeum.core.language import say
from dadeum.core.settings import Many, MemberSettings, setting
from dadeum.data.filters import Drop, Mask, Seen, Sieve, Tools, Verdict, _texts

Kind = Literal["resident_number", "phone", "email", "card"]
# In this order: an address may hold a phone number, a resident number the form of a card.
KINDS: tuple[Kind, ...] = ("email", "resident_number", "card", "phone")
MASKS: dict[str, dict[Kind, str]] = {
    "korean": {
        "email": "[이메일]",
        "resident_number": "[주민등록번호]",
        "card": "[카드번호]",
        "phone": "[전화번호]",
    },
    "english": {
        "email": "[EMAIL]",
        "resident_number": "[RESIDENT NUMBER]",
        "card": "[CARD NUMBER]",
        "phone": "[PHONE]",
    },
}
# No digit before, and no digit that a hyphen ties to it: parts of longer numbers are other things.
START, END = r"(?<![0-9])(?<![0-9]-)", r"(?![0-9])(?!-[0-9])"
GAP = r"[-. ]"
# What stands before the number of a network or a city.
TRUNK = rf"(?:\+82{GAP}?(?:\(0\) ?|0)?|0)"
PATTERNS: dict[Kind, re.Pattern[str]] = {
    "email": re.compile(
        r"(?<![A-Za-z0-9._%+-])[A-Za-z0-9._%+-]{1,64}@(?:[A-Za-z0-9-]{1,63}\.){1,8}[A-Za-z]{2,24}(?![A-Za-z0-9-])"
    ),
    "resident_number": re.compile(rf"{START}([0-9]{{6}})( ?- ?)?([0-9]{{7}}){END}"),
    "card": re.compile(
        rf"{START}(?:[0-9]{{4}}([- ]?)[0-9]{{4}}\1[0-9]{{4}}\1[0-9]{{4}}|3[47][0-9]{{2}}([- ]?)[0-9]{{6}}\2[0-9]{{5}}){END}"
    ),
    "phone": re.compile(
        rf"{START}(?:{TRUNK}1[016789]{GAP}?[0-9]{{3,4}}{GAP}?[0-9]{{4}}"
        rf"|\(?{TRUNK}(?:2|3[1-3]|4[1-4]|5[1-5]|6[1-4]|70|80|50[0-9])(?:\) ?|{GAP})[0-9]{{3,4}}{GAP}[0-9]{{4}}"
        rf"){END}"
    ),
}


class Settings(MemberSettings):
    """Rows that hold none of these stay as they are."""

    type: Literal["personal"] = "personal"
    kinds: Many[Kind] = setting(
        ("resident_number", "phone", "email", "card"),
        "What is looked for: Korean resident numbers (date and check digit), phone numbers, e-mail, cards (Luhn).",
        "찾을 것: 주민등록번호(날짜와 검증 숫자), 전화번호, 이메일, 카드번호(룬 검사).",
        min_length=1,
    )
    action: Literal["mask", "drop"] = setting(
        "mask",
        "Put a word such as `[PHONE]` in its place everywhere in the row, or drop the row.",
        "행의 모든 글에서 `[전화번호]` 같은 말로 바꾸기, 또는 행을 빼기.",
    )
    masks: Literal["korean", "english"] = setting(
        "korean",
        "Language of these words, whatever the rows are written in.",
        "바꿀 말의 언어. `[전화번호]` 또는 `[PHONE]`.",
    )


def build(settings: Settings, tools: Tools) -> Sieve:
    """The filter."""
    return Personal(tools, settings)


@dataclass
class Personal(Sieve):
    """Masks or drops."""

    settings: Settings

    def judge(self, row: Seen) -> Verdict:
        """What is found, kind after kind."""
        everywhere: Counter[str] = Counter()
        masked = _texts.mapped(row.conversation, lambda text: self._hide(text, everywhere))
        if not everywhere:
            return None
        # The question and the reference of an evaluation repeat what the messages say: it is counted once.
        found: Counter[str] = Counter()
        said = row.conversation._replace(query=None, reference=None)
        _texts.mapped(said, lambda text: self._hide(text, found))
        found = found or everywhere
        if self.settings.action == "mask":
            return Mask(masked, dict(found))
        listed = ", ".join(f"{kind} {count}" for kind, count in found.items())
        return Drop(say(f"holds personal data: {listed}", f"개인정보가 있습니다: {listed}"))

    def _hide(self, text: str, found: Counter[str]) -> str:
        for kind in KINDS:
            if kind in self.settings.kinds:
                text = _hidden(text, kind, MASKS[self.settings.masks][kind], found)
        return text


def _hidden(text: str, kind: Kind, word: str, found: Counter[str]) -> str:
    parts, at = [], 0
    for start, end in spans(text, kind):
        parts += [text[at:start], word]
        found[kind] += 1
        at = end
    return "".join([*parts, text[at:]]) if parts else text


def spans(text: str, kind: Kind) -> Iterator[tuple[int, int]]:
    """Where in the text something of the kind stands."""
    for match in PATTERNS[kind].finditer(text):
        if kind == "resident_number" and not resident(match[1] + match[3], tied=match[2] is not None):
            continue
        if kind == "card" and not card(re.sub("[- ]", "", match[0])):
            continue
        yield match.span()


def resident(digits: str, tied: bool) -> bool:
    """Whether 13 digits can be a resident registration number.

    With its hyphen a birthday and a century are enough: numbers given since October 2020 have no check digit. Without
    it, when any number could be meant, the check digit must be right.
    """
    century = {"1": 19, "2": 19, "5": 19, "6": 19, "3": 20, "4": 20, "7": 20, "8": 20}.get(digits[6])
    if century is None:  # born before 1900
        return False
    try:
        date(century * 100 + int(digits[:2]), int(digits[2:4]), int(digits[4:6]))
    except ValueError:
        return False
    if tied:
        return True
    total = sum(int(d) * w for d, w in zip(digits, (2, 3, 4, 5, 6, 7, 8, 9, 2, 3, 4, 5), strict=False))
    # Foreigners' numbers (5 to 8) end two higher.
    start = 13 if digits[6] in "5678" else 11
    return (start - total % 11) % 10 == int(digits[12])


def card(digits: str) -> bool:
    """Whether the number begins as cards do (3, 4, 5, 6, 9 in Korea, 2221 to 2720) and passes Luhn's check."""
    if digits[0] not in "34569" and not 2221 <= int(digits[:4]) <= 2720:
        return False
    doubled = [2 * int(d) for d in digits[-2::-2]]
    return (sum(map(int, digits[-1::-2])) + sum(d - 9 if d > 9 else d for d in doubled)) % 10 == 0
