"""Checkpoints: weights, prompt, and all that the next step depends on, as safetensors and JSON.

    step-000200/  weights and prompt (loads as a model)   state/ optimizer.safetensors rng-000.safetensors state.json

A checkpoint is written aside, synced and renamed; the newest one whose every byte is as its manifest says counts.
"""

import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from safetensors.torch import load, load_file, save, save_file
from torch import Tensor

from dadeum.core import faults
from dadeum.core.artifact import MANIFEST, Manifest, damage, read_json, read_manifest, sweep, write_json, writing
from dadeum.core.errors import TrainError
from dadeum.core.language import say
from dadeum.core.progress import Reporter
from dadeum.model.packing import peft_of
from dadeum.train import rng
from dadeum.train.weights import PROMPT, adapter_bytes, restore_course, save_adapter, save_weights

if TYPE_CHECKING:
    from dadeum.train.loop import Loop

KIND = "checkpoint"
STATE = "state"
SLACK = 16 * 2**20


@dataclass(frozen=True)
class Checkpoint:
    """A checkpoint on disk."""

    folder: Path
    manifest: Manifest

    @property
    def step(self) -> int:
        """Optimizer steps that are done in it."""
        return int(self.manifest.facts["step"])

    def state(self) -> dict[str, Any]:
        """Its `state.json`."""
        found: dict[str, Any] = read_json(self.folder / STATE / "state.json")
        return found


def checkpoints(parent: Path) -> list[Checkpoint]:
    """The finished checkpoints in `parent`, oldest first. Links are not ours."""
    found = []
    for folder in sorted(parent.glob("step-*")):
        manifest = None if folder.is_symlink() else read_manifest(folder)
        if manifest is not None and manifest.kind == KIND:
            found.append(Checkpoint(folder, manifest))
    return found


def newest(parent: Path, reporter: Reporter) -> Checkpoint | None:
    """The newest checkpoint that is whole; damaged ones are passed over with a warning."""
    for checkpoint in reversed(checkpoints(parent)):
        broken = damage(checkpoint.folder, checkpoint.manifest)
        if broken is None:
            return checkpoint
        reporter.warn(
            say(
                f"{checkpoint.folder}: '{broken}' is damaged; an older checkpoint is taken",
                f"{checkpoint.folder}: '{broken}' 파일이 손상되어 이전 체크포인트를 씁니다",
            )
        )
    return None


def write_checkpoint(loop: "Loop") -> Path:
    """Write the state after the last whole step; called by all processes, written by the first.

    Raises TrainError where the disk is too full; the checkpoints that are there stay.
    """
    faults.point("save.start")
    loop.job.checkpoints.mkdir(parents=True, exist_ok=True)
    folder = loop.job.checkpoints / f"step-{loop.step:06d}"
    states = loop.processes.gather(save(rng.capture()))
    if loop.processes.main:
        optimizer, numbers = _optimizer_state(loop)
        require_space(loop, sum(t.nbytes for t in optimizer.values()) + adapter_bytes(loop.module, loop.course))
        loss = loop.validation.get(loop.step)
        facts = {"step": loop.step, "epoch": loop.schedule.epoch_at(loop.step), "validation_loss": loss}
        try:
            with writing(
                folder,
                kind=KIND,
                fingerprint=loop.job.fingerprint,
                made_from=loop.conditions,
                facts=facts,
                points="save",
            ) as aside:
                save_weights(loop.module, aside, loop.job.formatted, loop.stop_ids, loop.pad_id)
                (aside / STATE).mkdir()
                save_file(optimizer, aside / STATE / "optimizer.safetensors")
                save_adapter(loop.module, loop.course, aside / STATE)
                for rank, state in enumerate(states):
                    (aside / STATE / f"rng-{rank:03d}.safetensors").write_bytes(state)
                write_json(aside / STATE / "state.json", _state(loop, numbers))
        except OSError as error:
            raise not_written(folder, error) from None
    loop.processes.wait()
    return folder


def not_written(folder: Path, error: OSError) -> TrainError:
    """The sentence of a disk that refuses."""
    return TrainError(
        say(
            f"{folder}: cannot be written ({error}); make room, then run again: older checkpoints are whole",
            f"{folder}: 쓸 수 없습니다 ({error}). 공간을 확보하고 다시 실행하세요. 이전 체크포인트는 온전합니다",
        )
    )


