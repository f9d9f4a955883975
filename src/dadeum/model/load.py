"""The one loader: a model to train, or to use. Safetensors and JSON only; seeded before anything random is made."""

import contextlib
import logging
import random
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

import numpy as np
import torch
from torch import nn
from transformers import AutoModelForCausalLM, PreTrainedTokenizerFast
from transformers.utils import logging as transformers_logging

from dadeum.config.model import ModelSettings
from dadeum.core.artifact import read_manifest, writing
from dadeum.core.errors import ModelError
from dadeum.core.hub import commit_of
from dadeum.core.language import say
from dadeum.core.settings import MemberSettings
from dadeum.model import quantize
from dadeum.model.adapters import ADAPTERS, Beside, reads_weights, refuse
from dadeum.model.adapters._first_values import taken_from_weights
from dadeum.model.configuration import check_vocabulary, first_line, fresh_config, read_config, refuse_quantized
from dadeum.model.few_bits import as_in_training, settle, try_out
from dadeum.model.files import ADAPTER_CONFIG, is_adapter, is_headed, read_object, weight_files
from dadeum.model.form import Form, remember, untie
from dadeum.model.head_files import HeadNote
from dadeum.model.headed import Headed, check_output_free, output_names, padding_of, without_output
from dadeum.model.heads import parts
from dadeum.model.new_rows import add_rows, check_trained, rows_of, set_rows
from dadeum.model.packing import unwrap, use_packing
from dadeum.model.save import attach_adapter, save_model, without_bars

logger = logging.getLogger("dadeum")
Precision = Literal["auto", "fp32", "bf16", "fp16"]
DTYPES = {
    "fp32": torch.float32,
    "bf16": torch.bfloat16,
    "fp16": torch.float16,
    "float32": torch.float32,
    "bfloat16": torch.bfloat16,
    "float16": torch.float16,
}
MADE_BASE = "base"


def seed_all(seed: int) -> None:
    """Seed Python, numpy and torch on every device."""
    random.seed(seed)
    np.random.seed(seed % 2**32)
    torch.manual_seed(seed)


def load_for_training(
    model: ModelSettings,
    adapter: MemberSettings,
    *,
    place: Path | None,
    tokenizer: PreTrainedTokenizerFast,
    precision: str,
    device: torch.device | str,
    seed: int,
    packing: bool = True,
    new_tokens: Mapping[str, str] = {},
    head: MemberSettings | None = None,
    labels: Sequence[Mapping[str, Any]] = (),
    ends: Sequence[int] = (),
) -> nn.Module:
    """The model on `device`, in training mode, with its adapter, and with its `head` as the `heads` of labels.json make it.

    Trainable weights are float32 whatever is stored; frozen ones are held in `model.dtype` (`auto`: float32 with fp32,
    else the type of the arithmetic), or in few bits. The same seed gives the same weights whether the base was loaded or
    made. `new_tokens`, with their descriptions, get rows; those of fresh weights are as fresh as all others. With
    `packing` an attention that keeps packed samples apart is chosen and checked. `ends` are tokens that rows end with.
    Raises ModelError.
    """
    quantize.refuse(model, adapter)
    refuse(adapter, Beside(packing=packing, bits=model.quantization.bits if model.quantization else 0))
    member = ADAPTERS.of(adapter)
    dtype = _frozen_dtype(model, precision, device) if member.freezes_base else torch.float32
    first = torch.float32 if reads_weights(adapter) else dtype
    headless = head is not None and bool(parts(head))
    seed_all(seed)
    made: Any
    if model.init == "random" and not _is_made(place):
        made = _fresh(model, place, tokenizer)
        for parameter in made.parameters():
            parameter.data = parameter.data.to(first)
    else:
        held = quantize.loading(model.quantization, dtype, device) if model.quantization else {}
        trusted = model.trust_remote_code
        made = _stored(_needed(place), first, model.attn_implementation, trusted=trusted, headless=headless, **held)
    if headless:
        without_output(made)
    stored = rows_of(made)
    if model.init == "random":
        new_ids = tuple(tokenizer.convert_tokens_to_ids(list(new_tokens)))
    else:
        new_ids = add_rows(made, tokenizer, new_tokens)
    check_vocabulary(rows_of(made), tokenizer)
    untied = model.untie_embeddings and untie(made)
    remember(made, _form(model, dtype, rows_of(made) if rows_of(made) != stored else None, untied))
    # Padding weighs nothing by its place; without this the token whose id is also the padding's would never learn.
    for module in made.modules():
        if isinstance(module, nn.Embedding):
            module.padding_idx = None
    seed_all(seed)
    trained: nn.Module = member.apply(adapter, made, new_tokens=new_ids)
    check_trained(trained, new_ids, adapter.type)
    _record_base(trained, model, place)
    for parameter in trained.parameters():
        if parameter.requires_grad and parameter.dtype != torch.float32:
            parameter.data = parameter.data.float()
        elif first != dtype and not parameter.requires_grad:
            parameter.data = parameter.data.to(dtype)
    trained.to(device).train()
    if model.quantization is not None:
        try_out(trained, adapter.type, model.quantization.bits)
    if packing:
        logger.info("packing with %s attention", use_packing(trained, model.attn_implementation))
    if head is None or not headless:
        return trained
    check_output_free(trained, adapter.type)
    seed_all(seed)
    headed = Headed(trained, head, labels)
    headed.padding = padding_of(tokenizer, ends)
    return headed.train()


