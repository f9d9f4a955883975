"""B32: a workspace under a path with Hangul, spaces and decomposed letters, in the C locale: every verb works."""

import unicodedata
from pathlib import Path

from tests.run.lab import NAME, child, make_workspace, runs_of, whole_artifacts

POOR = {"LC_ALL": "C", "LANG": "C", "TZ": "Asia/Seoul", "DADEUM_LANG": "ko"}


def test_everything(tmp_path: Path) -> None:
    root = make_workspace(tmp_path / "나의 실험실 (최종)" / unicodedata.normalize("NFD", "한글") / ("긴" * 60))
    (root / "rows.csv").rename(root / "내 질문 모음.csv")
    (root / "질문.txt").write_text("안녕?\n", encoding="utf-8")
    file = root / "configs" / f"{NAME}.yaml"
    text = (
        file.read_text(encoding="utf-8")
        .replace("rows.csv", "내 질문 모음.csv")
        .replace(f"name: {NAME}", "name: 나의-실험")
    )
    (root / "configs" / "나의 설정.yaml").write_text(text, encoding="utf-8")
    file.unlink()
    said = child(root, "run", "나의 설정", "output_dir=결과 모음", environment=POOR)
    assert said.returncode == 0 and said.stderr == b"", said.stderr.decode("utf-8", "replace")
    (run,) = runs_of(root, "나의-실험")
    assert run.record()["status"] == "finished"
    assert (root / "결과 모음" / "deployment_model" / "model.safetensors").is_file()
    whole_artifacts(root)
    batch = child(
        root, "batch", "질문.txt", "-o", "답 모음.csv", "-m", "나의 설정", "--max-new-tokens", "4", environment=POOR
    )
    assert batch.returncode == 0, batch.stderr.decode("utf-8", "replace")
    assert "안녕?" in (root / "답 모음.csv").read_text(encoding="utf-8-sig")
