"""Curves: every peak stays, memory does not grow, torn lines are counted."""

import json
import tracemalloc
from pathlib import Path

from dadeum.report.curves import MOST, Curve, read_curves


def test_a_short_curve_is_kept_as_it_is() -> None:
    curve = Curve()
    for x in range(100):
        curve.add(x, x * x % 7)
    assert curve.points() == [(x, x * x % 7) for x in range(100)]
    assert (curve.count, curve.first, curve.last) == (100, (0, 0), (99, 99 * 99 % 7))


def test_a_long_curve_is_thinned_and_no_peak_is_lost() -> None:
    """Peaks and valleys at places of every kind, the first and the last point among them."""
    count = 50_000
    peaks = {0: 5.0, 1: -9.0, 7: 8.0, 12_345: 99.0, 12_346: -77.0, 49_998: 66.0, count - 1: 3.0}
    curve = Curve()
    for x in range(count):
        curve.add(x, peaks.get(x, 0.5 + (x % 10) / 100))
    points = curve.points()
    assert len(points) <= 4 * 2 * MOST < count / 10
    assert points == sorted(points)
    assert peaks.items() <= dict(points).items()
    assert (curve.highest, curve.lowest, curve.count) == ((12_345, 99.0), (12_346, -77.0), count)


def test_a_file_of_any_length_takes_little_memory(tmp_path: Path) -> None:
    """A million lines were measured once; here what counts is that memory does not grow with them."""
    path = tmp_path / "metrics.jsonl"

    def peak(lines: int) -> int:
        with path.open("w", encoding="utf-8") as file:
            for step in range(1, lines + 1):
                file.write(f'{{"step": {step}, "loss": {step % 97}.5, "grad_norm": 1}}\n')
        tracemalloc.start()
        found = read_curves(path)
        size = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        assert found.lines == lines and not found.torn
        return size

    few, many = peak(2_000), peak(12_000)
    assert many < 2 * few


def test_torn_lines_and_other_things_are_counted_and_left_out(tmp_path: Path) -> None:
    path = tmp_path / "metrics.jsonl"
    good = [json.dumps({"step": step, "epoch": 0.5, "loss": step, "tokens": 9, "time": 3.5}) for step in (1, 2)]
    other = ['{"step": 3, "loss": 0.', "[1]", "null", '{"loss": 2}', '{"step": true, "loss": 2}', "[" * 5000]
    path.write_text(
        "\n".join([good[0], *other, "", good[1]]) + '\n{"step": 4, "loss": NaN, "shown": "text"}', encoding="utf-8"
    )
    found = read_curves(path)
    assert (found.lines, found.torn) == (9, 6)
    assert set(found.by_name) == {"loss"} and found.by_name["loss"].points() == [(1, 1), (2, 2)]


def test_what_the_objective_shows_is_a_curve_too(tmp_path: Path) -> None:
    path = tmp_path / "metrics.jsonl"
    path.write_text('{"step": 1, "loss": 1, "rewards/margins": 0.5}\n', encoding="utf-8")
    assert read_curves(path).others == ("rewards/margins",)
