"""Articles as Korean texts cite them."""

import unicodedata

import pytest

from dadeum.evaluate.citations import Citation, agreed, citations


def names(text: str) -> set[str]:
    return {f"{c.statute}:{c.number}" + (f"-{c.branch}" if c.branch else "") for c in citations(text)}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("민법 제750조에 따라", {"민법:750"}),
        ("「민법」 제750조 제1항 제2호", {"민법:750"}),
        ("「민 법」제 750 조", {"민법:750"}),
        ("또한 민법 제750조와 제751조", {"민법:750", "민법:751"}),
        ("주택임대차보호법 제3조의2 제1항", {"주택임대차보호법:3-2"}),
        ("형법 제250조의 2", {"형법:250-2"}),
        ("제3조의 규정", {":3"}),
        ("민법 제3조의 2항", {"민법:3"}),
        ("민법 750조", {"민법:750"}),
        ("비용은 3조 원, 5조입니다", set()),
        ("예산 제3조 원", set()),
        ("가등기담보 등에 관한 법률 제3조, 같은 법 제4조", {"가등기담보등에관한법률:3", "가등기담보등에관한법률:4"}),
        ("상법상 제398조, 동법 제399조", {"상법:398", "상법:399"}),
        ("민법(법률 제471호) 제1조", {"민법:1"}),
        ("민법 시행령 제3조", {"민법시행령:3"}),
        ("민사소송법 제1조 및 형사소송법 제3조", {"민사소송법:1", "형사소송법:3"}),
        ("그 방법 제3조", {":3"}),
        ("대한민국헌법 제10조", {"대한민국헌법:10"}),
        ("제10조부터 제12조까지", {":10", ":12"}),
        (unicodedata.normalize("NFD", "민법 제750조"), {"민법:750"}),
        ("", set()),
    ],
)
def test_citations(text: str, expected: set[str]) -> None:
    assert names(text) == expected


def test_an_unknown_statute_agrees_with_any_once() -> None:
    civil, criminal, unknown = Citation("민법", 1, 0), Citation("형법", 1, 0), Citation("", 1, 0)
    assert agreed({civil}, {civil}) == 1
    assert agreed({civil}, {criminal}) == 0
    assert agreed({unknown}, {civil, criminal}) == 1
    assert agreed({civil, criminal}, {unknown}) == 1
    assert agreed({civil, unknown}, {civil, criminal}) == 2
    assert agreed({Citation("", 2, 0)}, {civil}) == 0


def test_a_long_text_without_blanks_is_read_in_one_go() -> None:
    """A loop of a small model: the pattern looks at each letter a bounded number of times."""
    assert citations("가에의법" * 5000 + " 제1조") != set()
