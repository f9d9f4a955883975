"""`dadeum predict rows.csv`: from an experiment with a head to labels in a file; what cannot be is one sentence."""

import csv
import json
import random
from pathlib import Path

import pytest

from scripts.head_cases import make_base
from tests.run.lab import cli, fine

EXPERIMENT = """name: cls
model: {name_or_path: base}
adapter: {type: lora, r: 4}
head: {type: sequence_classification, column: 등급}
data:
  sources: [{type: csv, path: d.csv}]
  columns: {text: 본문}
  split: {validation: 0.1, test: 0.1}
  max_length: 64
train: {max_steps: 30, total_train_batch_size: 16, per_device_train_batch_size: 8, learning_rate: 5e-3}
"""


def text(draw: random.Random) -> tuple[str, str]:
    good = draw.random() < 0.5
    words = [f"w{draw.randint(7, 110)}" for _ in range(draw.randint(2, 8))]
    return " ".join([*words, "w5" if good else "w6"]), "좋음" if good else "나쁨"


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A workspace with a trained classifier, under the names that its data have."""
    root, draw = tmp_path_factory.mktemp("lab"), random.Random(0)
    make_base(root)
    for name, count in (("d.csv", 80), ("new.csv", 30)):
        with (root / name).open("w", encoding="utf-8", newline="") as file:
            writer = csv.writer(file)
            writer.writerow(["본문", "등급"])
            writer.writerows(text(draw) for _ in range(count))
    (root / "exp.yaml").write_text(EXPERIMENT, encoding="utf-8")
    said = fine(root, "train", "exp.yaml")
    assert "dadeum predict … -m cls" in said.out and "dadeum ask" not in said.out
    return root


def test_labels_are_said_by_name_and_are_right(lab: Path) -> None:
    said = fine(lab, "predict", "new.csv", "-o", "out.csv")
    assert "30 rows in out.csv" in said.out
    with (lab / "out.csv").open(encoding="utf-8-sig", newline="") as file:
        table = list(csv.DictReader(file))
    assert list(table[0]) == ["본문", "등급", "predicted_label", "probability_나쁨", "probability_좋음"]
    assert sum(line["등급"] == line["predicted_label"] for line in table) >= 28
    assert all(0.99 < float(line["probability_나쁨"]) + float(line["probability_좋음"]) < 1.01 for line in table)
    assert list((lab / "experiments").glob("inference_*.log"))


def test_without_a_file_the_screen_has_lines_of_json_only(lab: Path) -> None:
    said = fine(lab, "predict", "new.csv", "-m", "cls", "--batch_size", "3")
    lines = [json.loads(line) for line in said.out.splitlines()]
    assert len(lines) == 30 and all(line["predicted"]["label"] in ("좋음", "나쁨") for line in lines)


def test_other_columns_are_named_and_merged_models_say_the_same(lab: Path) -> None:
    fine(lab, "export", "merged")
    merged = next(lab.glob("checkpoints/cls/*/merged")).relative_to(lab).as_posix()
    rows = (lab / "new.csv").read_text("utf-8").replace("본문", "글", 1)
    (lab / "other.csv").write_text(rows, encoding="utf-8")
    fine(lab, "predict", "other.csv", "-o", "other.jsonl", "--column", "text=글", "-m", merged)
    ours = [json.loads(line)["predicted"] for line in fine(lab, "predict", "new.csv").out.splitlines()]
    theirs = [json.loads(line)["predicted"] for line in (lab / "other.jsonl").read_text("utf-8").splitlines()]
    for one, other in zip(ours, theirs, strict=True):
        assert one["probabilities"] == pytest.approx(other["probabilities"], abs=1e-5)


def test_transformers_pipeline_says_the_same_of_the_merged_model(lab: Path) -> None:
    """Text in, label and probability out, in batches: the same ids, the same padding, the same names."""
    from transformers import pipeline

    fine(lab, "export", "merged")
    asked = pipeline(
        "text-classification", model=str(next(lab.glob("checkpoints/cls/*/merged"))), top_k=None, device="cpu"
    )
    with (lab / "new.csv").open(encoding="utf-8", newline="") as file:
        texts = [row["본문"] for row in csv.DictReader(file)]
    ours = [json.loads(line)["predicted"]["probabilities"] for line in fine(lab, "predict", "new.csv").out.splitlines()]
    for one, other in zip(asked(texts, batch_size=8), ours, strict=True):
        assert {said["label"]: said["score"] for said in one} == pytest.approx(other, abs=1e-5)


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (("predict", "none.csv"), "none.csv: no such file"),
        (("predict", "new.csv", "-o", "a.docx"), "a.docx: found '.docx', expected a name that ends in .csv or .jsonl"),
        (("predict", "new.csv", "-m", "base"), "base: has no head that says labels, numbers or scores; ask it with `dadeum ask`"),
        (("predict", "new.csv", "--column", "text"), "--column: found 'text', expected our name and the file's"),
        (("predict", "exp.yaml"), "exp.yaml: found '.yaml', expected one of:"),
        (("ask", "안녕?"), "cls: has a head that says labels, numbers or scores, and writes no text; use `dadeum predict FILE`"),
        (("chat",), "and writes no text; use `dadeum predict FILE`"),
        (("bench",), "and writes no text; use `dadeum predict FILE`"),
        (("export", "gguf"), "found 'gguf', which takes models that write text"),
        (("run", "exp.yaml", "export=[{type: gguf}]"), "found 'gguf', which takes models that write text"),
        (("train", "exp.yaml", "head.pooling=first"), "head.pooling: found 'first'"),
        (("train", "exp.yaml", "head.hidden_sizes=[0]"), "head.hidden_sizes.0: found 0"),
        (("train", "exp.yaml", "train.objective=sft"), "train.objective: 'sft' needs tokens, but head 'sequence_classification' gives labels"),
        (("train", "exp.yaml", "head.class_weights={최고: 2.0}"), "head.class_weights: found '최고', expected one of: 나쁨, 좋음"),
        (("train", "exp.yaml", "adapter={type: lora, modules_to_save: [lm_head]}"), "found 'lm_head', the layer that the head takes"),
    ],
)  # fmt: skip
def test_what_cannot_be_is_one_sentence(lab: Path, words: tuple[str, ...], sentence: str) -> None:
    said = cli(lab, *words)
    assert said.code == 2
    assert sentence in said.err and "Traceback" not in said.err and len(said.err.strip().splitlines()) == 1, said.err
