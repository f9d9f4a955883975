"""`ia3`: a learnt scale for keys, values and what goes into the last feed-forward layer (Liu et al. 2022, arXiv 2205.05638)."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Literal

from pydantic import model_validator

from dadeum.core.language import say
from dadeum.core.settings import Many, MemberSettings, setting

if TYPE_CHECKING:
    from torch import nn

freezes_base = True


class Settings(MemberSettings):
    """(IA)³; the names are PEFT's."""

    type: Literal["ia3"] = "ia3"
    target_modules: str | Many[str] | None = setting(
        None,
        "Names of the layers that are scaled, a regular expression, or `all-linear`; absent: PEFT's choice for the type of "
        "model.",
        "배율을 붙일 층의 이름들, 정규식 또는 `all-linear`. 없으면 모델 종류에 따라 PEFT가 고릅니다.",
        min_length=1,
    )
    feedforward_modules: Many[str] | None = setting(
        None,
        "Those of them whose input is scaled, not their output; absent: PEFT's choice.",
        "그 가운데 출력이 아니라 입력에 배율을 붙일 층. 없으면 PEFT가 고릅니다.",
    )
    modules_to_save: Many[str] | None = setting(
        None,
        "Names of further modules that are trained whole and saved with the adapter.",
        "통째로 학습해 어댑터와 함께 저장할 다른 모듈의 이름들.",
    )

    @model_validator(mode="after")
    def _both_or_none(self) -> "Settings":
        if (self.target_modules is None) != (self.feedforward_modules is None):
            raise ValueError(
                say(
                    "feedforward_modules: expected together with 'target_modules', or neither (an empty list: none of them)",
                    "feedforward_modules: 'target_modules'와 함께 쓰거나 둘 다 빼야 합니다(빈 목록이면 없음)",
                )
            )
        return self


def mergeable(settings: Settings) -> bool:
    """Yes."""
    return True


def apply(settings: Settings, model: "nn.Module", new_tokens: Sequence[int] = ()) -> "nn.Module":
    """A PEFT model: only the scales are trainable."""
    from dadeum.model.adapters._through_peft import wrap

    values: dict[str, Any] = {"modules_to_save": settings.modules_to_save}
    if settings.target_modules is not None:
        values |= {"target_modules": settings.target_modules, "feedforward_modules": settings.feedforward_modules}
    return wrap("IA3", model, values, new_tokens)
