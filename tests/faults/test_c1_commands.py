"""C1: pickles planted in every folder that a command reads are never opened."""

import pickle
import shutil
from pathlib import Path

import pytest

from tests.run.lab import NAME, cli, fine, runs_of


class Payload:
    """Unpickled, it leaves a sign."""

    def __init__(self, sign: Path) -> None:
        self.sign = sign

    def __reduce__(self) -> tuple[object, tuple[str]]:
        import os

        return os.mkdir, (str(self.sign),)


NAMES = ["pytorch_model.bin", "adapter_model.bin", "training_args.bin", "optimizer.pt", "rng_state.pth", "rows.pkl"]


def plant(folder: Path, sign: Path) -> None:
    for name in NAMES:
        (folder / name).write_bytes(pickle.dumps(Payload(sign)))


@pytest.fixture
def sign(tmp_path: Path) -> Path:
    return tmp_path / "it-was-run"


def test_beside_everything(ran: Path, sign: Path) -> None:
    run = runs_of(ran)[0]
    (base,) = (ran / "checkpoints" / NAME).glob("base-*")
    for folder in (run.final, run.checkpoints / "merged", run.checkpoints, run.checkpoints / "step-000006/state", base):
        plant(folder, sign)
    plant(ran / "tokenizer", sign)
    for words in (
        ("run", NAME, "train.learning_rate=0.02"),
        ("ask", "안녕", "--max-new-tokens", "2"),
        ("compare", NAME),
    ):
        said = cli(ran, *words)
        assert said.code in (0, 2) and "Traceback" not in said.err, said
    assert not sign.exists()


@pytest.mark.parametrize("file", ["adapter_model.safetensors", "model.safetensors"])
def test_instead_of_the_weights(ran: Path, sign: Path, file: str) -> None:
    run = runs_of(ran)[0]
    folder = ran / "given"
    shutil.copytree(run.final if file.startswith("adapter") else run.checkpoints / "merged", folder)
    (folder / file).unlink()
    plant(folder, sign)
    for words in (("ask", "안녕", "-m", "given"), ("export", "merged", "given", "-o", "out")):
        said = cli(ran, *words)
        assert said.code == 2 and len(said.errors) == 1 and "given" in said.errors[0], said
    assert not sign.exists() and not (ran / "out").exists()
    (folder / file).write_bytes(pickle.dumps(Payload(sign)))
    assert cli(ran, "ask", "안녕", "-m", "given").code == 2 and not sign.exists()


def test_a_resumed_training(written: Path, sign: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from tests.run.lab import broken_at

    with monkeypatch.context() as patched:
        broken_at(patched, "train.step", 4, KeyboardInterrupt())
        cli(written, "train", NAME)
    step = runs_of(written)[0].checkpoints / "step-000002"
    plant(step, sign)
    plant(step / "state", sign)
    assert "goes on after step 2" in fine(written, "train", NAME).out and not sign.exists()