def make_base(
    model: ModelSettings,
    *,
    place: Path | None,
    tokenizer: PreTrainedTokenizerFast,
    seed: int,
    out: Path,
    fingerprint: str,
    stop_ids: Sequence[int] = (),
) -> Path:
    """Write the fresh weights of `init: random` as an artifact, so that base, adapter and merge mean the same ones.

    `load_for_training(place=out)` then starts from these weights, equal to those it would make itself.
    """
    seed_all(seed)
    made = _fresh(model, place, tokenizer)
    with writing(
        out, kind=MADE_BASE, fingerprint=fingerprint, made_from={"model": model.model_dump(mode="json"), "seed": seed}
    ) as folder:
        save_model(made, folder, stop_ids=stop_ids)
        tokenizer.save_pretrained(folder)
    return out


def load_for_inference(
    place: Path,
    *,
    base: Path | None = None,
    device: torch.device | str = "cpu",
    dtype: str = "auto",
    trusted: bool = False,
    quantized: bool = True,
    form: Form | None = None,
) -> nn.Module:
    """A whole model, or an adapter on its base, in evaluation mode.

    `base` is the folder of the adapter's base; left out, the folder that the adapter names. The base is quantised, grown
    and untied as the adapter notes it, or as `form` says; `quantized` false leaves the first of these out, which is what
    merging needs. `dtype` is `auto` (float32 on a CPU, else bfloat16; of a quantised base the type of its training),
    `float32`, `bfloat16` or `float16`. Raises ModelError, naming what is absent.
    """
    held = DTYPES[dtype] if dtype != "auto" else torch.float32 if torch.device(device).type == "cpu" else torch.bfloat16
    form = form or Form.load(place)
    small: dict[str, Any] = {}
    if form.quantization is not None and quantized:
        held = DTYPES[form.dtype] if form.dtype and dtype == "auto" else held
        small = quantize.loading(form.quantization, held, device)
    adapted = is_adapter(place)
    # Made of the weights as they are stored, not as they are rounded to be used.
    factors = adapted and taken_from_weights(read_object(place / ADAPTER_CONFIG).get("init_lora_weights"))
    first = torch.float32 if factors else held
    note = HeadNote.load(place)
    source = (base or named_base(place)) if adapted else place
    model = _stored(source, first, "auto", trusted=trusted, headless=note is not None, **small)
    if note is not None:
        without_output(model)
    if form.rows is not None:
        set_rows(model, form.rows)
    if form.untied:
        untie(model)
    remember(model, form)
    ready: nn.Module = attach_adapter(model, place) if adapted else model
    if small and adapted and held != torch.float32:
        as_in_training(model, held)
    ready = ready if small else ready.to(device)
    return (note.put_on(ready, place) if note is not None else ready).eval()


def named_base(place: Path) -> Path:
    """The folder of the base that the adapter in `place` names. Raises ModelError where it is not a folder here."""
    named = read_object(place / ADAPTER_CONFIG).get("base_model_name_or_path")
    if isinstance(named, str) and named and Path(named).is_dir():
        return Path(named)
    raise ModelError(
        say(
            f"{place}: an adapter on '{named}', which is no folder here; give its base",
            f"{place}: '{named}'에 붙는 어댑터인데 그 폴더가 여기 없습니다. 기본 모델을 알려 주세요",
        )
    )


def _stored(
    place: Path, dtype: torch.dtype, attention: str, *, trusted: bool, headless: bool = False, **held: Any
) -> Any:
    """The weights in `place`; `held` says how, where they are quantised.

    Raises ModelError for any tensor that is absent, and so would be drawn at random; `headless`: the output layer's may be.
    """
    if is_headed(place) and not headless:
        raise writes_no_text(str(place))
    config = read_config(place, trusted=trusted)
    refuse_quantized(config, place)
    weight_files(place)
    wanted = None if attention == "auto" else attention
    try:
        with without_bars(), _quiet(headless):
            model, info = AutoModelForCausalLM.from_pretrained(
                place,
                config=config,
                dtype=dtype,
                attn_implementation=wanted,
                trust_remote_code=trusted,
                use_safetensors=True,
                local_files_only=True,
                output_loading_info=True,
                **held,
            )
    except torch.OutOfMemoryError:
        raise
    except Exception as error:
        raise ModelError(
            say(
                f"{place}: the model cannot be loaded: {first_line(error)}",
                f"{place}: 모델을 읽을 수 없습니다: {first_line(error)}",
            )
        ) from error
    settle(model)
    unneeded = output_names(model) if headless else ()
    absent = sorted(str(name) for kind in ("missing_keys", "mismatched_keys") for name in info.get(kind, ()))
    absent = [name for name in absent if name not in unneeded]
    if absent:
        shown = ", ".join(absent[:5]) + (" …" if len(absent) > 5 else "")
        raise ModelError(
            say(
                f"{place}: {len(absent)} tensors are absent or of another shape and would be random: {shown}; "
                "take a complete model of this type",
                f"{place}: 텐서 {len(absent)}개가 없거나 모양이 달라 무작위가 됩니다: {shown}. 온전한 모델을 쓰세요",
            )
        )
    over = [name for name in info.get("unexpected_keys", ()) if not (headless and is_headed(place))]
    if over:
        logger.warning("%s: tensors without a place in the model were left out: %s", place, sorted(over)[:5])
    return model


