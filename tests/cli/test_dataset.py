"""What a word means where data is asked for."""

from pathlib import Path

import pytest

from dadeum.cli.dataset import open_dataset, source_of
from dadeum.config.purpose import PRETRAIN, SFT
from dadeum.core.errors import ConfigError, DataError
from tests.data.small import csv
from tests.run.lab import NAME, inside


@pytest.mark.parametrize(
    ("word", "source"),
    [
        ("rows.csv", {"type": "csv", "path": "rows.csv"}),
        ("rows.jsonl.gz", {"type": "jsonl", "path": "rows.jsonl.gz"}),
        ("folder", {"type": "json", "path": "folder"}),
        ("folder/*.json", {"type": "json", "path": "folder/*.json"}),
        ("owner/name", {"type": "hub", "name": "owner/name"}),
    ],
)
def test_source_of(tmp_path: Path, word: str, source: dict[str, str]) -> None:
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder" / "a.json").write_text("[]", encoding="utf-8")
    with inside(tmp_path):
        assert source_of(word) == source


def test_what_no_source_reads(tmp_path: Path) -> None:
    (tmp_path / "rows.xlsx").write_bytes(b"PK")
    for name in ("a.csv", "b.jsonl"):
        (tmp_path / name).write_text("question,answer\n", encoding="utf-8")
    with inside(tmp_path):
        with pytest.raises(ConfigError, match=r"FILE: found 'rows\.xlsx', expected a file \(.*\.csv"):
            source_of("rows.xlsx", "FILE")
        with pytest.raises(ConfigError, match=r"--dataset-path: '\.' holds files of several kinds \(csv, jsonl\)"):
            source_of(".")


def test_a_file_is_data_and_a_name_is_an_experiment(written: Path) -> None:
    with inside(written):
        file = open_dataset("rows.csv", ["data.max_length=99"])
        assert not file.experiment and file.purpose is None and file.lab.experiment.data.max_length == 99
        assert open_dataset("rows.csv", ["train.objective=pretrain"]).purpose == PRETRAIN
        for word in (NAME, f"configs/{NAME}.yaml"):
            named = open_dataset(word, None)
            assert named.experiment and named.purpose == SFT and named.name == NAME


def test_an_experiment_comes_before_a_folder_of_its_name(written: Path) -> None:
    (written / NAME).mkdir()
    (written / NAME / "a.csv").write_text(csv(2), encoding="utf-8")
    with inside(written):
        assert open_dataset(NAME, None).experiment
        assert not open_dataset(f"./{NAME}", None).experiment


def test_what_is_not_there(written: Path) -> None:
    with inside(written):
        with pytest.raises(DataError, match=r"row\.csv: no such file; did you mean 'rows\.csv'"):
            open_dataset("row.csv", None)
        with pytest.raises(ConfigError, match="tinny: no such experiment"):
            open_dataset("tinny", None)
        with pytest.raises(ConfigError, match=r"no\.yaml: no such experiment"):
            open_dataset("no.yaml", None)
