"""`peft`: any other method of PEFT, by its `peft_type` and with its own settings, which PEFT's own class checks."""

import dataclasses
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Literal

from pydantic import ConfigDict

from dadeum.core.errors import ModelError
from dadeum.core.language import say
from dadeum.core.near import hint, nearest
from dadeum.core.settings import MemberSettings, setting
from dadeum.model.adapters import ADAPTERS, Beside, together
from dadeum.model.adapters._virtual import refuse_packing

if TYPE_CHECKING:
    from torch import nn

freezes_base = True
# What cannot be trained here, and why.
UNFIT = {
    "ADAPTION_PROMPT": ("changes the layers of a few old models only", "몇몇 옛 모델의 층만 바꿉니다"),
    "CARTRIDGE": ("begins from a cache that is made beforehand", "미리 만든 캐시에서 시작합니다"),
    "CPT": ("has a loss of its own", "자체 손실을 씁니다"),
    "MULTITASK_PROMPT_TUNING": ("wants a task's number with each row", "행마다 과제 번호가 필요합니다"),
    "OSF": ("changes the base's weights themselves", "기본 모델의 가중치 자체를 바꿉니다"),
    "POLY": ("wants a task's number with each row", "행마다 과제 번호가 필요합니다"),
    "SHADOW": ("wants a second model", "두 번째 모델이 필요합니다"),
    "TRAINABLE_TOKENS": ("is what tokenizer.add_special_tokens does", "tokenizer.add_special_tokens가 하는 일입니다"),
    "XLORA": ("mixes adapters that were trained before", "이미 학습한 어댑터들을 섞습니다"),
}
# Tokens that no one wrote, before each text.
VIRTUAL = {"P_TUNING"}
# Weights cannot hold what these learn; BEFT's biases want layers that have some; PEFT cannot merge Lily.
UNMERGEABLE = VIRTUAL | {"BEFT", "LILY"}
# What does not know layers of few bits (Uni-LoRA would do nothing there and say nothing), or not those of four.
WHOLE = {"ADAMSS", "DELORA", "FROD", "GLORA", "PSOFT", "SHIRA", "SUPERTUNING", "TINYLORA", "UNILORA"}
WHOLE_OR_8 = {"DEFT", "HRA", "LOHA", "LOKR", "PEANUT"}
# Keys that follow from the model and the run.
OURS = {
    "peft_type",
    "task_type",
    "inference_mode",
    "base_model_name_or_path",
    "revision",
    "auto_mapping",
    "peft_version",
}


class Settings(MemberSettings):
    """A method of PEFT; every key but `type` and `peft_type` is one of its configuration's."""

    model_config = ConfigDict(extra="allow")

    type: Literal["peft"] = "peft"
    peft_type: str = setting(
        ...,
        "PEFT's name of the method, such as `LOHA`, `OFT`, `VBLORA`; its own settings stand beside it.",
        "`LOHA`, `OFT`, `VBLORA` 같은 PEFT의 방법 이름. 그 방법의 설정을 옆에 씁니다.",
        min_length=1,
    )


def mergeable(settings: Settings) -> bool:
    """All that stands beside weights."""
    return settings.peft_type not in UNMERGEABLE


def refuse(settings: Settings, beside: Beside) -> None:
    """Methods that have a member of their own, that want what no run has, and keys that PEFT does not know."""
    kind = settings.peft_type
    if kind.lower() in ADAPTERS.names:
        raise ModelError(
            say(
                f"adapter.peft_type: found '{kind}', which has settings of its own here; write type: {kind.lower()}",
                f"adapter.peft_type: '{kind}'은(는) 따로 설정이 있습니다. type: {kind.lower()}로 쓰세요",
            )
        )
    if kind in UNFIT:
        raise ModelError(
            say(
                f"adapter.peft_type: found '{kind}', which {UNFIT[kind][0]}; take another method",
                f"adapter.peft_type: '{kind}'은(는) {UNFIT[kind][1]}. 다른 방법을 쓰세요",
            )
        )
    if kind in VIRTUAL:
        refuse_packing(kind, beside)
    if (beside.bits and kind in WHOLE) or (beside.bits == 4 and kind in WHOLE_OR_8):
        raise together(
            "adapter.peft_type",
            kind,
            "model.quantization",
            f"{beside.bits} bits",
            "use adapter: lora, or leave the quantization out",
            "adapter: lora를 쓰거나 양자화를 빼세요",
        )
    _check_keys(settings)


def _check_keys(settings: Settings) -> None:
    from peft import PEFT_TYPE_TO_CONFIG_MAPPING

    from dadeum.model.configuration import first_line

    kinds = sorted(str(k.value) for k in PEFT_TYPE_TO_CONFIG_MAPPING)
    kind, given = settings.peft_type, settings.model_extra or {}
    if kind not in kinds:
        usable = [k for k in kinds if k not in UNFIT and k.lower() not in ADAPTERS.names]
        near, listed = hint(nearest(kind, usable)), ", ".join(usable)
        raise ModelError(
            say(
                f"adapter.peft_type: found '{kind}', expected one of PEFT's: {listed}{near}",
                f"adapter.peft_type: '{kind}'은(는) PEFT에 없습니다. 쓸 수 있는 값: {listed}{near}",
            )
        )
    config: Any = PEFT_TYPE_TO_CONFIG_MAPPING[kind]
    known = {field.name for field in dataclasses.fields(config)} - OURS
    for key in given:
        if key not in known:
            near = hint(nearest(key, sorted(known)))
            raise ModelError(
                say(
                    f"adapter.{key}: PEFT's '{kind}' has no such setting{near}",
                    f"adapter.{key}: PEFT의 '{kind}'에는 없는 설정입니다{near}",
                )
            )
    try:
        config(**given)
    except Exception as error:
        raise ModelError(
            say(
                f"adapter: PEFT refuses these settings of '{kind}': {first_line(error)}",
                f"adapter: PEFT가 '{kind}'의 설정을 거절합니다: {first_line(error)}",
            )
        ) from error


def apply(settings: Settings, model: "nn.Module", new_tokens: Sequence[int] = ()) -> "nn.Module":
    """A PEFT model of this method."""
    from dadeum.model.adapters._through_peft import wrap

    _check_keys(settings)
    return wrap(settings.peft_type, model, dict(settings.model_extra or {}), new_tokens)
