"""dadeum.cli.lessons: all five for real on a tiny model; each leaves its file, and the commands to try work."""

import csv
import json
import shlex
from collections.abc import Iterator
from pathlib import Path

import pytest

from dadeum.cli.lesson_words import ORDER, Named, tries
from dadeum.cli.lessons import _wrapped
from tests.run.lab import NAME, Said, cli, copy, fine, runs_of

FLAGS = (
    "--model",
    "model",
    "--dataset",
    "rows.csv",
    "--epochs",
    "1",
    "--batch_size",
    "16",
    "--lr",
    "0.01",
    "--lora_r",
    "2",
)
SMALL = (
    "evaluate.limit=2",
    "evaluate.max_new_tokens=4",
    "evaluate.metrics=[bits_per_byte, exact_match]",
    "evaluate.tasks=[]",
)


@pytest.fixture(scope="module")
def walked(done: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Said]:
    """A workspace in which all five were taken, and what was said; nobody changes it."""
    root = tmp_path_factory.mktemp("lessons") / "lab"
    root.mkdir()
    (base,) = (done / "checkpoints" / NAME).glob("base-*")
    copy(base, root / "model")
    (root / "model" / "manifest.json").unlink()
    (root / "rows.csv").write_bytes((done / "rows.csv").read_bytes())
    return root, fine(root, "lesson", *FLAGS, *SMALL)


@pytest.fixture
def taken(walked: tuple[Path, Said], tmp_path: Path) -> Path:
    """A copy of it to change."""
    return copy(walked[0], tmp_path / "taken")


def test_each_ends_with_its_file(walked: tuple[Path, Said]) -> None:
    root, said = walked
    with (root / "model_comparison_results.csv").open(encoding="utf-8-sig", newline="") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 2 and {"question", "reference", "base", "tuned"} <= rows[0].keys()
    with (root / "special_tokens_analysis.csv").open(encoding="utf-8-sig", newline="") as file:
        assert {"token", "id", "role", "in_template", "pieces", "meaning"} <= next(csv.DictReader(file)).keys()
    conversations = json.loads((root / "processed_conversations.json").read_text(encoding="utf-8"))
    assert len(conversations) == 60 and {"messages", "text", "source_row"} <= conversations[0].keys()
    assert "<html" in (root / "explain.html").read_text(encoding="utf-8")
    assert (root / "results/final_model/adapter_model.safetensors").is_file()
    assert (root / "results/final_model/deployment_model/model.safetensors").is_file()
    for name in (
        "model_comparison_results.csv",
        "special_tokens_analysis.csv",
        "processed_conversations.json",
        "explain.html",
        "results/final_model",
    ):
        assert f"written: {name}" in said.out, name


def test_what_is_shown_is_what_was_done(walked: tuple[Path, Said]) -> None:
    """Numbers on the screen are those of the files."""
    root, said = walked
    (run,) = runs_of(root, "lesson")
    stats = json.loads((run.evidence / "training_stats.json").read_text(encoding="utf-8"))
    assert f"{stats['final_loss']:,.4g}" in said.out
    assert stats["experiment"]["adapter"]["r"] == 2 and stats["total_train_batch_size"] == 16
    found = json.loads((run.evaluation / "comparison.json").read_text(encoding="utf-8"))
    bits = next(m for m in found["metrics"] if m["name"] == "bits_per_byte")
    assert all(f"{value:.4g}" in said.out for value in bits["values"].values())
    positions = [said.out.index(f"{number}/5  ") for number in range(1, 6)]
    assert positions == sorted(positions) and said.out.count("Try:") == 5


def test_again_nothing_is_done_twice(taken: Path) -> None:
    said = fine(taken, "lesson", "train", *SMALL).out
    assert "this was trained before" in said and "▶" not in said and "train: done on" in said
    assert len(runs_of(taken, "lesson")) == 1


QUICK = ("tokens", "runs", "check")


def commands(root: Path) -> list[list[str]]:
    named = Named("model", "rows.csv", "lesson", "7번 질문은 무엇인가요?")
    assert (root / "configs/lesson.yaml").is_file()
    return [shlex.split(command)[1:] for name in ORDER for command, _ in tries(name, named)]


@pytest.fixture(autouse=True)
def one_thread() -> Iterator[None]:
    """As many as the lessons were taken with: what is reproduced asks for it."""
    import torch

    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def test_quick_commands_to_try_work(taken: Path) -> None:
    some = [words for words in commands(taken) if set(words) & set(QUICK)]
    assert len(some) == 4
    for words in some:
        assert cli(taken, *words).code in ((0, 1) if "check" in words else (0,)), words


@pytest.mark.slow
def test_all_commands_to_try_work(taken: Path) -> None:
    for words in commands(taken):
        said = cli(taken, *words)
        assert said.code in ((0, 1) if "check" in words else (0,)), (words, said)


def test_against_a_model_that_is_named(taken: Path) -> None:
    copy(taken / "model", taken / "taught")
    said = fine(taken, "lesson", "compare", "--instruct", "taught", *SMALL).out
    with (taken / "model_comparison_results.csv").open(encoding="utf-8-sig", newline="") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 2 and {"model", "taught"} <= rows[0].keys() and rows[0]["question"] in said


def test_lines_are_broken_at_blanks_by_cells() -> None:
    lines = _wrapped("가나다 라마바 사아자 one two", 14)
    assert lines == ["가나다 라마바", "사아자 one two"]