def writes_no_text(name: str) -> ModelError:
    """The sentence of a model with a head, given to what needs tokens."""
    return ModelError(
        say(
            f"{name}: has a head that says labels, numbers or scores, and writes no text; use `dadeum predict FILE`",
            f"{name}: 라벨이나 수, 점수를 말하는 헤드가 있어 글을 쓰지 않는 모델입니다. `dadeum predict 파일`을 쓰세요",
        )
    )


@contextlib.contextmanager
def _quiet(wanted: bool) -> Iterator[None]:
    """Without transformers' report of tensors that are absent, where the output layer's may be."""
    before = transformers_logging.get_verbosity()
    if wanted:
        transformers_logging.set_verbosity_error()
    try:
        yield
    finally:
        transformers_logging.set_verbosity(before)


def _fresh(model: ModelSettings, place: Path | None, tokenizer: PreTrainedTokenizerFast) -> Any:
    """A model with new weights in float32."""
    config = fresh_config(model, place, tokenizer)
    wanted = None if model.attn_implementation == "auto" else model.attn_implementation
    try:
        made = AutoModelForCausalLM.from_config(
            config, dtype=torch.float32, attn_implementation=wanted, trust_remote_code=model.trust_remote_code
        )
    except Exception as error:
        raise ModelError(
            say(
                f"model.config: no model can be made of it: {first_line(error)}",
                f"model.config: 모델을 만들 수 없습니다: {first_line(error)}",
            )
        ) from error
    made.generation_config.pad_token_id = tokenizer.pad_token_id
    return made


def _is_made(place: Path | None) -> bool:
    manifest = read_manifest(place) if place is not None else None
    return manifest is not None and manifest.kind == MADE_BASE


def _needed(place: Path | None) -> Path:
    if place is None:
        raise ModelError(
            say(
                "model.name_or_path: expected a Hub id or a folder",
                "model.name_or_path: Hub 이름이나 폴더가 필요합니다",
            )
        )
    return place


def _frozen_dtype(model: ModelSettings, precision: str, device: torch.device | str) -> torch.dtype:
    if model.dtype != "auto":
        return DTYPES[model.dtype]
    if precision == "auto":
        on_gpu = torch.device(device).type == "cuda"
        precision = "fp32" if not on_gpu else "bf16" if torch.cuda.is_bf16_supported() else "fp16"
    return DTYPES[precision]


def _form(model: ModelSettings, dtype: torch.dtype, rows: int | None, untied: bool) -> Form:
    held = str(dtype).removeprefix("torch.") if model.quantization is not None else None
    return Form(model.quantization, held, rows, untied)


def _record_base(trained: nn.Module, model: ModelSettings, place: Path | None) -> None:
    """Write down in the adapter what it belongs to: the name that users gave, and the commit where it is known."""
    for config in getattr(trained, "peft_config", {}).values():
        made = _is_made(place) or model.name_or_path is None
        config.base_model_name_or_path = str(place) if made and place is not None else model.name_or_path
        config.revision = None if made or Path(str(model.name_or_path)).is_dir() else commit_of(place) or model.revision


def enable_checkpointing(model: nn.Module) -> None:
    """Compute activations again in the backward pass. Raises ModelError for a model that cannot."""
    core: Any = unwrap(model)
    if not getattr(core, "supports_gradient_checkpointing", False):
        kind = core.config.model_type
        raise ModelError(
            say(
                f"train.gradient_checkpointing: a model of type '{kind}' cannot do it; set it to false",
                f"train.gradient_checkpointing: '{kind}' 모델은 지원하지 않습니다. false로 하세요",
            )
        )
    core.gradient_checkpointing_enable(gradient_checkpointing_kwargs={"use_reentrant": False})
    # Frozen embeddings give activations without gradients: a checkpointed layer would pass none to its adapters.
    if not any(p.requires_grad for p in core.get_input_embeddings().parameters()):
        core.enable_input_require_grads()
