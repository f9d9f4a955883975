"""The data: parts, sources, what was dropped and why. (A painted sample and lengths: tests/run/test_report.py.)"""

from pathlib import Path
from typing import Any

from dadeum.report.blocks import Figure, Section, Table, Text
from dadeum.report.evidence import Evidence, gather
from dadeum.report.material import material, painted
from tests.report.made_up import run

PART = {
    "rows": 661, "samples": 660, "tokens": 1000, "trained_tokens": 650, "trained_share": 0.65,
    "shortest": 68, "longest": 141, "length_quantiles": {"0.5": 106.4},
}  # fmt: skip
NONE = {"rows": 0, "samples": 0, "tokens": 0}


def of(tmp_path: Path, data: dict[str, Any] | None, **statistics: Any) -> Evidence:
    found = gather(run(tmp_path))
    found.data, found.statistics = data, {"parts": {"train": PART, "validation": NONE, "test": NONE}, **statistics}
    return found


def tables(section: Section) -> list[Table]:
    return [block for block in section.blocks if isinstance(block, Table)]


def test_parts_without_rows_are_left_out(tmp_path: Path) -> None:
    section = material(of(tmp_path, {"read": 661}))
    assert tables(section)[0].rows == (("train", "661", "660", "1,000", "65 %", "68", "106", "141"),)
    assert [block.name for block in section.blocks if isinstance(block, Figure)] == ["targets"]
    assert any(isinstance(b, Text) and b.text == "Nothing was dropped: all 661 rows are used." for b in section.blocks)


def test_why_rows_were_dropped(tmp_path: Path) -> None:
    overlong = {"policy": "cut", "found": 3, "dropped": 0, "cut": 3, "chopped": 0}
    found = of(tmp_path, {"dropped": {"blank answer <b>": 4}}, dropped={"too_long": 2}, overlong=overlong)
    assert tables(material(found))[1].rows == (
        ("unfit rows", "blank answer <b>", "4"),
        ("after rendering", "too_long", "2"),
        ("too long", "cut", "3"),
    )


def test_the_mixture_of_sources(tmp_path: Path) -> None:
    sources = [{"file": f"{n}.csv", "rows": n, "dropped": 1} for n in range(1, 20)]
    section = material(of(tmp_path, {"sources": sources}))
    (figure,) = (b for b in section.blocks if isinstance(b, Figure) and b.name == "sources")
    assert (
        figure.title == "Rows by source, the largest 12 of 19"
        and "19.csv" in figure.svg
        and ">7.csv<" not in figure.svg
    )


def test_data_that_are_gone(tmp_path: Path) -> None:
    found = gather(run(tmp_path))
    (block,) = material(found).blocks
    assert isinstance(block, Text) and "no longer in data/processed" in block.text
    assert painted(found) is None
