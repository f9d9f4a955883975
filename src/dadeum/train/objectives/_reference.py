"""The model that a training starts from, as its reference: the adapter switched off, or log-probabilities computed once.

    <checkpoints>/reference/   train.safetensors  validation.safetensors

What was computed stays with the run: a resumed one reads it, and never takes a trained model for the reference.
"""

import contextlib
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from dadeum.core.artifact import damage, read_manifest, writing
from dadeum.core.errors import ConfigError, TrainError
from dadeum.core.fingerprint import fingerprint
from dadeum.core.language import say
from dadeum.core.settings import MemberSettings, setting
from dadeum.model.adapters import ADAPTERS, reads_weights
from dadeum.train.objectives._answers import AnswerSettings, quiet

if TYPE_CHECKING:
    import numpy as np
    from torch import Tensor, nn

    from dadeum.train.loop import Loop, Rows

FOLDER = "reference"
# Tokens of a batch whose log-probabilities are computed: nothing is kept for a backward pass.
TOKENS = 2048
# Of a batch the log-probabilities (units, n) under a model.
Read = Callable[["nn.Module", "dict[str, Tensor]"], "Tensor"]


class ReferenceSettings(AnswerSettings):
    """What every objective has that compares with the model as it was."""

    reference: Literal["auto", "adapter_off", "computed"] = setting(
        "auto",
        "The reference model: the adapter switched off, or log-probabilities computed once before the first step and kept with "
        "the checkpoints; `auto`: the first where the adapter leaves the base as it was.",
        "기준 모델: 어댑터를 끈 모델, 또는 첫 단계 전에 한 번 계산해 체크포인트와 함께 두는 로그확률. `auto`: 어댑터가 기본 모델을 그대로 두면 앞의 것.",
    )


def refuse(settings: ReferenceSettings, adapter: MemberSettings) -> None:
    """Raises ConfigError where the reference is to be the adapter switched off, and that is not the model as it was."""
    if settings.reference == "adapter_off" and not leaves_base(adapter):
        raise ConfigError(
            say(
                f"train.objective.reference: adapter_off does not go with adapter '{adapter.type}', which changes the base; use auto or computed",
                f"train.objective.reference: 기본 모델을 바꾸는 '{adapter.type}' 어댑터와 adapter_off는 함께 쓸 수 없습니다. auto나 computed를 쓰세요",
            )
        )


def leaves_base(adapter: MemberSettings) -> bool:
    """Whether the model without its adapter is the model as it was: not where the adapter was taken out of its weights."""
    return bool(ADAPTERS.of(adapter).freezes_base) and not reads_weights(adapter)


class Reference:
    """What the reference says: of stored numbers, or of the model with its adapter switched off."""

    def __init__(self, module: "nn.Module", stored: "list[tuple[Rows, Tensor]] | None" = None) -> None:
        self.module, self.stored = module, stored

    def tensors(self, rows: "np.ndarray[Any, Any]", source: "Rows") -> "Mapping[str, Tensor]":
        """The stored log-probabilities (units, n) of these rows of `source`."""
        if self.stored is None:
            return {}
        return {"reference": next(values for of, values in self.stored if of is source)[rows]}

    def of(self, batch: "dict[str, Tensor]", read: Read) -> "Tensor":
        """Log-probabilities (units, n) of a batch; `read` gets them from a model."""
        if "reference" in batch:
            return batch["reference"]
        with switched_off(self.module) as base:
            return read(base, batch)


@contextlib.contextmanager
def switched_off(module: "nn.Module", adapter: bool = True) -> "Iterator[nn.Module]":
    """The model in evaluation mode, without gradients, its adapter switched off where there is one."""
    import torch

    from dadeum.model.packing import peft_of

    peft: Any = peft_of(module) if adapter else None
    learns_prompts = peft is not None and peft.active_peft_config.is_prompt_learning
    flags = {part: part.training for part in module.modules()}
    trained = [(parameter, parameter.requires_grad) for parameter in module.parameters()]
    module.eval()
    try:
        with torch.no_grad(), contextlib.nullcontext() if peft is None or learns_prompts else peft.disable_adapter():
            yield peft.get_base_model() if learns_prompts else module
    finally:
        for part, flag in flags.items():
            part.training = flag
        for parameter, flag in trained:  # PEFT switches these as well
            parameter.requires_grad_(flag)


