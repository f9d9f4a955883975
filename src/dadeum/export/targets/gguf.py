"""One GGUF file for llama.cpp and what is built on it, made by llama.cpp's own converter from the merged model.

`LLAMA_CPP_DIR` names a checkout of llama.cpp, which holds `convert_hf_to_gguf.py`.
"""

import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any, Literal

from dadeum.core.errors import MissingExtra, ModelError
from dadeum.core.language import say
from dadeum.core.progress import Reporter
from dadeum.core.settings import MemberSettings, setting
from dadeum.export.targets import TARGETS, Source

folder = "gguf"
takes_heads = False
FILE = "model.gguf"
CONVERTER = "convert_hf_to_gguf.py"
VARIABLE = "LLAMA_CPP_DIR"
MAGIC = b"GGUF"
SHARE = {"auto": 1.0, "f32": 2.0, "f16": 1.0, "bf16": 1.0, "q8_0": 8.5 / 16}  # of weights in 16 bits
SHOWN_LINES = 12


class Settings(MemberSettings):
    """A GGUF file."""

    type: Literal["gguf"] = "gguf"
    quantization: Literal["auto", "f32", "f16", "bf16", "q8_0"] = setting(
        "auto",
        "Type that weights are stored in; `auto`: 16 bits, as the converter finds best.",
        "저장할 자료형. `auto`: 변환기가 고르는 16비트.",
    )


def ready(settings: Settings) -> None:
    """Raises MissingExtra where llama.cpp is not to be found."""
    _converter()


def write(settings: Settings, source: Source, out: Path, reporter: Reporter) -> None:
    """Merge where there is an adapter, convert, and keep the one file."""
    from dadeum.core.artifact import writing
    from dadeum.core.fingerprint import fingerprint, sha256_file
    from dadeum.model.files import is_adapter, weight_files

    converter = _converter()
    made_from = {
        "weights": {file.name: sha256_file(file) for file in weight_files(source.place)},
        "quantization": settings.quantization,
        "converter": sha256_file(converter),
    }
    with writing(out, kind="gguf", fingerprint=fingerprint(made_from), made_from=made_from) as aside:
        whole = source.place
        if is_adapter(source.place):
            whole = aside / "merged"
            TARGETS.member("merged").write(TARGETS.validate("merged"), source, whole, reporter)
        _convert(converter, whole, aside / FILE, settings.quantization, reporter)
        shutil.rmtree(aside / "merged", ignore_errors=True)


def verify(settings: Settings, source: Source, out: Path, reporter: Reporter) -> dict[str, Any]:
    """That the file is GGUF, and its version and size. Raises ModelError."""
    with (out / FILE).open("rb") as file:
        head = file.read(8)
    if len(head) < 8 or head[:4] != MAGIC:
        raise ModelError(
            say(
                f"{out / FILE}: the converter wrote something that is no GGUF; update llama.cpp in {VARIABLE}",
                f"{out / FILE}: 변환 결과가 GGUF가 아닙니다. {VARIABLE}의 llama.cpp를 새로 받으세요",
            )
        )
    return {
        "file": FILE,
        "bytes": (out / FILE).stat().st_size,
        "gguf_version": int.from_bytes(head[4:], "little"),
        "quantization": settings.quantization,
    }


def size(settings: Settings, weights: int) -> int:
    """By bits a weight, taking those of the base to be 16."""
    return round(weights * SHARE[settings.quantization])


def _converter() -> Path:
    """The converter's script. Raises MissingExtra that says how to get it."""
    place = os.environ.get(VARIABLE, "")
    script = Path(place).expanduser() / CONVERTER
    if place and script.is_file():
        return script
    found = (
        say(f"found '{place}' without {CONVERTER}", f"'{place}'에 {CONVERTER}가 없습니다")
        if place
        else say("not set", "없습니다")
    )
    raise MissingExtra(
        say(
            f"{VARIABLE}: {found}, expected a checkout of llama.cpp; `git clone https://github.com/ggml-org/llama.cpp`, "
            f"then `{VARIABLE}=llama.cpp dadeum export gguf`",
            f"{VARIABLE}: {found}. llama.cpp 폴더여야 합니다. `git clone https://github.com/ggml-org/llama.cpp` 뒤에 "
            f"`{VARIABLE}=llama.cpp dadeum export gguf`",
        )
    )


def _convert(converter: Path, whole: Path, out: Path, quantization: str, reporter: Reporter) -> None:
    words = [sys.executable, str(converter), str(whole), "--outfile", str(out), "--outtype", quantization]
    reporter.note(say(f"converting with {converter}", f"변환기: {converter}"))
    done = subprocess.run(words, capture_output=True, text=True, encoding="utf-8", errors="replace", check=False)
    if done.returncode == 0 and out.is_file():
        return
    told = "\n".join((done.stderr.strip() or done.stdout.strip()).splitlines()[-SHOWN_LINES:])
    raise ModelError(
        say(
            f"{converter} ended with {done.returncode} and made no GGUF; what it said last:\n{told}",
            f"{converter}가 {done.returncode}(으)로 끝나 GGUF를 만들지 못했습니다. 마지막 출력:\n{told}",
        )
    )
