"""Heads on disk: `head.json` beside the weights says which they are; their tensors lie beside an adapter, or in the whole model.

A whole model with a linear head is written in the layout of transformers' own class, where there is one; any other as the
body, with `head.safetensors` beside it.
"""

import copy
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from dadeum.core.artifact import write_json
from dadeum.core.errors import ModelError
from dadeum.core.language import say
from dadeum.core.settings import MemberSettings
from dadeum.model.configuration import first_line
from dadeum.model.files import HEAD, is_headed, read_object, weight_files
from dadeum.model.headed import Headed, Padding
from dadeum.model.heads import HEADS, Outlet
from dadeum.model.packing import unwrap

TENSORS = "head.safetensors"
VERSION = 1
PROBLEMS = {"class": "single_label_classification", "classes": "multi_label_classification", "numbers": "regression"}


@dataclass(frozen=True)
class HeadNote:
    """What `head.json` says: the settings, what each head says, and what pads."""

    settings: MemberSettings
    outlets: tuple[Outlet, ...]
    padding: Padding

    @classmethod
    def load(cls, folder: Path) -> "HeadNote | None":
        """Read it; None where the folder has none. Raises ModelError for one that is damaged or of a later dadeum."""
        if not is_headed(folder):
            return None
        value = read_object(folder / HEAD)
        try:
            if value["version"] != VERSION:
                raise ValueError
            said = [Outlet(**{**one, "names": tuple(one["names"])}) for one in value["says"]]
            return cls(HEADS.validate(value["head"]), tuple(said), (value["pad_token"], value["pad_token_id"]))
        except (KeyError, TypeError, ValueError):
            raise ModelError(
                say(
                    f"{folder / HEAD}: no head that this dadeum can read; take the folder as it was saved",
                    f"{folder / HEAD}: 이 버전의 dadeum이 읽을 수 없는 헤드입니다. 저장된 그대로의 폴더를 쓰세요",
                )
            ) from None

    def put_on(self, module: nn.Module, folder: Path) -> Headed:
        """The model with its head, whose tensors are read from `folder`."""
        headed = Headed(module, self.settings, [one._asdict() for one in self.outlets])
        headed.padding = self.padding
        load_head(headed, folder)
        return headed


def save_note(headed: Headed, folder: Path) -> None:
    """Write `head.json`."""
    says = [one._asdict() for one in headed.outlets]
    token, number = headed.padding
    value = {"version": VERSION, "head": headed.settings.model_dump(mode="json"), "says": says}
    write_json(folder / HEAD, {**value, "pad_token": token, "pad_token_id": number})


def head_tensors(headed: Headed) -> dict[str, Tensor]:
    """The tensors of all heads, as `head.safetensors` holds them: by the head's name."""
    return {
        f"{outlet.head}.{name}": tensor.detach().contiguous().cpu()
        for outlet, head in zip(headed.outlets, headed.heads, strict=True)
        for name, tensor in head.state_dict().items()
    }


def save_beside(headed: Headed, folder: Path) -> None:
    """Write `head.safetensors`."""
    save_file(head_tensors(headed), folder / TENSORS, metadata={"format": "pt"})


def load_head(headed: Headed, folder: Path) -> None:
    """Read the heads' tensors from `folder`. Raises ModelError unless each is there, fits, and none is left over."""
    expected = head_tensors(headed)
    file = folder / TENSORS
    try:
        stored = load_file(file) if file.is_file() else _in_the_model(headed, folder)
    except (OSError, SafetensorError) as error:
        reason = first_line(error)
        raise ModelError(say(f"{file}: cannot be read: {reason}", f"{file}: 읽을 수 없습니다: {reason}")) from error
    shapes, wanted = ({name: tuple(tensor.shape) for name, tensor in some.items()} for some in (stored, expected))
    wrong = sorted(name for name in {*shapes, *wanted} if shapes.get(name) != wanted.get(name))
    if wrong:
        raise ModelError(
            say(
                f"{folder}: the tensors of the head do not fit {HEAD} ({wrong[0]}); take the folder as it was saved",
                f"{folder}: 헤드의 텐서가 {HEAD}과 맞지 않습니다({wrong[0]}). 저장된 그대로의 폴더를 쓰세요",
            )
        )
    for name, tensor in stored.items():
        if not bool(torch.isfinite(tensor).all()):
            raise ModelError(
                say(
                    f"{folder}: tensor '{name}' of the head holds values that are not finite; the weights are not usable",
                    f"{folder}: 헤드의 텐서 '{name}'에 유한하지 않은 값이 있습니다. 쓸 수 없는 가중치입니다",
                )
            )
    for outlet, head in zip(headed.outlets, headed.heads, strict=True):
        own = {n.removeprefix(f"{outlet.head}."): t for n, t in stored.items() if n.startswith(f"{outlet.head}.")}
        head.load_state_dict(own)


