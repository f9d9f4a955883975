"""Tokens per second, peak memory and held-out loss of one epoch of LoRA: dadeum (packed) against transformers.Trainer.

Both get the same rows in the same order, the same model (6.8 M Llama, fp32), the same LoRA (r 16 on all linear layers)
and AdamW at the same learning rate, 16 samples a step; Trainer pads each batch of 16. Each side is a process of its own,
in turn, so that peak memory is its own and drifting speed hits both. Counted are unpadded tokens of the training rows.

    python benchmarks/train.py --csv ChatbotData.csv [--rounds 3] [--to docs/results/train.md]
"""

import argparse
import json
import os
import platform
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

LAYERS, HIDDEN, INNER, HEADS, KV_HEADS, WORDS = 6, 256, 776, 8, 4, 8000
RATE, SEED, BATCH, LENGTH, RANK = 5e-4, 42, 16, 512, 16
SIDES = ("dadeum", "trainer")


def make_tokenizer(csv: Path, folder: Path) -> None:
    """A byte-level BPE of 8,000 on the rows, with chat tokens."""
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
    from transformers import PreTrainedTokenizerFast

    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    special = ["<|endoftext|>", "<|im_start|>", "<|im_end|>"]
    trainer = trainers.BpeTrainer(
        vocab_size=WORDS, special_tokens=special, initial_alphabet=pre_tokenizers.ByteLevel.alphabet()
    )
    tokenizer.train_from_iterator(csv.read_text(encoding="utf-8").splitlines(), trainer)
    fast = PreTrainedTokenizerFast(tokenizer_object=tokenizer, eos_token="<|endoftext|>", pad_token="<|endoftext|>")
    fast.save_pretrained(folder)


def prepare(csv: Path, work: Path) -> None:
    """Tokenizer, model and formatted rows, made once for both sides."""
    os.environ["DADEUM_LANG"] = "en"
    make_tokenizer(csv, work / "tokenizer")
    config = {
        "model_type": "llama",
        "hidden_size": HIDDEN,
        "intermediate_size": INNER,
        "num_hidden_layers": LAYERS,
        "num_attention_heads": HEADS,
        "num_key_value_heads": KV_HEADS,
        "tie_word_embeddings": True,
        "max_position_embeddings": 2048,
    }
    experiment = {
        "name": "bench",
        "model": {"init": "random", "config": config},
        "tokenizer": {"name_or_path": str(work / "tokenizer"), "chat_template": "chatml"},
        "adapter": {"type": "lora", "r": RANK, "lora_alpha": 2 * RANK, "lora_dropout": 0.0},
        "data": {
            "sources": [{"type": "csv", "path": str(csv)}],
            "max_length": LENGTH,
            "split": {"validation": 0.05, "test": 0.0},
        },
        "train": {
            "num_train_epochs": 1,
            "learning_rate": RATE,
            "lr_scheduler_type": "linear",
            "warmup_steps": 0,
            "max_grad_norm": 1.0,
            "total_train_batch_size": BATCH,
            "per_device_train_batch_size": BATCH,
            "precision": "fp32",
            "seed": SEED,
            "logging_steps": 50,
        },
        "export": [],
    }
    (work / "bench.yaml").write_text(json.dumps(experiment), encoding="utf-8")


def lab_of(work: Path) -> Any:
    """The experiment in the benchmark's workspace."""
    from dadeum.config.load import load
    from dadeum.core.workspace import Workspace
    from dadeum.run.stages import Lab

    os.chdir(work)
    return Lab(load(work / "bench.yaml", root=work), Workspace(work))


def plan_of(work: Path) -> tuple[Any, Any]:
    """Data and base made (or found), and the plan."""
    from dadeum.core.progress import Silent
    from dadeum.run.execute import execute
    from dadeum.run.stages import make_plan

    class Board(Silent):
        """Draws nothing."""

        def mark(self, name: str, state: str, text: str = "") -> None:
            """Nothing."""

    lab = lab_of(work)
    execute(lab, Board(), ["format", "initialise"])
    return lab, make_plan(lab)


def held_out(model: Any, formatted: Path) -> float:
    """Loss per answer token on the validation rows, by one code for both sides, one row at a time."""
    import torch
    from torch.nn import functional

    from dadeum.data.samples import Samples

    model.eval()
    total = count = 0.0
    with torch.inference_mode():
        for ids, weights, *_ in (Samples.open(formatted / "validation.arrow")[i] for i in range(300)):
            tokens = torch.as_tensor(ids.copy(), dtype=torch.long)[None]
            weight = torch.as_tensor(weights.copy())[1:]
            logits = model(input_ids=tokens).logits[0, :-1]
            total += float((functional.cross_entropy(logits, tokens[0, 1:], reduction="none") * weight).sum())
            count += float(weight.sum())
    return total / count


