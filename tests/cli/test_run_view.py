"""dadeum.cli.run_view: tables as wide as there is room."""

import io
from pathlib import Path

import pytest
from rich.cells import cell_len
from rich.console import Console

from dadeum.cli.run_view import main_scores, number, show_list, size_word, status_word
from dadeum.run.ledger import STATUSES, Entry
from dadeum.run.store import Run


def entry(name: str = "20260101-000000-abcdef", status: str = "finished", reason: str = "") -> Entry:
    facts = {
        "when": "2026-01-01 00:00:00",
        "steps": 168,
        "loss": 1.23456,
        "adapter": "lora r16",
        "base": "someone/a-long-base-model",
    }
    scores = {"chrf": 12.3, "rougeL": 0.31, "bits_per_byte": 1.2, "perplexity": 9.0}
    return Entry(Run("civil-law-qa", name, Path(), Path()), status, reason, facts, scores, {"train": {"seed": 3}})


def printed(width: int, *entries: Entry, asked: tuple[str, ...] = (), terminal: bool = True) -> list[str]:
    out = io.StringIO()
    console = Console(file=out, width=width, force_terminal=terminal, no_color=True, color_system=None)
    show_list(console, entries or (entry(),), asked)
    return out.getvalue().splitlines()


@pytest.mark.parametrize("width", [80, 100, 132, 133, 200])
def test_no_line_is_wider_than_the_terminal_or_broken(width: int) -> None:
    lines = printed(width)
    assert all(cell_len(line.rstrip()) <= width for line in lines)
    assert "20260101-000000-abcdef" in lines[1] and "finished" in lines[1] and "1.235" in lines[1]
    left_out = [line for line in lines if "not shown here" in line]
    assert bool(left_out) == (width < 133) and ("base" in "".join(left_out)) == (width < 133)
    assert ("a-long-base-model" in lines[1]) == (width >= 133)


def test_what_was_asked_for_is_shown_even_where_it_is_narrow() -> None:
    header = printed(80, asked=("train.seed", "perplexity"))[0]
    assert "train.seed" in header and "perplexity" in header


def test_on_no_terminal_all_columns_in_one_line() -> None:
    header, row = printed(80, terminal=False)[:2]
    assert header.split() == [
        "experiment",
        "run",
        "status",
        "when",
        "steps",
        "loss",
        "bits_per_byte",
        "rougeL",
        "chrf",
        "adapter",
        "base",
    ]
    assert "a-long-base-model" in row


def test_reasons_stand_below() -> None:
    lines = printed(80, entry(), entry("20260102-000000-abcdef", "damaged", "manifest.json: absent"))
    assert "  20260102-000000-abcdef: damaged: manifest.json: absent" in lines


def test_words_in_both_languages(monkeypatch: pytest.MonkeyPatch) -> None:
    assert [status_word(s) for s in ("started", "finished")] == ["killed", "finished"]
    monkeypatch.setenv("DADEUM_LANG", "ko")
    assert all("가" <= status_word(s)[0] <= "힣" for s in STATUSES)
    assert "civil-law-qa" in printed(80)[1] and "끝남" in printed(80)[1]


def test_numbers_and_sizes() -> None:
    assert [number(v) for v in (None, True, 3, 0.123456, "x")] == ["–", "true", "3", "0.1235", "x"]
    assert [size_word(n) for n in (999, 1500, 2_500_000, 3e9)] == ["999 B", "1.5 kB", "2.5 MB", "3.0 GB"]
    assert main_scores([entry()]) == ["bits_per_byte", "rougeL", "chrf"]
