"""An adapter merged into its base: a whole model that plain transformers loads."""

import os
import shutil
from pathlib import Path
from typing import Any

from torch import nn
from transformers import GenerationConfig

from dadeum.core.artifact import writing
from dadeum.core.errors import ModelError
from dadeum.core.fingerprint import fingerprint, sha256_file
from dadeum.core.language import say
from dadeum.model.configuration import first_line
from dadeum.model.files import is_adapter, read_object, weight_files
from dadeum.model.headed import headed_of
from dadeum.model.load import DTYPES, load_for_inference, named_base
from dadeum.model.packing import peft_of
from dadeum.model.save import save_model

# What a tokenizer, its template and the prompt contract consist of: they travel with the weights.
PROMPT_FILES = (
    "tokenizer.json", "tokenizer_config.json", "special_tokens_map.json", "added_tokens.json", "vocab.json", "merges.txt",
    "vocab.txt", "tokenizer.model", "spiece.model", "chat_template.jinja", "dadeum_prompt.json", "labels.json",
)  # fmt: skip


def merge(adapter: Path, base: Path | None, out: Path, dtype: str = "float32", *, trusted: bool = False) -> Path:
    """Write the model of `adapter` on `base` (default: the one it names) as a whole model into `out`.

    Sums are made in float32 and stored in `dtype`. `out` appears whole or not at all. Raises ModelError when `out` is
    one of the inputs, by any name, when the base is quantised, and when a sum is not finite.
    """
    if not is_adapter(adapter):
        raise ModelError(
            say(f"{adapter}: found no adapter, nothing to merge", f"{adapter}: 어댑터가 없어 병합할 것이 없습니다")
        )
    base = base or named_base(adapter)
    refuse_input(out, (adapter, base))
    loaded = load_for_inference(adapter, base=base, dtype="float32", trusted=trusted, quantized=False)
    headed, peft = headed_of(loaded), peft_of(loaded)
    _untie_where_adapted(peft)
    if peft.active_peft_config.is_prompt_learning:
        raise ModelError(
            say(
                f"{adapter}: puts tokens before each text, which weights cannot hold; use it as an adapter on its base",
                f"{adapter}: 글 앞에 가상 토큰을 두는 어댑터는 가중치에 병합할 수 없습니다. 기본 모델과 함께 쓰세요",
            )
        )
    try:
        merged: Any = peft.merge_and_unload(safe_merge=True)
    except (ValueError, NotImplementedError) as error:
        raise ModelError(
            say(f"{adapter}: {first_line(error)}", f"{adapter}: 병합할 수 없습니다 ({first_line(error)})")
        ) from error
    merged.to(DTYPES[dtype])
    if (adapter / "generation_config.json").is_file():
        merged.generation_config = GenerationConfig.from_dict(read_object(adapter / "generation_config.json"))
    made_from = {
        "adapter": {file.name: sha256_file(file) for file in weight_files(adapter)},
        "base": {file.name: sha256_file(file) for file in weight_files(base)},
        "dtype": dtype,
    }
    with writing(out, kind="merged", fingerprint=fingerprint(made_from), made_from=made_from) as folder:
        if headed is not None:
            headed.module = merged
        save_model(merged if headed is None else headed, folder)
        for name in PROMPT_FILES:
            if (source := adapter / name).is_file() or (
                (source := base / name).is_file() and not _has_tokenizer(adapter)
            ):
                shutil.copyfile(source, folder / name)
    return out


def refuse_input(out: Path, inputs: tuple[Path, ...]) -> None:
    """Raises ModelError when `out` is, holds, lies in, or shares a file with an input, be it by link or hard link."""
    there = out.resolve()
    files = _inodes(out)
    for place in inputs:
        real = place.resolve()
        same = out.exists() and os.path.samefile(out, place)
        if same or real.is_relative_to(there) or there.is_relative_to(real) or files & _inodes(place):
            raise ModelError(
                say(
                    f"{out}: is the input {place} itself or holds files of it; choose another folder to write to",
                    f"{out}: 입력 {place} 자신이거나 그 파일을 담고 있습니다. 다른 폴더에 쓰세요",
                )
            )


def _inodes(folder: Path) -> set[tuple[int, int]]:
    if not folder.is_dir():
        return set()
    stats = (file.stat() for file in folder.iterdir() if file.is_file())
    return {(stat.st_dev, stat.st_ino) for stat in stats}


def _has_tokenizer(folder: Path) -> bool:
    return any((folder / name).is_file() for name in ("tokenizer.json", "tokenizer.model", "vocab.json"))


def _untie_where_adapted(peft: Any) -> None:
    """An adapter on one of two tied matrices makes them differ: part them first, or the sum would go into both."""
    core = peft.get_base_model()
    wrapped = [m.base_layer for m in core.modules() if hasattr(m, "base_layer")]
    inside, outside = _inner(core.get_input_embeddings()), _inner(core.get_output_embeddings())
    if inside is None or outside is None or inside.weight is not outside.weight:
        return
    if any(layer in (inside, outside) for layer in wrapped):
        outside.weight = nn.Parameter(outside.weight.detach().clone(), requires_grad=False)
        core.config.get_text_config().tie_word_embeddings = False
        core.config.tie_word_embeddings = False


def _inner(layer: Any) -> Any:
    return getattr(layer, "base_layer", layer)
