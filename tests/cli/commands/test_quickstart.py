"""The quickstart from beginning to end, offline; slow, since it trains for real."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from dadeum.cli.dispatch import dispatch


def test_a_file_in_its_place_is_one_sentence(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "taken").write_text("mine", encoding="utf-8")
    assert dispatch("quickstart", [str(tmp_path / "taken")]) == 2
    assert capsys.readouterr().err.count("error:") == 1
    assert (tmp_path / "taken").read_text(encoding="utf-8") == "mine"


@pytest.mark.slow
def test_it_ends_with_a_real_gain_and_is_fresh_the_second_time(tmp_path: Path) -> None:
    environment = {**os.environ, "HF_ENDPOINT": "http://127.0.0.1:9", "DADEUM_LANG": "en"}
    command = [sys.executable, "-m", "dadeum", "quickstart", "lab"]
    for _ in range(2):
        done = subprocess.run(
            command, cwd=tmp_path, env=environment, capture_output=True, text=True, encoding="utf-8", check=False
        )
        assert done.returncode == 0, done.stderr
    assert "Try next" in done.stdout
    assert "▶" not in done.stdout  # nothing ran the second time
    found = json.loads(
        next(tmp_path.glob("lab/experiments/quickstart/*/evaluation/comparison.json")).read_text("utf-8")
    )
    bits = next(m for m in found["metrics"] if m["name"] == "bits_per_byte")
    assert bits["n"] >= 60
    assert bits["values"]["tuned"] <= 0.7 * bits["values"]["base"]
    assert bits["differences"]["tuned"]["high"] < 0
