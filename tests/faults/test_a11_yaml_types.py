"""A11: what YAML takes for another type is what the schema says, or the program stops with file, line and nearest name."""

import re
from pathlib import Path

import pytest

from dadeum.cli.dispatch import dispatch
from dadeum.config.load import load
from tests.config.test_load import BAD, GOOD


@pytest.mark.parametrize("case", BAD)
def test_bad_files_leave_with_2_and_say_where(
    case: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in ("MODEL_ID", "DATASET"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.chdir(tmp_path)
    (tmp_path / "a.yaml").write_text(BAD[case][0], encoding="utf-8")
    assert dispatch("plan", ["a.yaml"]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert re.match(r"error: a\.yaml:\d+: ", err)
    assert ("did you mean" in err) == ("did you mean" in BAD[case][1])
    assert sorted(f.name for f in tmp_path.iterdir()) == ["a.yaml"]


def test_enough_of_them_suggest() -> None:
    assert len(BAD) >= 20
    assert sum("did you mean" in told for _, told in BAD.values()) >= 8


def test_what_looks_like_another_type(tmp_path: Path) -> None:
    text = GOOD.replace("civil", "no").replace("some/model", "12:30") + "  warmup_steps: 1e1\n  max_grad_norm: 1E-2\n"
    (tmp_path / "a.yaml").write_text(text, encoding="utf-8")
    found = load(tmp_path / "a.yaml", root=tmp_path).experiment
    assert (found.name, found.model.name_or_path) == ("no", "12:30")
    assert (found.train.learning_rate, found.train.warmup_steps, found.train.max_grad_norm) == (0.0001, 10.0, 0.01)
