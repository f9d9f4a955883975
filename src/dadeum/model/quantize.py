"""Weights in 4 or 8 bits by bitsandbytes, through transformers' own loading; on a CPU as well. Imports torch when used."""

import importlib.util
from typing import TYPE_CHECKING, Any

from dadeum.config.model import ModelSettings, QuantizationSettings
from dadeum.core.errors import MissingExtra, ModelError
from dadeum.core.language import say
from dadeum.core.settings import MemberSettings
from dadeum.model.adapters import ADAPTERS

if TYPE_CHECKING:
    import torch

PACKAGE = "bitsandbytes"
DEVICES = ("cpu", "cuda", "xpu", "mps")


def refuse(model: ModelSettings, adapter: MemberSettings) -> None:
    """Raises ModelError for settings that cannot go together, MissingExtra without bitsandbytes. Reads no weights."""
    if model.quantization is None:
        return
    if not ADAPTERS.of(adapter).freezes_base:
        raise ModelError(
            say(
                f"model.quantization: not with adapter '{adapter.type}', which trains weights of the base; "
                "use adapter: lora, or leave model.quantization out",
                f"model.quantization: 기본 모델의 가중치를 학습하는 adapter '{adapter.type}'와(과) 함께 쓸 수 없습니다. "
                "adapter: lora를 쓰거나 model.quantization을 빼세요",
            )
        )
    ready()


def ready() -> None:
    """Raises MissingExtra with the command where bitsandbytes is not installed."""
    if importlib.util.find_spec(PACKAGE) is None:
        how = 'pip install "dadeum[quantize]"'
        raise MissingExtra(
            say(
                f"model.quantization: needs the package {PACKAGE}, which is not installed: {how}",
                f"model.quantization: {PACKAGE} 패키지가 필요한데 설치되어 있지 않습니다: {how}",
            )
        )


def loading(wanted: QuantizationSettings, dtype: "torch.dtype", device: "torch.device | str") -> dict[str, Any]:
    """What `from_pretrained` is given to hold weights as `wanted`, computing in `dtype`. Raises as `ready` does."""
    import torch
    from transformers import BitsAndBytesConfig

    ready()
    where = torch.device(device)
    if where.type not in DEVICES:
        raise ModelError(
            say(
                f"model.quantization: {PACKAGE} has nothing for '{where.type}'; use one of {', '.join(DEVICES)}",
                f"model.quantization: {PACKAGE}는 '{where.type}'에서 돌지 않습니다. {', '.join(DEVICES)} 가운데 하나를 쓰세요",
            )
        )
    if wanted.bits == 8:
        config = BitsAndBytesConfig(load_in_8bit=True)
    else:
        config = BitsAndBytesConfig(
            load_in_4bit=True,
            bnb_4bit_quant_type=wanted.type or "nf4",
            bnb_4bit_use_double_quant=wanted.double,
            bnb_4bit_compute_dtype=dtype,
        )
    return {"quantization_config": config, "device_map": {"": where if where.index is not None else where.type}}
