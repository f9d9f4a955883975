"""One step of the real loop, watched: it stays what it was, and its numbers hang together."""

import json
import math
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch

from dadeum.core.artifact import read_json
from dadeum.core.errors import TrainError
from dadeum.core.progress import Silent
from dadeum.explain.facts import Taken
from dadeum.explain.step import layer_of, take_apart
from dadeum.train.job import STATISTICS
from dadeum.train.step import train
from tests.train.support import make_job, metrics

LORA = {"type": "lora", "r": 4, "lora_alpha": 8, "lora_dropout": 0.1}
ADAPTERS: dict[str, Any] = {
    "full": "full",
    "lora": LORA,
    "dora": {**LORA, "use_dora": True, "lora_dropout": 0.0},
}
# A second step: its moments are not empty, and matrices B are not 0 any more.
STEP = 2


def _taken(place: Path, formatted: Path, adapter: str, **changes: Any) -> Taken:
    job = make_job(place, formatted, adapter=ADAPTERS[adapter], max_steps=3, warmup_steps=0, **changes)
    return take_apart(job, Silent(), step=STEP)


@pytest.fixture(scope="module", params=list(ADAPTERS))
def both(
    request: pytest.FixtureRequest, formatted: Path, tmp_path_factory: pytest.TempPathFactory
) -> tuple[Any, Taken]:
    """A training of two steps, and the second of them taken apart."""
    place = tmp_path_factory.mktemp(request.param)
    job = make_job(place, formatted, adapter=ADAPTERS[request.param], max_steps=STEP)
    train(job, Silent())
    return job, take_apart(replace(job, evidence=place / "x", checkpoints=place / "y"), Silent(), step=STEP)


def test_watching_changes_nothing(both: tuple[Any, Taken]) -> None:
    """Bit for bit, with dropout drawn too."""
    job, taken = both
    (line,) = [line for line in metrics(job) if line.get("step") == STEP and "loss" in line]
    assert taken.loss.loop == line["loss"]
    assert taken.clipping.before == line["grad_norm"]
    assert taken.rates.now == line["learning_rate"]
    assert taken.weights_sha256 == read_json(job.evidence / STATISTICS)["fingerprints"]["weights"]
    assert not (job.evidence.parent.parent / "x").exists() and not (job.evidence.parent.parent / "y").exists()


def test_the_loss_is_that_of_the_probabilities(both: tuple[Any, Taken]) -> None:
    _, taken = both
    rows = taken.loss.rows
    assert sorted(row.source_row for row in rows) == sorted(taken.rows) and len(rows) == 8
    costs = [w * cost for row in rows for w, cost in zip(row.weights, row.nll, strict=True)]
    weight = sum(w for row in rows for w in row.weights)
    assert math.isclose(math.fsum(costs) / weight, taken.loss.loop, abs_tol=1e-6)
    assert taken.loss.recomputed is not None and abs(taken.loss.recomputed - taken.loss.loop) < 1e-6
    shown = next(row for row in rows if row.source_row == taken.shown)
    assert math.isclose(sum(-math.log(t.p) * t.weight for t in taken.tokens), shown.total, rel_tol=1e-9)
    assert all(t.rank == 1 for t in taken.tokens if t.top[0].p == t.p)
    assert all(t.top[0].p >= (t.top[1].p or 0) for t in taken.tokens if t.top[0].p is not None)
    # Two micro-batches of unlike weight: the mean of means is another number.
    first, second = taken.loss.terms
    wrong = (first.total / first.weight + second.total / second.weight) / 2
    assert taken.loss.mean_of_micro_batches == pytest.approx(wrong) and abs(wrong - taken.loss.loop) > 1e-5


def test_the_update_by_hand_is_the_real_one(both: tuple[Any, Taken]) -> None:
    update = both[1].update
    assert update.by_hand is not None and update.step == STEP
    assert update.after != update.before and update.difference is not None and update.difference <= 1e-7
    assert update.m == pytest.approx(update.m_by_hand, rel=1e-5) and update.v == pytest.approx(
        update.v_by_hand, rel=1e-5
    )
    assert update.m_before != 0


