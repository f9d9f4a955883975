"""Pictures show the numbers that they are given."""

import re
from xml.etree import ElementTree

import numpy as np
import pytest

from dadeum.report import pictures
from dadeum.report.blocks import BLOCK, DOT, REST
from dadeum.report.curves import Curve
from dadeum.report.pictures import FEW, Line, Row, Whisker


def curve(*values: float) -> Curve:
    made = Curve()
    for step, value in enumerate(values, 1):
        made.add(step, value)
    return made


def strokes(svg: str, colour: int) -> list[list[tuple[float, float]]]:
    """The paths of a colour, as points."""
    found = []
    for node in ElementTree.fromstring(svg).iter():
        if f"stroke: var(--p{colour})" in node.attrib.get("style", "") and "d" in node.attrib:
            pairs = re.findall(r"[ML] (\S+) (\S+)", node.attrib["d"])
            found.append([(float(x), float(y)) for x, y in pairs])
    return found


def texts(svg: str) -> list[str]:
    return [node.text or "" for node in ElementTree.fromstring(svg).iter() if node.tag.endswith("text")]


def test_a_curve_goes_where_its_values_go() -> None:
    figure = pictures.curves("a", "loss", [Line("x", curve(4.0, 2.0, 3.0))])
    line = next(path for path in strokes(figure.svg, 1) if len(path) == 3)
    heights = [y for _, y in line]
    assert heights[0] < heights[2] < heights[1], "higher values stand higher"
    assert heights[1] - heights[2] == pytest.approx((heights[1] - heights[0]) / 2, rel=1e-4)
    assert figure.legend == () and figure.title == "loss" and "step" in texts(figure.svg)


def test_two_curves_have_a_legend_and_unlike_dashes() -> None:
    figure = pictures.curves("a", "loss", [Line("<one>", curve(2, 1)), Line("둘", curve(3, 2), 1)])
    assert figure.legend == ((0, "<one>"), (1, "둘"))
    assert "stroke-dasharray" in figure.svg
    assert "stroke-dasharray" not in pictures.curves("a", "loss", [Line("둘", curve(3, 2), 1)]).svg


def test_steep_curves_are_logarithmic_where_they_may() -> None:
    assert "logarithmic" in pictures.curves("a", "norm", [Line("x", curve(1, 1000))]).title
    assert "logarithmic" not in pictures.curves("a", "norm", [Line("x", curve(1, 1000))], steep=False).title
    assert "logarithmic" not in pictures.curves("a", "norm", [Line("x", curve(0, 1000))]).title
    assert "0" in texts(pictures.curves("a", "speed", [Line("x", curve(900, 905))], zero=True).svg)


def test_many_points_make_no_heavy_picture() -> None:
    figure = pictures.curves("a", "loss", [Line("x", curve(*(step % 13 for step in range(40_000))))])
    assert len(figure.svg) < 150_000 and figure.svg.count("<use") < FEW


def test_lengths_count_every_sample_and_mark_the_limit() -> None:
    found = np.array([10] * 3 + [20] * 5 + [30])
    near = pictures.lengths("a", "lengths", found, 32)
    assert "max_length 32" in texts(near.svg)
    assert "max_length 1,024" not in texts(pictures.lengths("a", "lengths", found, 1024).svg)
    assert pictures.lengths("a", "lengths", np.array([7]), None).svg.startswith("<svg")


def test_bars_are_as_long_as_what_they_count() -> None:
    rows = [("학습 <b>", 60.0, 40.0), ("x", 25.0, 0.0)]
    figure = pictures.stacked("a", "targets", rows, ("targets", "rest"), lambda a, b: f"{a:g}/{a + b:g}")
    assert {"학습 <b>", "60/100", "25/25"} <= set(texts(figure.svg))
    widths = []
    for node in ElementTree.fromstring(figure.svg).iter():
        if node.attrib.get("style", "").startswith("fill: var(--p3)"):
            xs = [float(x) for x in re.findall(r"[ML] (\S+) ", node.attrib["d"])]
            widths.append(max(xs) - min(xs))
    assert widths[1] == pytest.approx(widths[0] * 25 / 60, rel=1e-3)
    assert figure.legend == ((BLOCK + 2, "targets"), (REST, "rest"))
    assert pictures.stacked("a", "b", rows[1:], ("targets", "rest"), lambda a, b: "").legend == ()


def test_whiskers_reach_over_their_interval_and_better_is_right() -> None:
    row = Row("perplexity ↓", (Whisker("base", 9.0, (8.0, 10.0)), Whisker("tuned", 4.0, (3.5, 4.5), 2)), (6.0,), True)
    figure = pictures.whiskers("a", "scores", [row], 2)
    (base,) = [p for p in strokes(figure.svg, 1) if len(p) == 2 and p[0][1] == p[1][1]]
    (tuned,) = [p for p in strokes(figure.svg, 3) if len(p) == 2 and p[0][1] == p[1][1]]
    width = [abs(path[1][0] - path[0][0]) for path in (base, tuned)]
    assert width[0] == pytest.approx(2 * width[1], rel=1e-3)
    assert max(x for x, _ in base) < min(x for x, _ in tuned), "flipped: less is better, and stands right"
    assert figure.legend == ((DOT, "base"), (DOT + 2, "tuned")) and "perplexity ↓" in texts(figure.svg)


def test_a_dot_without_interval_and_values_all_alike() -> None:
    figure = pictures.whiskers("a", "b", [Row("x" * 90, (Whisker("base", 0.0, None),), (0.0,))], 1)
    assert figure.legend == () and any(text.endswith("…") for text in texts(figure.svg))
