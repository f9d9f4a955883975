"""Weights written and adapters read back: safetensors and JSON, every tensor accounted for and finite."""

import contextlib
import warnings
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import nn
from transformers import GenerationConfig
from transformers.utils import logging as transformers_logging

from dadeum.core.artifact import write_json
from dadeum.core.errors import ModelError
from dadeum.core.language import say
from dadeum.model.adapters._first_values import as_plain, is_drawn, plain_config
from dadeum.model.adapters._virtual import hush
from dadeum.model.configuration import first_line
from dadeum.model.files import ADAPTER_CONFIG, ADAPTER_WEIGHTS, weight_files
from dadeum.model.form import form_of
from dadeum.model.head_files import head_tensors, save_beside, save_note, save_whole
from dadeum.model.headed import headed_of
from dadeum.model.packing import peft_of, unwrap

# Methods of PEFT whose file holds what was trained; others write what they make of it.
SAVED_AS_TRAINED = {"LORA", "ADALORA", "VERA", "IA3", "PROMPT_TUNING"}


def save_model(model: nn.Module, folder: Path, *, stop_ids: Sequence[int] = (), pad_id: int | None = None) -> None:
    """Write the adapter of a PEFT model, else the whole model, and `generation_config.json`, into `folder`.

    Types are kept: float32 stays float32. Generation stops at any of `stop_ids` (default: as the model says). Raises
    ModelError naming a tensor that holds NaN or infinity; nothing is written then.
    """
    folder.mkdir(parents=True, exist_ok=True)
    peft = peft_of(model)
    core: Any = unwrap(model)
    headed = headed_of(model)
    if headed is not None:
        check_finite(head_tensors(headed))
    if peft is not None:
        tensors = as_plain(peft, adapter_tensors(peft))
        check_finite(tensors)
        save_file(tensors, folder / ADAPTER_WEIGHTS, metadata={"format": "pt"})
        _save_adapter_config(peft, folder)
        form_of(core).save(folder)
        if headed is not None:
            save_beside(headed, folder)
    elif headed is not None:
        check_finite(dict(core.named_parameters()))
        with without_bars():
            save_whole(headed, folder)
    else:
        check_finite(dict(core.named_parameters()))
        # Some models bring generation settings that transformers loads but refuses to write.
        own, core.generation_config = core.generation_config, GenerationConfig()
        try:
            with without_bars():
                core.save_pretrained(folder)
        finally:
            core.generation_config = own
    if headed is not None:  # it writes no text
        save_note(headed, folder)
        return
    save_generation(core, folder, stop_ids=stop_ids, pad_id=pad_id)


@contextlib.contextmanager
def without_bars() -> Iterator[None]:
    """Progress is drawn by our own reporter."""
    shown = transformers_logging.is_progress_bar_enabled()
    transformers_logging.disable_progress_bar()
    try:
        yield
    finally:
        if shown:
            transformers_logging.enable_progress_bar()


def save_generation(core: Any, folder: Path, *, stop_ids: Sequence[int] = (), pad_id: int | None = None) -> None:
    """Write `generation_config.json`, which stops at the end of a turn."""
    config = GenerationConfig.from_dict(core.generation_config.to_dict())
    if stop_ids:
        config.eos_token_id = list(stop_ids) if len(stop_ids) > 1 else stop_ids[0]
    if pad_id is not None:
        config.pad_token_id = pad_id
    # Without the private mark that would let transformers make it anew from the model's configuration.
    values = {key: value for key, value in config.to_diff_dict().items() if not key.startswith("_")}
    write_json(folder / "generation_config.json", values)


def adapter_tensors(peft: Any) -> dict[str, torch.Tensor]:
    """The adapter's tensors by the names that PEFT saves them under, on the CPU."""
    from peft import get_peft_model_state_dict

    # Asking PEFT to find out about embeddings would have it call the Hub.
    found = get_peft_model_state_dict(peft, save_embedding_layers=False)
    tensors, seen = {}, set()
    for name, tensor in found.items():
        plain = tensor.detach().contiguous().cpu()
        # A file holds no tensor twice: what layers share (tied ones, RandLora's bases) is written for each of them.
        tensors[name] = plain.clone() if plain.data_ptr() in seen else plain
        seen.add(plain.data_ptr())
    return tensors


