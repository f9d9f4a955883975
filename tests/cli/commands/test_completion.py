"""`dadeum completion SHELL`."""

import shutil
import subprocess
from pathlib import Path

import pytest

from tests.run.lab import cli, fine


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_a_script_of_each_shell(tmp_path: Path, shell: str) -> None:
    script = fine(tmp_path, "completion", shell).out
    assert "dadeum --complete" in script
    program = shutil.which(shell)
    if program is not None:
        assert subprocess.run([program, "-n"], input=script, text=True, encoding="utf-8", check=False).returncode == 0


def test_an_unknown_shell(tmp_path: Path) -> None:
    said = cli(tmp_path, "completion", "tcsh")
    assert said.code == 2 and said.errors == ["error: shell: found 'tcsh', expected bash, zsh or fish"]
