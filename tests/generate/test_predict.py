"""Files of predictions: in order, whole or not at all, the same for every size of a batch."""

import csv
import json
from pathlib import Path
from typing import Any

import pytest

from dadeum.core.errors import DataError
from dadeum.core.progress import Silent
from dadeum.generate.label_rows import survey
from dadeum.generate.predict import check_output, flattened, predict_file
from dadeum.generate.predictor import Predictor
from tests.generate.heads import opened, trained


@pytest.fixture(scope="module")
def predictors(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Predictor]:
    names = ("sequence_classification", "token_classification", "reward", "multi")
    return opened(trained(tmp_path_factory.mktemp("models"), *names))


def texts(path: Path, count: int = 9) -> Path:
    lines = "".join(f"{n},{' '.join(f'w{5 + (n * k) % 90}' for k in range(1, 2 + n % 5))}\n" for n in range(count))
    path.write_text("id,document\n" + lines, encoding="utf-8")
    return path


def predicted(predictor: Predictor, path: Path, out: Path | None, size: int = 2, **more: Any) -> int:
    return predict_file(
        predictor, path, survey(path), out, columns={}, batch_size=size, reporter=more.pop("reporter", Silent()), **more
    )


class _Counts(Silent):
    def __init__(self) -> None:
        self.total: float | None = None
        self.done: list[float] = []

    def start(self, title: str, total: float | None = None, unit: str = "") -> None:
        self.total = total

    def advance(self, done: float, **facts: object) -> None:
        self.done.append(done)


def test_rows_keep_their_order_their_cells_and_their_numbers(predictors: dict[str, Predictor], tmp_path: Path) -> None:
    path, one = texts(tmp_path / "in.csv", 70), predictors["sequence_classification"]
    counts = _Counts()
    assert predicted(one, path, tmp_path / "a.jsonl", 2, reporter=counts) == 0
    assert counts.total == 70 and counts.done[-1] == 70 and counts.done == sorted(counts.done)
    predicted(one, path, tmp_path / "b.jsonl", 64)
    rows, others = (
        [json.loads(line) for line in (tmp_path / name).read_text("utf-8").splitlines()]
        for name in ("a.jsonl", "b.jsonl")
    )
    assert [row["id"] for row in rows] == [str(n) for n in range(70)]
    for row, other in zip(rows, others, strict=True):
        assert row["predicted"]["label"] == other["predicted"]["label"]
        assert row["predicted"]["probabilities"] == pytest.approx(other["predicted"]["probabilities"], abs=1e-6)
    shown: list[str] = []
    predicted(one, path, None, 2, show=shown.append)
    assert [json.loads(line) for line in shown] == rows
    predicted(one, path, tmp_path / "c.csv", 2)
    with (tmp_path / "c.csv").open(encoding="utf-8-sig", newline="") as file:
        table = list(csv.DictReader(file))
    assert list(table[0]) == [
        "id",
        "document",
        "predicted_label",
        "probability_나쁨",
        "probability_보통",
        "probability_좋음",
    ]
    assert [line["predicted_label"] for line in table] == [row["predicted"]["label"] for row in rows]
    assert float(table[3]["probability_보통"]) == pytest.approx(rows[3]["predicted"]["probabilities"]["보통"])


def test_several_heads_words_and_scores_have_columns_of_their_own(
    predictors: dict[str, Predictor], tmp_path: Path
) -> None:
    path = texts(tmp_path / "in.csv")
    predicted(predictors["multi"], path, tmp_path / "m.csv")
    with (tmp_path / "m.csv").open(encoding="utf-8-sig", newline="") as file:
        table = list(csv.DictReader(file))
    assert len(table) == 9 and list(table[0])[2:] == [
        "감정_predicted_label", "감정_probability_나쁨", "감정_probability_보통", "감정_probability_좋음",
        "score_predicted_value", "topics_predicted_labels", "topics_probability_나쁨", "topics_probability_보통",
    ]  # fmt: skip
    assert all(
        json.loads(line["topics_predicted_labels"]) in ([], ["나쁨"], ["보통"], ["나쁨", "보통"]) for line in table
    )
    predicted(predictors["token_classification"], path, tmp_path / "w.jsonl")
    for line in (tmp_path / "w.jsonl").read_text("utf-8").splitlines():
        row = json.loads(line)
        assert row["predicted"]["words"] == row["document"].split()
        assert (
            len(row["predicted"]["labels"]) == len(row["predicted"]["words"]) == len(row["predicted"]["probabilities"])
        )
    pairs = tmp_path / "p.jsonl"
    pairs.write_text('{"prompt": "w5", "chosen": "w6", "rejected": "w7"}\n', encoding="utf-8")
    predicted(predictors["reward"], pairs, tmp_path / "r.jsonl")
    said = json.loads((tmp_path / "r.jsonl").read_text("utf-8"))["predicted"]
    assert set(said) == {"score", "rejected_score"} and said["score"] != said["rejected_score"]


