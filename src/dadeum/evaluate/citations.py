"""Articles of statutes that a Korean text cites: 민법 제750조, 「주택임대차보호법」 제3조의2 제1항, 같은 법 제4조.

A citation is a statute, an article and its branch (제3조의2). Paragraphs, items and sentences (항, 호, 목) are no part of it.
An article without a statute before it is of the one named last; where none was named, its statute is unknown.
A range (제3조부터 제5조까지) is the two articles that are named.
"""

import re
import unicodedata
from collections import Counter
from collections.abc import Collection
from typing import NamedTuple

KIND = r"(?:법률|법|령|규칙|규정|조례|헌법|협약)"
# In marks whatever stands in them; otherwise a word that ends like a statute, with `… 등에 관한` before it.
# Names are bounded, so that a text without blanks is not gone through again from each of its letters.
WORD = r"[가-힣ㆍ·]{0,30}"
NAMED = (
    r"[「『《〈<](?P<marked>[^「」『』《》〈〉<>\n]{1,60})[」』》〉>]"
    rf"|(?P<bare>(?:{WORD}\s{{1,3}})?(?:{WORD}(?:에|의)\s{{1,3}}관한\s{{1,3}})?{WORD}{KIND})"
)
ARTICLE = re.compile(
    rf"(?:(?:{NAMED})\s*(?:\([^()]*\)\s*)?(?:상의|상|의)?\s*)?(?P<order>제)?\s*(?P<number>\d+)\s*조"
    r"(?!\s*원)(?:\s*의\s*(?P<branch>\d+)(?!\s*[항호목조]))?"
)
SAME = frozenset(("법", "같은법", "동법", "이법", "본법", "그법", "법률", "같은법률", "이법률", "법령", "같은법령"))
DECREES = ("시행령", "시행규칙")
# Words that end like a statute and are none.
OTHER = frozenset(
    ("방법", "불법", "위법", "합법", "적법", "문법", "수법", "용법", "입법", "사법", "공법", "명령", "대통령", "연령")
)


class Citation(NamedTuple):
    """One article; `statute` is blank where none is named."""

    statute: str
    number: int
    branch: int


def _statute(found: "re.Match[str]") -> str | None:
    """The statute before an article: blank for `같은 법`, None where none stands there."""
    marked, bare = found["marked"], found["bare"]
    if marked is not None:
        return re.sub(r"[\sㆍ·]", "", marked)
    if bare is None:
        return None
    words = bare.split()
    # `또한 민법`: a word before counts only where it is part of the name, which `관한` says; of `같은 법` it is all.
    whole = "관한" in words or words[-1] in DECREES or "".join(words[-2:]) in SAME
    name = "".join(words) if whole else words[-1]
    name = re.sub(r"[ㆍ·]", "", name)
    return None if name in OTHER else "" if name in SAME else name


def citations(text: str) -> set[Citation]:
    """The articles that a text cites."""
    last, found = "", set()
    for match in ARTICLE.finditer(unicodedata.normalize("NFC", text)):
        named = _statute(match)
        if named is None and not match["order"]:
            continue  # 3조 is also an amount
        last = named or last
        found.add(Citation(last, int(match["number"]), int(match["branch"] or 0)))
    return found


def agreed(said: Collection[Citation], true: Collection[Citation]) -> int:
    """How many are the same. One of an unknown statute is the same as any other of its number, once."""
    both = set(said) & set(true)
    left, owed = set(said) - both, set(true) - both
    numbers: Counter[tuple[int, int]] = Counter()
    free = {"said": Counter[tuple[int, int]](), "true": Counter[tuple[int, int]]()}
    for name, ones in (("said", left), ("true", owed)):
        free[name].update(one[1:] for one in ones if not one.statute)
    for one in left:
        if one.statute and free["true"][one[1:]] > 0:
            free["true"][one[1:]] -= 1
            numbers[one[1:]] += 1
    for one in owed:
        if one.statute and free["said"][one[1:]] > 0:
            free["said"][one[1:]] -= 1
            numbers[one[1:]] += 1
    return len(both) + numbers.total()
