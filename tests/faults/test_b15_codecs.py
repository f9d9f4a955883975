"""B15: a console or a system that speaks another encoding never stops the program; files are UTF-8 all the same."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

POOR = {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}


def dadeum(*words: str, folder: Path, **environment: str) -> "subprocess.CompletedProcess[bytes]":
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("LC_", "LANG", "PYTHON"))}
    return subprocess.run(
        [sys.executable, "-m", "dadeum", *words],
        cwd=folder,
        env={**kept, "DADEUM_LANG": "ko", **environment},
        capture_output=True,
        check=False,
    )


@pytest.mark.parametrize("codec", ["cp949", "ascii", "latin-1", "utf-8"])
@pytest.mark.parametrize(("words", "code"), [(["--help"], 0), (["trian"], 2), (["schema"], 0)])
def test_a_console_that_cannot_show_it(codec: str, words: list[str], code: int, tmp_path: Path) -> None:
    done = dadeum(*words, folder=tmp_path, PYTHONIOENCODING=codec)
    assert done.returncode == code, done.stderr
    assert b"Traceback" not in done.stderr
    text = (done.stdout + done.stderr).decode(codec)
    assert ("학습" in text or "동사" in text or "난수" in text) == (codec in ("cp949", "utf-8"))


def test_files_are_utf8_whatever_the_machine_prefers(tmp_path: Path) -> None:
    done = dadeum("init", "lab", folder=tmp_path, **POOR)
    assert done.returncode == 0, done.stderr
    text = (tmp_path / "lab" / "configs" / "first.yaml").read_bytes().decode("utf-8")
    assert "모델에 할 일" in text
    told = dadeum("plan", "configs/first.yaml", "train.sedd=1", folder=tmp_path / "lab", **POOR)
    assert told.returncode == 2, told.stderr
    assert b"train.sedd" in told.stderr
    assert b"Traceback" not in told.stderr
