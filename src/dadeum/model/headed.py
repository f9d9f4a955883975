"""A body with heads on top: hidden states in, numbers by head out. Packed, or padded on either side, in a batch or alone: equal.

The body is the causal model without its output layer, adapted or not; it stands in `module`, where `unwrap` and `peft_of`
look for it.
"""

import inspect
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn

from dadeum.core.errors import ModelError
from dadeum.core.language import say
from dadeum.core.settings import MemberSettings
from dadeum.model.attention import running
from dadeum.model.heads import HEADS, Outlet, outlets, parts
from dadeum.model.packing import packed_inputs, packs_with, peft_of, unwrap


class Outputs(NamedTuple):
    """Numbers by head, float32: a row for each sequence, or for each token of all sequences end to end; and the borders of these."""

    heads: dict[str, Tensor]
    borders: Tensor  # (n+1,) int64

    @property
    def scores(self) -> Tensor:
        """What the only head says, one number for each sequence."""
        (found,) = self.heads.values()
        return found[:, 0]


# What fills up a row: the token and its id, where there is one that no text ends with.
Padding = tuple[str | None, int | None]


def padding_of(tokenizer: Any, ends: Sequence[int] = ()) -> Padding:
    """A token for padding. transformers' classes look at the last token that is none, so no text may end with it, nor a
    conversation, whose `ends` the template knows."""
    ends = [*ends, *tokenizer("a")["input_ids"][-1:]]
    known = [
        (getattr(tokenizer, n), getattr(tokenizer, f"{n}_id"))
        for n in ("pad_token", "unk_token", "eos_token", "bos_token")
    ]
    added: Mapping[int, Any] = getattr(tokenizer, "added_tokens_decoder", {})
    known += [(str(token), number) for number, token in sorted(added.items()) if token.special]
    return next(((token, int(n)) for token, n in known if n is not None and n not in ends), (None, None))


class NoOutput(nn.Module):
    """Stands where the output layer was: hidden states go through."""

    def forward(self, hidden: Tensor) -> Tensor:
        """As they are."""
        return hidden


def without_output(core: Any) -> Any:
    """The causal model `core` with its output layer taken away; nothing is tied to its embedding any more."""
    layer = core.get_output_embeddings()
    for name, module in list(core.named_modules()):
        if module is layer:
            owner, _, last = name.rpartition(".")
            setattr(core.get_submodule(owner), last, NoOutput())
    core.get_output_embeddings = lambda: None
    core.all_tied_weights_keys = {}
    for config in (core.config, core.config.get_text_config()):
        config.tie_word_embeddings = False
    return core


def output_names(core: Any) -> set[str]:
    """Names of the output layer's own parameters."""
    layer = core.get_output_embeddings()
    places = [name for name, module in core.named_modules() if layer is not None and module is layer]
    return {f"{place}.{name}" for place in places for name, _ in layer.named_parameters()}


class Headed(nn.Module):
    """A body and its heads, which `settings` and the labels of the data make."""

    def __init__(self, module: nn.Module, settings: MemberSettings, labels: Sequence[Mapping[str, Any]]) -> None:
        super().__init__()
        self.module = module
        self.settings = settings
        self.parts = parts(settings)
        self.outlets: tuple[Outlet, ...] = outlets(settings, labels)
        core: Any = unwrap(module)
        width = int(core.config.get_text_config().hidden_size)
        self.heads = nn.ModuleList(
            HEADS.of(part).build(part, width, outlet)
            for part, outlet in zip(self.parts.values(), self.outlets, strict=True)
        )
        for part, outlet in zip(self.parts.values(), self.outlets, strict=True):
            _knows_its_classes(part, outlet)
        self.padding: Padding = (None, None)
        self.heads.to(device=next(module.parameters()).device, dtype=torch.float32)

    @property
    def config(self) -> Any:
        """The body's."""
        core: Any = unwrap(self.module)
        return core.config

    @property
    def takes(self) -> str:
        """What the heads learn from: words, choices, a pair, or labels of whole texts."""
        return str(HEADS.of(self.settings).takes)

    def forward(self, **batch: Tensor) -> Outputs:
        """Of a batch made by `data.batch.collate`, or padded on the left."""
        tokens_NH, borders = self._tokens(batch)
        found = {outlet.head: head(tokens_NH, borders) for outlet, head in zip(self.outlets, self.heads, strict=True)}
        return Outputs(found, borders)

    def _tokens(self, batch: Mapping[str, Tensor]) -> tuple[Tensor, Tensor]:
        """Hidden states (N, H) of the real tokens, sequence after sequence, and where each begins."""
        ids_BL = batch["input_ids"]
        if "cu_seqlens" in batch:
            packs_with(self.module)
            inputs = packed_inputs(self.module, ids_BL, batch["position_ids"], batch["cu_seqlens"])
            with running(inputs.get("packed_plan")):
                hidden_BLH = self._hidden(inputs)
            return hidden_BLH[0], batch["cu_seqlens"].long()
        mask_BL = batch["attention_mask"]
        inputs = {"input_ids": ids_BL, "attention_mask": mask_BL, "use_cache": False}
        core = unwrap(self.module)
        if "position_ids" in inspect.signature(core.forward).parameters and not _prompted(self.module):
            # Counted from the first real token, wherever the padding is.
            inputs["position_ids"] = (mask_BL.cumsum(-1) - 1).clamp(min=0)
        hidden_BLH = self._hidden(inputs)[:, -ids_BL.shape[1] :]  # virtual tokens come first
        lengths = mask_BL.sum(-1)
        return hidden_BLH[mask_BL.bool()], nn.functional.pad(lengths.cumsum(0), (1, 0))

    def _hidden(self, inputs: dict[str, Any]) -> Tensor:
        """What the body gives before anything that a family does on the way to its logits."""
        core: Any = unwrap(self.module)
        found: list[Tensor] = []

        def keep(_: nn.Module, __: Any, output: Any) -> None:
            found.append(output[0] if isinstance(output, tuple) else output.last_hidden_state)

        handle = core.base_model.register_forward_hook(keep)
        try:
            self.module(**inputs)
        finally:
            handle.remove()
        return found[-1]


