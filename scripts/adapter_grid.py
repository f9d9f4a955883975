"""Every adapter on Llama, Qwen2 and GPT-2: twenty steps, saved, and loaded again in one fresh process.

    python -m scripts.adapter_grid [--to docs/results/adapters.md] [--only NAME …]

What a fresh process finds is held against what was trained: the adapter by dadeum and by plain PEFT, the merged model by
plain transformers. A pair that cannot be is refused by name before weights are read; the table says so.
"""

import argparse
import json
import re
import subprocess
import sys
import tempfile
import warnings
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors.torch import load_file, save_file
from tokenizers import Tokenizer, models, pre_tokenizers
from torch import nn
from transformers import AutoConfig, AutoModelForCausalLM, PreTrainedTokenizerFast

from dadeum.config.model import ModelSettings
from dadeum.core.errors import DadeumError
from dadeum.data.batch import collate
from dadeum.model import adapters
from dadeum.model.adapters import ADAPTERS, Beside, NeedsWeights, Start
from dadeum.model.count import adapt, on_meta
from dadeum.model.load import load_for_inference, load_for_training
from dadeum.model.merge import merge
from dadeum.model.nll import token_nll
from dadeum.model.save import save_model, without_bars

ROWS, STEPS, RATE = 113, 20, 3e-3
SMALL = {
    "vocab_size": ROWS, "hidden_size": 64, "intermediate_size": 96, "num_hidden_layers": 2, "num_attention_heads": 4,
    "num_key_value_heads": 2, "max_position_embeddings": 128, "bos_token_id": 1, "eos_token_id": 2,
}  # fmt: skip
SHAPES: dict[str, dict[str, Any]] = {
    "Llama": {"model_type": "llama", **SMALL},
    "Qwen2": {"model_type": "qwen2", **SMALL},
    "GPT-2": {
        "model_type": "gpt2", "vocab_size": ROWS, "n_embd": 64, "n_layer": 2, "n_head": 4, "n_positions": 128,
        "bos_token_id": 1, "eos_token_id": 2, "resid_pdrop": 0.0, "embd_pdrop": 0.0, "attn_pdrop": 0.0,
    },
}  # fmt: skip
# The base in few bits, as QLoRA has it.
BITS = {"Llama, 8 bits": 8, "Llama, 4 bits": 4}
SHAPES |= dict.fromkeys(BITS, SHAPES["Llama"])
# How far logits may be from what was trained: loaded again, and merged. A drawn PiSSA is saved as plain LoRA of twice the
# rank, whose sums are made in another order.
CLOSE, CLOSE_DRAWN, MERGED = 1e-6, 1e-5, 1e-4


def _of_peft(kind: str, **more: Any) -> dict[str, Any]:
    return {"type": "peft", "peft_type": kind, "target_modules": "all-linear", **more}


