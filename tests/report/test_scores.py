"""Scores with intervals and floors; other text; labels; a judge; and what is said where they are not there."""

from pathlib import Path
from typing import Any

import pytest

from dadeum.report.blocks import Figure, Link, Section, Table, Text
from dadeum.report.evidence import Evidence, gather
from dadeum.report.scores import categories, elsewhere, judged, labels, scores
from tests.evaluate.test_judge_table import FOUND
from tests.report.made_up import comparison, evaluation, metric, run, whole


def tables(section: Section | None) -> list[Table]:
    assert section is not None
    return [block for block in section.blocks if isinstance(block, Table)]


def texts(section: Section) -> str:
    return "\n".join(block.text for block in section.blocks if isinstance(block, Text))


def compared(tmp_path: Path, *metrics: dict[str, Any], **more: Any) -> Evidence:
    return gather(run(tmp_path, {"evaluation/comparison.json": comparison(*metrics, **more)}))


def test_the_table_of_both_models(tmp_path: Path) -> None:
    section = scores(gather(whole(tmp_path)))
    (table,) = tables(section)
    assert [name for name, _ in table.columns][:5] == ["metric", "", "base", "tuned", "random pairs: tuned"]
    assert table.rows[0] == (
        "perplexity ↓", "better", "9", "4", "0.15", "−5", "[−5.05, −4.95]", "0.004", "7/2/1",
    )  # fmt: skip
    assert [row[1] for row in table.rows] == ["better", "better", "worse"]
    assert [block.name for block in section.blocks if isinstance(block, Figure)] == ["scores", "moved"]
    assert "a note" in texts(section)


def test_unlike_tokenizers_are_not_ranked(tmp_path: Path) -> None:
    (table,) = tables(scores(compared(tmp_path, metric("perplexity", 9, 4, differences={}, ranked=False))))
    assert table.rows[0][1] == "not ranked" and table.rows[0][-3:] == ("–", "–", "–")


def test_the_spread_over_seeds_stands_beside(tmp_path: Path) -> None:
    seeds = {
        "seeds": [1, 2, 3],
        "metrics": {"rougeL": {"values": {}, "mean": 0.5, "sd": 0.0123, "low": 0.4, "high": 0.6}},
    }
    section = scores(compared(tmp_path, metric("rougeL", 0.3, 0.5), metric("chrf", 0.3, 0.5), seeds=seeds))
    (table,) = tables(section)
    assert ("± over seeds", "right") in table.columns
    assert "±0.012" in table.rows[0] and "–" in table.rows[1] and "seeds 1, 2, 3" in texts(section)


def test_the_page_of_the_comparison_is_linked_where_it_is(tmp_path: Path) -> None:
    def links(place: Any) -> list[str]:
        return [block.target for block in scores(gather(place)).blocks if isinstance(block, Link)]

    assert links(whole(tmp_path)) == []
    assert links(whole(tmp_path, **{"evaluation/comparison.html": "x"})) == ["evaluation/comparison.html"]


def test_one_model_alone_and_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    alone = scores(gather(run(tmp_path, {"evaluation/base_model_evaluation.json": evaluation()})))
    assert tables(alone)[0].rows == (("rougeL ↑", "0.5", "[0.4, 0.6]", "10"),) and "not held against" in texts(alone)
    none = gather(run(tmp_path / "none"))
    assert texts(scores(none)) == "Not measured: the training did not come to its end."
    monkeypatch.setattr(Evidence, "trained", True)
    assert texts(scores(none)) == "Not measured: only the training was run. `dadeum run 실험` measures it."
    none.statistics = {"parts": {"train": {"rows": 5}}}
    assert texts(scores(none)) == "Not measured: the data have no test rows."


def test_elsewhere(tmp_path: Path) -> None:
    row = {
        "task": "general-text",
        "metric": "bits_per_byte",
        "higher_is_better": False,
        "n": 60,
        "base": 1.1,
        "tuned": 1.5,
    }
    lost = {**row, "difference": 0.4, "interval": [0.3, 0.5], "verdict": "worse"}
    bare = {**row, "difference": 0.4, "interval": None, "verdict": "unknown"}
    (table,) = tables(elsewhere(compared(tmp_path, metric("rougeL", 0.3, 0.5), tasks=[lost, bare])))
    assert table.rows[0] == (
        "general-text (60)",
        "bits_per_byte ↓",
        "1.1",
        "1.5",
        "+0.4 [+0.3, +0.5]",
        "forgotten",
    )
    assert table.rows[1][-2:] == ("+0.4", "")
    assert elsewhere(gather(whole(tmp_path))) is None


def test_categories_of_the_metric_that_rows_are_sorted_by(tmp_path: Path) -> None:
    held = {"difference": 0.2, "low": 0.1, "high": 0.3, "clear": True}
    values = {"base": 0.3, "tuned": 0.5}
    told = {
        "few": 10,
        "metrics": {
            "chrf": {"x": {"n": 1, "values": values, "differences": {}}},
            "rougeL": {
                "<민법>": {"n": 20, "values": values, "differences": {"tuned": held}},
                "": {"n": 3, "values": values, "differences": {}},
            },
        },
    }
    found = compared(
        tmp_path, metric("chrf", 0.1, 0.2), metric("rougeL", 0.3, 0.5), categories=told, changes={"metric": "rougeL"}
    )
    section = categories(found)
    assert section is not None and section.title == "By category: rougeL ↑" and "fewer than 10 rows" in texts(section)
    assert tables(section)[0].rows == (
        ("<민법>", "20", "0.3", "0.5", "+0.2 [+0.1, +0.3] better"),
        ("–", "3", "0.3", "0.5", "+0.2"),
    )


def test_labels_of_a_head(tmp_path: Path) -> None:
    confusion = {"sentiment": {"names": ["<bad>", "good"], "counts": [[9, 3], [0, 0]]}}
    found = gather(run(tmp_path, {"evaluation/finetuned_model_evaluation.json": evaluation(confusion=confusion)}))
    (table,) = tables(labels(found))
    assert table.rows == (("<bad>", "9", "3", "75 %"), ("good", "0", "0", "–"))
    assert labels(gather(whole(tmp_path))) is None


def test_of_several_labels_a_row_each_is_told_by_itself(tmp_path: Path) -> None:
    """In the form in which an evaluation counts them: [[no, over], [missed, hit]] a class."""
    confusion = {"hate": {"names": ["여성", "노인"], "counts": [[[5, 1], [2, 7]], [[15, 0], [0, 0]]]}}
    found = gather(run(tmp_path, {"evaluation/finetuned_model_evaluation.json": evaluation(confusion=confusion)}))
    section = labels(found)
    assert section is not None and isinstance(section.blocks[0], Table)
    assert section.blocks[0].rows == (("여성", "7", "2", "1", "5"), ("노인", "0", "0", "0", "15"))
    assert [name for name, _ in section.blocks[0].columns][1:4] == ["found", "missed", "said wrongly"]


def test_a_judge(tmp_path: Path) -> None:
    section = judged(compared(tmp_path, metric("rougeL", 0.3, 0.5), judge=FOUND))
    assert section is not None and isinstance(section.blocks[0], Table)
    assert section.title.startswith("Judge <img onerror>") and section.blocks[0].rows[0][0] == "a|b"
    assert len(section.blocks) == 4 and section.blocks[0].rows[0][1] == "0.625 [0.25, 1]"
    assert judged(gather(whole(tmp_path))) is None and categories(gather(whole(tmp_path))) is None
