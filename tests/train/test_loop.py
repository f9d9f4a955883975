"""The loop against `transformers.Trainer`, and against itself in other cuts."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from transformers import Trainer, TrainerCallback, TrainingArguments

from dadeum.core.errors import TrainError
from dadeum.core.progress import Silent
from dadeum.data.contract import open_prompt
from dadeum.data.samples import Samples
from dadeum.train.job import TrainJob
from dadeum.train.order import Order
from dadeum.train.processes import Processes
from dadeum.train.step import prepare, train
from dadeum.train.weights import load_weights
from tests.train.support import closeness, make_job, trained

STEPS = 50


class _Oracle(Trainer):
    """Trainer that takes the rows as they lie, and notes each step's loss unrounded."""

    def _get_train_sampler(self, *args: Any, **kwargs: Any) -> torch.utils.data.Sampler[int]:
        return torch.utils.data.SequentialSampler(self.train_dataset)


class _Norms(TrainerCallback):
    def __init__(self) -> None:
        self.lines: list[dict[str, float]] = []

    def on_log(self, args: Any, state: Any, control: Any, logs: Any = None, **kwargs: Any) -> None:
        if "grad_norm" in logs:
            self.lines.append(dict(logs))


def _pad(rows: list[tuple[np.ndarray, np.ndarray]]) -> dict[str, torch.Tensor]:
    longest = max(len(ids) for ids, _ in rows)
    batch = {
        "input_ids": torch.zeros(len(rows), longest, dtype=torch.long),
        "attention_mask": torch.zeros(len(rows), longest, dtype=torch.long),
        "labels": torch.full((len(rows), longest), -100),
    }
    for row, (ids, weights) in enumerate(rows):
        batch["input_ids"][row, : len(ids)] = torch.tensor(ids.astype(np.int64))
        batch["attention_mask"][row, : len(ids)] = 1
        batch["labels"][row, : len(ids)] = torch.tensor(np.where(weights > 0, ids, -100).astype(np.int64))
    return batch


def _trainer_losses(job: TrainJob, folder: Path) -> tuple[list[float], list[float]]:
    """Losses (summed and divided by Trainer itself) and gradient norms of Trainer on the rows in our order."""
    samples, settings = Samples.open(job.formatted / "train.arrow"), job.train
    order = Order(len(samples), settings.total_train_batch_size, settings.seed)
    steps = [[samples[int(i)][:2] for i in order.of_step(step)] for step in range(STEPS)]
    size, accumulation = 2, settings.total_train_batch_size // 2
    # Only whole steps: Trainer pads no partial window in the middle of its rows.
    assert all(len(step) == settings.total_train_batch_size for step in steps)
    rows = [row for step in steps for row in step]
    tokenizer, _ = open_prompt(job.formatted / "prompt")
    model = load_weights(job, None, tokenizer=tokenizer, precision="fp32", device=torch.device("cpu"))
    noted: list[float] = []

    class Noting(_Oracle):
        def training_step(self, *args: Any, **kwargs: Any) -> torch.Tensor:
            loss = super().training_step(*args, **kwargs)
            noted.append(float(loss))
            return loss

    arguments = TrainingArguments(
        output_dir=str(folder),
        max_steps=STEPS,
        per_device_train_batch_size=size,
        gradient_accumulation_steps=accumulation,
        learning_rate=settings.learning_rate,
        lr_scheduler_type=settings.lr_scheduler_type,
        warmup_steps=settings.warmup_steps,
        max_grad_norm=settings.max_grad_norm,
        weight_decay=0.01,
        logging_steps=1,
        save_strategy="no",
        report_to=[],
        use_cpu=True,
        disable_tqdm=True,
        remove_unused_columns=False,
        seed=settings.seed,
    )
    norms = _Norms()
    Noting(model=model, args=arguments, train_dataset=rows, data_collator=_pad, callbacks=[norms]).train()  # type: ignore[arg-type]
    losses = [sum(noted[i : i + accumulation]) for i in range(0, len(noted), accumulation)]
    return losses, [float(line["grad_norm"]) for line in norms.lines]