LORA = {"type": "lora", "r": 4}
ADALORA = {"type": "adalora", "init_r": 6, "target_r": 3, "tinit": 2, "tfinal": 4}
PROMPT = {"type": "prompt_tuning", "num_virtual_tokens": 5}
PREFIX = {"type": "prefix_tuning", "num_virtual_tokens": 5}
CASES: dict[str, dict[str, Any]] = {
    "lora": LORA,
    "lora, rsLoRA": {**LORA, "use_rslora": True},
    "lora, DoRA": {**LORA, "use_dora": True},
    "lora, LoRA+": {**LORA, "loraplus_lr_ratio": 8.0},
    "lora, gaussian": {**LORA, "init_lora_weights": "gaussian"},
    "lora, orthogonal": {**LORA, "init_lora_weights": "orthogonal"},
    "lora, PiSSA": {**LORA, "init_lora_weights": "pissa"},
    "lora, PiSSA, drawn": {**LORA, "init_lora_weights": "pissa_niter_4"},
    "lora, PiSSA with DoRA": {**LORA, "init_lora_weights": "pissa", "use_dora": True},
    "lora, OLoRA": {**LORA, "init_lora_weights": "olora"},
    "lora, EVA": {**LORA, "init_lora_weights": "eva"},
    "lora, all random": {**LORA, "init_lora_weights": False},
    "lora, biases": {**LORA, "bias": "all"},
    "lora, one layer": {**LORA, "layers_to_transform": [1]},
    "lora, ranks by layer": {**LORA, "rank_pattern": {r".*\.0\..*": 2}, "alpha_pattern": {r".*\.mlp\..*": 7.0}},
    "lora, output layer whole": {**LORA, "modules_to_save": ["lm_head"]},
    "adalora": ADALORA,
    "vera": {"type": "vera", "r": 16},
    "vera, biases": {"type": "vera", "r": 16, "bias": "vera_only"},
    "ia3": {"type": "ia3"},
    "ia3, all-linear": {"type": "ia3", "target_modules": "all-linear", "feedforward_modules": []},
    "prompt_tuning": PROMPT,
    "prompt_tuning, of tokens": {**PROMPT, "prompt_tuning_init": "SAMPLE_VOCAB"},
    "prompt_tuning, of a text": {**PROMPT, "prompt_tuning_init": "TEXT", "prompt_tuning_init_text": "w5 w6 w7"},
    "prefix_tuning": PREFIX,
    "prefix_tuning, zero": {**PREFIX, "init_weights": "zero"},
    "prefix_tuning, by a network": {**PREFIX, "prefix_projection": True, "encoder_hidden_size": 24},
    "full": {"type": "full"},
    "full, first layer frozen": {"type": "full", "freeze_layers": 1},
    **{
        f"peft: {kind}": _of_peft(kind, **more)
        for kind, more in {
            "ADAMSS": {}, "BEFT": {}, "BOFT": {}, "C3A": {"block_size": 16}, "DEFT": {}, "DELORA": {},
            "FOURIERFT": {"n_frequency": 50}, "FROD": {}, "GLORA": {}, "GRALORA": {}, "HIRA": {}, "HRA": {}, "LILY": {},
            "LOHA": {}, "LOKR": {}, "MISS": {"r": 8}, "OFT": {}, "PEANUT": {}, "PSOFT": {"r": 8}, "PVERA": {"r": 16},
            "RANDLORA": {}, "ROAD": {"group_size": 16}, "SHIRA": {"r": 4}, "SUPERTUNING": {}, "TINYLORA": {}, "UNILORA": {},
            "VBLORA": {"vector_length": 16}, "WAVEFT": {"n_frequency": 50},
        }.items()
    },
    "peft: LN_TUNING": {"type": "peft", "peft_type": "LN_TUNING"},
    "peft: P_TUNING": {"type": "peft", "peft_type": "P_TUNING", "num_virtual_tokens": 5, "encoder_hidden_size": 16},
}  # fmt: skip


@dataclass
class Row:
    """What came of one adapter on one model; numbers are the largest differences of a logit."""

    name: str
    shape: str
    trained: int = 0
    moved: float = 0.0  # of a logit, by the training
    strayed: int = 0  # tensors that moved and should not have, or the other way round
    refused: str = ""
    loaded: float | None = None
    peft: float | None = None
    merged: float | None = None

    @property
    def fine(self) -> bool:
        """Refused by name, or as it should be."""
        if self.refused:
            return True
        close = CLOSE_DRAWN if "drawn" in self.name else CLOSE
        return (
            self.strayed == 0
            and self.moved > 0
            and self.loaded is not None
            and self.loaded <= close
            and (self.peft or 0) <= close
            and (self.merged or 0) <= MERGED
        )


def tokenizer() -> PreTrainedTokenizerFast:
    """Words w3 to w112."""
    names = ["<unk>", "<s>", "</s>", *(f"w{i}" for i in range(3, ROWS))]
    inner = Tokenizer(models.WordLevel({name: i for i, name in enumerate(names)}, unk_token="<unk>"))
    inner.pre_tokenizer = pre_tokenizers.Whitespace()
    return PreTrainedTokenizerFast(tokenizer_object=inner, bos_token="<s>", eos_token="</s>", unk_token="<unk>")


def base(shape: str, place: Path) -> Path:
    """A random model of this shape, on disk, in full."""
    folder = place / f"base-{shape.partition(',')[0]}"
    if not folder.is_dir():
        torch.manual_seed(0)
        model: Any = AutoModelForCausalLM.from_config(AutoConfig.for_model(**SHAPES[shape]))
        with torch.no_grad():
            for parameter in model.parameters():
                if parameter.ndim > 1:
                    parameter.normal_(std=0.08)
                else:
                    parameter.add_(torch.randn_like(parameter) * 0.02)
        save_model(model, folder)
        tokenizer().save_pretrained(str(folder))
    return folder


def rows(step: int) -> list[tuple[Any, Any]]:
    """Texts of unlike lengths, of which some tokens count."""
    draw = np.random.RandomState(step)
    made = []
    for length in (5, 17, 9, 12):
        weights = (draw.rand(length) < 0.7).astype(np.float32)
        made.append((draw.randint(3, ROWS, length).astype(np.int32), weights))
    return made


