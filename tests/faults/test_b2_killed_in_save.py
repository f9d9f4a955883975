"""B2: killed anywhere inside a save, the newest checkpoint that counts is whole: the old one, or the new one."""

import os
import shutil
import signal
import sys
from pathlib import Path
from typing import Any

import pytest

from dadeum.core.artifact import ASIDE, damage
from dadeum.core.progress import Silent
from dadeum.train.job import TrainJob
from dadeum.train.loop import Loop
from dadeum.train.processes import Processes
from dadeum.train.state import checkpoints, clear, newest, rotate, write_checkpoint
from dadeum.train.step import prepare, train
from tests.train import children
from tests.train.support import Told, make_formatted, make_job

# What Python tells an audit hook when it opens, makes, renames or removes something.
EVENTS = {"open", "os.mkdir", "os.rename", "os.remove", "os.rmdir", "os.truncate", "shutil.rmtree", "shutil.copyfile"}


def _killed_at(loop: Loop, event: int) -> int:
    """Save and rotate in a fork that dies at its n-th touch of the disk; returns what it exited with."""
    child = os.fork()
    if child:
        return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    passed = 0

    def hook(name: str, _: Any) -> None:
        nonlocal passed
        if name in EVENTS:
            passed += 1
            if passed == event:
                os.kill(os.getpid(), signal.SIGKILL)

    try:
        sys.addaudithook(hook)
        write_checkpoint(loop)
        rotate(loop)
    except BaseException:
        os._exit(1)
    os._exit(0)


def _loop(tmp_path: Path, **changes: Any) -> Loop:
    job = make_job(tmp_path, make_formatted(tmp_path), save_total_limit=1, **changes)
    return prepare(job, Silent(), Processes(), {})


def test_every_touch_of_the_disk(tmp_path: Path) -> None:
    """Step 1 is saved; the save of step 2, and the rotation that deletes step 1, die at each of their touches in turn."""
    loop = _loop(tmp_path)
    loop._optimizer_step()
    write_checkpoint(loop)
    spare = tmp_path / "spare"
    shutil.copytree(loop.job.checkpoints, spare)
    weights = {1: loop.weights_sha256}
    loop._optimizer_step()
    weights[2] = loop.weights_sha256
    seen: list[int] = []
    while (code := _killed_at(loop, len(seen) + 1)) != 0:
        assert code == -signal.SIGKILL
        clear(loop.job.checkpoints)
        found = newest(loop.job.checkpoints, Silent())
        assert found is not None, f"nothing whole after touch {len(seen) + 1}"
        assert found.state()["weights_sha256"] == weights[found.step]
        assert not list(loop.job.checkpoints.glob(f"{ASIDE}*"))
        seen.append(found.step)
        shutil.rmtree(loop.job.checkpoints)
        shutil.copytree(spare, loop.job.checkpoints)
    assert [c.step for c in checkpoints(loop.job.checkpoints)] == [2]
    assert len(seen) >= 50 and seen == sorted(seen) and set(seen) == {1, 2}


@pytest.mark.parametrize("broken", ["model.safetensors", "state/optimizer.safetensors", "state/state.json"])
def test_a_damaged_checkpoint_is_passed_over(tmp_path: Path, broken: str) -> None:
    """One byte changed behind an unchanged size: an older checkpoint is taken, with a warning, by itself."""
    job = make_job(tmp_path, make_formatted(tmp_path), save_steps=1.0, max_steps=3, save_total_limit=3)
    train(job, Silent())
    shutil.rmtree(job.final)
    file = job.checkpoints / "step-000003" / broken
    content = bytearray(file.read_bytes())
    content[len(content) // 2] ^= 1
    file.write_bytes(content)
    told = Told()
    found = newest(job.checkpoints, told)
    assert found is not None and found.step == 2
    assert f"'{broken}' is damaged" in told.warnings[0]
    assert train(job, Silent()).stats["optimizer_steps"] == 3
    assert all(damage(c.folder, c.manifest) is None for c in checkpoints(job.checkpoints))


def _points(job: TrainJob, tmp_path: Path, fault: str) -> None:
    assert children.run(job, tmp_path / "said.json", fault) == (-9, "")
    assert children.run(job, tmp_path / "said.json") == (0, "")


@pytest.mark.parametrize("fault", ["save.start", "artifact.between_renames", "rotate.no_manifest:2"])
def test_named_points_need_no_hand(tmp_path: Path, fault: str) -> None:
    job = make_job(tmp_path, make_formatted(tmp_path), save_steps=1.0, max_steps=5, save_total_limit=1)
    _points(job, tmp_path, fault)
    assert [f.name for f in sorted(job.checkpoints.iterdir()) if f.is_dir()] == ["final", "step-000005"]