def head_outputs(model: nn.Module, batch: Mapping[str, Tensor]) -> Outputs:
    """What the heads say of a batch; `model` is `Headed`, or it inside DDP."""
    keys = ("input_ids", "attention_mask", "position_ids", "cu_seqlens")
    found: Outputs = model(**{key: batch[key] for key in keys if key in batch})
    return found


def headed_of(model: nn.Module) -> Headed | None:
    """The headed model inside DDP, or None."""
    while not isinstance(model, Headed):
        inner = getattr(model, "module", None) or getattr(model, "_orig_mod", None)
        if not isinstance(inner, nn.Module):
            return None
        model = inner
    return model


def below_head(model: nn.Module) -> nn.Module:
    """The adapted or plain body of a headed model; any other model as it is."""
    return model.module if isinstance(model, Headed) else model


def check_output_free(module: nn.Module, adapter: str) -> None:
    """Raises ModelError where `adapter` would train the output layer, which a head has taken the place of."""
    core = unwrap(module)
    wrapped = [n for n, layer in core.named_modules() if isinstance(getattr(layer, "original_module", None), NoOutput)]
    if wrapped:
        last = wrapped[0].rsplit(".", 1)[-1]
        raise ModelError(
            say(
                f"adapter.modules_to_save: found '{last}', the layer that the head takes the place of; leave it out: "
                f"with adapter '{adapter}' the head is always trained",
                f"adapter.modules_to_save: '{last}'은(는) 헤드가 대신하는 층입니다. 빼세요. '{adapter}' 어댑터에서도 헤드는 늘 학습합니다",
            )
        )


def _prompted(module: nn.Module) -> bool:
    peft = peft_of(module)
    return peft is not None and bool(peft.active_peft_config.is_prompt_learning)


def _knows_its_classes(part: MemberSettings, outlet: Outlet) -> None:
    """Let the head meet its targets once, before hours of training: weights of classes that there are not are found here."""
    member = HEADS.of(part)
    if hasattr(member, "total"):
        out = torch.zeros(1, outlet.size)
        member.total(part, outlet, out, torch.full((1, outlet.width), torch.nan))


def split_targets(headed: Headed, targets: Tensor) -> list[tuple[Any, Outlet, Tensor]]:
    """Each head's settings, what it says, and its targets (n, width), of all heads' targets end to end, row after row."""
    widths = [outlet.width for outlet in headed.outlets]
    columns = torch.split(targets.reshape(-1, sum(widths)), widths, dim=1)
    return list(zip(headed.parts.values(), headed.outlets, columns, strict=True))


def of_units(scores: Tensor, units: Tensor) -> Tensor:
    """Scores (n, 1) of all choices as a row for each unit, -inf where it has fewer than another."""
    rows = [part[:, 0] for part in torch.split(scores, units.diff().tolist())]
    return nn.utils.rnn.pad_sequence(rows, batch_first=True, padding_value=-torch.inf)
