"""`dadeum explain` from the experiment to the facts: which row, which step, and nothing left behind."""

import json
from pathlib import Path

import pytest

from dadeum.cli.view import View
from dadeum.core.artifact import read_json
from dadeum.core.errors import DataError, TrainError
from dadeum.core.workspace import Workspace
from dadeum.explain.facts import Explanation
from dadeum.run.explaining import embedded, explain, the_experiment
from dadeum.run.stages import make_plan
from tests.run.lab import NAME, files_below, lab_of, make_workspace, stale


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_workspace(tmp_path_factory.mktemp("explain") / "lab")


@pytest.fixture(scope="module")
def found(place: Path) -> Explanation:
    return explain(lab_of(place), View())


def test_the_row_is_that_of_the_file(place: Path, found: Explanation) -> None:
    row = found.row
    line = (place / "rows.csv").read_text(encoding="utf-8").splitlines()[row.source_row + 1]
    assert row.where == f"rows.csv:{row.source_row + 2}" and ",".join(row.cells.values()) == line
    assert [m["content"] for m in row.messages if m["role"] != "system"] == line.split(",")
    assert line.split(",")[1] in row.text and row.source_row in found.taken.rows
    assert len(found.taken.tokens) == row.trained and "data.train_on: assistant" in row.trains
    text = row.text.encode()
    assert found.painted is not None and found.painted.shown[0].samples[0].text().encode() == text


def test_nothing_is_left_in_the_runs(place: Path, found: Explanation) -> None:
    assert not list((place / "experiments").glob("*/*/manifest.json"))
    assert [f.name for f in (place / "checkpoints" / NAME).iterdir()] == [
        f.name for f in (place / "checkpoints" / NAME).glob("base-*")
    ]
    assert stale(place)[0] == "eval base"  # the data stages were made
    before = files_below(place)
    again = explain(lab_of(place), View(), trainer=False)
    assert files_below(place) == before
    assert (again.taken.loss, again.taken.weights_sha256) == (found.taken.loss, found.taken.weights_sha256)


def test_rows_that_are_not_trained_say_so(place: Path, found: Explanation) -> None:
    lab = lab_of(place)
    with pytest.raises(DataError, match="--row: found '60', expected a number from 0 to 59"):
        explain(lab, View(), row="60")
    parts = {row["part"]: row for row in read_json(_conversations(place))}
    where = parts["test"]["where"]
    with pytest.raises(DataError, match=f"{where}, which is of the part 'test' and never trained"):
        explain(lab, View(), row=where)
    asked = explain(lab, View(), row=str(parts["train"]["source_row"]), trainer=False)
    assert asked.row.source_row == asked.taken.shown == parts["train"]["source_row"]


def test_a_row_that_was_dropped_says_why(tmp_path: Path) -> None:
    root = make_workspace(tmp_path / "lab")
    with (root / "rows.csv").open("a", encoding="utf-8") as file:
        file.write(f"긴 질문?,{'아주 긴 답 ' * 80}\n")
    lab = lab_of(root, "data.overlong=drop", "data.split={validation: 0, test: 0}")
    with pytest.raises(DataError, match=r"--row: rows\.csv:62 was dropped"):
        explain(lab, View(), row="60")


def _conversations(place: Path) -> Path:
    (file,) = place.glob("data/processed/preprocessed-*/processed_conversations.json")
    return file


def test_answers_that_are_compared(written: Path) -> None:
    """The objective's own terms, the Trainer has none."""
    pairs = [{"prompt": f"{n}번은?", "chosen": f"{n}의 답은 {n * 7}", "rejected": f"모름 {n}"} for n in range(40)]
    text = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in pairs)
    (written / "pairs.jsonl").write_text(text, encoding="utf-8")
    lab = lab_of(written, "data.sources=[{type: jsonl, path: pairs.jsonl}]", "train.objective=dpo")
    found = explain(lab, View())
    loss = found.taken.loss
    assert not loss.of_rows and loss.recomputed is None and found.taken.tokens
    total, weight = sum(t.total for t in loss.terms), sum(t.weight for t in loss.terms)
    assert loss.loop == pytest.approx(total / weight, abs=1e-6)
    assert "'dpo'" in found.taken.trainer.why and found.taken.trainer.sides == ()


def test_the_only_experiment(tmp_path: Path) -> None:
    workspace = Workspace(tmp_path)
    assert the_experiment(workspace) is None
    (tmp_path / "configs").mkdir()
    (tmp_path / "configs" / "a.yaml").write_text("name: a\n", encoding="utf-8")
    assert the_experiment(workspace) == "a"
    (tmp_path / "configs" / "b.yaml").write_text("name: b\n", encoding="utf-8")
    with pytest.raises(TrainError, match=r"configs/ has a, b; name one: dadeum explain a"):
        the_experiment(workspace)


def test_the_embedded_experiment_is_gone_afterwards() -> None:
    with embedded(["train.seed=7"]) as lab:
        assert lab.experiment.name == "quickstart" and lab.experiment.train.seed == 7
        assert make_plan(lab).step("download").fresh
        root = lab.workspace.root
    assert not root.exists()


@pytest.mark.slow
def test_the_quickstart() -> None:
    """Full training of the embedded model, and LoRA on it: what is printed is what was computed."""
    for overrides in ([], ["adapter={type: lora, r: 4, lora_dropout: 0.1}", "train.per_device_train_batch_size=4"]):
        with embedded(overrides) as lab:
            taken = explain(lab, View()).taken
        assert taken.step == 2 and taken.skipped == 1
        assert taken.loss.recomputed == pytest.approx(taken.loss.loop, abs=1e-5)
        assert taken.update.difference is not None and taken.update.difference <= 1e-7
        assert [side for side in taken.trainer.sides if side.difference > 1e-5] == [] and taken.trainer.worst <= 1e-5
