"""Answers side by side: the first, the middle, the last; the largest gains and losses by what was measured."""

from pathlib import Path
from typing import Any

from dadeum.report.beside import LONGEST, beside
from dadeum.report.blocks import Section, Side, Text
from dadeum.report.evidence import gather
from tests.report.made_up import comparison, evaluation, metric, run, whole


def sides(section: Section | None) -> list[Side]:
    assert section is not None
    return [block for block in section.blocks if isinstance(block, Side)]


def place(tmp_path: Path, base: dict[str, Any], tuned: dict[str, Any]) -> Any:
    return run(
        tmp_path, {"evaluation/base_model_evaluation.json": base, "evaluation/finetuned_model_evaluation.json": tuned}
    )


def test_first_middle_last(tmp_path: Path) -> None:
    found = sides(beside(gather(whole(tmp_path))))
    assert [side.title for side in found] == ["first · 1/10", "middle · 6/10", "last · 10/10"]
    assert found[0].asked == (("question", "질문 0"), ("reference", "기준"))
    assert found[0].answers == (("base", "앞"), ("tuned", "뒤"))


def test_gains_and_losses_are_those_that_the_comparison_found(tmp_path: Path) -> None:
    row = {
        "row": 3,
        "question": "<물음>",
        "reference": None,
        "values": {"base": 0.1, "tuned": 0.9},
        "answers": {"base": "앞", "tuned": ""},
    }
    few = {"gains": [], "losses": []}
    changes = {"metric": "rougeL", "models": {"base_few_shot": few, "tuned": {"gains": [row], "losses": [row]}}}
    found = whole(tmp_path, **{"evaluation/comparison.json": comparison(metric("rougeL", 0.1, 0.9), changes=changes)})
    gain, loss = sides(beside(gather(found)))[3:]
    assert (gain.title, gain.asked, gain.answers) == (
        "largest gain · rougeL 0.1 → 0.9", (("question", "<물음>"),), (("base", "앞"), ("tuned", "")),
    )  # fmt: skip
    assert loss.title.startswith("largest loss")


def test_long_answers_are_cut_labels_are_said_and_nothing_is_something(tmp_path: Path) -> None:
    base, tuned = evaluation("x" * 2000), evaluation("")
    tuned["samples"][0]["reference"] = base["samples"][0]["reference"] = {"sentiment": "good", "score": 3}
    first = sides(beside(gather(place(tmp_path, base, tuned))))[0]
    assert first.answers == (("base", "x" * LONGEST + " …"), ("tuned", ""))
    assert dict(first.asked)["reference"] == "sentiment: good, score: 3"


def test_unlike_numbers_of_rows_and_none(tmp_path: Path) -> None:
    short = evaluation()
    short["samples"] = short["samples"][:4]
    section = beside(gather(place(tmp_path, evaluation(), short)))
    assert section is not None and isinstance(section.blocks[0], Text)
    assert beside(gather(run(tmp_path / "none"))) is None
    empty = evaluation(samples=[])
    assert beside(gather(place(tmp_path / "empty", empty, empty))) is None


def test_one_row(tmp_path: Path) -> None:
    one = evaluation()
    one["samples"] = one["samples"][:1]
    assert len(sides(beside(gather(place(tmp_path, one, one))))) == 1
