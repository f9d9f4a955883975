"""Weights on their way to disk and back, with the prompt that belongs to them."""

import hashlib
import logging
import shutil
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file, save_file
from torch import nn
from transformers import PreTrainedTokenizerFast

from dadeum.core.artifact import read_json, write_json
from dadeum.core.settings import MemberSettings
from dadeum.data.contract import PromptContract
from dadeum.data.labels import Labels
from dadeum.model.adapters import ADAPTERS, Course, resumed
from dadeum.model.files import ADAPTER_CONFIG, ADAPTER_WEIGHTS, is_headed
from dadeum.model.head_files import load_head
from dadeum.model.headed import headed_of
from dadeum.model.heads import HEADS
from dadeum.model.load import load_for_training
from dadeum.model.packing import peft_of
from dadeum.model.save import save_model, saved_as_trained
from dadeum.train.job import TrainJob

logger = logging.getLogger("dadeum")
PROMPT = "prompt"
TOKENIZER_CONFIG = "tokenizer_config.json"
COURSE, COURSE_VALUES, TRAINED = "adapter.safetensors", "adapter.json", "trained.safetensors"


def trained_parameters(module: nn.Module) -> Iterator[tuple[str, nn.Parameter]]:
    """Names and parameters that the optimizer moves; a tied one once."""
    return ((name, p) for name, p in module.named_parameters() if p.requires_grad)


def hash_of_trained(module: nn.Module) -> str:
    """One SHA-256 over the names and bytes of all trainable parameters."""
    digest = hashlib.sha256()
    for name, parameter in sorted(trained_parameters(module)):
        digest.update(f"{name} {parameter.dtype} {tuple(parameter.shape)}".encode())
        digest.update(parameter.detach().cpu().contiguous().view(-1).view(torch.uint8).numpy().data)
    return digest.hexdigest()


def save_weights(module: nn.Module, folder: Path, formatted: Path, stop_ids: Sequence[int], pad_id: int) -> None:
    """The adapter or the whole model, with tokenizer, template and prompt contract: loads as a model.

    Raises ModelError where a tensor is not finite.
    """
    save_model(module, folder, stop_ids=stop_ids, pad_id=pad_id)
    for file in sorted((formatted / PROMPT).iterdir()):
        if file.is_file() and file.name != "manifest.json":
            shutil.copyfile(file, folder / file.name)
    headed = headed_of(module)
    if headed is not None and headed.padding[0] is not None:
        # transformers' pipelines pad by the tokenizer's word, and its classes look past that very token.
        config = read_json(folder / TOKENIZER_CONFIG)
        if config.get("pad_token") != headed.padding[0]:
            write_json(folder / TOKENIZER_CONFIG, {**config, "pad_token": headed.padding[0]})


def save_adapter(module: nn.Module, course: Course, state: Path) -> None:
    """What a run goes on from and the files of its adapter do not hold: the course's state, and weights made of others."""
    tensors, values = course.state()
    if tensors or values:
        save_file({name: t.detach().cpu().contiguous() for name, t in tensors.items()}, state / COURSE)
        write_json(state / COURSE_VALUES, values)
    if not saved_as_trained(module):
        plain = {name: p.detach().cpu().contiguous() for name, p in trained_parameters(module)}
        save_file(plain, state / TRAINED)


def adapter_bytes(module: nn.Module, course: Course) -> int:
    """What `save_adapter` will write."""
    again = 0 if saved_as_trained(module) else sum(p.nbytes for _, p in trained_parameters(module))
    return again + sum(t.nbytes for t in course.state()[0].values())


def restore_course(course: Course, state: Path) -> None:
    """Take back the course's state."""
    if (state / COURSE).is_file():
        course.restore(load_file(state / COURSE), read_json(state / COURSE_VALUES))


def load_weights(
    job: TrainJob, checkpoint: Path | None, *, tokenizer: PreTrainedTokenizerFast, precision: str, device: torch.device
) -> nn.Module:
    """The model to train, from its base; with a `checkpoint`, as it was saved there."""
    model, place = job.model, job.model_place
    whole = checkpoint is not None and not ADAPTERS.of(job.adapter).freezes_base
    if whole:
        # A whole model is its own base: only the weights of the checkpoint are read.
        model, place = model.model_copy(update={"init": "pretrained", "config": None}), checkpoint
    adapter = job.adapter
    if checkpoint is None and place is not None and is_headed(place):
        logger.warning("%s: its own head is left out, a new one is trained", place)
    if checkpoint is not None and not whole:
        adapter = resumed(adapter, read_json(checkpoint / ADAPTER_CONFIG))
    module = load_for_training(
        model,
        adapter,
        place=place,
        tokenizer=tokenizer,
        precision=precision,
        device=device,
        seed=job.train.seed,
        packing=job.packing,
        new_tokens={} if whole else job.new_tokens,
        head=job.head,
        labels=head_labels(job.head, job.formatted / PROMPT),
        ends=_ends(job),
    )
    if checkpoint is not None and not whole:
        _take_back(module, checkpoint)
    headed = headed_of(module)
    if checkpoint is not None and headed is not None:
        load_head(headed, checkpoint)
    return module


def _ends(job: TrainJob) -> tuple[int, ...]:
    """What the rows of a head end with, where they are conversations."""
    if job.head is None or HEADS.of(job.head).takes != "pair":
        return ()
    return PromptContract.load(job.formatted / PROMPT).stop_ids


def head_labels(head: MemberSettings | None, prompt: Path) -> list[dict[str, Any]]:
    """What the data stage found that heads are to say; nothing where no labels are learnt."""
    if head is None or not HEADS.of(head).targets(head):
        return []
    return [one._asdict() for one in Labels.load(prompt).heads]


def _take_back(module: nn.Module, checkpoint: Path) -> None:
    from peft import set_peft_model_state_dict

    trained = checkpoint / "state" / TRAINED
    if trained.is_file():
        module.load_state_dict(load_file(trained), strict=False)
    else:
        set_peft_model_state_dict(peft_of(module), load_file(checkpoint / ADAPTER_WEIGHTS))
