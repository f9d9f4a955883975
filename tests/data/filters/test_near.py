"""Near duplicates against sets that are compared pair by pair."""

import csv
import random
from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from dadeum.data.filters._grams import squeezed
from dadeum.data.filters._near import NUMBERS, SURE, Sketches, bands
from dadeum.data.split import NONE, number, ranks

WORDS = [
    "가을",
    "하늘",
    "바람",
    "구름",
    "나무",
    "강물",
    "산길",
    "노래",
    "친구",
    "여행",
    "사랑",
    "이별",
    "눈물",
    "약속",
    "기억",
    "내일",
    "오늘",
    "어제",
    "커피",
    "책상",
]


def runs(text: str, n: int = 3) -> set[str]:
    plain = squeezed(text)
    return {plain[i : i + n] for i in range(max(1, len(plain) - n + 1))}


def jaccard(one: str, other: str) -> float:
    a, b = runs(one), runs(other)
    return len(a & b) / len(a | b)


def doubles(texts: list[str], threshold: float, pins: list[int] | None = None) -> dict[int, int]:
    sketches = Sketches(3)
    for text in texts:
        sketches.add(text)
    return sketches.doubles(ranks(np.array(pins or [NONE] * len(texts), np.int8)), threshold)


@pytest.mark.parametrize("threshold", [0.3, 0.5, 0.7, 0.8, 0.9, 1.0])
def test_bands_find_a_pair_at_the_threshold_and_no_longer_ones_would(threshold: float) -> None:
    count, size = bands(threshold)
    assert 0 < count * size <= NUMBERS
    assert 1 - (1 - threshold**size) ** count >= SURE
    if size < NUMBERS:
        assert 1 - (1 - threshold ** (size + 1)) ** (NUMBERS // (size + 1)) < SURE


def test_the_share_of_equal_numbers_is_that_of_common_runs() -> None:
    draw = random.Random(3)
    sketches, pairs = Sketches(3), []
    for _ in range(200):
        words = draw.choices(WORDS, k=20)
        pairs.append((" ".join(words), " ".join([*words[: draw.randint(5, 20)], *draw.choices(WORDS, k=3)])))
        for text in pairs[-1]:
            sketches.add(text)
    rows = sketches.rows
    errors = [float((rows[2 * i] == rows[2 * i + 1]).mean()) - jaccard(*pair) for i, pair in enumerate(pairs)]
    assert abs(float(np.mean(errors))) < 0.01 and float(np.std(errors)) < 0.045


def test_what_goes_is_near_to_a_row_that_stays() -> None:
    texts = [
        "3박4일 놀러가고 싶다",
        "안녕하세요",
        "3박4일 놀러 가고 싶다",  # but for white space
        "안녕하세요!",
        "전혀 다른 질문입니다",
        "3박 4일 놀러가고 싶다.",
    ]
    assert doubles(texts, 0.7) == {2: 0, 3: 1, 5: 0}
    assert doubles(texts, 1.0) == {2: 0}


def test_the_test_part_keeps_its_rows() -> None:
    assert doubles(["같은 글입니다"] * 3, 0.8, [number("train"), NONE, number("test")]) == {0: 2, 1: 2}


def test_texts_that_are_near_in_a_chain_do_not_all_go() -> None:
    """The second is near to the first, the third to the second only: the third stays."""
    chain = ["".join(chr(0xAC00 + i) for i in range(start, start + 100)) for start in (0, 15, 30)]
    assert jaccard(chain[0], chain[1]) > 0.7 > 0.56 > jaccard(chain[0], chain[2])
    assert doubles(chain, 0.65) == {1: 0}


def test_empty_and_very_long_texts() -> None:
    long = "".join(random.Random(1).choices("가나다라마바사아자차카타파하", k=30_000))
    assert doubles(["", " ", "가", long, long + "끝"], 0.9) == {1: 0, 4: 3}


def test_a_row_costs_half_a_kibibyte() -> None:
    sketches = Sketches(3)
    for n in range(100):
        sketches.add(str(n))
    assert sketches.rows.nbytes == 512 * 100


def test_real_questions_against_every_pair(material: Path) -> None:
    """Of 11,823 real questions, those near to one before them that stays: found, and no others, but for what an estimate errs."""
    with (material / "ko_qa/ChatbotData.csv").open(encoding="utf-8-sig") as file:
        texts = [row["Q"] for row in csv.DictReader(file)]
    sets = [runs(text) for text in texts]
    nearest, oracle = np.zeros(len(texts)), set()
    homes: dict[str, list[int]] = {}
    for i, here in enumerate(sets):
        common = Counter(j for run in here for j in homes.setdefault(run, []))
        for run in here:
            homes[run].append(i)
        shares = {j: count / (len(here) + len(sets[j]) - count) for j, count in common.items()}
        nearest[i] = max(shares.values(), default=0)
        if any(share >= 0.8 and j not in oracle for j, share in shares.items()):
            oracle.add(i)
    found = set(doubles(texts, 0.8))
    assert min(nearest[i] for i in found) > 0.65
    assert max(nearest[i] for i in oracle - found) < 0.9
    assert len(oracle) > 200 and len(found & oracle) >= 0.93 * max(len(found), len(oracle))
