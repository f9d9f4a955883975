"""The explanation on a screen: all of it within 80 columns, with colours and without."""

import io

import pytest
from rich.cells import cell_len
from rich.console import Console

from dadeum.cli.explain_view import MOST_ROWS, show_explanation
from dadeum.core.progress import Silent
from dadeum.explain.facts import Explanation, RowFacts
from dadeum.explain.step import take_apart
from tests.train.support import make_formatted, make_job, random_rows


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> Explanation:
    """A step of one row with more tokens than a screen shows."""
    place = tmp_path_factory.mktemp("view")
    rows = [(ids, [0.0] * 5 + [1.0] * 55) for ids, _ in random_rows(30, longest=60) if len(ids) == 60]
    formatted = make_formatted(place, rows)
    row = RowFacts(
        100, "rows.csv:2", {"question": "무엇? " * 60}, [{"role": "user", "content": "답 " * 80}], "글", 60, 55, ""
    )
    sizes = {"total_train_batch_size": 2, "per_device_train_batch_size": 1, "max_steps": 2}
    job = make_job(place, formatted, adapter={"type": "lora", "r": 8}, **sizes)
    return Explanation(take_apart(job, Silent(), step=2), row)


@pytest.mark.parametrize("language", ["en", "ko"])
@pytest.mark.parametrize("width", [80, 120])
def test_it_fits(found: Explanation, width: int, language: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DADEUM_LANG", language)
    out = io.StringIO()
    show_explanation(Console(file=out, width=width, force_terminal=True, color_system=None, soft_wrap=True), found)
    lines = out.getvalue().splitlines()
    assert [line for line in lines if cell_len(line.rstrip()) > width] == []
    text = out.getvalue()
    assert f"… {55 - MOST_ROWS}{' more' if language == 'en' else '개 더'}" in text
    assert text.count("✓") == 3 and "✗" not in text
    assert all(f"\n{number}  " in text for number in range(1, 12))


def test_colours(found: Explanation) -> None:
    out = io.StringIO()
    show_explanation(Console(file=out, width=100, force_terminal=True, color_system="truecolor"), found)
    assert "\x1b[32m" in out.getvalue()