def probe(model: Any) -> torch.Tensor:
    """Logits of a padded batch of two texts, at their own places."""
    batch = collate([(ids, weights) for ids, weights in rows(1000)[:2]], packing=False, pad_id=0)
    with torch.no_grad():
        found: torch.Tensor = model(input_ids=batch["input_ids"], attention_mask=batch["attention_mask"]).logits
    found = found[:, -batch["input_ids"].shape[1] :]
    return found[batch["attention_mask"].bool()]


def fits(settings: Any, place: Path, bits: int = 0) -> str:
    """Why not, before weights are read; or nothing."""
    try:
        adapters.refuse(settings, Beside(steps=STEPS, bits=bits))
        adapt(settings, on_meta(place))
    except NeedsWeights:
        return ""
    except DadeumError as error:
        return str(error)
    return ""


def train(name: str, shape: str, place: Path) -> Row:
    """Twenty steps of one adapter on one model; what is to be loaded again lies in `place` then."""
    row, folder = Row(name, shape), base(shape, place)
    settings = ADAPTERS.validate(CASES[name])
    bits = BITS.get(shape, 0)
    row.refused = fits(settings, folder, bits)
    if row.refused:
        return row
    member: Any = ADAPTERS.of(settings)
    source = ModelSettings.model_validate(
        {"name_or_path": str(folder), "quantization": {"bits": bits} if bits else None}
    )
    try:
        model: Any = load_for_training(
            source, settings, place=folder, tokenizer=tokenizer(), precision="fp32",
            device="cpu", seed=3, packing=False,
        )  # fmt: skip
    except DadeumError as error:
        row.refused = str(error)
        return row
    batches = [collate(rows(2000 + i), packing=False, pad_id=0) for i in range(4)]
    start = [{key: batch[key] for key in ("input_ids", "attention_mask")} for batch in batches]
    adapters.initialise(settings, model, Start(start, tokenizer(), folder))
    before = {key: value.clone() for key, value in model.state_dict().items()}
    first = probe(model.eval())
    wanted = {key for key, p in model.named_parameters(remove_duplicate=False) if p.requires_grad}
    row.trained = sum(p.numel() for p in model.parameters() if p.requires_grad)
    run_steps(settings, model.train())
    after = model.eval().state_dict()
    differ = {key for key in before if not torch.equal(before[key], after[key])}
    row.strayed = len(differ - wanted) + (0 if differ else 1)
    last = probe(model)
    row.moved = _apart(first, last)
    to = place / f"{name} on {shape}"
    save_model(model, to / "adapter")
    save_file({"logits": last}, to / "logits.safetensors")
    if member.freezes_base and member.mergeable(settings) and not bits:
        merge(to / "adapter", folder, to / "merged")
    (to / "row.json").write_text(json.dumps(asdict(row)), encoding="utf-8")
    return row


def run_steps(settings: Any, model: nn.Module) -> None:
    """As the loop does: groups with rates, a term of the weights, a word after each step."""
    from dadeum.train.adapter import with_rates

    trained = [p for p in model.parameters() if p.requires_grad]
    optimizer = with_rates(
        torch.optim.AdamW(trained, lr=RATE, weight_decay=0.0), adapters.learning_rates(settings, model)
    )
    for group in optimizer.param_groups:
        group["lr"] = RATE * group.get("lr_ratio", 1.0)
    course = adapters.course(settings, model, STEPS)
    for step in range(STEPS):
        found = token_nll(model, collate(rows(step), packing=False, pad_id=0))
        loss = (found.nll * found.weights).sum() / found.weights.sum()
        penalty = course.penalty()
        (loss if penalty is None else loss + penalty).backward()  # type: ignore[no-untyped-call]
        optimizer.step()
        course.after_step(step + 1)
        optimizer.zero_grad()


def load_again(place: Path) -> None:
    """In a process that has seen none of it: write the differences into each `row.json`."""
    with without_bars():
        _load_again(place)


def _load_again(place: Path) -> None:
    from peft import PeftModel

    for file in sorted(place.glob("*/row.json")):
        row = Row(**json.loads(file.read_text(encoding="utf-8")))
        folder, stored = file.parent, base(row.shape, place)
        want = load_file(folder / "logits.safetensors")["logits"]
        adapted = (folder / "adapter" / "adapter_config.json").is_file()
        row.loaded = _apart(probe(load_for_inference(folder / "adapter", base=stored if adapted else None)), want)
        if adapted and row.shape not in BITS:
            plain = AutoModelForCausalLM.from_pretrained(stored, dtype=torch.float32)
            row.peft = _apart(probe(PeftModel.from_pretrained(plain, str(folder / "adapter")).eval()), want)
        if (folder / "merged").is_dir():
            whole: Any = AutoModelForCausalLM.from_pretrained(folder / "merged", dtype=torch.float32)
            row.merged = _apart(probe(whole.eval()), want)
        file.write_text(json.dumps(asdict(row)), encoding="utf-8")


