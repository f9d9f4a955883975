"""B15: whole plans and runs on a console that cannot show them: exit code 0, and the files in UTF-8."""

from pathlib import Path

import pytest

from tests.run import children
from tests.run.lab import NAME, child, make_workspace, runs_of

POOR = {"LC_ALL": "C", "LANG": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0", "DADEUM_LANG": "ko"}


@pytest.fixture(scope="module")
def ready(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = make_workspace(tmp_path_factory.mktemp("console") / "lab")
    code, said = children.run(root, "data", "format", NAME)
    assert code == 0, said
    return root


@pytest.mark.parametrize("codec", [pytest.param("cp949", marks=pytest.mark.slow), "ascii"])
def test_a_plan(ready: Path, codec: str) -> None:
    said = child(ready, "plan", NAME, environment={**POOR, "PYTHONIOENCODING": codec})
    assert said.returncode == 0 and said.stderr == b"", said.stderr
    text = said.stdout.decode(codec)
    assert ("아직 만들지 않음" in text) == (codec == "cp949") and NAME in text


@pytest.mark.slow  # a plan in the same consoles is in the suite
def test_a_run(ready: Path) -> None:
    """On cp949, in Korean, with answers of broken Hangul from a model that was hardly trained."""
    said = child(ready, "run", NAME, environment={**POOR, "PYTHONIOENCODING": "cp949"})
    assert said.returncode == 0 and said.stderr == b"", said.stderr
    assert "시험 행에서" in said.stdout.decode("cp949")
    (run,) = runs_of(ready)
    logs = [f.read_text(encoding="utf-8") for f in run.evidence.glob("*.log")]
    assert len(logs) == 2
    assert "무엇인가요?" in (run.evaluation / "model_comparison_results.csv").read_text(encoding="utf-8-sig")
    asked = child(ready, "ask", "7번 질문은?", environment={**POOR, "PYTHONIOENCODING": "ascii"})
    assert asked.returncode == 0, asked.stderr
