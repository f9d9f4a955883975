"""What heads say of test rows, scored; and the baseline that reads nothing."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from dadeum.config.evaluate import EvaluateSettings
from dadeum.config.purpose import Purpose, Target
from dadeum.core.errors import ArtifactError, ModelError
from dadeum.core.progress import Silent
from dadeum.data.labels import UNLABELLED, Labels
from dadeum.data.samples import Entry, Samples
from dadeum.evaluate.compare import compare
from dadeum.evaluate.heads import Baseline, Said, evaluate_heads, labels_of, measures, refuse_other, truths
from dadeum.evaluate.result import EvaluationResult
from dadeum.tokenizer.load import load_tokenizer
from tests.data.small import Data

PURPOSES = {
    "class": Purpose("head", "labels", (Target("h", "class"),)),
    "multi": Purpose(
        "head",
        "labels",
        (Target("mood", "class", "mood"), Target("tags", "classes", "tags"), Target("stars", "numbers", "stars")),
    ),
    "words": Purpose("head", "words", (Target("h", "class"),)),
    "choices": Purpose("head", "choices", (Target("h", "class"),)),
    "pair": Purpose("reward", "pair"),
}


def row(kind: str, i: int) -> dict[str, Any]:
    mood = "good" if i % 3 else "bad"
    return {
        "class": {"text": f"글 {i}", "label": mood},
        "multi": {"text": f"글 {i}", "mood": mood, "tags": ["x", "y"][: i % 3], "stars": None if i % 5 == 0 else i % 4},
        "words": {"tokens": ["나는", "서울에", f"간다{i}"], "ner_tags": ["O", "B-LC" if i % 2 else "O", "O"]},
        "choices": {"question": f"물음 {i}", "choices": ["가", "나", "다"], "answer": i % 3},
        "pair": {"prompt": f"물음 {i}", "chosen": f"좋은 답 {i}", "rejected": f"나쁜 답이다 {i}"},
    }[kind]


def formatted(tmp_path: Path, kind: str, count: int = 60) -> Path:
    data = Data(tmp_path)
    text = "".join(json.dumps(row(kind, i), ensure_ascii=False) + "\n" for i in range(count))
    source = {"type": "jsonl", "path": data.write("rows.jsonl", text)}
    return data.format(data.settings(source, split={"test": 0.4}), PURPOSES[kind])


class Oracle:
    """Says what is true, but for the rows whose numbers a seed draws."""

    name = "oracle"

    def __init__(self, labels: Labels | None, wrong: float = 0.0) -> None:
        self.labels, self.draw, self.wrong = labels, np.random.default_rng(0), wrong
        self.facts: Mapping[str, Any] = {"device": "cpu", "dtype": "float32"}

    def predict(self, entries: Sequence[Entry]) -> list[Said]:
        return [self._of(entry) for entry in entries]

    def _of(self, entry: Entry) -> Said:
        if self.labels is None:
            return {"reward": np.array([1.0, 0.0])}
        found: Said = {}
        for head, truth in zip(self.labels.heads, truths(self.labels, entry.targets), strict=True):
            known = np.nan_to_num(truth)
            if head.kind == "words":
                ids = np.where(entry.targets == UNLABELLED, 0, entry.targets).astype(int)
                found[head.head] = np.eye(head.size)[ids]
            elif head.kind in ("class", "choice"):
                size = 3 if head.kind == "choice" else head.size
                other = self.draw.random() < self.wrong
                found[head.head] = np.eye(size)[(int(known[0]) + other) % size]
            else:
                found[head.head] = known
        return found


def scored(folder: Path, kind: str, who: Any = None, **keys: Any) -> EvaluationResult:
    labels = labels_of(folder)
    who = who or Oracle(labels)
    settings = EvaluateSettings.model_validate({"bootstrap": 100, **keys})
    return evaluate_heads(who, folder, settings, labels=labels, dataset="d", reporter=Silent())


@pytest.mark.parametrize(
    ("kind", "best"),
    [
        ("class", {"accuracy": 1, "f1_macro": 1, "f1_micro": 1, "auroc": 1}),
        (
            "multi",
            {
                "mood.accuracy": 1,
                "tags.accuracy": 1,
                "mood.f1_macro": 1,
                "tags.auroc": 1,
                "stars.pearson": 1,
                "stars.spearman": 1,
                "stars.mae": 0,
                "stars.rmse": 0,
            },
        ),
        ("words", {"entity_f1": 1, "entity_precision": 1, "accuracy": 1, "f1_macro": 1}),
        ("choices", {"accuracy": 1}),
        ("pair", {"pair_accuracy": 1}),
    ],
)
def test_who_says_what_is_true_beats_who_reads_nothing(tmp_path: Path, kind: str, best: dict[str, float]) -> None:
    folder = formatted(tmp_path, kind)
    result = scored(folder, kind)
    assert {name: result.metrics[name]["value"] for name in best} == pytest.approx(best)
    base = scored(folder, kind, Baseline(labels_of(folder), Samples.open(folder / "train.arrow")))
    assert set(base.metrics) == set(result.metrics)
    again = EvaluationResult.read(base.write(tmp_path / "base.json"))
    found = compare([("base", again), ("tuned", result)], draws=200, seed=1)
    for metric in found.metrics:
        gain = metric.differences["tuned"]
        low, high = (gain.low, gain.high) if metric.higher_is_better else (-gain.high, -gain.low)
        assert low >= 0 and high > 0, metric.name
    assert any("reads no text" in note for note in found.notes)
    assert len(result.samples) == len(Samples.open(folder / "test.arrow"))


def test_rows_in_words(tmp_path: Path) -> None:
    sample = {s["source_row"]: s for s in scored(formatted(tmp_path / "m", "multi"), "multi").samples}
    asked = next(s for number, s in sample.items() if number % 5 and number % 3 == 2)
    assert asked["question"].startswith("글 ") and asked["reference"] == asked["prediction"]
    stars = asked["source_row"] % 4
    assert asked["reference"] == f"mood: good · tags: x, y · stars: {stars}"
    nothing = next(s for number, s in sample.items() if number % 5 == 0)
    assert nothing["reference"].endswith("stars: ") and "stars.mae" not in nothing["statistics"]
    words = scored(formatted(tmp_path / "w", "words"), "words").samples[0]
    assert words["reference"].split()[0] == "O" and len(words["reference"].split()) == 3
    choice = scored(formatted(tmp_path / "c", "choices"), "choices").samples[0]
    assert choice["reference"] == ("가", "나", "다")[choice["source_row"] % 3]


def test_confusion(tmp_path: Path) -> None:
    folder = formatted(tmp_path, "class")
    result = scored(folder, "class", Oracle(labels_of(folder), wrong=0.3))
    matrix = result.confusion["h"]
    assert matrix["names"] == ["bad", "good"]
    counts = np.array(matrix["counts"])
    assert counts.sum() == len(result.samples) and 0 < counts.trace() < counts.sum()
    assert counts.trace() / counts.sum() == pytest.approx(result.metrics["accuracy"]["value"])
    assert counts.sum(axis=1).tolist() == [
        sum(s["reference"] == name for s in result.samples) for name in ("bad", "good")
    ]
    several = scored(formatted(tmp_path / "m", "multi"), "multi").confusion["tags"]
    assert [sum(map(sum, cell)) for cell in several["counts"]] == [24, 24]


def test_batches_and_limits_change_nothing_but_the_number_of_rows(tmp_path: Path) -> None:
    folder = formatted(tmp_path, "class")
    whole, one = (scored(folder, "class", batch_size=size) for size in (16, 1))
    assert whole.metrics == one.metrics and len(scored(folder, "class", limit=7).samples) == 7


def test_metrics_that_were_asked_for(tmp_path: Path) -> None:
    folder = formatted(tmp_path, "words")
    assert set(scored(folder, "words", metrics=["accuracy"]).metrics) == {"accuracy"}
    kinds = [("words", ("NN", "VB"))]
    assert [metric.type for metric in measures(EvaluateSettings(), kinds)] == ["f1", "accuracy"]
    with pytest.raises(ArtifactError, match="entity_f1 needs names such as B-PER, I-PER and O, found: NN, VB"):
        measures(EvaluateSettings.model_validate({"metrics": ["entity_f1"]}), kinds)


def test_what_is_no_number_is_the_weights_fault(tmp_path: Path) -> None:
    class Broken(Oracle):
        def predict(self, entries: Sequence[Entry]) -> list[Said]:
            return [{"h": np.array([np.nan, 0.0])} for _ in entries]

    folder = formatted(tmp_path, "class")
    with pytest.raises(ModelError, match=r"oracle: what head 'h' says of test row \d+ is not a number"):
        scored(folder, "class", Broken(labels_of(folder)))


def test_a_model_of_other_labels_or_another_tokenizer_is_refused(tmp_path: Path) -> None:
    folder = formatted(tmp_path, "class")
    labels = labels_of(folder)
    tokenizer = load_tokenizer(folder / "prompt")

    def model(names: tuple[str, ...], tokenizer: Any) -> Any:
        outlet = SimpleNamespace(head="h", kind="class", names=names)
        return SimpleNamespace(name="m", outlets=(outlet,), tokenizer=tokenizer)

    refuse_other(model(("bad", "good"), tokenizer), labels, folder)
    with pytest.raises(
        ArtifactError,
        match=r"m: says h \(class: good, bad\), and the test rows are labelled for h \(class: bad, good\)",
    ):
        refuse_other(model(("good", "bad"), tokenizer), labels, folder)
    other = load_tokenizer(folder / "prompt", new_tokens=("<new>",))
    with pytest.raises(
        ArtifactError, match="m: has another tokenizer than the one that the test rows were written with"
    ):
        refuse_other(model(("bad", "good"), other), labels, folder)
