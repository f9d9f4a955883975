"""The stage: results, resuming, refusals."""

import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from dadeum.core.artifact import read_manifest, verified
from dadeum.core.errors import TrainError
from dadeum.core.progress import Silent
from dadeum.model.heads import HEADS
from dadeum.model.load import load_for_inference
from dadeum.train.state import checkpoints
from dadeum.train.step import train
from tests.data.small import write_units
from tests.model.tiny import longrope
from tests.train import children
from tests.train.judged import make_judged, pair_units, unit
from tests.train.support import Told, make_formatted, make_job, random_rows

KEYS = {
    *("model", "adapter", "rows", "tokens", "trained_tokens", "optimizer_steps", "epochs", "final_loss", "best_loss"),
    *("seconds", "tokens_per_second", "peak_memory_bytes", "device", "versions", "fingerprints"),
}


def test_the_result_is_weights_prompt_and_statistics_only(tmp_path: Path, formatted: Path) -> None:
    job = make_job(tmp_path, formatted, save_steps=2.0)
    found = train(job, Silent())
    assert found.final == job.final
    manifest = verified(job.final)
    assert manifest.fingerprint == job.fingerprint and not (job.final / "state").exists()
    assert {"model.safetensors", "tokenizer.json", "chat_template.jinja", "dadeum_prompt.json"} <= set(manifest.files)
    assert (job.final / "training_stats.json").read_bytes() == (job.evidence / "training_stats.json").read_bytes()
    assert set(found.stats) >= KEYS and all(found.stats[k] is not None for k in KEYS)
    load_for_inference(job.final)


def test_a_finished_run_returns_at_once(tmp_path: Path, formatted: Path) -> None:
    job = make_job(tmp_path, formatted)
    first, created = train(job, Silent()), read_manifest(job.final)
    logs = sorted(job.evidence.glob("*.log"))
    assert train(job, Silent()) == first
    assert read_manifest(job.final) == created and sorted(job.evidence.glob("*.log")) == logs
    with pytest.raises(TrainError, match="other settings or data"):
        train(replace(job, fingerprint="other"), Silent())


def test_a_damaged_result_is_made_again(tmp_path: Path, formatted: Path) -> None:
    """From the last checkpoint, to the same bytes."""
    job, told = make_job(tmp_path, formatted, save_steps=3.0), Told()
    train(job, Silent())
    weights = job.final / "model.safetensors"
    whole = weights.read_bytes()
    weights.write_bytes(whole[:-4] + b"\0\0\0\1")
    train(job, told)
    assert weights.read_bytes() == whole
    assert "'model.safetensors' is damaged; made again" in told.warnings[0]
    assert "goes on after step 3" in told.notes


def test_never_refuses_a_folder_in_use(tmp_path: Path, formatted: Path) -> None:
    job = make_job(tmp_path, formatted, save_steps=2.0, resume="never")
    train(job, Silent())
    with pytest.raises(TrainError, match="holds a run already"):
        train(job, Silent())
    shutil.rmtree(job.final)
    with pytest.raises(TrainError, match="holds a run already"):
        train(job, Silent())


def test_must_needs_a_checkpoint(tmp_path: Path, formatted: Path) -> None:
    job = make_job(tmp_path, formatted, save_steps=2.0, resume="must")
    with pytest.raises(TrainError, match="no whole checkpoint to resume from"):
        train(job, Silent())
    children.run(replace(job, resume="auto"), tmp_path / "said.json", "train.step:4")
    assert [c.step for c in checkpoints(job.checkpoints)] == [2]
    assert train(job, Silent()).stats["optimizer_steps"] == 4


def test_a_sample_longer_than_the_model_is_refused(tmp_path: Path, formatted: Path) -> None:
    job = make_job(tmp_path, formatted, config={"max_position_embeddings": 32})
    with pytest.raises(TrainError, match="60 tokens, but the model has only 32 positions"):
        train(job, Silent())
    assert not job.final.exists()