def test_a_bad_row_in_the_middle_leaves_no_half_file(predictors: dict[str, Predictor], tmp_path: Path) -> None:
    path = texts(tmp_path / "in.csv", 70)
    with path.open("a", encoding="utf-8") as file:
        file.write("70,\n")
    with pytest.raises(DataError, match=r"in.csv:72: column 'document' is blank"):
        predicted(predictors["sequence_classification"], path, tmp_path / "a.csv")
    assert [f.name for f in tmp_path.iterdir()] == ["in.csv"]


def test_a_name_that_cannot_be_written_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"a.xlsx: found '.xlsx', expected a name that ends in .csv or .jsonl"):
        check_output(tmp_path / "a.xlsx", tmp_path / "in.csv")
    with pytest.raises(DataError, match=r"nowhere: no such folder"):
        check_output(tmp_path / "nowhere" / "a.csv", tmp_path / "in.csv")
    (tmp_path / "folder.csv").mkdir()
    with pytest.raises(DataError, match=r"folder.csv: is a folder, expected a file"):
        check_output(tmp_path / "folder.csv", tmp_path / "in.csv")
    path = texts(tmp_path / "in.csv")
    with pytest.raises(DataError, match=r"in.csv: holds the rows themselves, which would be overwritten"):
        check_output(tmp_path / ".." / tmp_path.name / "in.csv", path)


def test_a_column_of_the_file_is_never_taken_for_the_prediction(
    predictors: dict[str, Predictor], tmp_path: Path
) -> None:
    """What was predicted once is predicted again: the older answers are neither lost nor doubled."""
    one = predictors["sequence_classification"]
    for name, column in (("a.csv", "predicted_label"), ("a.jsonl", "predicted")):
        predicted(one, texts(tmp_path / "in.csv"), tmp_path / name)
        with pytest.raises(DataError, match=rf"{name}: has a column '{column}' already, where the prediction would"):
            predicted(one, tmp_path / name, tmp_path / f"again-{name}")
    assert not list(tmp_path.glob("*again*"))


def test_no_cell_of_any_row_is_lost(predictors: dict[str, Predictor], tmp_path: Path) -> None:
    """Rows of JSON have cells of their own; dates of Parquet are no JSON."""
    import datetime

    import pyarrow
    from pyarrow import parquet

    one = predictors["sequence_classification"]
    (tmp_path / "in.jsonl").write_text('{"document": "w5"}\n{"document": "w6", "tags": ["x"]}\n', encoding="utf-8")
    predicted(one, tmp_path / "in.jsonl", tmp_path / "a.csv")
    with (tmp_path / "a.csv").open(encoding="utf-8-sig", newline="") as file:
        assert [(row["document"], row["tags"]) for row in csv.DictReader(file)] == [("w5", ""), ("w6", '["x"]')]
    table = pyarrow.table({"document": ["w5"], "day": [datetime.date(2026, 1, 2)]})
    parquet.write_table(table, tmp_path / "in.parquet")
    predicted(one, tmp_path / "in.parquet", tmp_path / "b.jsonl")
    assert json.loads((tmp_path / "b.jsonl").read_text("utf-8"))["day"] == "2026-01-02"


def test_formulas_are_text_to_a_spreadsheet(predictors: dict[str, Predictor], tmp_path: Path) -> None:
    (tmp_path / "in.csv").write_text("document\n=w5\n", encoding="utf-8")
    predicted(predictors["sequence_classification"], tmp_path / "in.csv", tmp_path / "a.csv")
    assert "\n'=w5," in (tmp_path / "a.csv").read_text("utf-8-sig")
    assert flattened({"a": {"value": 1.0}, "b": {"labels": []}}) == {"a_predicted_value": 1.0, "b_predicted_labels": []}
