"""C3, C4: no command runs code that a model brings, or lets its configuration choose any; only the user's own word does."""

import json
from pathlib import Path

import pytest

from tests.run.lab import NAME, cli, runs_of

# The first is what transformers reads; the second and third are what CVE-2026-4372 and CVE-2026-5241 used.
SWITCHES = {
    "auto_map": {"AutoConfig": "code.C", "AutoModelForCausalLM": "code.M", "AutoTokenizer": "code.T"},
    "_attn_implementation_internal": "someone/kernel",
    "trust_remote_code": True,
}


@pytest.fixture
def sign(tmp_path: Path) -> Path:
    return tmp_path / "it-was-run"


def bring(folder: Path, sign: Path, **values: object) -> None:
    """Code beside the files, and configurations that ask for it."""
    (folder / "code.py").write_text(f"import os\nos.mkdir({str(sign)!r})\nC = M = T = object\n", encoding="utf-8")
    for name in ("config.json", "tokenizer_config.json"):
        if (folder / name).is_file():
            config = json.loads((folder / name).read_text(encoding="utf-8"))
            (folder / name).write_text(json.dumps({**config, **SWITCHES, **values}), encoding="utf-8")


@pytest.mark.parametrize("kind", [None, "strange"])
def test_every_command(ran: Path, sign: Path, kind: str | None, monkeypatch: pytest.MonkeyPatch) -> None:
    """With a type that transformers has, its own class is used; with another there is nothing to load."""
    import socket

    def refuse(*_: object, **__: object) -> None:
        raise AssertionError("a connection was asked for")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    run = runs_of(ran)[0]
    whole = run.checkpoints / "merged"
    bring(whole, sign, **({"model_type": kind} if kind else {}))
    bring(run.final, sign)
    bring(ran / "tokenizer", sign)
    rows = ran / "rows.csv"
    codes = []
    for words in (
        ("ask", "안녕", "-m", str(whole), "--max-new-tokens", "2"),
        ("ask", "안녕", "--max-new-tokens", "2"),
        ("tokens", str(whole)),
        ("compare", str(whole), str(whole), "--questions", str(rows)),
        ("data", "preprocess", NAME),
        (
            "train",
            NAME,
            f"model.name_or_path={whole}",
            "model.init=pretrained",
            "model.config=null",
            "train.max_steps=1",
        ),
        ("predict", str(rows), "-m", str(whole)),
        ("export", "merged", str(run.final), "-o", str(ran / "out")),
    ):
        said = cli(ran, *words)
        assert said.code in (0, 2) and "Traceback" not in said.err, (words, said)
        codes.append(said.code)
    assert not sign.exists() and 0 in codes


def test_the_users_word(ran: Path, sign: Path) -> None:
    """What the test plants would run: it does where the user says that it may."""
    whole = runs_of(ran)[0].checkpoints / "merged"
    bring(whole, sign, model_type="strange")
    words = ("train", NAME, f"model.name_or_path={whole}", "model.init=pretrained", "model.config=null")
    assert "model.trust_remote_code" in cli(ran, *words).errors[0] and not sign.exists()
    cli(ran, *words, "model.trust_remote_code=true")
    assert sign.exists()
