"""What a check tells of labels, before anything is made."""

import json
from pathlib import Path
from typing import Any

import pytest

from dadeum.config.purpose import Purpose, Takes, Target
from dadeum.data.findings import Report
from tests.data.checks import check, kinds, small_measure


def found(tmp_path: Path, rows: list[dict[str, Any]], target: Target, takes: Takes = "labels", **keys: Any) -> Report:
    text = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
    (tmp_path / "rows.jsonl").write_text(text, encoding="utf-8")
    return check(tmp_path, "rows.jsonl", purpose=Purpose("head", takes, (target,)), **keys)


def texts(*labels: Any) -> list[dict[str, Any]]:
    return [{"text": f"글 {i}", "label": label} for i, label in enumerate(labels * 10)]


def test_the_balance_of_classes(tmp_path: Path) -> None:
    told = found(tmp_path, texts("a", "b", "a"), Target("h", "class"), measure=small_measure(tmp_path / "t"))
    assert told.trainable and kinds(told, "look") == []
    assert told.facts["labels"]["h"]["counts"] == {"a": 20, "b": 10}
    assert told.facts["labels"]["h"]["line"] == "a 20 (67%) · b 10 (33%)"
    assert told.facts["tokens"]["lengths"]["longest"] > 2


@pytest.mark.parametrize(
    ("rows", "target", "takes", "kind", "reason"),
    [
        (texts("a", "a"), Target("h", "class"), "labels", "constant_labels", "every row says 'a' to head 'h'"),
        (texts("a", "x"), Target("h", "class", None, ("a", "b")), "labels", "unknown label", "cannot learn 10 labels"),
        (texts(1.5, "good"), Target("h", "numbers"), "labels", "unknown label", "cannot learn 10 labels"),
        (
            texts("a", "b"),
            Target("h", "class", "mood"),
            "labels",
            "objective",
            "no column of labels 'mood', found: label",
        ),
        (
            [{"question": f"물음 {i}", "choices": ["가", "나"], "answer": "ABE"[i % 3]} for i in range(30)],
            Target("h", "class"),
            "choices",
            "unknown label",
            "cannot learn 10 labels",
        ),
        (
            [{"tokens": ["나", "너"], "ner_tags": ["O", "B-X"]}, {"tokens": ["나"], "ner_tags": ["O", "B-X"]}],
            Target("h", "class"),
            "words",
            "unequal words and labels",
            "1 of 2 rows cannot be used",
        ),
    ],
)
def test_what_would_stop_a_run(
    tmp_path: Path, rows: list[dict[str, Any]], target: Target, takes: Takes, kind: str, reason: str
) -> None:
    told = found(tmp_path, rows, target, takes)
    assert kind in kinds(told), told.findings
    finding = next(one for one in told.findings if one.kind == kind)
    assert reason in finding.text
    if kind == "unknown label":
        assert finding.places[0].startswith("rows.jsonl:")


def test_numbers_several_classes_words_and_what_is_never_said(tmp_path: Path) -> None:
    told = found(tmp_path, texts(1, "2.5", -3), Target("h", "numbers"))
    assert told.trainable and told.facts["labels"]["h"]["line"] == "-3 – 2.5"
    told = found(tmp_path, texts(["a"], ["a", "b"], []), Target("h", "classes", None, ("a", "b", "c")))
    assert told.facts["labels"]["h"]["counts"] == {"a": 20, "b": 10, "c": 0} and kinds(told, "look") == ["unseen label"]
    words = [{"tokens": ["나", "너", "우리"], "ner_tags": ["O", "B-X", None]}] * 3
    told = found(tmp_path, words, Target("h", "class"), "words")
    assert told.facts["labels"]["h"]["counts"] == {"B-X": 3, "O": 3}


def test_what_settings_take_does_not_stop(tmp_path: Path) -> None:
    told = found(tmp_path, texts("a", "a"), Target("h", "class"), allow=["constant_labels"])
    assert told.trainable and kinds(told, "look") == ["constant_labels"]
    told = found(tmp_path, texts("a", "b", "x"), Target("h", "class", None, ("a", "b")), faulty_rows="drop")
    assert told.trainable and kinds(told, "look") == ["unknown label"]


def test_settings_that_do_not_go_with_labels(tmp_path: Path) -> None:
    told = found(tmp_path, texts("a", "b"), Target("h", "class"), overlong="keep_answer")
    assert any("data.overlong=keep_answer keeps an answer whole" in finding.text for finding in told.findings)
