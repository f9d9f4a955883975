"""First values of LoRA's matrices that come from weights or rows, and what becomes of the base that they are taken from.

PiSSA and OLoRA take the matrices out of the base, so a saved adapter belongs to what is left of it. PEFT makes that again
when the adapter is attached: the same factors of the same weights, so the sums are equal to the bit, here and in plain
PEFT. Where the factors are drawn at random (`pissa_niter_N`) they would be others; such an adapter is saved as plain LoRA
of twice the rank on the untouched base (PEFT's `path_initial_model_for_weight_conversion`): with A0 and B0 the first
values, W - B0·A0 + B·A = W + [B, -B0]·[A; A0]. Equal but for the last digits, since sums are made in another order.
"""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dadeum.core.errors import ModelError
from dadeum.core.language import say

if TYPE_CHECKING:
    from torch import Tensor

    from dadeum.model.adapters import Start

MARK = "_dadeum_first_values"
MOST_PASSES = 2000  # of EVA, which goes round until its directions stand still


def taken_from_weights(init: object) -> bool:
    """Whether such first values are factors of the base: they are made of its weights in float32, whatever it is held in."""
    return isinstance(init, str) and init.startswith(("pissa", "olora"))


def remember(adapted: Any) -> None:
    """Keep first values that cannot be made again."""
    config = adapted.peft_config["default"]
    if str(config.init_lora_weights).startswith("pissa_niter"):
        from dadeum.model.save import adapter_tensors

        setattr(adapted, MARK, {name: tensor.clone() for name, tensor in adapter_tensors(adapted).items()})


def is_drawn(adapted: Any) -> bool:
    """Whether the base was changed in a way that nobody can repeat."""
    return hasattr(adapted, MARK)


def as_plain(adapted: Any, tensors: "dict[str, Tensor]") -> "dict[str, Tensor]":
    """The tensors to save: of twice the rank for an adapter of a drawn base."""
    import torch

    if not is_drawn(adapted):
        return tensors
    first: Mapping[str, Tensor] = getattr(adapted, MARK)
    found = dict(tensors)
    for name, tensor in tensors.items():
        if ".lora_A." in name:
            found[name] = torch.cat([tensor, first[name]], dim=0)
        elif ".lora_B." in name:
            found[name] = torch.cat([tensor, -first[name]], dim=1)
    return found


def plain_config(adapted: Any, values: dict[str, Any]) -> dict[str, Any]:
    """The configuration that belongs to `as_plain`: twice the ranks, with the scale as it was."""
    if not is_drawn(adapted):
        return values
    times = 2**0.5 if values["use_rslora"] else 2
    return {
        **values,
        "init_lora_weights": True,
        "r": values["r"] * 2,
        "lora_alpha": values["lora_alpha"] * times,
        "rank_pattern": {name: rank * 2 for name, rank in values["rank_pattern"].items()},
        "alpha_pattern": {name: alpha * times for name, alpha in values["alpha_pattern"].items()},
    }


class _Rounds:
    """Batches that say so when they were gone through too often."""

    def __init__(self, batches: Any) -> None:
        self.batches, self.passes = list(batches), 0

    def __len__(self) -> int:
        return len(self.batches)

    def __iter__(self) -> Iterator[dict[str, Any]]:
        for batch in self.batches:
            self.passes += 1
            if self.passes > MOST_PASSES:
                raise _eva(
                    f"its directions still move after {MOST_PASSES} passes; use other first values",
                    f"{MOST_PASSES}번을 돌아도 방향이 멈추지 않습니다. 다른 초깃값을 쓰세요",
                )
            yield dict(batch)


def _eva(english: str, korean: str) -> ModelError:
    return ModelError(say(f"adapter.init_lora_weights: eva: {english}", f"adapter.init_lora_weights: eva: {korean}"))


def eva(model: Any, start: "Start", components: float) -> None:
    """Explained variance adaptation (Paischer et al. 2024, arXiv 2410.07170): A spans what the rows put into each layer.

    Every process looks at the same rows, so all come to the same values.
    """
    from peft import initialize_lora_eva_weights

    from dadeum.model.configuration import first_line

    tokens = min((int(batch["attention_mask"].sum()) for batch in start.batches), default=0)
    if tokens < components:
        raise _eva(
            f"found {tokens} tokens at once to learn {components:g} directions from; lower adapter.r or adapter.eva_rho",
            f"방향 {components:g}개를 찾기에는 토큰이 {tokens}개뿐입니다. adapter.r이나 adapter.eva_rho를 줄이세요",
        )
    try:
        initialize_lora_eva_weights(
            model, _Rounds(start.batches), gather_distributed_inputs=False, show_progress_bar=False
        )
    except (ValueError, TypeError, RuntimeError, IndexError) as error:
        raise _eva(first_line(error), first_line(error)) from error


def loftq(model: Any, start: "Start") -> None:
    """LoftQ (Li et al. 2023, arXiv 2310.08659), one round: B·A begins as the best of that rank that rounding took away.

    PEFT has this for GPUs only.
    """
    import torch

    from dadeum.model.few_bits import full_weight

    assert start.base is not None, "a quantised base has a folder"
    stored = _Stored(start.base)
    with torch.no_grad():
        for name, layer in model.get_base_model().named_modules():
            if "default" not in getattr(layer, "lora_A", {}):
                continue
            rounded = full_weight(layer.get_base_layer(), torch.float32)
            left, sizes, right = torch.linalg.svd(stored.weight(name).to(rounded) - rounded, full_matrices=False)
            rank = layer.r["default"]
            roots = (sizes[:rank] / layer.scaling["default"]).sqrt()
            layer.lora_A["default"].weight.copy_(roots[:, None] * right[:rank])
            layer.lora_B["default"].weight.copy_(left[:, :rank] * roots)


class _Stored:
    """Weights of the base as they are stored, one by one."""

    def __init__(self, place: Path) -> None:
        from safetensors import safe_open

        from dadeum.model.files import weight_files

        self.place = place
        self.files: dict[str, Any] = {}
        for file in weight_files(place):
            opened = safe_open(file, framework="pt")
            names: list[str] = list(opened.keys())  # type: ignore[no-untyped-call]
            self.files |= dict.fromkeys(names, opened)

    def weight(self, layer: str) -> "Tensor":
        """Of the layer with this name in the model; a file may leave the first part of it out."""
        for key in (f"{layer}.weight", f"{layer.partition('.')[2]}.weight"):
            if key in self.files:
                found: Tensor = self.files[key].get_tensor(key).float()
                return found
        raise ModelError(
            say(
                f"adapter.init_lora_weights: loftq: {self.place} stores no tensor '{layer}.weight'; use other first values",
                f"adapter.init_lora_weights: loftq: {self.place}에 '{layer}.weight' 텐서가 없습니다. 다른 초깃값을 쓰세요",
            )
        )
