"""The numbers of a plan are those of what then happens."""

import re
from pathlib import Path

from dadeum.core.artifact import read_json
from dadeum.core.progress import Silent
from dadeum.run.forecast import forecast
from tests.run.lab import NAME, ROWS, files_below, lab_of, plan_of, runs_of


def _facts(root: Path, *overrides: str, probe: bool = False) -> tuple[dict[str, str], list[str]]:
    from tests.run.lab import inside

    with inside(root):
        found = forecast(lab_of(root, *overrides), plan_of(root, *overrides), probe=probe, reporter=Silent())
    return found.facts, found.warnings


def _numbers(text: str) -> list[int]:
    return [int(n.replace(",", "")) for n in re.findall(r"\d[\d,]*", text)]


def test_what_was_foretold_came(done: Path) -> None:
    facts, warnings = _facts(done)
    run = runs_of(done)[0]
    stats = read_json(run.evidence / "training_stats.json")
    train, validation, test = _numbers(facts["rows"])
    assert (train, validation) == (stats["rows"], stats["validation_rows"]) and train + validation + test == ROWS
    assert _numbers(facts["tokens an epoch"])[:2] == [stats["tokens"], stats["trained_tokens"]]
    assert _numbers(facts["optimizer steps"])[0] == stats["optimizer_steps"]
    assert _numbers(facts["effective batch"]) == [stats["total_train_batch_size"]]
    everything, trained, *_ = _numbers(facts["parameters"])
    assert (everything, trained) == (stats["parameters"], stats["trainable_parameters"])
    lines = (run.evidence / "metrics.jsonl").read_text(encoding="utf-8")
    evaluations, checkpoints = _numbers(facts["evaluations, checkpoints"])
    assert evaluations == lines.count("validation_loss") and checkpoints == 3
    base = read_json(run.evaluation / "base_model_evaluation.json")
    assert _numbers(facts["prompts to answer"])[0] == 3 * base["metrics"]["perplexity"]["n"]
    assert any(f"only {test} test rows" in warning for warning in warnings)


def test_other_settings_other_numbers(done: Path) -> None:
    def steps(*overrides: str) -> list[int]:
        return _numbers(_facts(done, *overrides)[0]["optimizer steps"])[:2]

    assert steps() == [6, 6]
    assert steps("train.num_train_epochs=3") == [18, 6]
    assert steps("train.total_train_batch_size=16") == [3, 3]
    assert steps("train.max_steps=4") == [4, 6]
    trained = [
        _numbers(_facts(done, *words)[0]["parameters"])[1] for words in ((), ("adapter.r=8",), ("adapter=full",))
    ]
    assert trained[1] == 2 * trained[0] and trained[2] == 40992


def test_without_formatted_data_it_says_so(written: Path) -> None:
    facts, warnings = _facts(written)
    assert facts == {"gate": f"nothing found in the first {ROWS} rows"}
    assert len(warnings) == 1 and "leave --no-data out" in warnings[0]


def test_the_gate_on_the_first_rows_says_what_will_stop(written: Path) -> None:
    drop = ("data.max_length=50", "data.overlong=drop", "data.cut_answers=0")
    facts, warnings = _facts(written, *drop, "data.allow=[cut_answers]")
    assert facts == {"gate": f"only what is allowed, in the first {ROWS} rows"}
    assert warnings[1].startswith("allowed: cut_answers: ") and f" of {ROWS} rows, first rows.csv:" in warnings[1]
    facts, warnings = _facts(written, *drop)
    assert facts == {"gate": f"would stop, seen in the first {ROWS} rows"}
    assert warnings[1].startswith("will stop: cut_answers: ")
    assert _facts(written, "data.max_length=8", "data.overlong=drop", "data.cut_answers=1")[1][1:] == [
        f"will stop: nothing_trained: nothing is left to train of the first {ROWS} rows"
    ]
    (stop,) = _facts(written, "data.max_length=8")[1][1:]
    assert stop.startswith(f"will stop: {ROWS} samples are longer than data.max_length=8")


def test_the_gate_of_the_samples_is_in_the_plan(done: Path) -> None:
    assert _facts(done)[0]["gate"] == f"{ROWS} samples, nothing found"


def test_a_probe_tells_the_time_and_leaves_nothing(done: Path) -> None:
    before = files_below(done)
    facts, _ = _facts(done, probe=True)
    assert re.match(r"about \d+ s \([\d,]+ tokens/s in 4 steps\)", facts["time to train"])
    assert files_below(done) == before


def test_warnings_name_the_setting(done: Path) -> None:
    from tests.run.lab import copy, fine

    assert not any("validation" in warning for warning in _facts(done)[1])
    root = copy(done, done.parent / "without-validation")
    fine(root, "data", "format", NAME, "data.split.validation=0")
    assert any("data.split.validation" in warning for warning in _facts(root, "data.split.validation=0")[1])


def test_a_full_disk_is_foreseen(done: Path, monkeypatch: object) -> None:
    import shutil
    from collections import namedtuple

    import pytest

    usage = namedtuple("usage", "total used free")
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(shutil, "disk_usage", lambda _: usage(10, 9, 1))
        facts, warnings = _facts(done)
    assert "1 B free" in facts["disk"] and any("the disk has room for 1 B" in warning for warning in warnings)
