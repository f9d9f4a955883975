"""What the documents say is there, is there."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from dadeum.cli.table import VERBS
from tests.architecture.tree import FAMILIES, ROOT, SOURCE

PATH = re.compile(
    r"`((?:src|tests|docs|configs|scripts|benchmarks)/[^`\s]*|[A-Z][A-Z._a-z]*\.md|Makefile|pyproject\.toml|LICENSE)`"
)
LINK = re.compile(r"\]\(([^)#\s]+)(?:#[^)\s]*)?\)")
FENCE = re.compile(r"^```.*?^```", re.MULTILINE | re.DOTALL)
PAGES = ["README.md", "README.ko.md", "ARCHITECTURE.md", "CONTRIBUTING.md", "CHANGELOG.md", "SECURITY.md"]


def text_of(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


def section(page: str, heading: str) -> str:
    """The text below the first heading that contains the word, up to the next of that level."""
    found = re.search(rf"^(#+) [^\n]*{heading}[^\n]*\n(.*?)(?=^\1 |\Z)", text_of(page), re.MULTILINE | re.DOTALL)
    assert found, f"{page} has no heading with '{heading}'"
    return found[2]


def table(text: str) -> list[list[str]]:
    """Cells of the first Markdown table, without head and rule."""
    lines = [line for line in text.splitlines() if line.startswith("|")]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines[2:]]


def exists(path: str) -> bool:
    return bool(list(ROOT.glob(path.rstrip("/")))) if "*" in path else (ROOT / path).exists()


@pytest.mark.parametrize("page", PAGES)
def test_every_path_that_a_page_names_exists(page: str) -> None:
    paths = [p for p in PATH.findall(text_of(page)) if "<" not in p and "…" not in p]
    assert [p for p in paths if not exists(p)] == []


@pytest.mark.parametrize(
    "page", [*PAGES, *sorted(p.relative_to(ROOT).as_posix() for p in (ROOT / "docs").rglob("*.md"))]
)
def test_every_link_leads_somewhere(page: str) -> None:
    links = [
        link
        for link in LINK.findall(FENCE.sub("", text_of(page)))
        if not link.startswith(("http:", "https:", "mailto:"))
    ]
    assert [link for link in links if not ((ROOT / page).parent / link).exists()] == []


def test_to_add_x_touch_y() -> None:
    """| to add a | touch | it defines |: a row for every family, whose functions its members really have."""
    rows = table(section("ARCHITECTURE.md", "To add X, touch Y"))
    touched = {path.rstrip("/"): row for row in rows for path in PATH.findall(row[1])}
    assert all(PATH.findall(row[1]) for row in rows)
    assert [p for p in touched if not exists(p)] == []
    for package, family in FAMILIES.items():
        place = "src/" + package.replace(".", "/")
        assert place in touched, f"no row for {place}/"
        names = re.findall(r"`(\w+)`", touched[place][2])
        for member in family.names:
            assert [n for n in names if not hasattr(family.member(member), n)] == [], f"{package}.{member}"


def test_layers_are_all_explained() -> None:
    rows = table(section("ARCHITECTURE.md", "Layers"))
    told = {path for row in rows for path in PATH.findall(row[0])}
    assert told == {f"src/dadeum/{f.parent.name}/" for f in SOURCE.glob("*/__init__.py")}


@pytest.mark.parametrize(("page", "heading"), [("README.md", "in this repository"), ("README.ko.md", "저장소")])
def test_the_folder_map_is_complete(page: str, heading: str) -> None:
    """| folder | holds |: every folder of the checkout that git knows has its row, and no other is there."""
    rows = table(section(page, heading))
    told = {path.split("/")[0] for row in rows for path in re.findall(r"`([^`]+)`", row[0])}
    listed = subprocess.run(
        ["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, encoding="utf-8", check=False
    )
    if listed.returncode != 0:  # an unpacked archive
        folders = {f.name for f in ROOT.iterdir() if f.is_dir() and not f.name.startswith(".")} & told
    else:
        folders = {name.split("/")[0] for name in listed.stdout.split("\0") if "/" in name and not name.startswith(".")}
    assert folders <= told
    assert [name for name in told if not (ROOT / name).exists()] == []


def test_both_readmes_have_the_same_parts() -> None:
    pages = [text_of(page) for page in ("README.md", "README.ko.md")]
    heads = [[len(h) for h in re.findall(r"^(#+) ", FENCE.sub("", page), re.MULTILINE)] for page in pages]
    assert heads[0] == heads[1]
    assert heads[0].count(1) == 1
    fences = [[f.splitlines()[0] for f in FENCE.findall(page)] for page in pages]
    assert fences[0] == fences[1]
    assert [len(table(p)) for p in pages] == [len(table(pages[0]))] * 2


@pytest.mark.parametrize("page", ["README.md", "README.ko.md"])
def test_readme_names_every_verb_and_no_other(page: str) -> None:
    text = text_of(page)
    used = set(re.findall(r"\bdadeum ([a-z]+)\b", " ".join(re.findall(r"`[^`]*`", text) + FENCE.findall(text))))
    assert used <= set(VERBS), used - set(VERBS)
    assert [verb for verb in VERBS if not re.search(rf"\b{verb}\b", text)] == []


@pytest.mark.parametrize("page", ["README.md", "README.ko.md", "CONTRIBUTING.md", "ARCHITECTURE.md"])
def test_make_targets_exist(page: str) -> None:
    targets = set(re.findall(r"^([a-z]+):", text_of("Makefile"), re.MULTILINE))
    code = re.findall(r"`[^`\n]*`", text_of(page)) + FENCE.findall(text_of(page))
    named = {word for part in code for words in re.findall(r"\bmake((?: [a-z]+)+)", part) for word in words.split()}
    assert named <= targets, named - targets
    if page == "CONTRIBUTING.md":
        assert {"test", "check", "format"} <= named


def first_experiment(page: str) -> str:
    """The commands of the first experiment of one's own."""
    found = [block for block in FENCE.findall(text_of(page)) if "configs/mine.yaml <<" in block]
    assert len(found) == 1
    return found[0].split("\n", 1)[1].removesuffix("```")


def test_the_first_experiment_is_the_same_in_both_languages_and_has_ten_lines_at_most() -> None:
    found = []
    for page in ("README.md", "README.ko.md"):
        written = first_experiment(page).split("<<'EOF'\n")[1].split("EOF\n")[0]
        assert len(written.splitlines()) <= 10
        found.append(re.sub(r"\s+# .*", "", written))
    assert found[0] == found[1]


@pytest.mark.slow
@pytest.mark.parametrize("page", ["README.md", "README.ko.md"])
def test_the_first_experiment_runs_as_it_stands(page: str, tmp_path: Path) -> None:
    from dadeum.run.quickstart import lay_out

    lay_out(tmp_path / "dadeum-quickstart")
    (tmp_path / ".venv").symlink_to(sys.prefix)
    done = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", first_experiment(page)],
        cwd=tmp_path, capture_output=True, text=True, encoding="utf-8", check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    assert list((tmp_path / "dadeum-quickstart").glob("checkpoints/mine/*/merged/model.safetensors"))


def test_the_reference_is_fresh() -> None:
    done = subprocess.run(
        [sys.executable, "scripts/reference.py", "--check"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        encoding="utf-8",
        check=False,
    )
    assert done.returncode == 0, done.stderr[-2000:]
