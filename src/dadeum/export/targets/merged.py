"""The adapter merged into its base, or the fully trained weights: a whole model that plain transformers loads."""

from pathlib import Path
from typing import Any, Literal

from dadeum.core.progress import Reporter
from dadeum.core.settings import MemberSettings, setting
from dadeum.export.targets import Source

folder = "merged"
takes_heads = True
WIDTH = {"float32": 4, "bfloat16": 2, "float16": 2}


class Settings(MemberSettings):
    """A whole model in one folder."""

    type: Literal["merged"] = "merged"
    dtype: Literal["auto", "float32", "bfloat16"] = setting(
        "auto",
        "Type that weights are stored in; `auto`: that of the base, or of the trained weights where every one was trained.",
        "저장할 자료형. `auto`: 기본 모델의 자료형, 모든 가중치를 학습했으면 학습된 가중치의 자료형.",
    )


def ready(settings: Settings) -> None:
    """Needs nothing that is not installed."""


def write(settings: Settings, source: Source, out: Path, reporter: Reporter) -> None:
    """Merge or copy into `out`."""
    from dadeum.export.whole import copy_whole
    from dadeum.model.files import is_adapter
    from dadeum.model.merge import merge

    if is_adapter(source.place):
        merge(source.place, source.base, out, _stored_as(settings, source), trusted=source.trusted)
    else:
        copy_whole(source.place, out, None if settings.dtype == "auto" else settings.dtype, trusted=source.trusted)


def verify(settings: Settings, source: Source, out: Path, reporter: Reporter) -> dict[str, Any]:
    """Logits and greedy answers of `out`, or what its heads say, reloaded, against the source's: 1e-4 in float32.

    An adapter that was trained on a quantised base is held against that one as well.
    """
    from dadeum.export.agreement import agreement
    from dadeum.export.head_parity import head_parity
    from dadeum.export.parity import parity
    from dadeum.export.whole import stored_dtype
    from dadeum.model.files import is_headed
    from dadeum.model.form import Form

    dtype = stored_dtype(out)
    if is_headed(source.place):
        return {"dtype": dtype, **head_parity(source, out, exact=dtype == "float32")}
    report = {"dtype": dtype, **parity(source, out, exact=dtype == "float32")}
    return report if Form.load(source.place).quantization is None else report | agreement(source, out, reporter)


def size(settings: Settings, weights: int) -> int:
    """As large as the base; `auto` and float32 at most twice that of a 16-bit base."""
    return weights


def _stored_as(settings: Settings, source: Source) -> str:
    from dadeum.export.whole import stored_dtype
    from dadeum.model.load import named_base

    return stored_dtype(source.base or named_base(source.place)) if settings.dtype == "auto" else settings.dtype
