"""The converter is called with the merged model; what it says is shown, what it makes is looked at. A small one stands in."""

import json
from pathlib import Path

import pytest

from dadeum.core.artifact import verified
from dadeum.core.errors import MissingExtra, ModelError
from dadeum.core.progress import Silent
from dadeum.export.step import export
from dadeum.export.targets import gguf
from tests.generate.support import save_adapter, save_small

# Takes what llama.cpp's takes, and writes what it was given behind GGUF's magic and version.
SCRIPT = """
import argparse, json, pathlib, sys
parser = argparse.ArgumentParser()
parser.add_argument("model", type=pathlib.Path)
parser.add_argument("--outfile", type=pathlib.Path, required=True)
parser.add_argument("--outtype", choices=["f32", "f16", "bf16", "q8_0", "tq1_0", "tq2_0", "auto"], default="auto")
words = parser.parse_args()
if {broken!r}:
    print("정보 loading", file=sys.stderr)
    raise SystemExit("Model TinyForCausalLM is not supported")
config = json.loads((words.model / "config.json").read_text(encoding="utf-8"))
files = sorted(f.name for f in words.model.iterdir())
head = {magic!r} + (3).to_bytes(4, "little")
words.outfile.write_bytes(head + json.dumps([config["model_type"], words.outtype, files]).encode())
"""


def converter(folder: Path, *, broken: bool = False, magic: bytes = b"GGUF") -> Path:
    """A checkout of llama.cpp, as far as it is asked for."""
    folder.mkdir(parents=True)
    script = SCRIPT.replace("{broken!r}", repr(broken)).replace("{magic!r}", repr(magic))
    (folder / gguf.CONVERTER).write_text(script, encoding="utf-8")
    return folder


def settings(quantization: str = "auto") -> gguf.Settings:
    return gguf.Settings.model_validate({"quantization": quantization})


def test_an_adapter_is_merged_and_converted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LLAMA_CPP_DIR", str(converter(tmp_path / "라마 llama.cpp")))
    base = save_small(tmp_path / "base")
    adapter = save_adapter(tmp_path / "final", base)
    report = export(settings("q8_0"), final=adapter, base=base, out=tmp_path / "gguf", reporter=Silent())
    assert (report["file"], report["gguf_version"], report["quantization"]) == ("model.gguf", 3, "q8_0")
    verified(tmp_path / "gguf")
    assert sorted(f.name for f in (tmp_path / "gguf").iterdir()) == ["manifest.json", "model.gguf"]
    kind, outtype, files = json.loads((tmp_path / "gguf/model.gguf").read_bytes()[8:])
    assert (kind, outtype) == ("llama", "q8_0")
    assert {"model.safetensors", "tokenizer.json", "config.json"} <= set(files) and "adapter_config.json" not in files


def test_a_whole_model_is_converted_where_it_lies(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LLAMA_CPP_DIR", str(converter(tmp_path / "cpp")))
    final = save_small(tmp_path / "final")
    export(settings(), final=final, base=None, out=tmp_path / "gguf", reporter=Silent())
    assert json.loads((tmp_path / "gguf/model.gguf").read_bytes()[8:])[:2] == ["llama", "auto"]


def test_what_the_converter_says_is_shown(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LLAMA_CPP_DIR", str(converter(tmp_path / "cpp", broken=True)))
    final = save_small(tmp_path / "final")
    with pytest.raises(ModelError, match=r"ended with 1 .*:\n정보 loading\nModel TinyForCausalLM is not supported"):
        export(settings(), final=final, base=None, out=tmp_path / "gguf", reporter=Silent())
    assert sorted(f.name for f in tmp_path.iterdir()) == ["cpp", "final"]


def test_what_is_no_gguf_is_not_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LLAMA_CPP_DIR", str(converter(tmp_path / "cpp", magic=b"GGML")))
    final = save_small(tmp_path / "final")
    with pytest.raises(ModelError, match="something that is no GGUF"):
        export(settings(), final=final, base=None, out=tmp_path / "gguf", reporter=Silent())
    assert sorted(f.name for f in tmp_path.iterdir()) == ["cpp", "final"]


@pytest.mark.parametrize("place", [None, "", "nowhere"])
def test_without_llama_cpp_the_cure_is_told(place: str | None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("LLAMA_CPP_DIR", raising=False)
    if place is not None:
        monkeypatch.setenv("LLAMA_CPP_DIR", place)
    with pytest.raises(MissingExtra, match=r"LLAMA_CPP_DIR: .*git clone .*llama\.cpp") as caught:
        gguf.ready(settings())
    assert caught.value.exit_code == 2


def test_size() -> None:
    assert gguf.size(settings("f32"), 1000) == 2000
    assert gguf.size(settings("q8_0"), 1600) == 850
