"""Which rows are shown, and that they are those on disk."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from dadeum.config.data import DataSettings
from dadeum.config.purpose import PRETRAIN, SFT, Purpose, Target
from dadeum.core.errors import ArtifactError, DataError
from dadeum.data.exhibit import Cabinet, Exhibit, read_rows
from dadeum.data.samples import Samples
from dadeum.data.show import Painted
from tests.data.small import Data, csv, write_samples

LONG = "긴 질문입니다. " * 20
ALL = 99


@pytest.fixture
def data(tmp_path: Path) -> Data:
    return Data(tmp_path)


def cabinet(data: Data, settings: DataSettings, purpose: Purpose = SFT) -> Cabinet:
    return Cabinet("tiny", settings, purpose, data.preprocess(settings, purpose), data.format(settings, purpose))


def rows_of(data: Data, *sources: Any, **keys: Any) -> Cabinet:
    split = {"validation": 0.1, "test": 0.1}
    return cabinet(data, data.settings(*sources, **{"split": split, **keys}))


def numbers(found: Exhibit) -> list[int]:
    return [shown.row["source_row"] for shown in found.shown]


def painted(found: Exhibit) -> list[Painted]:
    return [sample for shown in found.shown for sample in shown.samples]


def jsonl(data: Data, *talks: list[str]) -> dict[str, str]:
    roles = ("user", "assistant")
    rows = [{"messages": [{"role": roles[i % 2], "content": t} for i, t in enumerate(talk)]} for talk in talks]
    data.write("rows.jsonl", "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows))
    return {"type": "jsonl", "path": "rows.jsonl"}


@pytest.mark.parametrize("part", ["train", "validation", "test"])
def test_all_rows_of_a_part_are_those_of_its_samples(data: Data, part: Any) -> None:
    data.write("rows.csv", csv(40))
    shelf = rows_of(data, {"type": "csv", "path": "rows.csv"})
    found = shelf.choose(part, ALL)
    on_disk = Samples.open(shelf.formatted / f"{part}.arrow")
    assert sorted(numbers(found)) == sorted(on_disk.source_rows.tolist())
    assert {s.row["source_row"]: [t.id for t in s.samples[0].tokens()] for s in found.shown} == {
        e.source_row: e.input_ids.tolist() for e in on_disk
    }
    assert all(shown.row["where"] == f"rows.csv:{shown.row['source_row'] + 2}" for shown in found.shown)
    assert found.slug == part and not found.notes
    assert found.facts["shown"].startswith(f"{len(on_disk)} of {len(on_disk)} rows (the first, the longest")
    told = found.facts["trained" if part == "train" else "measured"]
    assert told == f"{'the last' if part == 'test' else 'every'} answer with its end token"
    assert found.target == ("trained" if part == "train" else "measured")
    assert part == "train" or found.facts["trained"] == "nothing of this part"


def test_the_spread(data: Data) -> None:
    source = jsonl(data, *(["질문", "답" * n] for n in (5, 3, 9, 1, 9, 2, 4, 6, 7, 8)))
    shelf = rows_of(data, source, split={"validation": 0, "test": 0})
    whys = [(shown.row["source_row"], shown.why) for shown in shelf.choose("train", ALL).shown]
    assert whys[:3] == [(0, "first"), (2, "longest"), (3, "shortest")]
    assert sorted(number for number, _ in whys) == list(range(10))
    assert {why for _, why in whys[3:]} == {"drawn by hash"}
    for count in (1, 2, 3, 5):
        assert [(s.row["source_row"], s.why) for s in shelf.choose("train", count).shown] == whys[:count]


def test_one_row_by_number_or_place(data: Data) -> None:
    data.write("rows.csv", csv(40))
    shelf = rows_of(data, {"type": "csv", "path": "rows.csv"})
    tested = next(row for row in read_rows(shelf.preprocessed) if row["part"] == "test")
    for number in (str(tested["source_row"]), tested["where"]):
        found = shelf.row(number)  # its own part, without being told
        assert numbers(found) == [tested["source_row"]]
        assert found.facts["part"] == "test" and found.slug == f"row-{tested['source_row']}"
        assert tested["messages"][-1]["content"] in found.shown[0].samples[0].text()
    with pytest.raises(DataError, match=r"found '40', expected a number from 0 to 39, or a place such as rows\.csv:2$"):
        shelf.row("40")


def test_a_row_that_was_left_out_before_says_why(data: Data) -> None:
    data.write("rows.csv", csv(12) + "질문만,\n")
    shelf = rows_of(data, {"type": "csv", "path": "rows.csv"}, faulty_rows="drop")
    with pytest.raises(DataError, match=r"^rows\.csv:14: this row was left out, no answer: "):
        shelf.row("12")


def test_what_was_cut_and_what_was_dropped(data: Data) -> None:
    source = jsonl(data, [LONG, "짧은 답"], ["질문", LONG], [LONG, "첫 답", "둘째 질문", "둘째 답"], ["질문", "답"])
    none = {"validation": 0, "test": 0}
    shelf = rows_of(data, source, split=none, max_length=64, overlong="keep_answer")
    found = shelf.choose("train", ALL)
    cut, dropped, turns, whole = sorted(painted(found), key=lambda p: p.row["source_row"])
    assert cut.counts()["total"] == turns.counts()["total"] == 64
    assert cut.counts()["cut"] > 100 and turns.counts()["cut"] > 100
    assert cut.text().endswith("짧은 답<|im_end|>") and LONG in cut.text(cut=True)
    assert turns.text().endswith("둘째 답<|im_end|>") and "첫 답" in turns.text(cut=True)
    assert whole.counts()["cut"] == 0
    assert dropped.counts()["total"] == 0 and LONG in dropped.text(cut=True)
    assert "max_length is 64" in dropped.dropped
    assert found.notes == ["rows of this part that were dropped: 1 (--row shows them: 1)"]
    assert painted(shelf.row("1")) == [dropped]


def test_plain_text_for_pretraining(data: Data) -> None:
    data.write("a.txt", "첫 글입니다 가나다라마바사\n둘째 글\n")
    settings = data.settings({"type": "text", "path": "a.txt"}, split={"validation": 0, "test": 0}, max_length=16)
    found = cabinet(data, settings, PRETRAIN).choose("train", ALL)
    first = [p for p in painted(found) if p.row["source_row"] == 0]
    assert len(first) > 1 and first[0].of == len(first)
    assert sum(p.counts()["trained"] + 1 for p in first) == sum(p.counts()["total"] for p in first)
    assert found.facts["trained"] == "every token"


def test_a_part_without_rows(data: Data) -> None:
    data.write("rows.csv", csv(5))
    shelf = rows_of(data, {"type": "csv", "path": "rows.csv"}, split={"validation": 0, "test": 0})
    with pytest.raises(DataError, match=r"^tiny: the part 'test' has no rows \(train 5, validation 0, test 0\)"):
        shelf.choose("test", 3)


def test_samples_of_other_rows_are_not_painted(data: Data) -> None:
    """The file on disk is what counts: what the rows would give instead is never shown in its place."""
    data.write("rows.csv", csv(20))
    shelf = rows_of(data, {"type": "csv", "path": "rows.csv"})
    path = shelf.formatted / "train.arrow"
    entries = [e._replace(input_ids=e.input_ids.copy(), weights=e.weights.copy()) for e in Samples.open(path)]
    entries[0].weights[np.flatnonzero(entries[0].weights)[-1]] = 0  # the end token is not trained
    write_samples(path, entries)
    with pytest.raises(ArtifactError, match="the samples on disk are not what this row renders to"):
        shelf.row(str(entries[0].source_row))
    assert len(shelf.row(str(entries[1].source_row)).shown) == 1


DPO, KTO = Purpose("dpo", "pair"), Purpose("kto", "rated")


def judged(data: Data, count: int = 30) -> dict[str, str]:
    rows = [{"prompt": f"질문 {n}" * 5, "chosen": f"좋은 답 {n}", "rejected": f"나쁜 {n}" * 3} for n in range(count)]
    data.write("pairs.jsonl", "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows))
    return {"type": "jsonl", "path": "pairs.jsonl"}


@pytest.mark.parametrize("purpose", [DPO, KTO])
@pytest.mark.parametrize("part", ["train", "test"])
def test_both_sides_of_a_pair_are_shown(data: Data, purpose: Purpose, part: Any) -> None:
    """For KTO too these two: what a rating is held against is of another row."""
    settings = data.settings(
        judged(data), split={"validation": 0.1, "test": 0.1}, max_length=60, overlong="keep_answer"
    )
    found = cabinet(data, settings, purpose).choose(part, 4)
    assert len(painted(found)) == 2 * len(found.shown)
    for shown in found.shown:
        number = shown.row["source_row"]
        texts = ["".join(g.text for g in sample.groups if g.trained) for sample in shown.samples]
        assert texts == [f"좋은 답 {number}<|im_end|>", f"{f'나쁜 {number}' * 3}<|im_end|>"]
        assert any(sample.counts()["cut"] for sample in shown.samples)
        names = ["chosen", "rejected"] if purpose is DPO else ["good", "bad"]
        assert [sample.labels for sample in shown.samples] == names


def test_a_rated_answer_says_how_it_is_rated(data: Data) -> None:
    rows = [{"prompt": f"질문 {n}", "completion": f"답 {n}", "label": n % 2 == 0} for n in range(20)]
    data.write("rated.jsonl", "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows))
    settings = data.settings({"type": "jsonl", "path": "rated.jsonl"}, split={"validation": 0, "test": 0})
    found = cabinet(data, settings, KTO).choose("train", 6)
    assert [sample.labels for sample in painted(found)] == [("bad", "good")[n % 2 == 0] for n in numbers(found)]


LABELLED: list[tuple[dict[str, Any], Purpose, str]] = [
    ({"text": "좋다", "label": "pos"}, Purpose("head", "labels", (Target("h", "class"),)), "pos"),
    ({"text": "좋다", "label": ["a", "b"]}, Purpose("head", "labels", (Target("h", "classes"),)), "a, b"),
    ({"text": "좋다", "label": 2.5}, Purpose("head", "labels", (Target("h", "numbers"),)), "2.5"),
    (
        {"text": "좋다", "hate": "n", "bias": None},
        Purpose("head", "labels", (Target("hate", "class", "hate"), Target("bias", "class", "bias", ("x", "y")))),
        "hate: n · bias: -",
    ),
    (
        {"tokens": ["나는", "서울"], "ner_tags": ["O", None]},
        Purpose("head", "words", (Target("h", "class"),)),
        "나는/O 서울/-",
    ),
    (
        {"question": "?", "choices": ["가", "나"], "answer": "B"},
        Purpose("head", "choices", (Target("h", "class"),)),
        "나",
    ),
]


@pytest.mark.parametrize(("row", "purpose", "said"), LABELLED)
def test_rows_with_labels_are_shown_with_what_they_say(
    data: Data, row: dict[str, Any], purpose: Purpose, said: str
) -> None:
    # Another row, so that not all say the same.
    other = {"pos": "neg", 2.5: 1, "n": "m", "B": "A"}
    filled = {"bias": "x"}
    second = {
        key: filled[key] if value is None else other.get(value, value) if isinstance(value, str | float) else value
        for key, value in row.items()
    }
    text = "".join(json.dumps(one, ensure_ascii=False) + "\n" for one in (row, second))
    source = {"type": "jsonl", "path": data.write("rows.jsonl", text)}
    settings = data.settings(source, split={"validation": 0, "test": 0}, allow=["constant_labels"])
    shelf = cabinet(data, settings, purpose)
    (first, *_) = painted(shelf.row("0"))
    entry = Samples.open(shelf.formatted / "train.arrow")[0]
    assert first.labels == said and [t.id for t in first.tokens()] == entry.sequences[0][0].tolist()
    assert len(painted(shelf.row("0"))) == len(entry.sequences)
    assert shelf.choose("train", 1).facts["trained"] == "what a head says of the row"
