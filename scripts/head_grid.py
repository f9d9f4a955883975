"""Every head trained whole, with LoRA, and with LoRA on a base in 8 and 4 bits; all loaded again in one fresh process.

    python -m scripts.head_grid [--to docs/results/heads.md] [--only NAME …] [--modes NAME …]

What the fresh process finds is held against the model that was trained: the saved one by dadeum, the merged one by dadeum
and, where transformers has a class for it, by transformers alone. A base in few bits is merged in full, so that one is held
against the adapter on the base in full; how far it is from the one that was trained is told as well.
"""

import argparse
import json
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file, save_file

from dadeum.core.progress import Silent
from dadeum.export.whole import copy_whole
from dadeum.model.head_files import own_class
from dadeum.model.headed import head_outputs, headed_of
from dadeum.model.load import load_for_inference
from dadeum.model.merge import merge
from dadeum.train.processes import Processes
from dadeum.train.step import prepare, run_loop
from dadeum.train.weights import save_weights
from scripts.head_cases import CASES, LORA, entries, head_job, make_base, make_formatted, padded, sequences

STEPS = 30
MODES: dict[str, dict[str, Any]] = {
    "full": {"adapter": "full", "learning_rate": 2e-3},
    "LoRA": {"adapter": LORA},
    "8 bits + LoRA": {"adapter": LORA, "quantization": {"bits": 8}},
    "4 bits + LoRA": {"adapter": LORA, "quantization": {"bits": 4}},
}
CLOSE, MERGED = 1e-6, 1e-4


@dataclass(frozen=True)
class Found:
    """What a fresh process found of one head trained in one way; differences of the largest number that it says."""

    head: str
    mode: str
    before: float  # losses of the first and the last step
    after: float
    saved: float
    merged: float
    quantised: float | None  # merged against what was trained on few bits
    transformers: float | None
    own: str | None

    @property
    def good(self) -> bool:
        """Within the bounds, and something was learnt."""
        return self.saved <= CLOSE and max(self.merged, self.transformers or 0.0) <= MERGED and self.after < self.before


def probe(name: str) -> dict[str, torch.Tensor]:
    """What is asked of every model of a case."""
    return padded(sequences(entries(CASES[name], 4, seed=9)))


def train_all(root: Path, pairs: Sequence[tuple[str, str]]) -> None:
    """Train, save and merge each pair, and note what it says."""
    base = make_base(root)
    for number, (name, mode) in enumerate(pairs):
        place = root / str(number)
        formatted = make_formatted(place, base, CASES[name])
        job = head_job(place, base, CASES[name], formatted, **{"max_steps": STEPS, **MODES[mode]})
        loop = prepare(job, Silent(), Processes(), {})
        losses: list[float] = []
        loop.hooks = {"losses": _Losses(losses)}
        run_loop(loop)
        loop.module.eval()
        with torch.no_grad():
            said = head_outputs(loop.module, probe(name)).heads
        save_file({head: out.contiguous() for head, out in said.items()}, place / "said.safetensors")
        final = place / "final"
        final.mkdir()
        save_weights(loop.module, final, formatted, loop.stop_ids, loop.pad_id)
        if mode == "full":
            copy_whole(final, place / "merged", None)
        else:
            merge(final, base, place / "merged")
        (place / "case.json").write_text(
            json.dumps({"head": name, "mode": mode, "before": losses[0], "after": losses[-1]}), encoding="utf-8"
        )


class _Losses:
    """A hook that keeps the losses."""

    def __init__(self, losses: list[float]) -> None:
        self.losses = losses

    def __getattr__(self, event: str) -> Any:
        return lambda *_: None

    def on_step(self, _: Any, report: Any) -> None:
        self.losses.append(report.loss)


def check_all(root: Path) -> list[Found]:
    """Load everything that lies in `root`."""
    return [_check(root, place.parent) for place in sorted(root.glob("*/case.json"), key=lambda p: int(p.parent.name))]


