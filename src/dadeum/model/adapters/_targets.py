"""Which layers an adapter stands beside: names, expressions, `all-linear`; never routers, towers or one of two tied layers."""

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from dadeum.core.errors import ModelError
from dadeum.core.language import say
from dadeum.core.near import hint, nearest

if TYPE_CHECKING:
    from torch import nn

ALL = "all-linear"
Targets = str | Sequence[str]


def linear_names(model: "nn.Module") -> list[str]:
    """Last names of the modules that PEFT can put matrices beside, sorted, without the output layer."""
    return sorted({name.rsplit(".", 1)[-1] for name in linear_paths(model)})


def linear_paths(model: Any) -> list[str]:
    """Their whole names, in the model's order."""
    from torch import nn
    from transformers.pytorch_utils import Conv1D

    getter = getattr(model, "get_output_embeddings", None)
    output = getter() if callable(getter) else None
    beyond = re.compile(outside(model) or "$.")
    return [
        name
        for name, module in model.named_modules()
        if isinstance(module, nn.Linear | Conv1D) and module is not output and not beyond.fullmatch(name)
    ]


def outside(model: Any) -> str:
    """An expression for the layers that no matrix can stand beside: routers, and all that text does not pass through."""
    from dadeum.model.towers import towers

    routers = [re.escape(name) for name, module in model.named_modules() if not _gives_a_product(module)]
    return "|".join([*routers, *(rf"{re.escape(name)}(\..*)?" for name in towers(model))])


def _gives_a_product(layer: Any) -> bool:
    """Whether a linear layer gives one tensor of its width. Routers of Llama 4 and Phi-MoE are linear by class alone."""
    import torch
    from torch import nn

    if not isinstance(layer, nn.Linear) or type(layer).forward is nn.Linear.forward:
        return True
    if not layer.weight.is_floating_point():  # a quantised layer, made of a plain one
        return True
    try:
        with torch.no_grad():
            out = layer(layer.weight.new_zeros(1, layer.in_features))
    except Exception:  # whatever it wants, it is no matrix that another one can stand beside
        return False
    return isinstance(out, torch.Tensor) and out.shape == (1, layer.out_features)


def check_targets(targets: Targets, model: Any) -> None:
    """Raises ModelError for a name that no layer has, and for one of two tied layers."""
    if not isinstance(targets, str):
        beyond = outside(model)
        names = [name for name, _ in model.named_modules() if not (beyond and re.fullmatch(beyond, name))]
        unknown = [target for target in targets if not any(meets(target, name) for name in names)]
        if unknown:
            raise misfit(", ".join(unknown), model)
    if targets == ALL or not tied(model):
        return
    for name, module in model.named_modules():
        if module in (model.get_input_embeddings(), model.get_output_embeddings()) and _hits(targets, name):
            raise ModelError(
                say(
                    f"adapter.target_modules: found '{name}', whose weights are also those of another layer here (tied "
                    "embeddings); leave it out",
                    f"adapter.target_modules: '{name}'은(는) 다른 층과 가중치를 함께 씁니다(묶인 임베딩). 빼세요",
                )
            )


def tied(model: Any) -> bool:
    """Whether the embedding and the output layer are one matrix."""
    outputs, inputs = (getattr(model, f"get_{kind}_embeddings", lambda: None)() for kind in ("output", "input"))
    return outputs is not None and inputs is not None and inputs.weight is outputs.weight


def _hits(targets: Targets, name: str) -> bool:
    if isinstance(targets, str):
        try:
            return re.fullmatch(targets, name) is not None
        except re.error:  # PEFT says what is wrong with it
            return False
    return any(meets(target, name) for target in targets)


def meets(target: str, name: str) -> bool:
    """Whether a target that is a name means this layer, by PEFT's rule."""
    return name == target or name.endswith("." + target)


def all_paths(targets: Targets, model: Any) -> list[str]:
    """The targets as whole names, for methods of PEFT that cannot be told what to leave out."""
    paths = linear_paths(model)
    return paths if targets == ALL else [path for path in paths if _hits(targets, path)]


def misfit(targets: Targets, model: Any, reason: str = "") -> ModelError:
    """The sentence of targets that do not fit, with those that do."""
    found = targets if isinstance(targets, str) else ", ".join(targets)
    names, why = linear_names(model), f" ({reason})" if reason else ""
    listed = ", ".join(names) + (hint(nearest(found, names)) if "," not in found else "")
    cure, korean = ("name some of them", "이 가운데서 고르세요")
    if found != ALL:
        cure, korean = (f"{cure}, or use '{ALL}'", f"이 가운데서 고르거나 '{ALL}'를 쓰세요")
    return ModelError(
        say(
            f"adapter.target_modules: found '{found}', which this model cannot take{why}; its linear layers are: {listed}; {cure}",
            f"adapter.target_modules: '{found}'은(는) 이 모델에 쓸 수 없습니다{why}. 선형층: {listed}. {korean}",
        )
    )
