"""`dadeum data check` on everything in the folder of real material: never a traceback, and the row counts of its README."""

import json
import re
from pathlib import Path
from typing import Any

import pytest

from tests.run.lab import Said, cli

SUFFIXES = (".csv", ".tsv", ".json", ".jsonl", ".txt", ".txt.gz", ".parquet")
LARGE = 400_000  # bytes; what is larger takes its time


def counts(material: Path) -> dict[str, tuple[str, int]]:
    """File: what its README counts (`rows` or `lines`), and how many."""
    found: dict[str, tuple[str, int]] = {}
    for line in (material / "README.md").read_text(encoding="utf-8").splitlines():
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        if len(cells) < 4 or not (material / cells[0]).exists():
            continue
        number = re.fullmatch(r"([\d,]+)( lines)?", cells[1])
        inside = re.search(r"([\d,]+) questions", cells[-1]) if cells[1] == "2 keys" else None
        if number:
            found[cells[0]] = ("lines" if number[2] else "rows", int(number[1].replace(",", "")))
        elif inside:  # nested: what is inside is counted
            found[cells[0]] = ("rows", int(inside[1].replace(",", "")))
    return found


def checked(root: Path, path: Path) -> tuple[Said, dict[str, Any]]:
    """What was said, and the figures."""
    said = cli(root, "data", "check", str(path), "--json", "figures.json")
    assert said.code in (0, 1, 2), said
    assert "Traceback" not in said.out + said.err, said.err
    assert said.code < 2 or len(said.errors) == 1, said.err
    figures = root / "figures.json"
    return said, json.loads(figures.read_text(encoding="utf-8")) if figures.exists() else {}


def files(material: Path, *, large: bool) -> list[Path]:
    every = [f for f in sorted(material.rglob("*")) if f.is_file() and f.name.endswith(SUFFIXES)]
    return [f for f in every if (f.stat().st_size > LARGE) == large]


def hold(material: Path, root: Path, *, large: bool) -> None:
    told, seen = counts(material), set()
    for file in files(material, large=large):
        (root / "figures.json").unlink(missing_ok=True)
        said, figures = checked(root, file)
        name = file.relative_to(material).as_posix()
        name = name if name in told else file.parent.relative_to(material).as_posix()
        if name not in told:
            continue
        what, count = told[name]
        (entry,) = figures["files"]
        assert entry["rows"] + (entry["blank_lines"] if what == "lines" else 0) == count, (name, said.out)
        assert figures["rows"]["read"] == entry["rows"]
        seen.add(name)
    expected = {n for n in told if (material / n).is_file() and ((material / n).stat().st_size > LARGE) == large}
    assert expected <= seen


def test_the_readme_counts_the_rows_of_every_data_set(material: Path) -> None:
    assert len(counts(material)) >= 20


def test_every_small_file(material: Path, tmp_path: Path) -> None:
    hold(material, tmp_path, large=False)


@pytest.mark.slow
def test_every_large_file(material: Path, tmp_path: Path) -> None:
    hold(material, tmp_path, large=True)


def test_what_is_no_data_is_refused_in_one_sentence(material: Path, tmp_path: Path) -> None:
    for name in (
        "adapters/gpt2_lora_dolly_finqa/adapter_model.safetensors",
        "weights/stories260K/tok512.bin",
        "chat_templates",
    ):
        said, figures = checked(tmp_path, material / name)
        assert said.code == 2 and figures == {}