def _in_the_model(headed: Headed, folder: Path) -> dict[str, Tensor]:
    """From a whole model in transformers' layout."""
    from safetensors import safe_open

    found = own_class(headed)
    if found is None:
        return {}
    places = _places(headed, found)
    tensors: dict[str, Tensor] = {}
    for file in weight_files(folder):
        with safe_open(file, framework="pt") as opened:
            names: set[str] = set(opened.keys())
            tensors |= {ours: opened.get_tensor(theirs).float() for theirs, ours in places.items() if theirs in names}
    return tensors


def own_class(headed: Headed) -> Any:
    """transformers' class for this body with this head, or None: it has linear heads on the last token, or on each."""
    from transformers.models.auto.modeling_auto import (
        MODEL_FOR_SEQUENCE_CLASSIFICATION_MAPPING,
        MODEL_FOR_TOKEN_CLASSIFICATION_MAPPING,
    )

    if len(headed.outlets) != 1 or not headed.heads[0].linear or headed.takes == "choices":
        return None
    words = headed.takes == "words"
    mapping = MODEL_FOR_TOKEN_CLASSIFICATION_MAPPING if words else MODEL_FOR_SEQUENCE_CLASSIFICATION_MAPPING
    if type(headed.config) not in mapping:
        return None
    made = mapping[type(headed.config)]
    return made if len(_places(headed, made)) == len(head_tensors(headed)) else None


def _made(headed: Headed, kind: Any) -> Any:
    """An empty model of transformers' class, on the meta device."""
    config = copy.deepcopy(headed.config)
    outlet = headed.outlets[0]
    names = outlet.names or tuple(f"LABEL_{i}" for i in range(outlet.size))
    config.id2label = dict(enumerate(names))
    config.label2id = {name: number for number, name in enumerate(names)}
    if outlet.kind in PROBLEMS:
        config.problem_type = PROBLEMS[outlet.kind]
    config.pad_token_id = config.get_text_config().pad_token_id = headed.padding[1]
    with torch.device("meta"):
        return kind(config)


def _places(headed: Headed, kind: Any) -> dict[str, str]:
    """Names of the head's tensors in transformers' layout, and ours."""
    made = _made(headed, kind)
    prefix, name = f"{made.base_model_prefix}.", headed.outlets[0].head
    theirs = [key for key in made.state_dict() if not key.startswith(prefix)]
    known = {ours.rpartition(".")[2]: ours for ours in head_tensors(headed)}
    found = {key: known.get(key.rpartition(".")[2], "") for key in theirs}
    fits = all(found.values()) and len(set(found.values())) == len(theirs)
    return found if fits and name else {}


def save_whole(headed: Headed, folder: Path) -> None:
    """Write body and head as one model; every tensor of both is in it."""
    core: Any = unwrap(headed.module)
    kind = own_class(headed)
    if kind is None:
        body = core.base_model
        body.save_pretrained(folder)
        save_beside(headed, folder)
        return
    made = _made(headed, kind)
    prefix = f"{made.base_model_prefix}."
    tensors = {f"{prefix}{name}": tensor for name, tensor in core.base_model.state_dict().items()}
    ours = head_tensors(headed)
    tensors |= {theirs: ours[name] for theirs, name in _places(headed, kind).items()}
    made.load_state_dict(tensors, assign=True)
    made.save_pretrained(folder)