def prepare(settings: ReferenceSettings, loop: "Loop", read: Read) -> Reference:
    """The reference of a training. Raises TrainError where a resumed run has lost it."""
    quiet(settings, loop)
    intact = leaves_base(loop.job.adapter)
    if settings.reference == "adapter_off" or (settings.reference == "auto" and intact):
        return Reference(loop.module)
    sources = {"train": loop.samples}
    if "evaluation" in loop.hooks and len(loop.validation_samples):
        sources["validation"] = loop.validation_samples
    folder = loop.job.checkpoints / FOLDER
    mark = fingerprint({"run": loop.job.fingerprint, "data": loop.conditions.get("data")})
    stored = _stored(folder, mark, sources)
    if loop.processes.greatest(float(stored is None)):
        if loop.resumed_from is not None and not intact:
            raise _lost(folder)
        stored = {part: _computed(loop, part, rows, read, intact) for part, rows in sources.items()}
        if loop.processes.main:
            _write(folder, mark, loop.conditions, stored)
        loop.processes.wait()
    assert stored is not None
    return Reference(loop.module, [(rows, stored[part]) for part, rows in sources.items()])


def _stored(folder: Path, mark: str, sources: "Mapping[str, Rows]") -> "dict[str, Tensor] | None":
    """What an earlier start of this run has computed, whole and for these rows."""
    from safetensors.torch import load_file

    manifest = read_manifest(folder)
    if manifest is None or manifest.fingerprint != mark or damage(folder, manifest) is not None:
        return None
    if any(not (folder / f"{part}.safetensors").is_file() for part in sources):
        return None
    found = {part: load_file(folder / f"{part}.safetensors")["log_probabilities"] for part in sources}
    return found if all(len(found[part]) == len(rows) for part, rows in sources.items()) else None


def _write(folder: Path, mark: str, made_from: dict[str, Any], stored: "Mapping[str, Tensor]") -> None:
    from safetensors.torch import save_file

    from dadeum.train.state import not_written

    try:
        with writing(folder, kind=FOLDER, fingerprint=mark, made_from=made_from, points=FOLDER) as aside:
            for part, values in stored.items():
                save_file({"log_probabilities": values}, aside / f"{part}.safetensors")
    except OSError as error:
        raise not_written(folder, error) from None


def _computed(loop: "Loop", part: str, source: "Rows", read: Read, intact: bool) -> "Tensor":
    """Log-probabilities (rows, n) in float32, shared out among the processes."""
    import numpy as np
    import torch
    from safetensors.torch import load, save

    from dadeum.train import rng
    from dadeum.train.batch_size import out_of_memory

    order = np.argsort(-np.asarray(source.lengths), kind="stable")
    mine = order[loop.processes.rank :: loop.processes.world_size]
    rows, values = [], []
    told = say(f"reference: {part}", f"기준 모델: {part}")
    loop.reporter.start(told, len(mine), say("rows", "행"))
    with rng.unchanged(), switched_off(loop.module, intact) as base:
        at = 0
        while at < len(mine):
            size = max(1, TOKENS // int(source.lengths[mine[at]]))
            chosen = mine[at : at + size]
            batch = loop.lay_out(chosen, source).tensors
            moved = {key: value.to(loop.processes.device) for key, value in batch.items()}
            try:
                with loop.arithmetic.autocast():
                    values.append(read(base, moved).float().cpu())
            except Exception as error:
                if not out_of_memory(error):
                    raise
                raise _too_large(int(source.lengths[chosen[0]])) from error
            rows.append(torch.from_numpy(chosen.astype(np.int64)))
            at += size
            loop.reporter.advance(min(at, len(mine)))
    parts = loop.processes.gather(save({"rows": torch.cat(rows), "values": torch.cat(values)}) if rows else b"")
    found = [load(part) for part in parts if part]
    whole = torch.empty((len(source), found[0]["values"].shape[1]), dtype=torch.float32)
    for share in found:
        whole[share["rows"]] = share["values"]
    return whole


def _too_large(tokens: int) -> TrainError:
    return TrainError(
        say(
            f"the memory ran out while the reference read samples of {tokens} tokens; lower data.max_length, or take a smaller model",
            f"기준 모델이 토큰 {tokens}개인 샘플을 읽다가 메모리가 모자랐습니다. data.max_length를 줄이거나 더 작은 모델을 쓰세요",
        )
    )


def _lost(folder: Path) -> TrainError:
    return TrainError(
        say(
            f"{folder}: the reference's log-probabilities are missing, damaged or of other rows, and the model that made them was "
            "trained since; put the folder back, or start a new run",
            f"{folder}: 기준 모델의 로그확률이 없거나 손상되었거나 다른 행의 것이고, 그것을 만든 모델은 이미 학습되었습니다. "
            "폴더를 되돌리거나 새로 시작하세요",
        )
    )
