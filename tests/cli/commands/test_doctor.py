"""`dadeum doctor`."""

import shutil
from collections import namedtuple
from pathlib import Path

import pytest

from dadeum.cli.commands import doctor
from tests.run.lab import cli, fine

Usage = namedtuple("Usage", "total used free")


@pytest.fixture(autouse=True)
def machine(monkeypatch: pytest.MonkeyPatch) -> None:
    """Room enough, no GPU, no token."""
    monkeypatch.setattr(shutil, "disk_usage", lambda _: Usage(9, 0, 2**40))
    monkeypatch.setattr(doctor, "_nvidia", lambda: "")
    monkeypatch.setattr(doctor, "_memory", lambda: (True, "64.0 GiB free"))
    monkeypatch.delenv("HF_TOKEN", raising=False)


def test_all_is_well(tmp_path: Path) -> None:
    said = fine(tmp_path, "doctor").out
    for name in ("Python", "torch", "transformers", "peft", "memory", "disk here", "extra: dev", "HF_TOKEN"):
        assert name in said
    assert "✗" not in said and "absent (needed only for gated models)" in said


def test_a_token_is_present_and_not_shown(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # Set through monkeypatch first, so that what `.env` puts into the environment is taken out again.
    monkeypatch.setenv("HF_TOKEN", "")
    monkeypatch.delenv("HF_TOKEN")
    (tmp_path / ".env").write_text("HF_TOKEN=hf_very_secret_word\n", encoding="utf-8")
    said = fine(tmp_path, "doctor")
    assert "HF_TOKEN                present" in said.out and "very_secret" not in said.out + said.err


def test_a_full_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda _: Usage(9, 8, 2**30))
    said = cli(tmp_path, "doctor")
    assert said.code == 1 and "✗ disk here               1.0 GiB free" in said.out


def test_a_build_that_cannot_use_the_gpu_that_is_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import torch

    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    monkeypatch.setattr(doctor, "_nvidia", lambda: "NVIDIA H200, 143771 MiB")
    said = cli(tmp_path, "doctor")
    assert said.code == 1 and "cannot use the GPU (NVIDIA H200" in said.out and "install a CUDA build" in said.out


def test_what_the_driver_says(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.undo()
    program = tmp_path / "nvidia-smi"
    program.write_text("#!/bin/sh\necho 'NVIDIA H200, 143771 MiB'\n", encoding="utf-8")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=":")
    assert doctor._nvidia() == "NVIDIA H200, 143771 MiB"
    program.write_text("#!/bin/sh\nexit 9\n", encoding="utf-8")
    assert doctor._nvidia() == ""


def test_a_file_of_secrets_that_others_can_read_is_told(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("A=1\n", encoding="utf-8")
    for mode, mark in ((0o600, "✓"), (0o644, "!")):
        (tmp_path / ".env").chmod(mode)
        said = fine(tmp_path, "doctor").out
        assert f" {mark} .env" in said and ("chmod 600 .env" in said) == (mode == 0o644)
