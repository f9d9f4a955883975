"""A model with heads, its tokenizer and its labels: what it says of sequences. The engine of those that write no text."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from dadeum.core.errors import ModelError
from dadeum.core.language import say
from dadeum.data.batch import collate
from dadeum.data.contract import PromptContract
from dadeum.data.samples import Entry
from dadeum.generate.place import default_device, open_contract
from dadeum.model.configuration import rotation_limit
from dadeum.model.form import Form
from dadeum.model.headed import Headed, head_outputs, headed_of
from dadeum.model.heads import HEADS, Outlet
from dadeum.model.load import load_for_inference

Ids = np.ndarray[Any, Any]
Said = dict[str, np.ndarray[tuple[int, ...], np.dtype[np.float64]]]


class Predictor:
    """A model with heads. Use `Predictor.open`."""

    def __init__(self, model: Headed, tokenizer: Any, contract: PromptContract, name: str = "") -> None:
        self.model = model.eval()
        self.tokenizer = tokenizer
        self.contract = contract
        self.name = name
        self.device = next(model.parameters()).device

    @classmethod
    def open(
        cls,
        place: Path,
        *,
        prompt: Path | None = None,
        base: Path | None = None,
        device: str = "auto",
        dtype: str = "auto",
        trusted: bool = False,
        name: str = "",
        form: Form | None = None,
    ) -> "Predictor":
        """Load the model in `place`, as `Engine.open` does one that answers. Raises ModelError where it has no head."""
        tokenizer, contract = open_contract(prompt or place, base)
        where = default_device() if device == "auto" else device
        model = load_for_inference(place, base=base, device=where, dtype=dtype, trusted=trusted, form=form)
        headed = headed_of(model)
        if headed is None:
            raise headless(name or place.name)
        return cls(headed, tokenizer, contract, name or place.name)

    @property
    def takes(self) -> str:
        """What it learnt from: labels, words, choices or pairs."""
        return self.model.takes

    @property
    def facts(self) -> Mapping[str, Any]:
        """What is to be known of it beside its name."""
        dtype = next(p.dtype for p in self.model.module.parameters() if p.is_floating_point())
        return {"device": str(self.device), "dtype": str(dtype).removeprefix("torch.")}

    @property
    def context(self) -> int | None:
        """Longest sequence that the model was made for, in tokens, virtual ones taken off; None where it does not say."""
        length = getattr(self.model.config.get_text_config(), "max_position_embeddings", None)
        virtual = getattr(getattr(self.model.module, "active_peft_config", None), "num_virtual_tokens", 0)
        return int(length) - virtual if length else None

    def outputs(self, units: Sequence[Sequence[Ids]]) -> list[dict[str, Tensor]]:
        """The numbers of each head for some units of sequences, in one batch: a row for a sequence, for words one a token."""
        rows = [np.asarray(ids, np.int32) for unit in units for ids in unit]
        limit = rotation_limit(self.model.config)
        longest = max(map(len, rows))
        if limit is not None and longest > limit and len(units) > 1:  # a long one would rotate its neighbours otherwise
            return [found for unit in units for found in self.outputs([unit])]
        batch = collate([(ids, np.ones(len(ids), np.float32)) for ids in rows], packing=False, pad_id=self._pad_id)
        with torch.inference_mode():
            said = head_outputs(self.model, {name: tensor.to(self.device) for name, tensor in batch.items()})
        counts = [len(unit) for unit in units]
        if self.takes == "words":
            counts = [sum(map(len, unit)) for unit in units]
        parts = {name: torch.split(out.cpu(), counts) for name, out in said.heads.items()}
        return [{name: parts[name][at] for name in parts} for at in range(len(units))]

    def predict(self, entries: Sequence[Entry]) -> list[Said]:
        """By head: probabilities of classes and choices, numbers, for words a row of probabilities a token, scores of a pair."""
        found = self.outputs([[ids for ids, _ in entry.sequences] for entry in entries])
        return [
            {outlet.head: shares(self.takes, outlet, said[outlet.head]).double().numpy() for outlet in self.outlets}
            for said in found
        ]

    @property
    def outlets(self) -> tuple[Outlet, ...]:
        """What each head says."""
        return self.model.outlets

    def says(self, said: Mapping[str, Tensor]) -> dict[str, dict[str, Any]]:
        """By head, what it says of one unit in words and numbers, as `outputs` gave it."""
        found = {}
        for part, outlet in zip(self.model.parts.values(), self.outlets, strict=True):
            out = said[outlet.head]
            if self.takes == "choices":
                out = out[:, 0]
            elif self.takes != "words":
                out = out[0]
            found[outlet.head] = HEADS.of(part).says(part, outlet, out)
        return found

    @property
    def _pad_id(self) -> int:
        number = self.model.padding[1]
        return number if number is not None else 0


def shares(takes: str, outlet: Outlet, out: Tensor) -> Tensor:
    """What a head says of one unit, where it is of classes as probabilities."""
    if takes in ("choices", "pair"):
        return out[:, 0].softmax(-1) if takes == "choices" else out[:, 0]
    if outlet.kind == "words":
        return out.softmax(-1)
    return {"class": out[0].softmax(-1), "classes": out[0].sigmoid()}.get(outlet.kind, out[0])


def headless(name: str) -> ModelError:
    """The sentence of a model that says no labels."""
    return ModelError(
        say(
            f"{name}: has no head that says labels, numbers or scores; ask it with `dadeum ask` or `dadeum batch`",
            f"{name}: 라벨이나 수, 점수를 말하는 헤드가 없는 모델입니다. `dadeum ask`나 `dadeum batch`로 물으세요",
        )
    )