def test_rows_that_are_read_later_count_as_well(tmp_path: Path) -> None:
    """Without positions the validation would end a training that is under way, and the test a finished one."""
    short, long = [random_rows(8, longest=size) for size in (25, 60)]
    job = make_job(tmp_path, make_formatted(tmp_path, short, long), config={"max_position_embeddings": 32})
    with pytest.raises(TrainError, match="60 tokens, but the model has only 32 positions"):
        train(job, Silent())
    formatted = make_judged(tmp_path / "reward", [unit([([5], [6]), ([5], [7])], row) for row in range(8)], [])
    write_units(formatted / "test.arrow", [unit([([5] * 40, [6]), ([5] * 40, [7])], 8)])
    job = make_job(
        tmp_path / "reward",
        formatted,
        objective="reward",
        head=HEADS.validate("reward"),
        config={"max_position_embeddings": 32},
    )
    with pytest.raises(TrainError, match="41 tokens, but the model has only 32 positions"):
        train(job, Silent())


def test_no_training_rows_is_one_sentence(tmp_path: Path) -> None:
    job = make_job(tmp_path, make_formatted(tmp_path, rows=[]))
    with pytest.raises(TrainError, match="no rows"):
        train(job, Silent())


def test_without_a_validation_part_nothing_is_scored(tmp_path: Path) -> None:
    job = make_job(tmp_path, make_formatted(tmp_path, random_rows(8), validation=[]))
    stats = train(job, Silent()).stats
    assert stats["validation_rows"] == 0 and stats["final_validation_loss"] is None


def test_an_unfinished_data_folder_is_refused(tmp_path: Path) -> None:
    formatted = make_formatted(tmp_path)
    (formatted / "manifest.json").unlink()
    with pytest.raises(TrainError, match="incomplete"):
        train(make_job(tmp_path, formatted), Silent())


def test_pretraining_takes_the_same_loop(tmp_path: Path, formatted: Path) -> None:
    runs = [make_job(tmp_path, formatted, run=name, objective=name) for name in ("sft", "pretrain")]
    first, second = (train(job, Silent()).stats for job in runs)
    assert first["final_loss"] == second["final_loss"]


def test_adapters_start_from_the_base_in_its_folder(tmp_path: Path, formatted: Path) -> None:
    """Full training first; its result is the base of an adapter, whose folder names it."""
    base = make_job(tmp_path, formatted, run="base")
    train(base, Silent())
    job = make_job(tmp_path, formatted, run="lora", adapter="lora", model_place=base.final, save_steps=2.0)
    job = replace(
        job, model=job.model.model_copy(update={"init": "pretrained", "config": None, "name_or_path": str(base.final)})
    )
    train(job, Silent())
    assert not (job.final / "model.safetensors").exists()
    load_for_inference(job.final, base=base.final)


def test_rotations_that_change_with_the_length_of_a_batch(tmp_path: Path, formatted: Path) -> None:
    """Phi-3 128k: one long sample would turn the short ones packed beside it."""
    config = {"model_type": "phi3", "hidden_size": 32, **longrope(20)}
    with pytest.raises(TrainError, match=r"60 tokens, and past 20 a 'phi3' .*data\.max_length to at most 20, or"):
        train(make_job(tmp_path, formatted, "packed", config=config), Silent())
    with pytest.raises(TrainError, match="past 20"):
        train(make_job(tmp_path, formatted, "padded", config=config, packing=False), Silent())
    for name, changes in (
        ("alone", {"config": config, "packing": False, "per_device_train_batch_size": 1}),
        ("short", {"config": {**config, "original_max_position_embeddings": 60}}),
        ("long", {"config": {**config, "original_max_position_embeddings": 3}}),
    ):
        assert train(make_job(tmp_path, formatted, name, **changes), Silent()).stats["optimizer_steps"] == 4
    # A pair is two sequences in one forward pass, however small the batch.
    pairs = make_judged(tmp_path / "pairs", pair_units(8), [])
    changes = {"config": config, "objective": "dpo", "packing": False, "per_device_train_batch_size": 1}
    with pytest.raises(TrainError, match=r"35 tokens, and past 20 .*data\.max_length to at most 20$"):
        train(make_job(tmp_path, pairs, "pairs", **changes), Silent())
