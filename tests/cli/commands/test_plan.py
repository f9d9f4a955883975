"""`dadeum plan`."""

import json
import subprocess
import sys
from pathlib import Path

from tests.run.lab import NAME, child_environment, cli, files_below, fine

TALKS = "data.sources=[{type: jsonl, path: talks.jsonl}]"


def talks(root: Path) -> None:
    """Rows that all begin with one system message, which nobody who asks a question would send."""
    roles = ("system", "user", "assistant")
    rows = [
        [{"role": r, "content": c} for r, c in zip(roles, ("S", f"질문 {n}", "답"), strict=True)] for n in range(60)
    ]
    text = "\n".join(json.dumps({"messages": messages}, ensure_ascii=False) for messages in rows)
    (root / "talks.jsonl").write_text(text, encoding="utf-8")


def test_without_data_nothing_runs(written: Path) -> None:
    before = files_below(written)
    said = fine(written, "plan", NAME, "--no-data").out
    assert said.count("will run") == 9 and said.count("not made yet") == 9
    assert "leave --no-data out" in said and files_below(written) == before


def test_the_data_stages_run_for_it(written: Path) -> None:
    said = fine(written, "plan", NAME).out
    assert "▶ format" in said and "optimizer steps" in said and "parameters" in said and "disk" in said
    assert said.count("will run") == 7
    assert {f.name for f in written.iterdir()} >= {"data", "experiments"} and not (written / "checkpoints").exists()
    assert "▶" not in fine(written, "plan", NAME).out


def test_why_is_told(done: Path) -> None:
    said = fine(done, "plan", NAME, "--no-data", "train.learning_rate=0.5").out
    assert "changed: train.learning_rate" in said and said.count("fresh") == 4
    assert "fresh" in said and "will run" not in fine(done, "plan", NAME).out


def test_with_underscores_and_probe(done: Path) -> None:
    assert "time to train" not in fine(done, "plan", NAME, "--no_data").out
    assert "time to train" in fine(done, "plan", NAME, "--no_data", "--probe").out


def test_it_tells_the_mixture(written: Path) -> None:
    said = fine(written, "plan", NAME, "data.sources=[{type: csv, path: rows.csv, rows: 30}]")
    assert "rows.csv 30 of 60 rows (100%)" in said.out and "not drawn" not in said.out + said.err


def test_what_the_gate_finds_stops_the_plan(written: Path) -> None:
    talks(written)
    said = cli(written, "plan", NAME, TALKS)
    assert said.code == 2 and said.err.count("\n") == 1
    assert said.errors[0].startswith("error: prompt_mismatch: all 48 training rows, first talks.jsonl:")
    assert "data.system_prompt" in said.err and "data.allow=[prompt_mismatch]" in said.err
    assert not list((written / "data" / "processed").glob("formatted-*"))
    fine(written, "plan", NAME, TALKS, "data.system_prompt=S")


def test_what_is_allowed_is_told_each_time(written: Path) -> None:
    talks(written)
    for _ in range(2):
        said = fine(written, "plan", NAME, TALKS, "data.allow=[prompt_mismatch]").out
        assert "60 samples, allowed: prompt_mismatch (48)" in said
        assert "warning: allowed: prompt_mismatch: all 48 training rows" in " ".join(said.split())
    wrong = cli(written, "plan", NAME, "data.allow=[prompt_mismatches]")
    assert wrong.code == 2 and "did you mean 'prompt_mismatch'?" in wrong.err
    assert cli(written, "plan", NAME, "data.allow=[all]").code == 2


def test_without_the_data_stages_the_first_rows_are_looked_at(written: Path) -> None:
    talks(written)
    before = files_below(written)
    said = " ".join(fine(written, "plan", NAME, TALKS, "--no-data").out.split())
    assert "warning: will stop: prompt_mismatch: all 60 training rows" in said and files_below(written) == before


def test_a_plan_without_data_imports_no_torch(written: Path) -> None:
    program = f"""
import sys
from dadeum.cli.app import main
try:
    main(["plan", "{NAME}", "--no-data"])
finally:
    print("torch" in sys.modules)
"""
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=written, env=child_environment(), capture_output=True, check=False
    )
    assert b"nothing found in the first" in done.stdout and done.stdout.split()[-1] == b"False", done.stderr
