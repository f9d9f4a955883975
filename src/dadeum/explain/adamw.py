"""The update of one weight: what the optimizer was given and made of it, and the same by hand.

By hand means in Python's own arithmetic (64 bits), after Loshchilov and Hutter, "Decoupled Weight Decay Regularization"
(ICLR 2019): no function of torch is called.
"""

import math
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor, nn

from dadeum.explain.facts import Update
from dadeum.train.weights import trained_parameters

BY_HAND = (torch.optim.AdamW,)


@dataclass
class Chosen:
    """The weight whose gradient is the greatest of all, before the optimizer's step and after it."""

    name: str
    place: int  # in the flat tensor
    index: tuple[int, ...]
    gradient: float
    before: float
    state: dict[str, float]
    group: dict[str, Any]
    after: float = math.nan
    state_after: dict[str, float] = field(default_factory=dict)

    def look_again(self, module: nn.Module, optimizer: torch.optim.Optimizer) -> None:
        """After the step."""
        parameter = dict(module.named_parameters())[self.name]
        self.after = _number(parameter, self.place)
        self.state_after = _state(optimizer, parameter, self.place)


def choose(module: nn.Module, optimizer: torch.optim.Optimizer) -> Chosen:
    """Of equals the first. The gradients must be clipped, the weights the old ones."""
    best: tuple[float, str, nn.Parameter, int] | None = None
    for name, parameter in trained_parameters(module):
        if parameter.grad is None:
            continue
        sizes = parameter.grad.detach().abs().flatten()
        place = int(sizes.argmax())
        if best is None or float(sizes[place]) > best[0]:
            best = (float(sizes[place]), name, parameter, place)
    assert best is not None, "a step without gradients ends in an error before"
    _, name, parameter, place = best
    assert parameter.grad is not None
    group = next(g for g in optimizer.param_groups if any(p is parameter for p in g["params"]))
    index = tuple(int(i) for i in torch.unravel_index(torch.tensor(place), parameter.shape))
    return Chosen(
        name,
        place,
        index,
        _number(parameter.grad, place),
        _number(parameter, place),
        _state(optimizer, parameter, place),
        {key: value for key, value in group.items() if key != "params"},
    )


def _number(tensor: Tensor, place: int) -> float:
    return float(tensor.detach().flatten()[place])


def _state(optimizer: torch.optim.Optimizer, parameter: nn.Parameter, place: int) -> dict[str, float]:
    """The optimizer's numbers of one weight; its own counter of steps is one for all."""
    found = {}
    for key, value in optimizer.state.get(parameter, {}).items():
        if isinstance(value, Tensor):
            found[key] = float(value) if value.ndim == 0 else _number(value, place)
        elif isinstance(value, int | float):
            found[key] = float(value)
    return found


def update_of(chosen: Chosen, optimizer: torch.optim.Optimizer) -> Update:
    """The facts, with the arithmetic where it is AdamW's."""
    rate = float(chosen.group["lr"])
    plain = Update(
        chosen.name, chosen.index, type(optimizer).__name__, chosen.before, chosen.gradient, rate, chosen.after
    )
    plain_adamw = type(optimizer) in BY_HAND and not chosen.group["amsgrad"] and not chosen.group["maximize"]
    return _worked(plain, chosen) if plain_adamw else plain


def _worked(plain: Update, chosen: Chosen) -> Update:
    """Line by line as in the paper."""
    beta1, beta2 = (float(beta) for beta in chosen.group["betas"])
    epsilon, decay = float(chosen.group["eps"]), float(chosen.group["weight_decay"])
    g, rate, w = plain.gradient, plain.rate, plain.before
    m_before, v_before = chosen.state.get("exp_avg", 0.0), chosen.state.get("exp_avg_sq", 0.0)
    t = int(chosen.state.get("step", 0.0)) + 1
    m = beta1 * m_before + (1 - beta1) * g
    v = beta2 * v_before + (1 - beta2) * g * g
    m_hat, v_hat = m / (1 - beta1**t), v / (1 - beta2**t)
    decayed = w * (1 - rate * decay)
    moved = rate * m_hat / (math.sqrt(v_hat) + epsilon)
    return Update(
        plain.name,
        plain.index,
        plain.optimizer,
        w,
        g,
        rate,
        plain.after,
        step=t,
        betas=(beta1, beta2),
        epsilon=epsilon,
        decay=decay,
        m_before=m_before,
        v_before=v_before,
        m=chosen.state_after["exp_avg"],
        v=chosen.state_after["exp_avg_sq"],
        m_by_hand=m,
        v_by_hand=v,
        m_hat=m_hat,
        v_hat=v_hat,
        decayed=decayed,
        moved=moved,
        by_hand=decayed - moved,
    )
