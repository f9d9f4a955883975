"""The page of the quickstart: the control's data, and what the page says of each answer."""

import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from scripts import quickstart_results as results
from scripts.tiny_ko_data import rows

ASSETS = Path(results.__file__).parents[1] / "src" / "dadeum" / "assets"


@pytest.mark.parametrize("seed", range(5))
def test_every_answer_stays_once_and_none_at_its_own_article(seed: int) -> None:
    found = rows(ASSETS / "civil_law_qa.csv")
    article = {row["answer"]: row["article"] for row in found}
    made = results.shuffle(found, seed)
    assert [row["question"] for row in made] == [row["question"] for row in found]
    assert Counter(row["answer"] for row in made) == Counter(row["answer"] for row in found)
    assert all(article[row["answer"]] != row["article"] for row in made)


def test_what_cannot_be_shuffled_is_refused() -> None:
    with pytest.raises(ValueError, match="more than half"):
        results.shuffle([{"article": a, "answer": str(n)} for n, a in enumerate("aab")])
    assert len(results.shuffle([{"article": a, "answer": str(n)} for n, a in enumerate("aabb")])) == 4


def comparison(folder: Path, base: str, tuned: str) -> Path:
    metric: dict[str, Any] = {
        "n": 2,
        "higher_is_better": False,
        "values": {base: 2.0, tuned: 1.25},
        "floors": {base: 0.1},
        "differences": {tuned: {"difference": -0.75, "low": -0.8, "high": -0.7}},
    }
    folder.mkdir()
    text = json.dumps({"metrics": [{**metric, "name": name} for name in results.METRICS]})
    (folder / "comparison.json").write_text(text, encoding="utf-8")
    return folder


def test_the_page_counts_what_was_read_and_says_what_was_not(tmp_path: Path) -> None:
    places = {
        "base": comparison(tmp_path / "base", "base", "tuned"),
        "shuffled": comparison(tmp_path / "shuffled", "quickstart-shuffled", "quickstart"),
        "real": comparison(tmp_path / "real", "tiny-ko", "quickstart"),
    }
    samples = [{"question": "물음?", "prediction": "답 | 하나"}, {"question": "둘?", "prediction": "새 답"}]
    made = places["base"] / "finetuned_model_evaluation.json"
    made.write_text(json.dumps({"samples": samples}), encoding="utf-8")
    read = tmp_path / "quickstart_read.csv"
    # The second answer is no longer the one that was read.
    read.write_text(
        "question,answer,verdict,note\n물음?,답 | 하나,on the subject,ok\n둘?,옛 답,off the subject,\n",
        encoding="utf-8",
    )
    written = results.page(places, results.verdicts(read), 61.2)
    assert "**38% fewer bits a byte**" in written
    assert "-0.750 [-0.800, -0.700] bits a byte" in written
    assert "on the subject 1, unread 1 of 2" in written
    assert "| 물음? | 답 \\| 하나 | on the subject | ok |" in written
    assert "| 둘? | 새 답 | unread |  |" in written


def test_a_verdict_that_is_none_is_refused(tmp_path: Path) -> None:
    read = tmp_path / "quickstart_read.csv"
    read.write_text("question,answer,verdict,note\n물음?,답,fine,\n", encoding="utf-8")
    with pytest.raises(ValueError, match="'fine'"):
        results.verdicts(read)
    assert results.verdicts(tmp_path / "none.csv") == {}