@pytest.mark.parametrize("packing", [True, False])
def test_losses_and_norms_equal_those_of_trainer(tmp_path: Path, formatted_whole: Path, packing: bool) -> None:
    """Fifty steps on the same rows in the same order: AdamW with decay, cosine after warm-up, clipping at work."""
    job = make_job(
        tmp_path,
        formatted_whole,
        packing=packing,
        max_steps=STEPS,
        warmup_steps=5.0,
        optim={"type": "adamw", "weight_decay": 0.01},
        max_grad_norm=0.5,
    )
    losses, norms = _trainer_losses(job, tmp_path / "trainer")
    train(job, Silent())
    lines = trained(job, "loss", "grad_norm")
    worst, drift = closeness([line[1] for line in lines], losses)
    assert worst <= 1e-5 and drift <= 1e-6
    worst, drift = closeness([line[2] for line in lines], norms)
    assert worst <= 1e-4 and drift <= 1e-5


def test_packed_and_padded_rows_give_one_trajectory(tmp_path: Path, formatted: Path) -> None:
    runs = [make_job(tmp_path, formatted, run=str(p), packing=p, max_steps=12) for p in (True, False)]
    for job in runs:
        train(job, Silent())
    packed, padded = (trained(job, "loss", "grad_norm") for job in runs)
    for column in (1, 2):
        worst, drift = closeness([a[column] for a in packed], [b[column] for b in padded])
        assert worst <= 1e-5 and drift <= 1e-6


def test_gradient_checkpointing_changes_nothing(tmp_path: Path, formatted: Path) -> None:
    for adapter in ("full", "lora"):
        runs = [
            make_job(tmp_path, formatted, run=f"{adapter}{g}", adapter=adapter, gradient_checkpointing=g)
            for g in (False, True)
        ]
        for job in runs:
            train(job, Silent())
        plain, again = (trained(job, "loss", "grad_norm") for job in runs)
        for column in (1, 2):
            assert closeness([a[column] for a in plain], [b[column] for b in again])[0] <= 1e-6


def test_bf16_follows_fp32_on_a_cpu(tmp_path: Path, formatted: Path) -> None:
    runs = [make_job(tmp_path, formatted, run=p, precision=p, max_steps=6) for p in ("fp32", "bf16")]
    for job in runs:
        train(job, Silent())
    exact, short = ([line[1] for line in trained(job, "loss")] for job in runs)
    assert exact != short
    assert closeness(short, exact)[0] < 0.02


def test_the_norm_is_clipped_only_when_asked(tmp_path: Path, formatted: Path) -> None:
    """SGD shows it: with AdamW a scaled gradient moves the weights nearly as far."""
    moved = {}
    for limit in (0.0, 0.01):
        job = make_job(tmp_path, formatted, run=f"clip{limit}", max_grad_norm=limit)
        loop = prepare(job, Silent(), Processes(), {})
        loop.optimizer = torch.optim.SGD(loop.module.parameters(), lr=1.0)
        before = [p.detach().clone() for p in loop.module.parameters()]
        report = loop._optimizer_step()
        change = torch.stack(
            [(p.detach() - b).norm() for p, b in zip(loop.module.parameters(), before, strict=True)]
        ).norm()
        moved[limit] = float(change) / report.learning_rate, report.grad_norm
    assert moved[0.0][0] == pytest.approx(moved[0.0][1], rel=1e-4)
    assert moved[0.01][0] == pytest.approx(0.01, rel=1e-3)
    assert moved[0.01][1] == moved[0.0][1] > 0.01


def test_a_weight_without_a_gradient_stops_the_first_step(
    tmp_path: Path, formatted: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Cut off inside the model, as reentrant checkpointing does it: nothing is trained, and the user is told which."""
    job = make_job(tmp_path, formatted)
    loop = prepare(job, Silent(), Processes(), {})
    layer: Any = loop.module.get_submodule("model.layers.0.mlp")
    forward = layer.forward
    monkeypatch.setattr(layer, "forward", lambda x: forward(x).detach())
    before = loop.weights_sha256
    with pytest.raises(TrainError, match=r"4 trainable weights get no gradient \(model.layers.0.mlp"):
        loop.run()
    assert loop.weights_sha256 == before


def test_tokens_are_counted_once(tmp_path: Path, formatted: Path) -> None:
    """One epoch sees each row once: the numbers are those of the file."""
    samples = Samples.open(formatted / "train.arrow")
    job = make_job(tmp_path, formatted, max_steps=None, num_train_epochs=1.0)
    stats = train(job, Silent()).stats
    assert stats["tokens"] == sum(len(samples[i][0]) for i in range(len(samples)))
    assert stats["trained_tokens"] == sum(int((samples[i][1][1:] > 0).sum()) for i in range(len(samples)))
    assert stats["optimizer_steps"] == 3 and stats["epochs"] == 1.0 and stats["rows"] == 22
