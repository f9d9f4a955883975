"""How many parameters a model has and how many an adapter trains, without weights."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from torch import nn
from transformers import AutoModelForCausalLM

from dadeum.core.errors import ModelError
from dadeum.core.language import say
from dadeum.core.settings import MemberSettings
from dadeum.model.adapters import ADAPTERS, NeedsWeights
from dadeum.model.configuration import first_line, made_config, read_config
from dadeum.model.form import untie
from dadeum.model.headed import Headed, check_output_free, without_output
from dadeum.model.heads import parts
from dadeum.model.new_rows import check_trained, rows_of, set_rows


def count_parameters(
    model: dict[str, Any] | Path,
    adapter: MemberSettings,
    *,
    vocab_size: int | None = None,
    trusted: bool = False,
    new_tokens: Sequence[int] = (),
    untied: bool = False,
    head: MemberSettings | None = None,
    labels: Sequence[Mapping[str, Any]] = (),
) -> tuple[int, int | None]:
    """(all, trained) parameters of `model`, a configuration or the folder of one, with `adapter`; tied ones count once.

    `vocab_size` replaces the configuration's, as a tokenizer would; `new_tokens` get rows. `head` stands on the body as the
    `labels` of the data make it. No memory, no weights read.
    What is trained is None for a few methods of PEFT that look at the weights. Raises ModelError as loading would.
    """
    made = on_meta(model, vocab_size=vocab_size, trusted=trusted)
    headed = head is not None and bool(parts(head))
    if headed:
        without_output(made)
    total = _sizes(made)[0]
    try:
        adapted = adapt(adapter, made, new_tokens=new_tokens, untied=untied)
        return _sizes(Headed(adapted, head, labels) if head is not None and headed else adapted)
    except NeedsWeights:
        return total, None


def on_meta(model: dict[str, Any] | Path, *, vocab_size: int | None = None, trusted: bool = False) -> nn.Module:
    """The model on torch's meta device: its layers and their shapes. Raises ModelError where there can be none."""
    config = made_config(model) if isinstance(model, dict) else read_config(model, trusted=trusted)
    if vocab_size is not None:
        config.get_text_config().vocab_size = vocab_size
    try:
        with torch.device("meta"):
            made: nn.Module = AutoModelForCausalLM.from_config(config, trust_remote_code=trusted)
    except Exception as error:
        where = "model.config" if isinstance(model, dict) else str(model)
        raise ModelError(
            say(
                f"{where}: no model can be made of it: {first_line(error)}",
                f"{where}: 모델을 만들 수 없습니다: {first_line(error)}",
            )
        ) from error
    return made


def adapt(
    adapter: MemberSettings, made: nn.Module, *, new_tokens: Sequence[int] = (), untied: bool = False
) -> nn.Module:
    """A model on the meta device with its adapter, after what is done to the base. Raises ModelError where they do not fit."""
    with torch.device("meta"):
        if untied:
            untie(made)
        if new_tokens:
            set_rows(made, max(rows_of(made), max(new_tokens) + 1))
        adapted: nn.Module = ADAPTERS.of(adapter).apply(adapter, made, new_tokens=new_tokens)
    check_trained(adapted, new_tokens, adapter.type)
    check_output_free(adapted, adapter.type)
    return adapted


def _sizes(model: nn.Module) -> tuple[int, int]:
    sizes = [(p.numel(), p.requires_grad) for p in model.parameters()]
    return sum(size for size, _ in sizes), sum(size for size, trained in sizes if trained)
