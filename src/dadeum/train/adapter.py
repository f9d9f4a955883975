"""What an adapter asks of a training: choices that fit it, first values, rates of its own; and what is trained, told."""

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any

from dadeum.core.language import say
from dadeum.core.progress import Reporter
from dadeum.model.adapters import Beside, Start, initialise, wants_start
from dadeum.train.job import TrainJob

if TYPE_CHECKING:
    from torch import nn
    from torch.optim import Optimizer

# Rows that first values are made of: a few hundred show what goes into a layer.
START_ROWS, START_BATCH = 256, 16
MOST_KINDS = 12


def beside(job: TrainJob, steps: int | None) -> Beside:
    """The choices of this job that an adapter may not go together with."""
    return Beside(
        packing=job.packing,
        gradient_checkpointing=job.train.gradient_checkpointing,
        bits=job.model.quantization.bits if job.model.quantization else 0,
        steps=steps,
    )


def give_first_values(job: TrainJob, module: "nn.Module", samples: Any, tokenizer: Any, pad_id: int) -> None:
    """Of an adapter that makes them of rows, text or weights; every process takes the same rows."""
    if not wants_start(job.adapter):
        return
    import torch

    from dadeum.data.batch import collate

    device = next(module.parameters()).device
    count = min(START_ROWS, len(samples))
    # Of a unit of several sequences the first: end to end they are nothing that the model ever reads.
    rows = [samples[len(samples) * i // count].sequences[0] for i in range(count)]
    batches = [
        {
            key: value.to(device)
            for key, value in collate(rows[at : at + START_BATCH], packing=False, pad_id=pad_id).items()
            if key in ("input_ids", "attention_mask")
        }
        for at in range(0, count, START_BATCH)
    ]
    if len(batches) > 1 and len(rows) % START_BATCH:  # the last, smaller one may hold too few tokens
        batches.pop()
    initialise(job.adapter, module, Start(batches, tokenizer, job.model_place))
    for parameter in module.parameters():
        if parameter.requires_grad and parameter.dtype != torch.float32:
            parameter.data = parameter.data.float()


def with_rates(optimizer: "Optimizer", rates: "Iterable[tuple[nn.Parameter, float]]") -> "Optimizer":
    """Groups of their own for parameters that learn by so many times the rate: `lr_ratio`, which the loop heeds."""
    ratios = {id(parameter): ratio for parameter, ratio in rates}
    for group in list(optimizer.param_groups) if ratios else ():
        for ratio in {ratios[id(p)]: None for p in group["params"] if id(p) in ratios}:
            theirs = [p for p in group["params"] if ratios.get(id(p)) == ratio]
            group["params"] = [p for p in group["params"] if ratios.get(id(p)) != ratio]
            optimizer.add_param_group({**group, "params": theirs, "lr_ratio": ratio})
    optimizer.param_groups[:] = [group for group in optimizer.param_groups if group["params"]]
    return optimizer


def trained_kinds(module: "nn.Module") -> dict[str, tuple[int, int]]:
    """How many modules of each kind are trained, and how many numbers in them; the largest kind first."""
    found: dict[str, tuple[set[str], int]] = {}
    for name, parameter in module.named_parameters():
        if parameter.requires_grad:
            place = _owner(module, name)
            kind = next((part for part in reversed(place.split(".")) if part and not part.isdigit()), "model")
            places, size = found.setdefault(kind, (set(), 0))
            found[kind] = ({*places, place}, size + parameter.numel())
    return {kind: (len(places), size) for kind, (places, size) in sorted(found.items(), key=lambda item: -item[1][1])}


def _owner(module: "nn.Module", name: str) -> str:
    """The layer that an adapter stands beside, else the module that holds the parameter."""
    parts = name.split(".")[:-1]
    if "prompt_encoder" in parts:
        return "prompt_encoder"
    for end in range(1, len(parts)):
        layer = module.get_submodule(".".join(parts[:end]))
        if hasattr(layer, "base_layer") or hasattr(layer, "original_module"):
            return ".".join(parts[:end])
    return ".".join(part for part in parts if part != "default")


def tell_trained(module: "nn.Module", reporter: Reporter) -> None:
    """A short table before anything is trained."""
    from dadeum.model.few_bits import size_of

    total = sum(map(size_of, module.parameters()))
    kinds = trained_kinds(module)
    trained = sum(size for _, size in kinds.values())
    head = say(
        f"trains {trained:,} of {total:,} parameters ({trained / total:.2%})",
        f"파라미터 {total:,}개 가운데 {trained:,}개를 학습합니다({trained / total:.2%})",
    )
    reporter.note("\n".join([head, *_lines(kinds, total)]))


def _lines(kinds: dict[str, tuple[int, int]], total: int) -> Iterator[str]:
    shown = list(kinds.items())[:MOST_KINDS]
    width = max((len(kind) for kind, _ in shown), default=0)
    for kind, (count, size) in shown:
        yield f"  {kind:<{width}}  × {count:<4} {size:>14,}  {size / total:7.2%}"
    rest = list(kinds.values())[MOST_KINDS:]
    if rest:
        numbers = f"{sum(size for _, size in rest):,}"
        yield say(f"  and {len(rest)} more kinds: {numbers}", f"  그 밖의 {len(rest)}종: {numbers}")
