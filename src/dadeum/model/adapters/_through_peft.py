"""How an adapter of PEFT comes onto a model: targets resolved, towers left out, tied weights minded, errors in one sentence."""

import dataclasses
import re
import warnings
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from dadeum.core.errors import ModelError
from dadeum.core.language import say
from dadeum.core.near import hint, nearest
from dadeum.model.adapters import NeedsWeights
from dadeum.model.adapters._targets import ALL, all_paths, check_targets, linear_names, meets, misfit, outside, tied
from dadeum.model.adapters._virtual import hush

if TYPE_CHECKING:
    from torch import nn

# Words of PEFT for targets that do not fit.
OF_TARGETS = re.compile("target|incompatible", re.IGNORECASE)


def wrap(kind: str, model: Any, values: dict[str, Any], new_tokens: Sequence[int] = ()) -> "nn.Module":
    """The PEFT model of `kind` (`LORA`, …) with these values of its configuration; only the adapter is trainable.

    Targets that are not given are chosen by PEFT. Raises ModelError.
    """
    from peft import PEFT_TYPE_TO_CONFIG_MAPPING, get_peft_model

    from dadeum.model.configuration import first_line
    from dadeum.model.new_rows import token_indices

    config_class: Any = PEFT_TYPE_TO_CONFIG_MAPPING[kind]
    known = {field.name for field in dataclasses.fields(config_class)}
    values = {key: list(value) if isinstance(value, tuple) else value for key, value in values.items()}
    values |= _of_model(model, known)
    _check_layers(values, model)
    _check_parameters(values, model)
    targets = values.get("target_modules")
    if targets:
        check_targets(targets, model)
        _leave_out(values, known, model)
    if values.get("modules_to_save") == []:
        del values["modules_to_save"]
    if values.get("modules_to_save"):
        _check_saved(values, known, model)
    if "trainable_token_indices" in known and new_tokens:
        values["trainable_token_indices"] = token_indices(model, new_tokens, values.get("modules_to_save") or ())
    saved = list(values.get("modules_to_save") or ())
    try:
        with warnings.catch_warnings():
            # PEFT asks transformers by a name that the latter gave up.
            warnings.filterwarnings("ignore", message=".*is_gradient_checkpointing", category=FutureWarning)
            warnings.filterwarnings(
                "ignore", message=".*(fan_in_fan_out|tie_word_embeddings|path_initial_model|low_cpu_mem_usage)"
            )
            warnings.filterwarnings("ignore", message=".*_pattern keys did not match")  # that is refused below
            adapted: Any = get_peft_model(model, config_class(**values))
    except Exception as error:
        if "out of memory" in str(error).lower():
            raise
        reason = first_line(error)
        if "meta" in reason.lower() and next(model.parameters()).is_meta:
            raise NeedsWeights(reason) from error
        if "Conv1D" in reason and _transposed(model):
            raise ModelError(
                say(
                    f"adapter: found '{kind}' on a '{model.config.model_type}' model, whose layers are transposed (Conv1D); PEFT "
                    "does not know them in this method; use adapter: lora, vera or ia3",
                    f"adapter: '{kind}' 방법은 '{model.config.model_type}' 모델의 전치된 층(Conv1D)을 모릅니다. "
                    "adapter: lora, vera, ia3 가운데 하나를 쓰세요",
                )
            ) from error
        if targets and (isinstance(error, re.error) or OF_TARGETS.search(reason)):
            raise misfit(targets, model, reason) from error
        raise ModelError(
            say(
                f"adapter: '{kind.lower()}' does not fit this model: {reason}",
                f"adapter: '{kind.lower()}' 어댑터는 이 모델에 맞지 않습니다: {reason}",
            )
        ) from error
    if values.get("ensure_weight_tying"):  # PEFT writes in what it made of it, and does not read that back
        adapted.peft_config["default"].modules_to_save = saved
    hush(adapted.peft_config["default"])
    _check_patterns(values, adapted)
    _freeze_outside(adapted)
    found: nn.Module = adapted
    return found


def _of_model(model: Any, known: set[str]) -> dict[str, Any]:
    """Values that follow from the model."""
    found: dict[str, Any] = {}
    if hasattr(model, "prepare_inputs_for_generation"):
        found["task_type"] = "CAUSAL_LM"
    if "fan_in_fan_out" in known:
        found["fan_in_fan_out"] = _transposed(model)
    return found


def _transposed(model: Any) -> bool:
    """Whether layers hold their weights the other way round, as GPT-2's do."""
    from transformers.pytorch_utils import Conv1D

    return any(isinstance(module, Conv1D) for module in model.modules())


