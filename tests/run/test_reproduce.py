"""dadeum.run.reproduce: the same again, bit for bit; what is no longer the same is refused by name."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch

from dadeum.core.artifact import read_json
from dadeum.core.workspace import Workspace
from dadeum.run import reproduce as again
from dadeum.run.stages import make_plan
from tests.run.lab import NAME, cli, fine, runs_of
from tests.run.several import edit


@pytest.fixture(autouse=True)
def one_thread() -> Iterator[None]:
    """As many as the shared workspace was made with."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def test_the_same_machine_gives_the_same_bits(ran: Path) -> None:
    first = runs_of(ran)[0]
    config = (first.evidence / "config.yaml").read_bytes()
    (ran / "configs" / f"{NAME}.yaml").unlink()  # the run's own record is enough
    said = fine(ran, "reproduce").out
    assert "Verdict: identical" in said
    second = runs_of(ran)[-1]
    assert second.name != first.name and (first.evidence / "config.yaml").read_bytes() == config
    found = read_json(second.evidence / again.RECORD)
    assert found["of"] == f"{NAME}/{first.name}" and found["verdict"] == "identical"
    assert found["weights"] == {"adapter_model.safetensors": True} and found["answers"] == [4, 4]
    assert found["surroundings_that_differ"] == {}
    # What `auto` found is kept: it depends on the memory that is free.
    size = read_json(first.evidence / "training_stats.json")["per_device_train_batch_size"]
    assert f"per_device_train_batch_size: {size}\n" in (second.evidence / "config.yaml").read_text(encoding="utf-8")
    assert not (second.checkpoints / "merged").exists()


def refused(root: Path, *words: str) -> str:
    """One sentence, and no new run."""
    before = runs_of(root)
    said = cli(root, "reproduce", *words)
    assert said.code == 2 and len(said.errors) == 1 and "Traceback" not in said.err, said
    assert runs_of(root) == before
    return said.errors[0]


def test_other_data_are_refused_whatever_is_asked(ran: Path) -> None:
    with (ran / "rows.csv").open("a", encoding="utf-8") as file:
        file.write("더,있음\n")
    assert "no longer made of the same: rows.csv " in refused(ran)
    assert "rows.csv" in refused(ran, "--anyway")


def test_another_tokenizer_or_template_is_refused(ran: Path) -> None:
    edit(ran / "tokenizer" / "tokenizer_config.json", chat_template="{{ messages[0].content }}")
    assert "tokenizer (SHA-256)" in refused(ran, "--anyway")


def test_other_settings_than_the_run_had_are_refused(ran: Path) -> None:
    path = runs_of(ran)[0].evidence / "config.yaml"
    path.write_text(
        path.read_text(encoding="utf-8").replace("learning_rate: 0.01", "learning_rate: 0.02"), encoding="utf-8"
    )
    assert "train.learning_rate 0.01 → 0.02" in refused(ran, "--anyway")


def test_other_versions_and_threads_are_let_through_only_when_asked(ran: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from dadeum.core import fingerprint

    real = fingerprint.version
    monkeypatch.setattr(fingerprint, "version", lambda name: "9.9.9" if name == "peft" else real(name))
    torch.set_num_threads(2)
    sentence = refused(ran, NAME)
    assert "peft version" in sentence and "→ 9.9.9" in sentence and "threads 1 → 2" in sentence
    assert "OMP_NUM_THREADS=1 dadeum reproduce" in sentence
    said = fine(ran, "reproduce", NAME, "--anyway", "--tolerance", "0.05").out
    assert "other than then: peft version" in said and "other than then: threads 1 → 2" in said
    found = read_json(runs_of(ran)[-1].evidence / again.RECORD)["surroundings_that_differ"]
    assert found["threads"] == [1, 2] and found["peft version"][1] == "9.9.9"


def test_another_seed_is_found_different_and_ends_with_1(ran: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The second training really is another one; the record of the first is as it was."""
    as_then = again._as_then

    def of_seed_7(lab: again.Lab, run: again.Run) -> again.Lab:
        from dataclasses import replace

        lab = as_then(lab, run)
        train = lab.loaded.experiment.train.model_copy(update={"seed": 7})
        experiment = lab.loaded.experiment.model_copy(update={"train": train})
        return replace(lab, loaded=replace(lab.loaded, experiment=experiment))

    monkeypatch.setattr(again, "_as_then", of_seed_7)
    said = cli(ran, "reproduce", "--tolerance", "1e-6")
    assert said.code == 1 and "Verdict: different since step 1" in said.out
    found = read_json(runs_of(ran)[-1].evidence / again.RECORD)
    assert (found["first"], found["beyond"]) == (1, 1) and found["weights"] == {"adapter_model.safetensors": False}


def test_what_cannot_be_done_again(ran: Path) -> None:
    run = runs_of(ran)[0]
    plan = (run.evidence / "plan.json").read_bytes()
    (run.evidence / "plan.json").unlink()
    assert "plan.json is gone" in refused(ran)
    (run.evidence / "plan.json").write_bytes(plan)
    (run.evidence / "config.yaml").write_text("name: [", encoding="utf-8")
    assert "its config.yaml cannot be read" in refused(ran)
    (run.final / "manifest.json").unlink()
    assert "no finished weights" in refused(ran, run.name)


def test_nothing_differs_where_nothing_changed(done: Path) -> None:
    run = runs_of(done)[0]
    lab = again.lab_of(Workspace(done), run)
    assert again.conditions(lab, make_plan(lab), run) == again.Conditions()
    assert json.dumps(lab.experiment.model_dump(mode="json")["output_dir"]) == "null"
