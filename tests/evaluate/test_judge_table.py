"""What a judge said, as a table in which names are names."""

from typing import Any

from dadeum.evaluate.judge_table import cells, header, lines, notes, title

ONE = {
    "n": 4,
    "wins": 2,
    "ties": 1,
    "losses": 1,
    "win_rate": 0.625,
    "interval": [0.25, 1.0],
    "consistent": 0.75,
    "chose_first": None,
    "malformed": 3,
}
FOUND: dict[str, Any] = {
    "model": "<img onerror>",
    "first": "base",
    "models": {"a|b": ONE, "none": {**ONE, "n": 0, "malformed": 0}},
}


def test_a_row_a_model_that_was_judged() -> None:
    assert cells(FOUND) == [["a|b", "0.625 [0.25, 1]", "2/1/1", "75%", "–"]]
    assert len(header()) == 5 and "<img onerror>" in title(FOUND)
    assert len(notes(FOUND)) == 3 and "3 replies" in notes(FOUND)[2]


def test_in_markdown_nothing_breaks_out() -> None:
    text = "\n".join(lines(FOUND))
    assert "| a\\|b |" in text and "<img" not in text and "&lt;img onerror&gt;" in text
    assert lines(None) == []
