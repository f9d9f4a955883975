"""dadeum.cli.curves: points land where they belong."""

import math
from itertools import pairwise

import pytest

from dadeum.cli.curves import Curve, draw

SLOPE = [(float(x), float(x)) for x in range(11)]


def test_a_slope_from_corner_to_corner() -> None:
    lines = [line.plain for line in draw([Curve("", SLOPE)], width=20, height=4, letters=True)]
    body = [line.partition("│")[2] for line in lines[:-1]]
    places = [{x for x, cell in enumerate(row) if cell == "a"} for row in body]
    assert 0 in places[3] and len(body[0]) - 1 in places[0]
    assert all(max(below) <= min(above) + 1 for above, below in pairwise(places))
    assert set().union(*places) == set(range(len(body[0])))  # no column without a dot


def test_braille_has_two_by_four_dots_a_cell() -> None:
    lines = [line.plain for line in draw([Curve("", [(0, 1), (1, 0)])], width=12, height=1)]
    cells = lines[0].partition("│")[2]
    assert all(0x2800 <= ord(c) < 0x2900 or c == " " for c in cells)
    assert ord(cells[0]) & 0x01 and ord(cells[-1]) & 0x80  # top left, bottom right


def test_each_line_has_its_width_and_the_ends_are_named() -> None:
    found = draw([Curve("one", SLOPE), Curve("two", [(5.0, 20.0)])], width=40, height=6)
    assert all(line.cell_len <= 40 for line in found)
    assert found[0].plain.startswith(" 20│") and found[5].plain.startswith("  0│")
    assert found[6].plain.strip().startswith("└0") and found[6].plain.endswith("10")
    assert "one" in found[7].plain and "two" in found[7].plain


def test_the_later_curve_is_on_top_in_its_letter() -> None:
    flat = [(0.0, 1.0), (1.0, 1.0)]
    body = draw([Curve("", flat), Curve("", flat[1:])], width=20, height=3, letters=True)[1].plain.partition("│")[2]
    assert set(body[:-1]) == {"a"} and body[-1] == "b"


@pytest.mark.parametrize("points", [[], [(1.0, math.nan)], [(math.inf, 1.0)]])
def test_without_points_there_is_nothing(points: list[tuple[float, float]]) -> None:
    assert draw([Curve("", points)], width=40) == []


def test_one_point_is_a_dot_and_many_are_all_seen() -> None:
    assert sum(line.plain.count("a") for line in draw([Curve("", [(3.0, 2.0)])], width=30, letters=True)) == 1
    spike = [(float(x), 9.0 if x == 5003 else 1.0) for x in range(10_000)]
    assert "a" in draw([Curve("", spike)], width=30, letters=True)[0].plain