def _apart(one: torch.Tensor, other: torch.Tensor) -> float:
    return float((one - other).abs().max())


def grid(pairs: Sequence[tuple[str, str]], place: Path) -> list[Row]:
    """All of it: trained here, loaded again in one process."""
    found = []
    for name, shape in pairs:
        found.append(train(name, shape, place))
        said = found[-1].refused or f"{found[-1].trained:,} trained"
        print(f"{name} on {shape}: {said}", file=sys.stderr)
    command = [sys.executable, "-W", "ignore", "-m", "scripts.adapter_grid", "--reload", str(place)]
    subprocess.run(command, check=True, cwd=Path(__file__).parents[1])
    again = {}
    for file in place.glob("*/row.json"):
        row = Row(**json.loads(file.read_text(encoding="utf-8")))
        again[row.name, row.shape] = row
    return [again.get((row.name, row.shape), row) for row in found]


def page(found: Sequence[Row]) -> Iterator[str]:
    """The results page."""
    yield "# Adapters: what works where"
    yield ""
    yield "Made by `python -m scripts.adapter_grid`, a part of `make proof`. Random models of two layers and width 64;"
    yield f"{STEPS} steps of AdamW; then one fresh process loads all of it. Numbers are the largest difference of a logit from"
    yield "what was trained: the adapter loaded by dadeum / by plain PEFT / merged and loaded by plain transformers (– where"
    yield f"weights cannot hold it). Bounds: {CLOSE:g}, merged {MERGED:g}; a drawn PiSSA is saved as plain LoRA of twice the"
    yield f"rank, whose sums are made in another order: {CLOSE_DRAWN:g}. Nothing but what is to be trained moved in any of them."
    yield "In few bits the adapter is loaded on the quantised base by dadeum; what is merged goes into the base in full, which is"
    yield "another model, and is measured at export."
    yield ""
    yield "| adapter | " + " | ".join(SHAPES) + " |"
    yield "| --- |" + " --- |" * len(SHAPES)
    reasons: list[str] = []
    for name in dict.fromkeys(row.name for row in found):
        cells = []
        for shape in SHAPES:
            row = next((r for r in found if (r.name, r.shape) == (name, shape)), None)
            if row is not None and row.refused and _kind_of(row.refused) not in reasons:
                reasons.append(_kind_of(row.refused))
            cells.append("" if row is None else _cell(row, reasons))
        yield f"| {name} | " + " | ".join(cells) + " |"
    yield ""
    yield "Refused before any weight is read, in these words:"
    yield ""
    yield from (f"{number}. {reason}" for number, reason in enumerate(reasons, 1))


def _kind_of(reason: str) -> str:
    """The sentence for any method of PEFT and any number of bits."""
    return re.sub(r"\d bits", "… bits", re.sub(r"found '[A-Z][A-Z0-9_]+'", "found '…'", reason))


def _cell(row: Row, reasons: list[str]) -> str:
    if row.refused:
        return f"refused ({reasons.index(_kind_of(row.refused)) + 1})"
    numbers = " / ".join("–" if n is None else f"{n:.0e}" if n else "0" for n in (row.loaded, row.peft, row.merged))
    return numbers if row.fine else f"**{numbers}**"


def main() -> None:
    """Write the page; exit 1 where something is not as it should be."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--to", type=Path)
    parser.add_argument("--only", nargs="*", default=[])
    parser.add_argument("--reload", type=Path)
    given = parser.parse_args()
    warnings.simplefilter("ignore")
    torch.set_num_threads(1)
    if given.reload is not None:
        load_again(given.reload)
        return
    names = [name for name in CASES if not given.only or name in given.only]
    with tempfile.TemporaryDirectory() as place:
        found = grid([(name, shape) for name in names for shape in SHAPES], Path(place))
    text = "\n".join(page(found)) + "\n"
    if given.to is not None:
        given.to.write_text(text, encoding="utf-8", newline="\n")
    else:
        print(text)
    wrong = [f"{row.name} on {row.shape}" for row in found if not row.fine]
    if wrong:
        raise SystemExit(f"not as they should be: {', '.join(wrong)}")


if __name__ == "__main__":
    main()