def _leave_out(values: dict[str, Any], known: set[str], model: Any) -> None:
    """Routers and towers get nothing; where PEFT's method cannot be told so, the other layers are named one by one."""
    beyond, targets = outside(model), values["target_modules"]
    if targets == ALL and values.get("layers_to_transform") is not None:  # PEFT takes names only
        values["target_modules"] = linear_names(model)
    if "exclude_modules" in known:
        also = values.get("exclude_modules") or ()
        named = [also] if isinstance(also, str) else [rf"(.*\.)?{re.escape(name)}" for name in also]
        values["exclude_modules"] = "|".join([*named, *([beyond] if beyond else [])]) or None
        return
    if beyond:
        values["target_modules"] = all_paths(targets, model)
    elif targets == ALL:
        values["target_modules"] = linear_names(model)


def _check_layers(values: dict[str, Any], model: Any) -> None:
    """PEFT passes over numbers of layers that there are not."""
    count = int(getattr(model.config.get_text_config(), "num_hidden_layers", 0))
    beyond = [n for n in values.get("layers_to_transform") or () if not 0 <= n < count]
    if beyond:
        raise ModelError(
            say(
                f"adapter.layers_to_transform: found {beyond[0]}, expected numbers from 0 to {count - 1}: the model has "
                f"{count} layers",
                f"adapter.layers_to_transform: {beyond[0]}번 층은 없습니다. 층은 {count}개이니 0부터 {count - 1}까지 쓰세요",
            )
        )


def _check_parameters(values: dict[str, Any], model: Any) -> None:
    """PEFT warns of parameters that there are not, or names the wrong setting."""
    there = [name for name, _ in model.named_parameters()]
    for wanted in values.get("target_parameters") or ():
        if not any(meets(wanted, name) for name in there):
            raise _nowhere("target_parameters", wanted, sorted({name.rsplit(".", 1)[-1] for name in there}))


def _check_patterns(values: dict[str, Any], adapted: Any) -> None:
    """PEFT passes over ranks and scales of layers that get no adapter."""
    tuner = adapted.base_model
    there = [*getattr(tuner, "targeted_module_names", ()), *getattr(tuner, "targeted_parameter_names", ())]
    for key in ("rank_pattern", "alpha_pattern"):
        for wanted in values.get(key) or ():
            if not any(re.match(rf"(.*\.)?({wanted})$", name) for name in there):
                raise _nowhere(key, wanted, sorted({name.rsplit(".", 1)[-1] for name in there}))


def _nowhere(key: str, wanted: str, names: list[str]) -> ModelError:
    listed, near = ", ".join(names), hint(nearest(wanted, names))
    return ModelError(
        say(
            f"adapter.{key}: found '{wanted}', which fits nothing here; there are: {listed}{near}; correct it, or leave it out",
            f"adapter.{key}: '{wanted}'에 맞는 것이 없습니다. 있는 것: {listed}{near}. 고치거나 빼세요",
        )
    )


def _check_saved(values: dict[str, Any], known: set[str], model: Any) -> None:
    """`modules_to_save` must be there; two tied layers stay one, where the method knows how."""
    names = [name for name, _ in model.named_modules()]
    for wanted in values["modules_to_save"]:
        if not any(meets(wanted, name) for name in names):
            last = sorted({n.rsplit(".", 1)[-1] for n in names if n and not n[-1].isdigit()})
            listed, near = ", ".join(last), hint(nearest(wanted, last))
            raise ModelError(
                say(
                    f"adapter.modules_to_save: found '{wanted}', which this model does not have; it has: {listed}{near}",
                    f"adapter.modules_to_save: 이 모델에는 '{wanted}'이(가) 없습니다. 있는 것: {listed}{near}",
                )
            )
    if not tied(model):
        return
    from peft.utils.other import EMBEDDING_LAYER_NAMES

    ends = (model.get_input_embeddings(), model.get_output_embeddings())
    pair = [name for name, module in model.named_modules() if module in ends]
    wanted = [w for w in values["modules_to_save"] if any(meets(w, name) for name in pair)]
    output = next(name for name, module in model.named_modules() if module is ends[1])
    if wanted and "ensure_weight_tying" in known and output.rsplit(".", 1)[-1] in EMBEDDING_LAYER_NAMES:
        # PEFT ties a layer that it knows by name to the other one, whatever that one is called; not the other way round.
        values["modules_to_save"] = [*(w for w in values["modules_to_save"] if w not in wanted), output]
        values["ensure_weight_tying"] = True
    elif wanted:
        raise ModelError(
            say(
                f"adapter.modules_to_save: found '{wanted[0]}', whose weights are also those of another layer here (tied "
                "embeddings), which this adapter would part; leave it out, or use adapter: lora",
                f"adapter.modules_to_save: '{wanted[0]}'은(는) 다른 층과 가중치를 함께 쓰는데(묶인 임베딩) 이 어댑터는 둘을 "
                "갈라놓습니다. 빼거나 adapter: lora를 쓰세요",
            )
        )


def _freeze_outside(adapted: Any) -> None:
    """`bias: all` also means the biases of towers: text gives them no gradient."""
    from dadeum.model.towers import towers

    core = adapted.get_base_model()
    for name in towers(core):
        core.get_submodule(name).requires_grad_(False)