def require_space(loop: "Loop", more: int = 0) -> None:
    """Raises TrainError unless the weights and `more` bytes fit the disk. What is there is not deleted for it."""
    whole = peft_of(loop.module) is None
    weights = sum(p.numel() * p.element_size() for p in loop.module.parameters() if whole or p.requires_grad)
    prompt = sum(f.stat().st_size for f in (loop.job.formatted / PROMPT).iterdir() if f.is_file())
    need, free = weights + more + prompt + SLACK, shutil.disk_usage(loop.job.checkpoints).free
    if free < need:
        have, want = f"{free / 1e9:.2f} GB", f"{need / 1e9:.2f} GB"
        raise TrainError(
            say(
                f"{loop.job.checkpoints}: {have} free, but the next checkpoint needs {want}; make room, then run again",
                f"{loop.job.checkpoints}: 여유 공간이 {have}인데 다음 체크포인트에 {want}가 필요합니다. 공간을 확보하고 다시 실행하세요",
            )
        )


def _state(loop: "Loop", optimizer: dict[str, Any]) -> dict[str, Any]:
    return {
        "step": loop.step,
        "tokens": loop.tokens,
        "trained_tokens": loop.trained_tokens,
        "seconds": loop.seconds,
        "per_device_train_batch_size": loop.per_device,
        "validation": {str(step): loss for step, loss in loop.validation.items()},
        "weights_sha256": loop.weights_sha256,
        "scaler": loop.arithmetic.scaler.state_dict(),
        "optimizer": optimizer,
        "hooks": {name: hook.state() for name, hook in loop.hooks.items()},
        "conditions": loop.conditions,
    }


def _names(loop: "Loop") -> list[str]:
    """Names of the optimizer's parameters, in its own order."""
    known = {id(p): name for name, p in loop.module.named_parameters()}
    return [known[id(p)] for group in loop.optimizer.param_groups for p in group["params"]]


def _optimizer_state(loop: "Loop") -> tuple[dict[str, Tensor], dict[str, Any]]:
    """Tensors by `parameter|key`, and what is no tensor."""
    names, state = _names(loop), loop.optimizer.state_dict()["state"]
    tensors, numbers = {}, {}
    for index, entries in state.items():
        for key, value in entries.items():
            place = f"{names[index]}|{key}"
            if isinstance(value, Tensor):
                tensors[place] = value.detach().cpu().contiguous()
            else:
                numbers[place] = value
    return tensors, numbers


def restore(loop: "Loop", checkpoint: Checkpoint) -> None:
    """Put the loop where the checkpoint stands; its weights must have been loaded already.

    Raises TrainError where they are others than those that were saved.
    """
    state, folder = checkpoint.state(), checkpoint.folder / STATE
    if loop.weights_sha256 != state["weights_sha256"]:
        raise TrainError(
            say(
                f"{checkpoint.folder}: the loaded weights are not those that were saved; the base model may have changed",
                f"{checkpoint.folder}: 불러온 가중치가 저장된 것과 다릅니다. 기본 모델이 바뀌었을 수 있습니다",
            )
        )
    places = {name: index for index, name in enumerate(_names(loop))}
    entries: dict[int, dict[str, Any]] = {}
    for place, value in [*load_file(folder / "optimizer.safetensors").items(), *state["optimizer"].items()]:
        name, key = place.rsplit("|", 1)
        entries.setdefault(places[name], {})[key] = value
    loop.optimizer.load_state_dict({"state": entries, "param_groups": loop.optimizer.state_dict()["param_groups"]})
    loop.arithmetic.scaler.load_state_dict(state["scaler"])
    restore_course(loop.course, folder)
    loop.step = loop.resumed_from = loop.saved = state["step"]
    loop.tokens, loop.trained_tokens, loop.seconds = state["tokens"], state["trained_tokens"], state["seconds"]
    loop.validation = {int(step): loss for step, loss in state["validation"].items()}
    for name, hook in loop.hooks.items():
        hook.restore(state["hooks"].get(name, {}))
    rng.restore(load((folder / f"rng-{loop.processes.rank:03d}.safetensors").read_bytes()))


def rotate(loop: "Loop") -> list[Path]:
    """Delete the oldest checkpoints beyond `save_total_limit`; never the newest, and never the best."""
    found = checkpoints(loop.job.checkpoints)
    scored = [c for c in found if c.step in loop.validation]
    keep = {found[-1].folder} if found else set()
    if scored:
        keep.add(min(scored, key=lambda c: loop.validation[c.step]).folder)
    for checkpoint in reversed(found):
        if len(keep) < loop.job.train.save_total_limit:
            keep.add(checkpoint.folder)
    gone = [c.folder for c in found if c.folder not in keep]
    for folder in gone:
        discard(folder)
    return gone


def discard(folder: Path) -> None:
    """Delete a checkpoint; without its manifest, which goes first, what is left of it counts for nothing."""
    (folder / MANIFEST).unlink()
    faults.point("rotate.no_manifest")
    shutil.rmtree(folder)


def clear(parent: Path) -> None:
    """Take away what killed processes left: folders aside, and checkpoints whose deletion was not finished."""
    sweep(parent)
    for folder in parent.glob("step-*"):
        if folder.is_dir() and not folder.is_symlink() and not (folder / MANIFEST).exists():
            shutil.rmtree(folder)