def saved_as_trained(model: nn.Module) -> bool:
    """Whether the files of `save_model` hold each trained weight as it is: not what is made of others, or made plain."""
    peft = peft_of(model)
    return peft is None or (peft.peft_config["default"].peft_type in SAVED_AS_TRAINED and not is_drawn(peft))


def check_finite(tensors: Mapping[str, torch.Tensor]) -> None:
    """Raises ModelError naming the first tensor that holds NaN or infinity."""
    for name, tensor in tensors.items():
        if tensor.is_floating_point() and not bool(torch.isfinite(tensor).all()):
            broken = int((~torch.isfinite(tensor)).sum())
            raise ModelError(
                say(
                    f"tensor '{name}': {broken} of {tensor.numel()} values are not finite; the weights are not usable",
                    f"텐서 '{name}': 값 {tensor.numel()}개 중 {broken}개가 유한하지 않습니다. 쓸 수 없는 가중치입니다",
                )
            )


def attach_adapter(model: nn.Module, place: Path) -> nn.Module:
    """Put the adapter in `place` on its base. Raises ModelError unless each of its tensors fits and none is left over."""
    from peft import PeftConfig, get_peft_model, set_peft_model_state_dict

    file = weight_files(place)[0]
    try:
        config = PeftConfig.from_pretrained(str(place))
        config.inference_mode = True
        with warnings.catch_warnings():
            # An adapter on one of two tied layers: `merge` parts them.
            warnings.filterwarnings("ignore", message=".*tie_word_embeddings")
            warnings.filterwarnings("ignore", message=".*is_gradient_checkpointing", category=FutureWarning)
            # The adapter names its base by the user's word for it, and it lies in another folder (the Hub's cache).
            warnings.filterwarnings("ignore", message=".*base_model_name_or_path")
            # Trained on a quantised base, whose layers are no Conv1D any more.
            warnings.filterwarnings("ignore", message="fan_in_fan_out is set to")
            peft = get_peft_model(model, config)
        stored = load_file(file)
    except (ValueError, TypeError, KeyError, RuntimeError, SafetensorError) as error:
        raise ModelError(
            say(
                f"{place}: the adapter does not fit: {first_line(error)}",
                f"{place}: 어댑터가 맞지 않습니다: {first_line(error)}",
            )
        ) from error
    hush(config)
    _match(file, stored, adapter_tensors(peft))
    check_finite(stored)
    set_peft_model_state_dict(peft, stored)
    found: nn.Module = peft
    return found


def _match(file: Path, stored: dict[str, torch.Tensor], expected: dict[str, torch.Tensor]) -> None:
    absent = sorted(set(expected) - set(stored))
    foreign = sorted(set(stored) - set(expected))
    other = sorted(name for name in set(stored) & set(expected) if stored[name].shape != expected[name].shape)
    for names, english, korean in (
        (absent, "is absent", "없습니다"),
        (foreign, "belongs to no layer of the base", "기본 모델에 자리가 없습니다"),
        (other, "has another shape than the base's layer", "기본 모델의 층과 모양이 다릅니다"),
    ):
        if names:
            raise ModelError(
                say(
                    f"{file}: tensor '{names[0]}' {english} ({len(names)} such); take the adapter with its own base",
                    f"{file}: 텐서 '{names[0]}'이(가) {korean} (모두 {len(names)}개). 어댑터와 그 기본 모델을 함께 쓰세요",
                )
            )


def _save_adapter_config(peft: Any, folder: Path) -> None:
    values = plain_config(peft, {**peft.peft_config["default"].to_dict(), "inference_mode": True})
    # PEFT holds names in sets, whose order changes from process to process.
    plain = {key: sorted(value) if isinstance(value, set) else value for key, value in values.items()}
    write_json(folder / ADAPTER_CONFIG, plain)
