"""Whole models on disk: what type they are stored in, and a plain copy of one."""

import json
import shutil
from pathlib import Path
from typing import Any

from dadeum.core.artifact import MANIFEST, writing
from dadeum.core.errors import ModelError
from dadeum.core.fingerprint import fingerprint, sha256_file
from dadeum.core.language import say
from dadeum.model.files import weight_files

NAMES = {"F32": "float32", "BF16": "bfloat16", "F16": "float16"}
LONGEST_HEADER = 100_000_000


def stored_dtype(place: Path) -> str:
    """`float32`, `bfloat16` or `float16`: what most weights in `place` are stored in, read from the headers alone."""
    counts: dict[str, int] = {}
    for file in weight_files(place):
        for name, tensor in _header(file).items():
            if name != "__metadata__" and tensor["dtype"] in NAMES:
                start, end = tensor["data_offsets"]
                counts[tensor["dtype"]] = counts.get(tensor["dtype"], 0) + end - start
    if not counts:
        raise ModelError(say(f"{place}: holds no floating-point weights", f"{place}: 부동소수점 가중치가 없습니다"))
    return NAMES[max(counts, key=lambda kind: counts[kind])]


def _header(file: Path) -> dict[str, Any]:
    """The JSON at the head of a safetensors file: eight bytes of length, then names, types and offsets."""
    with file.open("rb") as raw:
        length = int.from_bytes(raw.read(8), "little")
        if length > LONGEST_HEADER:
            raise ModelError(say(f"{file}: is no safetensors file", f"{file}: safetensors 파일이 아닙니다"))
        found: dict[str, Any] = json.loads(raw.read(length))
    return found


def copy_whole(place: Path, out: Path, dtype: str | None, *, trusted: bool = False) -> None:
    """Copy a whole model's folder to `out`, its weights cast to `dtype` where one is given."""
    made_from = {"weights": {file.name: sha256_file(file) for file in weight_files(place)}, "dtype": dtype}
    weights = {*weight_files(place), place / "model.safetensors.index.json"}
    cast = dtype is not None and dtype != stored_dtype(place)
    with writing(out, kind="merged", fingerprint=fingerprint(made_from), made_from=made_from) as folder:
        for file in sorted(
            f for f in place.iterdir() if f.is_file() and not f.name.startswith(".") and f.name != MANIFEST
        ):
            if not (cast and file in weights):
                shutil.copyfile(file, folder / file.name)
        if cast and dtype is not None:
            from dadeum.model.load import load_for_inference
            from dadeum.model.save import save_model

            save_model(load_for_inference(place, dtype=dtype, trusted=trusted), folder)
