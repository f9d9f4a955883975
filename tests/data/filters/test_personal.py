"""Personal data by its form: what is one, what only looks like one, and what is left in its place."""

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dadeum.data.filters import Mask
from dadeum.data.filters.personal import KINDS, Kind, card, resident, spans
from dadeum.data.formats import Conversation
from tests.data.filters.sieves import gone, plain, reason, sift, talk

# Made up: the check digits are worked out by hand, the numbers belong to nobody.
# 900101-123456x: 9·2+0+0+1·5+0+1·7+1·8+2·9+3·2+4·3+5·4+6·5 = 124, 124 mod 11 = 3, 11 - 3 = 8.
# 850723-512345x: 8·2+5·3+0+7·5+2·6+3·7+5·8+1·9+2·2+3·3+4·4+5·5 = 202, 202 mod 11 = 4, 13 - 4 = 9.


@pytest.mark.parametrize(
    ("digits", "tied", "expected"),
    [
        ("9001011234568", False, True),
        ("9001011234567", False, False),
        ("9001011234567", True, True),
        ("8507235123459", False, True),
        ("8507235123457", False, False),
        ("9002291234567", True, False),  # 1990 had no 29 February
        ("0002293234567", True, True),  # 2000 had
        ("9013011234567", True, False),
        ("9001019234567", True, False),
        ("9001010234567", True, False),
    ],
)
def test_resident_numbers(digits: str, tied: bool, expected: bool) -> None:
    assert resident(digits, tied) is expected


@pytest.mark.parametrize(
    ("digits", "expected"),
    [
        ("4111111111111111", True),
        ("4111111111111112", False),
        ("5555555555554444", True),
        ("378282246310005", True),
        ("3530111333300000", True),
        ("2223003122003222", True),
        ("0000000000000000", False),
        ("1234567812345670", False),
    ],
)
def test_cards(digits: str, expected: bool) -> None:
    assert card(digits) is expected


FOUND: dict[Kind, Sequence[str]] = {
    "phone": [
        "010-1234-5678", "01012345678", "010 1234 5678", "010.1234.5678", "011-234-5678", "+82-10-1234-5678",
        "+82 10 1234 5678", "+821012345678", "+82 (0)10-1234-5678", "02-123-4567", "02-1234-5678", "02)1234-5678",
        "(02) 1234-5678", "031-123-4567", "070-1234-5678", "0505-123-4567", "+82-2-1234-5678",
    ],
    "email": ["a@b.kr", "gildong.hong+x@mail.example.co.kr", "HONG_1@example.com"],
    "resident_number": ["900101-1234567", "900101 - 1234567", "9001011234568"],
    "card": ["4111 1111 1111 1111", "4111-1111-1111-1111", "4111111111111111", "3782 822463 10005"],
}  # fmt: skip
OTHERS: dict[Kind, Sequence[str]] = {
    "phone": [
        "2010-1234-5678", "10-1234-5678", "1588-1234", "010-12-345", "2024-01-02", "110-010-1234-5678",
        "010-1234-5678-9", "0101234567890", "0212345678", "3.141592", "112",
    ],
    "email": ["@user", "a@b", "a@b.c", "골뱅이@한글.한국", "a @ b.com"],
    "resident_number": ["901301-1234567", "1609459200000", "9001011234567", "900101-12345678", "12-900101-1234567"],
    "card": ["4111 1111 1111 1112", "4111 1111-1111 1111", "14111111111111111", "1234-5678-1234-5670"],
}  # fmt: skip


@pytest.mark.parametrize(("kind", "text"), [(kind, text) for kind in KINDS for text in FOUND[kind]])
@pytest.mark.parametrize("frame", ["{}", "연락은 {}로 하세요", "연락:{}.", "\n{}\n", "a {}, b"])
def test_what_is_found_is_the_whole_of_it(kind: Kind, text: str, frame: str) -> None:
    whole = frame.format(text)
    assert [whole[a:b] for a, b in spans(whole, kind)] == [text]


@pytest.mark.parametrize(("kind", "text"), [(kind, text) for kind in KINDS for text in OTHERS[kind]])
def test_what_only_looks_like_it_stays(kind: Kind, text: str) -> None:
    assert list(spans(f"번호 {text} 입니다", kind)) == []


def test_masks_stand_everywhere_in_the_row_and_are_counted_once() -> None:
    row = talk(
        "010-1234-5678로 걸어 줘",
        "900101-1234567, a@b.kr, 010-1111-2222",
        query="010-1234-5678로 걸어 줘",
        reference="900101-1234567, a@b.kr, 010-1111-2222",
    )
    (found,) = sift({"type": "personal"}, [row])
    assert isinstance(found, Mask)
    asked, answered = "[전화번호]로 걸어 줘", "[주민등록번호], [이메일], [전화번호]"
    assert found.conversation == talk(asked, answered, query=asked, reference=answered)
    assert found.found == {"phone": 2, "email": 1, "resident_number": 1}


def test_system_messages_and_plain_text_are_masked_too() -> None:
    row = Conversation(messages=({"role": "system", "content": "a@b.kr"}, *talk("q", "a").messages))
    found = sift({"type": "personal", "masks": "english"}, [row, plain("카드 4111 1111 1111 1111")])
    assert isinstance(found[0], Mask) and found[0].conversation.messages[0]["content"] == "[EMAIL]"
    assert isinstance(found[1], Mask) and found[1].conversation.text == "카드 [CARD NUMBER]"


def test_rows_can_be_dropped_instead_and_kinds_chosen() -> None:
    rows = [talk("a@b.kr", "010-1234-5678"), talk("질문", "답"), talk("010-1234-5678", "답")]
    found = sift({"type": "personal", "action": "drop"}, rows)
    assert gone(found) == [0, 2] and found[1] is None
    assert reason(found[0]) == "holds personal data: email 1, phone 1"
    assert gone(sift({"type": "personal", "action": "drop", "kinds": ["email"]}, rows)) == [0]


def test_a_phone_number_in_an_address_is_part_of_the_address() -> None:
    (found,) = sift({"type": "personal"}, [talk("q", "010-1234-5678@naver.com")])
    assert isinstance(found, Mask) and found.conversation.messages[1]["content"] == "[이메일]"
    assert found.found == {"email": 1}


@given(st.text(st.sampled_from("0123456789-+@.() ab가"), max_size=60))
def test_nothing_is_left_to_find_and_nothing_else_is_changed(text: str) -> None:
    (found,) = sift({"type": "personal"}, [plain(text)])
    if found is None:
        assert all(not list(spans(text, kind)) for kind in KINDS)
        return
    assert isinstance(found, Mask)
    masked = found.conversation.text or ""
    assert all(not list(spans(masked, kind)) for kind in KINDS)
    assert masked.count("[") == sum(found.found.values())


def test_long_runs_take_no_time() -> None:
    """A megabyte of what begins like each of them."""
    for text in ("a" * 1_000_000, "1-" * 500_000, "a.b" * 330_000 + "@", "a@" + "b." * 500_000, "0" * 1_000_000):
        assert all(list(spans(text, kind)) == [] for kind in KINDS)
