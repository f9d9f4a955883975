"""The examples of metrics on the screen: 80 columns, both languages, what is skipped and what is wrong."""

import io

import pytest
from rich.console import Console

from dadeum.cli.self_test import show_self_test
from dadeum.cli.view import View
from dadeum.core.errors import MissingExtra
from dadeum.evaluate.metrics import METRICS


def shown(*names: str) -> tuple[str, int]:
    out = io.StringIO()
    with View(Console(file=out, width=80, highlight=False, soft_wrap=True)) as view:
        code = show_self_test(view, names)
    return out.getvalue(), code


def test_the_table_is_narrow_and_says_key_signature_and_direction() -> None:
    text, code = shown("exact_match", "length_ratio")
    assert code == 0
    tables = [line for line in text.splitlines() if line.startswith(("│", "┃"))]
    assert tables and max(map(len, tables)) <= 80
    for word in (
        "exact_match ↑ (0-1)",
        "length_ratio · (ratio)",
        "identical",
        "by hand",
        "none",
        "length_ratio|units:",
    ):
        assert word in text


def test_korean(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DADEUM_LANG", "ko")
    text, _ = shown("exact_match")
    assert (
        "조사 하나 더" in text and "기준 답과 같은 답의 비율" in text and "손으로" in text and "identical" not in text
    )


def test_skipped_is_no_failure_and_wrong_is(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(settings: object) -> None:
        raise MissingExtra('needs X: pip install "x"')

    monkeypatch.setattr(METRICS.member("chrf"), "ready", missing, raising=False)
    text, code = shown("chrf", "exact_match")
    assert code == 0 and 'chrf: skipped: needs X: pip install "x"' in text and "metrics skipped: 1" in text
    monkeypatch.setattr(METRICS.member("exact_match"), "combine", lambda sums: sums[..., 1])
    text, code = shown("exact_match")
    assert code == 1 and "✗ wrong" in text


def test_the_way_that_is_better_has_a_sign() -> None:
    from dadeum.evaluate.metrics import arrow

    assert [arrow(way) for way in (True, False, None)] == ["↑", "↓", "·"]
