"""Tasks and judge on the page of a comparison: nothing is more than text."""

from dadeum.evaluate.beside_page import judged, tasks
from tests.evaluate.test_judge_table import FOUND

ROW = {
    "task": "<script>x</script>",
    "metric": "acc",
    "higher_is_better": True,
    "base": 0.5,
    "tuned": 0.25,
    "difference": -0.25,
    "interval": [-0.4, -0.1],
    "n": 40,
    "verdict": "worse",
}


def test_tasks() -> None:
    page = tasks({"tasks": [ROW]})
    assert "<h2>Elsewhere" in page and "&lt;script&gt;x" in page and "<script>" not in page and "forgotten" in page
    assert tasks({"tasks": []}) == "" == tasks({})


def test_judge() -> None:
    page = judged({"judge": FOUND})
    assert "&lt;img onerror&gt;" in page and "<img" not in page and "0.625" in page and page.count("<li>") == 3
    assert judged({"judge": None}) == ""