def test_the_trainer_agrees(both: tuple[Any, Taken]) -> None:
    same = both[1].trainer
    assert same.why == "" and len(same.sides) == 5
    assert {side.name: side.difference for side in same.sides if side.difference > 1e-5} == {}
    assert same.worst <= 1e-5 and same.weights == both[1].trainable
    moved = both[1].update
    # Not two copies of one number: the weight was put back and moved again.
    assert same.sides[3].theirs != moved.before


def test_layers_make_the_whole_norm(both: tuple[Any, Taken]) -> None:
    clipping = both[1].clipping
    assert math.hypot(*(one.norm for one in clipping.layers)) == pytest.approx(clipping.before, rel=1e-4)
    assert clipping.after == pytest.approx(min(clipping.before, clipping.limit), rel=1e-4)
    assert {"layers.0", "layers.1"} <= {one.name for one in clipping.layers}
    assert sum(one.numbers for one in clipping.layers) == both[1].trainable


def test_two_matrices_and_one_weight(both: tuple[Any, Taken]) -> None:
    job, taken = both
    found = taken.low_rank
    if job.adapter.type == "full":
        assert found is None and "themselves" in taken.no_low_rank
        return
    assert found is not None
    for b, a, delta in (
        (found.b_before, found.a_before, found.delta_before),
        (found.b_after, found.a_after, found.delta_after),
    ):
        by_hand = found.scale * math.fsum(x * y for x, y in zip(b, a, strict=True))
        assert math.isclose(by_hand, delta, rel_tol=1e-4, abs_tol=1e-9)
    assert found.delta_before != 0 != found.delta_after - found.delta_before
    if found.magnitude is None:
        assert found.merged_after == found.base + found.delta_after
    else:
        assert found.merged_after != found.base + found.delta_after and found.magnitude[0] != found.magnitude[1]


def test_memory_is_counted(both: tuple[Any, Taken]) -> None:
    memory, count = both[1].memory, both[1].trainable
    assert memory.gradients == memory.trained == 4 * count and memory.kept > 0
    assert 8 * count <= memory.optimizer <= 8 * count + 4 * 400  # and a counter for each tensor
    assert [moment for moment, _ in memory.measured] == ["start", "forward", "backward", "update"]


def test_every_number_is_json(both: tuple[Any, Taken]) -> None:
    from dataclasses import asdict

    assert json.loads(json.dumps(asdict(both[1]), allow_nan=False))["step"] == STEP


def test_the_places_are_there(both: tuple[Any, Taken]) -> None:
    """Every hook of both sides was found in the installed version."""
    import transformers

    import dadeum

    roots = [Path(str(module.__file__)).parent for module in (dadeum, transformers)]
    for place in both[1].places:
        for root, name, at in ((roots[0], place.ours, place.ours_at), (roots[1], place.theirs, place.theirs_at)):
            file, _, line = at.partition(":")
            text = (root / file).read_text(encoding="utf-8").splitlines()[int(line) - 1]
            assert f"def {name.rpartition('.')[2]}" in text or text.strip().startswith("@"), place


def test_the_first_step_that_moves(formatted: Path, tmp_path: Path) -> None:
    """The warm-up begins at 0."""
    job = make_job(tmp_path, formatted, max_steps=6, warmup_steps=2)
    taken = take_apart(job, Silent(), trainer=False)
    assert (taken.step, taken.skipped, taken.rates.curve[0][1]) == (2, 1, 0.0) and taken.rates.now > 0
    still = take_apart(job, Silent(), step=1, trainer=False)
    assert still.rates.now == 0 and still.update.after == still.update.before == still.update.by_hand
    assert still.skipped == 0


