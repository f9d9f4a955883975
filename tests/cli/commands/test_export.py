"""`dadeum export merged|gguf [MODEL] -o FOLDER`."""

from pathlib import Path

import pytest

from tests.export.targets.test_gguf import converter
from tests.run.lab import NAME, cli, files_below, fine, runs_of, stale


def test_where_it_is_told_to(ran: Path) -> None:
    said = fine(ran, "export", "merged", NAME, "-o", "deploy/모델").out
    assert (ran / "deploy" / "모델" / "model.safetensors").is_file() and "max_logit_difference" in said
    merged = runs_of(ran)[0].checkpoints / "merged" / "model.safetensors"
    assert (ran / "deploy" / "모델" / "model.safetensors").read_bytes() == merged.read_bytes()
    assert fine(ran, "ask", "안녕", "-m", "deploy/모델", "--max-new-tokens", "3").out
    assert stale(ran) == []


def test_as_bfloat16(ran: Path) -> None:
    assert "bfloat16" in fine(ran, "export", "merged", "--dtype", "bfloat16", "--output_dir", "half").out
    whole, half = (runs_of(ran)[0].checkpoints / "merged", ran / "half")
    assert (half / "model.safetensors").stat().st_size < 0.7 * (whole / "model.safetensors").stat().st_size


def test_over_files_of_the_user(ran: Path) -> None:
    (ran / "mine").mkdir()
    (ran / "mine" / "letter.txt").write_text("dear", encoding="utf-8")
    for out in ("mine", "rows.csv", "tokenizer", f"checkpoints/{NAME}/{runs_of(ran)[0].name}/final"):
        before = files_below(ran)
        said = cli(ran, "export", "merged", NAME, "-o", out)
        assert said.code == 2 and len(said.errors) == 1 and "Traceback" not in said.err, out
        assert files_below(ran) == before


def test_bad_words(done: Path) -> None:
    for words in (("merged", "tinny"), ("merged", "--dtype", "int3"), ("ggml",), ()):
        said = cli(done, "export", *words)
        assert said.code == 2 and len(said.errors) == 1, words


def test_gguf(ran: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("LLAMA_CPP_DIR", raising=False)
    said = cli(ran, "export", "gguf", NAME)
    assert said.code == 2 and "git clone" in said.errors[0] and len(said.errors) == 1
    monkeypatch.setenv("LLAMA_CPP_DIR", str(converter(tmp_path / "llama.cpp")))
    assert "model.gguf" in fine(ran, "export", "gguf", NAME, "-q", "q8_0").out
    folder = runs_of(ran)[0].checkpoints / "gguf"
    assert sorted(f.name for f in folder.iterdir()) == ["manifest.json", "model.gguf"]
    assert cli(ran, "export", "gguf", NAME, "-q", "q3").code == 2


def test_a_run_asks_for_llama_cpp_before_it_trains(written: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("LLAMA_CPP_DIR", raising=False)
    said = cli(written, "run", NAME, "export=[gguf]")
    assert said.code == 2 and said.errors[0].startswith("error: LLAMA_CPP_DIR: not set")
    assert runs_of(written) == [] and not (written / "data").exists()
