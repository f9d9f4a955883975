"""Put the trained tiny-ko into the package: bfloat16 weights, tokenizer, template, prompt contract.

    python -m scripts.tiny_ko_pack WORKSPACE [--to FOLDER] [--model FOLDER]

Refuses to keep what does not load with plain transformers, is too large, or lost more than rounding should take.
"""

import argparse
import shutil
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from dadeum.core.artifact import read_json, write_json
from dadeum.export.whole import copy_whole, stored_dtype
from scripts.tiny_ko_card import MODEL, lines, model_bits_per_byte

FILES = (
    *("model.safetensors", "config.json", "generation_config.json", "tokenizer.json", "tokenizer_config.json"),
    *("chat_template.jinja", "dadeum_prompt.json", "training_stats.json"),
)
# Of the statistics of the training, what the card tells; the rest speaks of one machine's folders.
TOLD = ("parameters", "tokens", "optimizer_steps", "epochs", "seconds", "device", "precision", "final_validation_loss")
SUMMED = ("tokens", "optimizer_steps", "epochs", "seconds")
# The parts of the training; each goes on from the one before.
EXPERIMENTS = ("tiny-ko-base", "tiny-ko-recall", "tiny-ko-settle")
LARGEST = 16_000_000
LOSS = 0.005


def pack(place: Path, to: Path, before: Sequence[Path] = ()) -> None:
    """Copy the model's files to `to`, the weights in bfloat16; the training's statistics count the parts `before` it too.

    Raises ValueError where the weights are too large.
    """
    with tempfile.TemporaryDirectory() as aside:
        whole = Path(aside) / "model"
        copy_whole(place, whole, "bfloat16")
        if (whole / "model.safetensors").stat().st_size > LARGEST:
            raise ValueError(f"model.safetensors has more than {LARGEST:,} bytes")
        to.mkdir(parents=True, exist_ok=True)
        for name in FILES:
            shutil.copyfile(whole / name, to / name)
    statistics = read_json(to / "training_stats.json")
    for part in before:
        statistics |= {key: statistics[key] + read_json(part / "training_stats.json")[key] for key in SUMMED}
    write_json(to / "training_stats.json", {key: statistics[key] for key in (*TOLD, "versions")})


def check(place: Path, to: Path, held: Sequence[str]) -> tuple[float, float]:
    """Bits per byte before and after. Raises ValueError where plain transformers reads it otherwise, or it lost too much."""
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer

    model: Any
    model, told = AutoModelForCausalLM.from_pretrained(to, local_files_only=True, output_loading_info=True)
    absent = {kind: names for kind, names in told.items() if names}
    if absent or stored_dtype(to) != "bfloat16" or model.dtype != torch.bfloat16:
        raise ValueError(f"{to}: does not load whole in bfloat16: {absent}")
    tokenizer = AutoTokenizer.from_pretrained(to, local_files_only=True)
    asked = tokenizer.apply_chat_template(
        [{"role": "user", "content": "안녕"}], add_generation_prompt=True, tokenize=False
    )
    if not asked.endswith("<|im_start|>assistant\n"):
        raise ValueError(f"{to}: the chat template gives {asked!r}")
    before, after = model_bits_per_byte(place, held), model_bits_per_byte(to, held)
    if not after <= before * (1 + LOSS):
        raise ValueError(f"bits per byte rose from {before:.4f} to {after:.4f}")
    return before, after


def main(arguments: Sequence[str] | None = None) -> int:
    """The command. Returns its exit code."""
    parser = argparse.ArgumentParser(description="Put the trained tiny-ko into the package.")
    parser.add_argument("workspace", type=Path, help="where it was trained")
    parser.add_argument("--to", type=Path, default=MODEL, help="the folder to fill")
    parser.add_argument("--model", type=Path, help="default: the newest result of tiny-ko-settle")
    given = parser.parse_args(arguments)
    *earlier, last = (given.workspace / "checkpoints" / name for name in EXPERIMENTS)
    held = lines(given.workspace / "data" / "raw" / "tiny_ko_heldout.txt")
    try:
        place = given.model or last
        pack(place, given.to, () if given.model else earlier)
        before, after = check(place, given.to, held)
    except (OSError, ValueError) as error:
        print(error, file=sys.stderr)
        return 1
    print(f"{given.to}: bits per byte {before:.4f} as trained, {after:.4f} packed")
    return 0


if __name__ == "__main__":
    sys.exit(main())