def side_dadeum(lab: Any, plan: Any, work: Path) -> dict[str, Any]:
    """One epoch by dadeum's loop, packed."""
    from dadeum.core.progress import Silent
    from dadeum.model.load import load_for_inference
    from dadeum.run.stages import artifact_folder
    from dadeum.train.job import TrainJob
    from dadeum.train.step import train

    base = artifact_folder(lab, plan.step("initialise"))
    formatted = artifact_folder(lab, plan.step("format"))
    run = work / f"run-{time.time_ns()}"
    experiment = lab.experiment
    job = TrainJob(
        train=experiment.train,
        model=experiment.model,
        adapter=experiment.adapter,
        packing=True,
        max_length=LENGTH,
        formatted=formatted,
        model_place=base,
        checkpoints=run / "checkpoints",
        evidence=run / "evidence",
        fingerprint="bench",
    )
    begun = time.process_time()
    result = train(job, Silent())
    cpu = time.process_time() - begun
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return {
        "seconds": result.stats["seconds"],
        "cpu_seconds": cpu,
        "peak_kib": peak,
        "loss": held_out(load_for_inference(result.final, base=base), formatted),
    }


def side_trainer(lab: Any, plan: Any, work: Path) -> dict[str, Any]:
    """One epoch by transformers.Trainer on padded batches of 16, rows in dadeum's order."""
    import torch
    from transformers import AutoTokenizer, Trainer, TrainingArguments

    from dadeum.data.samples import Samples
    from dadeum.model.load import load_for_training
    from dadeum.run.stages import artifact_folder
    from dadeum.train.order import Order

    base = artifact_folder(lab, plan.step("initialise"))
    formatted = artifact_folder(lab, plan.step("format"))
    samples = Samples.open(formatted / "train.arrow")
    order = Order(len(samples), BATCH, SEED)
    rows = [i for step in range(-(-len(samples) // BATCH)) for i in order.of_step(step)]
    data = []
    for i in rows:
        ids, weights, *_ = samples[i]
        data.append(
            {
                "input_ids": ids.tolist(),
                "labels": [t if w else -100 for t, w in zip(ids.tolist(), weights.tolist(), strict=True)],
            }
        )

    def pad(batch: list[dict[str, list[int]]]) -> dict[str, torch.Tensor]:
        width = max(len(row["input_ids"]) for row in batch)
        fill = {"input_ids": 0, "labels": -100}
        out = {
            key: torch.tensor([row[key] + [value] * (width - len(row[key])) for row in batch])
            for key, value in fill.items()
        }
        out["attention_mask"] = torch.tensor(
            [[1] * len(row["input_ids"]) + [0] * (width - len(row["input_ids"])) for row in batch]
        )
        return out

    class InOrder(Trainer):
        """Rows as they come."""

        def _get_train_sampler(self, *_: Any, **__: Any) -> Any:
            return torch.utils.data.SequentialSampler(data)  # type: ignore[arg-type]

    tokenizer = AutoTokenizer.from_pretrained(work / "tokenizer")
    model = load_for_training(
        lab.experiment.model,
        lab.experiment.adapter,
        place=base,
        tokenizer=tokenizer,
        precision="fp32",
        device="cpu",
        seed=SEED,
        packing=False,
    )
    arguments = TrainingArguments(
        output_dir=str(work / "trainer"),
        num_train_epochs=1,
        per_device_train_batch_size=BATCH,
        learning_rate=RATE,
        lr_scheduler_type="linear",
        warmup_steps=0,
        max_grad_norm=1.0,
        weight_decay=0.0,
        save_strategy="no",
        report_to=[],
        logging_steps=50,
        seed=SEED,
        disable_tqdm=True,
        use_cpu=True,
        adam_beta1=0.9,
        adam_beta2=0.999,
        adam_epsilon=1e-8,
    )
    trainer = InOrder(model=model, args=arguments, train_dataset=data, data_collator=pad)
    begun = time.process_time()
    metrics = trainer.train().metrics
    cpu = time.process_time() - begun
    return {
        "seconds": metrics["train_runtime"],
        "cpu_seconds": cpu,
        "peak_kib": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss,
        "loss": held_out(model, formatted),
    }


def matrix_peak() -> float:
    """GFLOP/s of plain fp32 matrix products on this machine, the best of a few."""
    import torch

    a, b = torch.randn(1536, 1536), torch.randn(1536, 1536)
    best = 0.0
    for _ in range(12):
        begun = time.perf_counter()
        torch.mm(a, b)
        best = max(best, 2 * 1536**3 / (time.perf_counter() - begun) / 1e9)
    return best


def measure(csv: Path, rounds: int) -> str:
    """Run both sides in turn and return the page."""
    with tempfile.TemporaryDirectory() as folder:
        work = Path(folder)
        prepare(csv, work)
        _, plan = plan_of(work)
        lab = lab_of(work)
        from dadeum.data.samples import Samples
        from dadeum.run.stages import artifact_folder

        samples = Samples.open(artifact_folder(lab, plan.step("format")) / "train.arrow")
        tokens = int(samples.lengths.sum())
        trained = sum(int((samples[i][1] > 0).sum()) for i in range(len(samples)))
        found: dict[str, list[dict[str, Any]]] = {side: [] for side in SIDES}
        for turn in range(rounds):
            for side in SIDES if turn % 2 == 0 else SIDES[::-1]:
                command = [sys.executable, __file__, "--side", side, "--work", str(work)]
                done = subprocess.run(command, capture_output=True, text=True, encoding="utf-8", check=False)
                if done.returncode:
                    raise SystemExit(done.stderr)
                found[side].append(json.loads(done.stdout.splitlines()[-1]))
                print(side, found[side][-1], file=sys.stderr, flush=True)
    return page(found, len(samples), tokens, trained, matrix_peak())


def page(found: dict[str, list[dict[str, Any]]], rows: int, tokens: int, trained: int, peak: float) -> str:
    """The result as Markdown."""
    import torch
    import transformers

    body = LAYERS * (2 * HIDDEN * HIDDEN + 2 * HIDDEN * HIDDEN * KV_HEADS // HEADS + 3 * HIDDEN * INNER)
    # LoRA: forward and the gradient of the activations; the weights' own gradients are not made. The head: trained tokens only.
    flops = 4 * body * tokens + 4 * HIDDEN * WORDS * trained
    speed = {side: [tokens / one["seconds"] for one in found[side]] for side in SIDES}
    ratios = [a / b for a, b in zip(speed["dadeum"], speed["trainer"], strict=True)]
    cpu = {side: statistics.median(tokens / one["cpu_seconds"] for one in found[side]) for side in SIDES}
    memory = {side: statistics.median(one["peak_kib"] for one in found[side]) / 1024 for side in SIDES}
    loss = {side: found[side][0]["loss"] for side in SIDES}
    share = flops / statistics.median(one["seconds"] for one in found["dadeum"]) / 1e9 / peak
    lines = [
        "# Training speed against transformers.Trainer",
        "",
        f"`python benchmarks/train.py --csv ChatbotData.csv --rounds {len(ratios)}`",
        "",
        f"{platform.machine()}, {torch.get_num_threads()} threads, torch {torch.__version__}, transformers {transformers.__version__}. "
        f"{rows:,} rows, {tokens:,} tokens of which {trained:,} trained; {body + HIDDEN * WORDS:,} weights in matrices.",
        "",
        "| | dadeum, packed | Trainer, padded batches of 16 | ratio |",
        "| --- | --- | --- | --- |",
        f"| unpadded tokens/s (median) | {statistics.median(speed['dadeum']):,.0f} | {statistics.median(speed['trainer']):,.0f} | {statistics.median(ratios):.2f} (pairs: {', '.join(f'{r:.2f}' for r in ratios)}) |",
        f"| the same per second of processor time | {cpu['dadeum']:,.0f} | {cpu['trainer']:,.0f} | {cpu['dadeum'] / cpu['trainer']:.2f} |",
        f"| peak memory, MiB | {memory['dadeum']:,.0f} | {memory['trainer']:,.0f} | {memory['dadeum'] / memory['trainer']:.2f} |",
        f"| held-out loss per answer token | {loss['dadeum']:.4f} | {loss['trainer']:.4f} | |",
        "",
        f"Matrix products alone reach {peak:,.0f} GFLOP/s here; dadeum's epoch used {share:.0%} of that (LoRA needs 4 FLOP a weight and token, and logits only where a token is trained).",
        "",
    ]
    return "\n".join(lines)


def main() -> None:
    """Measure, or be one side."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    data = os.environ.get("DADEUM_DATA")
    parser.add_argument("--csv", type=Path, default=Path(data) / "ko_qa" / "ChatbotData.csv" if data else None)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--to", type=Path)
    parser.add_argument("--side", choices=SIDES)
    parser.add_argument("--work", type=Path)
    options = parser.parse_args()
    if options.side:
        lab, plan = plan_of(options.work)
        side = {"dadeum": side_dadeum, "trainer": side_trainer}[options.side]
        print(json.dumps(side(lab, plan, options.work)))
        return
    if options.csv is None:
        raise SystemExit("--csv FILE, or DADEUM_DATA, expected")
    text = measure(options.csv.absolute(), options.rounds)
    print(text)
    if options.to:
        options.to.parent.mkdir(parents=True, exist_ok=True)
        options.to.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
