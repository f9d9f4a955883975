"""`dadeum train`: from an experiment, or from flags alone."""

from pathlib import Path

import pytest

from dadeum.cli.commands.train import from_flags
from dadeum.config.load import load
from dadeum.core.artifact import read_json
from dadeum.core.errors import ConfigError, DadeumError
from tests.run.lab import NAME, cli, files_below, fine, inside, lab_of, rows, runs_of, stale


def _base(root: Path) -> str:
    (base,) = (root / "checkpoints" / NAME).glob("base-*")
    return base.relative_to(root).as_posix()


FLAGS = ("--epochs", "1", "--batch_size", "12", "--lr=0.02", "--lora_r", "2", "--output_dir", "out")


def test_flags_alone(ran: Path) -> None:
    (ran / "내 질문.csv").write_text(rows(30), encoding="utf-8")
    said = fine(ran, "train", "--model", _base(ran), "--dataset_path", "내 질문.csv", *FLAGS).out
    (run,) = runs_of(ran, "내-질문")
    assert "optimizer steps" in said and "✓ train" in said and "eval" not in said
    assert {f.name for f in (ran / "out").iterdir()} >= {"adapter_model.safetensors", "deployment_model"}
    stats = read_json(run.evidence / "training_stats.json")
    assert stats["total_train_batch_size"] == 12 and stats["adapter"]["r"] == 2 and stats["epochs"] == 1
    with inside(ran):
        saved = load(run.evidence / "config.yaml", root=ran).experiment
    assert saved.name == "내-질문" and saved.output_dir == "out" and saved.train.learning_rate == 0.02
    assert saved.model.name_or_path == _base(ran) and saved.data.sources[0].type == "csv"
    again = fine(ran, "train", "--config", str(run.evidence / "config.yaml"))
    assert "▶" not in again.out, "the saved YAML is the same experiment"


def test_flags_lie_over_an_experiment(ran: Path) -> None:
    said = fine(ran, "train", NAME, "--lora-r", "2", "--epochs", "0.5", "train.seed=42").out
    assert "▶ train: changed: adapter.r, train.num_train_epochs" in said
    new = runs_of(ran)[-1]
    with inside(ran):
        saved = load(new.evidence / "config.yaml", root=ran).experiment
    assert saved.adapter.r == 2 and saved.adapter.lora_alpha == 8 and saved.train.num_train_epochs == 0.5  # type: ignore[attr-defined]
    assert stale(ran) == []


def test_the_result_is_told(done: Path) -> None:
    said = fine(done, "train", NAME).out
    assert "final loss" in said and "tokens per second" in said and "/final" in said


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ((), "found no experiment and no --dataset-path"),
        (("--model", "x"), "found no experiment and no --dataset-path"),
        (("--dataset-path", "rows.docx", "--model", "x"), "--dataset-path: found 'rows.docx'"),
        (("--dataset-path", "none.csv", "--model", "./tokenizer"), "none.csv"),
        (("--dataset-path", "rows.csv"), "model.name_or_path"),
        ((NAME, "--epochs", "-1"), "num_train_epochs"),
        ((NAME, "--lr", "fast"), "--lr"),
        ((NAME, "--resume-mode", "maybe"), "--resume-mode: found 'maybe', expected one of: ask, auto, never, must"),
        ((NAME, "trian.seed=1"), "trian"),
        (("nowhere",), "nowhere: no such experiment"),
    ],
)
def test_bad_words(written: Path, words: tuple[str, ...], expected: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("MODEL_ID", raising=False)
    before = files_below(written)
    said = cli(written, "train", *words)
    assert said.code == 2 and len(said.errors) == 1 and expected in said.errors[0], said.err
    assert files_below(written) == before


def test_flags_as_a_mapping() -> None:
    found = from_flags({"model": "a/b", "dataset_path": "c/d", "lora_r": None, "lr": 1e-4}, overlay=False)
    assert found == {
        "name": "d",
        "model": {"name_or_path": "a/b"},
        "data": {"sources": [{"type": "hub", "name": "c/d"}]},
        "train": {"learning_rate": 1e-4},
        "adapter": {"type": "lora"},
    }
    assert from_flags({"load_8bit": True, "load_4bit": None}, overlay=True) == {"model": {"load_in_8bit": True}}
    assert from_flags({"lora_r": 4}, overlay=True) == {"adapter": {"type": "lora", "r": 4}}
    kinds = {"a.tsv": "csv", "a.jsonl": "jsonl", "a.JSON": "json", "a.parquet": "parquet", "a.txt": "text"}
    for path, kind in kinds.items():
        assert from_flags({"dataset_path": path}, overlay=False)["data"]["sources"] == [{"type": kind, "path": path}]
    with pytest.raises(ConfigError):
        from_flags({}, overlay=False)


def test_kinds_of_compressed_files_folders_and_patterns(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("parts/a.jsonl.gz", "parts/b/c.jsonl", "mixed/a.csv", "mixed/b.txt", "v1.5/c.tsv", "owner/name/d.md"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("x", encoding="utf-8")
    for path, kind, name in (
        ("some/where.v2.csv.zst", "csv", "where.v2"),
        ("a.ndjson.GZ", "jsonl", "a"),
        ("parts", "jsonl", "parts"),
        ("./parts/", "jsonl", "parts"),
        ("parts/*", "jsonl", "parts"),
        ("mixed/*.txt", "text", "mixed"),
        ("*/*.tsv", "csv", "train"),
        ("v1.5", "csv", "v1.5"),
    ):
        made = from_flags({"dataset_path": path}, overlay=False)
        assert (made["data"]["sources"], made["name"]) == ([{"type": kind, "path": path}], name)
    for path, told in {
        "mixed": r"'mixed' holds files of several kinds \(csv, text\); choose with a pattern such as '\*\.csv'",
        "owner/name/*.md": r"--dataset-path: found 'owner/name/\*\.md', expected a file \(.*\.jsonl.*\.gz",
        "owner/name": r"owner/name: holds no .* file; there are: d\.md",
        "parts/*.csv": r"parts/\*\.csv: matches no file",
        "./none": r"found './none', expected a file",
        "a.gz": "found 'a.gz', expected a file",
    }.items():
        with pytest.raises(DadeumError, match=told):
            from_flags({"dataset_path": path}, overlay=False)


def test_smoke_learns_and_leaves_no_run(written: Path) -> None:
    said = cli(written, "train", NAME, "--smoke", "adapter=full")
    assert said.code == 0, said
    assert "stops by itself" in said.out and "8/8" in said.out
    assert runs_of(written) == [] and lab_of(written).experiment.name == NAME
    assert not list((written / "checkpoints" / NAME).glob("2*"))