def test_a_row_is_laid_into_the_step(formatted: Path, tmp_path: Path) -> None:
    job = make_job(tmp_path, formatted)
    there = take_apart(job, Silent(), trainer=False)
    other = next(row for row in range(100, 122) if row not in there.rows)
    moved = take_apart(job, Silent(), row=other, trainer=False)
    assert moved.shown == other and other in moved.rows and moved.step == there.step and moved.moved_from in (2, 3)
    assert take_apart(job, Silent(), row=there.rows[3], trainer=False).moved_from is None
    real = take_apart(job, Silent(), row=other, step=moved.moved_from, trainer=False)
    assert real.rows == moved.rows and real.moved_from is None and real.loss.loop != moved.loss.loop
    with pytest.raises(TrainError, match=rf"row {other} is not in step 1; it is first seen in step {moved.moved_from}"):
        take_apart(job, Silent(), row=other, step=1, trainer=False)
    with pytest.raises(TrainError, match="--step: found 9, expected a number from 1 to 4"):
        take_apart(job, Silent(), step=9, trainer=False)


@pytest.mark.parametrize(
    "changes",
    [
        {"packing": False},
        {"objective": {"type": "sft", "label_smoothing": 0.1}, "max_grad_norm": 0.0},
        {"optim": {"type": "adamw", "weight_decay": 0.1}, "lr_scheduler_type": "linear", "warmup_steps": 1},
    ],
    ids=["padded", "smoothed", "decayed"],
)
def test_other_settings_agree_too(changes: dict[str, Any], formatted: Path, tmp_path: Path) -> None:
    taken = take_apart(make_job(tmp_path, formatted, **changes), Silent())
    assert taken.loss.recomputed is not None and abs(taken.loss.recomputed - taken.loss.loop) < 1e-6
    assert taken.update.difference is not None and taken.update.difference <= 1e-7
    assert [side for side in taken.trainer.sides if side.difference > 1e-5] == [] and taken.trainer.sides
    # In a first step Adam moves by g ÷ (|g| + 1e-8): rounding shows where a gradient is nearly 0.
    assert taken.trainer.worst <= 0.05 * taken.rates.now


def test_an_adapter_with_a_term_of_its_own(formatted: Path, tmp_path: Path) -> None:
    """AdaLoRA: the probabilities and the penalty make the loss; the Trainer does not know the latter."""
    taken = take_apart(make_job(tmp_path, formatted, adapter="adalora", max_steps=20), Silent())
    assert taken.loss.penalty > 0 and taken.low_rank is None and "adalora" in taken.trainer.why
    assert taken.loss.recomputed is not None and abs(taken.loss.recomputed - taken.loss.loop) < 1e-6


def test_noise_of_its_own_is_not_held_against_the_trainer(formatted: Path, tmp_path: Path) -> None:
    job = make_job(tmp_path, formatted, objective={"type": "sft", "neftune_noise_alpha": 5.0})
    taken = take_apart(job, Silent())
    assert "NEFTune" in taken.trainer.why and taken.trainer.sides == ()
    assert taken.loss.recomputed is not None and abs(taken.loss.recomputed - taken.loss.loop) < 1e-6


def test_fewer_digits(formatted: Path, tmp_path: Path) -> None:
    """In bf16 the Trainer rounds otherwise, and it is said."""
    taken = take_apart(make_job(tmp_path, formatted, precision="bf16"), Silent())
    assert taken.loss.recomputed is not None and abs(taken.loss.recomputed - taken.loss.loop) < 1e-5
    assert taken.update.difference is not None and taken.update.difference <= 1e-7
    assert [side for side in taken.trainer.sides if side.difference > 2e-2] == [] and "bf16" in taken.trainer.notes[0]


def test_names_of_layers() -> None:
    assert layer_of("base_model.model.model.layers.3.self_attn.q_proj.lora_A.default.weight") == "layers.3"
    assert layer_of("model.embed_tokens.weight") == "embed_tokens"
    assert layer_of("lm_head.weight") == "lm_head"
    assert layer_of("base_model.model.lm_head.lora_B.default.weight") == "lm_head"


def test_random_states_are_as_before(formatted: Path, tmp_path: Path) -> None:
    """The Trainer seeds and draws; what comes after does not notice."""
    take_apart(make_job(tmp_path, formatted, max_steps=1), Silent(), trainer=False)
    without = torch.rand(3)
    take_apart(make_job(tmp_path, formatted, max_steps=1), Silent())
    assert torch.equal(torch.rand(3), without)
