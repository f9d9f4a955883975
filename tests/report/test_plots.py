"""The SVG that comes out of matplotlib: text stays text, ids are a picture's own, colours are the page's, bytes repeat."""

import os
import re
import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree

import pytest

from dadeum.report import plots
from dadeum.report.blocks import BLOCK, DOT, REST
from dadeum.report.plots import COLOURS, alone, key, number, sheet


def drawn(name: str = "loss", word: str = "손실 <b> $x^2$") -> str:
    with sheet(2) as made:
        axes = made.figure.subplots()
        axes.plot([1, 2, 3], [1.0, 3.0, 2.0], color=COLOURS[1])
        axes.set_xlabel(made.word(word))
        return made.svg(name, f"title {word}")


def test_it_is_xml_whose_text_is_text() -> None:
    tree = ElementTree.fromstring(drawn())
    texts = [node.text for node in tree.iter() if node.tag.endswith("text")]
    assert "손실 <b> $x^2$" in texts
    assert tree.attrib["aria-label"] == "title 손실 <b> $x^2$" and tree.attrib["role"] == "img"
    assert "font-family" not in drawn() and "DejaVu" not in drawn()


def test_the_same_numbers_give_the_same_bytes() -> None:
    assert drawn() == drawn()
    assert not re.search(r"\d{4}-\d\d-\d\d|matplotlib", drawn().lower())


def test_a_users_matplotlibrc_changes_nothing() -> None:
    import matplotlib

    before = drawn()
    with matplotlib.rc_context({"axes.facecolor": "red", "font.size": 30, "svg.fonttype": "path"}):
        assert drawn() == before
        assert matplotlib.rcParams["font.size"] == 30, "and ours stay here"


def test_ids_of_two_pictures_differ_and_nothing_refers_to_nothing() -> None:
    pages = {name: drawn(name) for name in ("one", "two")}
    ids = {name: set(re.findall(r'id="([^"]+)"', svg)) for name, svg in pages.items()}
    assert ids["one"] and not ids["one"] & ids["two"]
    for name, svg in pages.items():
        assert set(re.findall(r'url\(#([^)]+)\)|href="#([^"]+)"', svg)) <= {(i, "") for i in ids[name]} | {
            ("", i) for i in ids[name]
        }


def test_colours_are_the_pages() -> None:
    svg = drawn()
    assert "var(--p2)" in svg and "var(--soft)" in svg and not re.search(r"#[0-9a-f]{6}\b", svg)


def test_no_style_leaks_into_the_page() -> None:
    assert "<style" not in drawn() and "<style>" in alone(drawn())


def test_a_file_of_its_own_has_its_colours_and_its_legend() -> None:
    found = alone(drawn(), [(0, "학습 <a>"), (DOT + 1, "검증"), (BLOCK, "x"), (REST, "y")])
    tree = ElementTree.fromstring(found.encode())
    assert tree.tag == "{http://www.w3.org/2000/svg}svg"
    assert {"학습 <a>", "검증"} <= {node.text for node in tree.iter() if node.tag.endswith("text")}
    assert "--p1" in found and "prefers-color-scheme: dark" in found


def test_looks_differ_by_more_than_colour() -> None:
    """Lines by their dash, dots by their marker: who sees no colours sees these."""
    for first in (0, DOT):
        bare = {re.sub(r"var\(--p\d\)", "", key(first + look)) for look in range(len(COLOURS))}
        assert len(bare) == len(COLOURS)
    assert len(set(plots.LIGHT)) == len(set(plots.DARK)) == len(COLOURS)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0, "0"),
        (1500, "1,500"),
        (0.02, "0.02"),
        (1e-5, "1e−5"),
        (-0.5, "−0.5"),
        (1.4e9, "1.4G"),
        (9e29, "9e29"),
        (123456, "123.5k"),
    ],
)
def test_ticks(value: float, text: str) -> None:
    assert number(value) == text


CHILD = """
import logging, sys
from dadeum.report.plots import sheet
with sheet(1) as made:
    made.figure.subplots().set_xlabel(made.word("한글"))
    made.svg("a", "b")
import os
print(os.environ.get("MPLCONFIGDIR"))
"""


def test_a_home_that_is_not_to_be_written(tmp_path: Path) -> None:
    """Nothing is said and nothing is written there; the list of fonts goes where it may."""
    if os.getuid() == 0:
        (tmp_path / "home").write_text("a file", encoding="utf-8")  # root may write into any folder
    else:
        (tmp_path / "home").mkdir(mode=0o500)
    environment = {
        k: v for k, v in os.environ.items() if k not in ("MPLCONFIGDIR", "XDG_CONFIG_HOME", "XDG_CACHE_HOME")
    }
    environment |= {"HOME": str(tmp_path / "home"), "TMPDIR": str(tmp_path / "tmp")}
    (tmp_path / "tmp").mkdir()
    said = subprocess.run(
        [sys.executable, "-W", "error", "-c", CHILD],
        env=environment,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert (said.returncode, said.stderr) == (0, "")
    assert Path(said.stdout.strip()).parent == tmp_path / "tmp"
    assert Path(said.stdout.strip()).stat().st_mode & 0o777 == 0o700
