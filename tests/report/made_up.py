"""A run's evidence made by hand, so that a report of anything takes no training. Figures are invented; their form is the real one."""

import json
from pathlib import Path
from typing import Any

from dadeum.config.experiment import Experiment
from dadeum.report.evidence import Place
from dadeum.run.purpose import purpose_of

EVIL = '<img src=x onerror=alert(1)> [x](javascript:alert(1)) =cmd() | `a` $x$ "quoted" 한글'


def settings(**more: Any) -> Experiment:
    values = {"name": "실험", "data": {"sources": [{"type": "text", "path": "a.txt"}]}, **more}
    return Experiment.model_validate(values)


def metric(
    name: str, base: float, tuned: float, *, higher: bool = True, wide: float = 0.05, **more: Any
) -> dict[str, Any]:
    """A row of `comparison.json`."""
    moved = tuned - base
    difference = {
        "difference": moved,
        "low": moved - wide,
        "high": moved + wide,
        "wins": 7,
        "ties": 2,
        "losses": 1,
        "n": 10,
    }
    return {
        "name": name,
        "unit": "0-1",
        "higher_is_better": higher,
        "signature": name,
        "n": 10,
        "values": {"base": base, "tuned": tuned},
        "intervals": {"base": [base - wide, base + wide], "tuned": [tuned - wide, tuned + wide]},
        "floors": {"base": 0.1, "tuned": 0.15},
        "differences": {"tuned": {**difference, "p": 0.004}},
        "ranked": True,
        **more,
    }


def evaluation(answer: str = "답", **more: Any) -> dict[str, Any]:
    """One model's file of an evaluation, ten rows."""
    rows = [
        {"question": f"질문 {i}", "reference": "기준", "prediction": answer, "statistics": {"rougeL": [i / 10, 1.0]}}
        for i in range(10)
    ]
    whole = {"value": 0.5, "higher_is_better": True, "n": 10, "interval": [0.4, 0.6]}
    return {"model": "m", "dataset": "d", "metrics": {"rougeL": whole}, "samples": rows, "environment": {}, **more}


def comparison(*metrics: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"models": ["base", "tuned"], "metrics": list(metrics), "notes": ["a note"], **more}


def lines(steps: int = 20) -> str:
    """metrics.jsonl of a training."""
    rows: list[dict[str, Any]] = []
    for step in range(1, steps + 1):
        row = {"step": step, "epoch": step / 10, "loss": 4 / step, "learning_rate": 1e-3, "grad_norm": 1.0}
        rows.append({**row, "tokens": step, "tokens_per_second": 900.0, "memory_bytes": 10**9, "time": 1.0})
    rows.append({"step": steps, "epoch": steps / 10, "validation_loss": 0.5})
    return "".join(json.dumps(row) + "\n" for row in rows)


STATS = {
    "model": "someone/base",
    "adapter": {"type": "lora", "r": 4, "lora_alpha": 8},
    "rows": 661,
    "validation_rows": 58,
    "optimizer_steps": 20,
    "epochs": 2.0,
    "total_train_batch_size": 16,
    "per_device_train_batch_size": 8,
    "seconds": 323.0,
    "tokens_per_second": 865.0,
    "peak_memory_bytes": 1_477_136_384,
    "parameters": 1000,
    "trainable_parameters": 90,
    "device": "cpu",
    "precision": "fp32",
    "processes": 1,
    "versions": {"dadeum": "0.1.0"},
    "fingerprints": {"data": "d" * 64},
}


def run(root: Path, files: dict[str, Any] | None = None, *, known: bool = True, **record: Any) -> Place:
    """A run below `root` with these files of its evidence; the place of it."""
    evidence = root / "experiments" / "실험" / "20260101-000000-abcdef"
    whole = {
        "experiment": "실험",
        "run": evidence.name,
        "fingerprint": "f" * 64,
        "status": "finished",
        "stages": {},
        **record,
    }
    for name, content in {"manifest.json": whole, **(files or {})}.items():
        path = evidence / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(
            content if isinstance(content, str) else json.dumps(content, ensure_ascii=False), encoding="utf-8"
        )
    told = settings() if known else None
    return Place(
        "실험", evidence.name, root, evidence, root / "checkpoints" / "run", told, purpose_of(told) if told else None
    )


def whole(root: Path, **more: Any) -> Place:
    """A run that has all that can be made by hand."""
    rows = [metric("perplexity", 9.0, 4.0, higher=False), metric("rougeL", 0.3, 0.5), metric("chrf", 0.3, 0.1)]
    files = {
        "training_stats.json": STATS,
        "metrics.jsonl": lines(),
        "config.yaml": "name: 실험\n",
        "evaluation/comparison.json": comparison(*rows),
        "evaluation/base_model_evaluation.json": evaluation("앞"),
        "evaluation/finetuned_model_evaluation.json": evaluation("뒤"),
        **more,
    }
    return run(root, files, export={"merged": {"type": "merged", "folder": "x/merged", "mean_kl": 0.0}})