def _check(root: Path, place: Path) -> Found:
    case = json.loads((place / "case.json").read_text(encoding="utf-8"))
    batch, expected = probe(case["head"]), load_file(place / "said.safetensors")
    base = root / "base" if case["mode"] != "full" else None
    saved = _said(place / "final", batch, base)
    model: Any = headed_of(load_for_inference(place / "merged"))
    merged = _outputs(model, batch)
    few = "bits" in case["mode"]
    whole = _said(place / "final", batch, base, quantized=False) if few else expected
    own, plain = own_class(model), None
    if own is not None:
        theirs = own.from_pretrained(place / "merged", local_files_only=True).eval()
        # It tells padding by its id.
        batch["input_ids"][batch["attention_mask"] == 0] = model.padding[1]
        with torch.no_grad():
            logits = theirs(**batch).logits
        tokens = model.takes == "words"
        (ours,) = merged.values()
        plain = float((ours - (logits[batch["attention_mask"].bool()] if tokens else logits)).abs().max())
    return Found(
        case["head"], case["mode"], case["before"], case["after"], _apart(expected, saved), _apart(whole, merged),
        _apart(expected, merged) if few else None, plain, own and own.__name__,
    )  # fmt: skip


def _said(
    place: Path, batch: dict[str, torch.Tensor], base: Path | None, *, quantized: bool = True
) -> dict[str, torch.Tensor]:
    return _outputs(load_for_inference(place, base=base, quantized=quantized), batch)


def _outputs(model: Any, batch: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    with torch.no_grad():
        return head_outputs(model, batch).heads


def _apart(some: dict[str, torch.Tensor], others: dict[str, torch.Tensor]) -> float:
    assert some.keys() == others.keys()
    return max(float((some[name] - others[name]).abs().max()) for name in some)


def grid(pairs: Sequence[tuple[str, str]], root: Path) -> list[Found]:
    """Train here, and load again in one fresh process."""
    train_all(root, pairs)
    command = [sys.executable, "-m", "scripts.head_grid", "--check", str(root)]
    done = subprocess.run(command, capture_output=True, text=True, encoding="utf-8", check=False)
    if done.returncode:
        raise RuntimeError(done.stderr[-4000:])
    return [Found(**value) for value in json.loads(done.stdout.splitlines()[-1])]


def page(found: Sequence[Found]) -> str:
    """The table."""
    good = sum(one.good for one in found)
    lines = [
        "# Heads",
        "",
        "Made by `python -m scripts.head_grid`: each head on a tiny Llama, trained for "
        f"{STEPS} steps, loaded again in one fresh process. Largest differences of what the heads say: `saved` by dadeum against "
        f"the trained model in memory (bound {CLOSE:g}), `merged` against the adapter on the base in full (bound {MERGED:g}), "
        "`transformers` its own class on the merged folder against dadeum on it, `from few bits` merged against what was trained "
        "on the quantised base (told, without a bound).",
        "",
        f"{good} of {len(found)} are as they should be.",
        "",
        "| head | trained | loss | saved | merged | from few bits | transformers | |",
        "| --- | --- | --- | --- | --- | --- | --- | --- |",
    ]
    for one in found:
        few = "" if one.quantised is None else f"{one.quantised:.1e}"
        own = "no such class" if one.transformers is None else f"{one.own} {one.transformers:.1e}"
        mark = "✓" if one.good else "✗"
        lines.append(
            f"| {one.head} | {one.mode} | {one.before:.3f} → {one.after:.3f} | {one.saved:.1e} | {one.merged:.1e} | {few} | {own} | {mark} |"
        )
    return "\n".join(lines) + "\n"


def main(words: Sequence[str] | None = None) -> int:
    """The command."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--to", type=Path)
    parser.add_argument("--only", nargs="+", choices=CASES, default=list(CASES))
    parser.add_argument("--modes", nargs="+", choices=MODES, default=list(MODES))
    parser.add_argument("--check", type=Path, help=argparse.SUPPRESS)
    given = parser.parse_args(words)
    torch.set_num_threads(1)
    if given.check is not None:
        print(json.dumps([asdict(one) for one in check_all(given.check)]))
        return 0
    with tempfile.TemporaryDirectory() as place:
        found = grid([(name, mode) for name in given.only for mode in given.modes], Path(place))
    text = page(found)
    if given.to is not None:
        given.to.write_text(text, encoding="utf-8")
    print(text)
    return 0 if all(one.good for one in found) else 1


if __name__ == "__main__":
    sys.exit(main())
