"""What two low-rank matrices do to one weight of the layer that they stand beside: read from the layer itself."""

from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor, nn

from dadeum.core.language import say
from dadeum.explain.facts import LowRank
from dadeum.model.few_bits import full_weight


@dataclass
class Watched:
    """A layer with matrices, before the step and after it."""

    name: str
    layer: Any
    adapter: str
    before: "_State" = field(init=False)
    after: "_State" = field(init=False)

    def __post_init__(self) -> None:
        self.before = self._look()

    def look_again(self) -> None:
        """After the step."""
        self.after = self._look()

    def _look(self) -> "_State":
        layer, name = self.layer, self.adapter
        vector = layer.lora_magnitude_vector
        magnitude = vector[name].weight.detach().clone().flatten() if name in vector else None
        a, b = layer.lora_A[name].weight, layer.lora_B[name].weight
        return _State(a.detach().clone(), b.detach().clone(), layer.get_delta_weight(name).detach().clone(), magnitude)


@dataclass(frozen=True)
class _State:
    a: Tensor  # (rank, in)
    b: Tensor  # (out, rank)
    delta: Tensor  # as the weight stands, scaled
    magnitude: Tensor | None


def _matrices(layer: Any) -> str | None:
    """The adapter whose two plain matrices stand beside this layer."""
    if not hasattr(layer, "lora_A") or not hasattr(layer, "get_base_layer"):
        return None
    for name in layer.active_adapters:
        pair = [getattr(layer, kind, {}) for kind in ("lora_A", "lora_B")]
        if all(name in one and getattr(one[name], "weight", None) is not None for one in pair):
            weight = getattr(layer.get_base_layer(), "weight", None)
            if weight is not None and all(one[name].weight.ndim == 2 for one in pair):
                return str(name)
    return None


def watch(module: nn.Module, preferred: str) -> Watched | None:
    """The layer that the parameter `preferred` belongs to, else the one whose B has the greatest gradient; None without any."""
    found: list[tuple[bool, float, str, Any, str]] = []
    for name, layer in module.named_modules():
        adapter = _matrices(layer)
        if adapter is None:
            continue
        grad = layer.lora_B[adapter].weight.grad
        size = 0.0 if grad is None else float(grad.abs().max())
        found.append((preferred.startswith(f"{name}."), size, name, layer, adapter))
    if not found:
        return None
    _, _, name, layer, adapter = max(found, key=lambda one: one[:2])
    return Watched(name, layer, adapter)


def low_rank_of(watched: Watched) -> LowRank:
    """The weight that the step moved furthest."""
    before, after = watched.before, watched.after
    change = (after.delta - before.delta).abs()
    if not change.any():  # a rate of 0: the weight that they add most to
        change = after.delta.abs()
    row, column = divmod(int(change.flatten().argmax()), change.shape[1])
    layer = watched.layer
    # Conv1D holds its matrix the other way round.
    out, into = (column, row) if layer.fan_in_fan_out else (row, column)
    weight = full_weight(layer.get_base_layer(), torch.float32)
    base = float(weight[row, column])
    deltas = [float(state.delta[row, column]) for state in (before, after)]
    merged = [base + delta for delta in deltas]
    magnitude = None
    if before.magnitude is not None and after.magnitude is not None:
        sizes = [float(state.magnitude[out]) for state in (before, after) if state.magnitude is not None]
        magnitude = (sizes[0], sizes[1])
        merged = [
            size * value / _norm(weight, state.delta, out, turned=layer.fan_in_fan_out)
            for size, value, state in zip(sizes, merged, (before, after), strict=True)
        ]
    return LowRank(
        module=watched.name,
        index=(row, column),
        shape=(int(weight.shape[0]), int(weight.shape[1])),
        base=base,
        scale=float(layer.scaling[watched.adapter]),
        a_before=before.a[:, into].tolist(),
        b_before=before.b[out].tolist(),
        a_after=after.a[:, into].tolist(),
        b_after=after.b[out].tolist(),
        delta_before=deltas[0],
        delta_after=deltas[1],
        merged_before=merged[0],
        merged_after=merged[1],
        magnitude=magnitude,
    )


def _norm(weight: Tensor, delta: Tensor, out: int, *, turned: bool) -> float:
    """DoRA: the length of what leads to one output."""
    whole = weight + delta
    return float(torch.linalg.vector_norm(whole[:, out] if turned else whole[out]))


def without_matrices(adapter: str) -> str:
    """Why there is nothing to show."""
    if adapter == "full":
        return say(
            "Nothing stands beside the weights: all of them are trained themselves, as the update below shows for one.",
            "가중치 옆에 놓은 것이 없습니다. 가중치 자체를 모두 학습하며, 그 가운데 하나를 아래 갱신에서 봅니다.",
        )
    return say(
        f"Adapter '{adapter}' has no two matrices whose product is added to a weight; what it trains is updated as shown below.",
        f"'{adapter}' 어댑터에는 곱해서 가중치에 더하는 두 행렬이 없습니다. 학습하는 값은 아래처럼 갱신됩니다.",
    )
