"""`dadeum bench`."""

from pathlib import Path

from tests.run.lab import NAME, cli, fine


def test_figures(ran: Path) -> None:
    (ran / "q.txt").write_text("하나\n둘\n", encoding="utf-8")
    said = fine(ran, "bench", "-m", NAME, "--questions-file", "q.txt", "--max-new-tokens", "4", "--batch-size", "2").out
    found = dict(line.strip().split("  ", 1) for line in said.splitlines() if "  " in line.strip())
    assert found["model"].strip() == NAME and found["prompts"].strip() == "2"
    for name in ("tokens per second", "batch tokens per second", "seconds to first token", "peak memory bytes"):
        assert float(found[name].replace(",", "")) > 0
    assert list((ran / "experiments").glob("inference_*.log"))


def test_no_questions(done: Path) -> None:
    said = cli(done, "bench", "--questions-file", "none.txt")
    assert said.code == 2 and said.errors == ["error: none.txt: no such file of questions"]
