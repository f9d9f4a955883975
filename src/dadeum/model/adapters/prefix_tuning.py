"""`prefix_tuning`: learnt keys and values before each text, in every layer (Li and Liang 2021, arXiv 2101.00190)."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Literal

from pydantic import model_validator

from dadeum.core.language import say
from dadeum.core.settings import MemberSettings, setting
from dadeum.model.adapters import Beside, together
from dadeum.model.adapters._virtual import refuse_packing

if TYPE_CHECKING:
    from torch import nn

freezes_base = True


class Settings(MemberSettings):
    """Prefix tuning; the names are PEFT's."""

    type: Literal["prefix_tuning"] = "prefix_tuning"
    num_virtual_tokens: int = setting(20, "How many keys and values in each layer.", "층마다 둘 키와 값의 개수.", gt=0)
    init_weights: Literal["zero"] | None = setting(
        None, "First values: at random, or `zero`.", "초깃값: 무작위 또는 `zero`."
    )
    prefix_projection: bool = setting(
        False, "Make them from embeddings by a small network.", "작은 신경망으로 임베딩에서 만듭니다."
    )
    encoder_hidden_size: int | None = setting(
        None, "Width of that network; absent: the model's.", "그 신경망의 너비. 없으면 모델과 같습니다.", gt=0
    )

    @model_validator(mode="after")
    def _width_of_something(self) -> "Settings":
        if self.encoder_hidden_size is not None and not self.prefix_projection:
            raise ValueError(
                say(
                    "encoder_hidden_size: found beside 'prefix_projection: false', which has no network; leave it out",
                    "encoder_hidden_size: 'prefix_projection: false'에는 신경망이 없습니다. 빼세요",
                )
            )
        return self


def mergeable(settings: Settings) -> bool:
    """No: weights cannot hold keys and values."""
    return False


def refuse(settings: Settings, beside: Beside) -> None:
    """They stand in the cache, which packed rows and checkpointed layers do without."""
    refuse_packing("prefix_tuning", beside)
    if beside.gradient_checkpointing:
        raise together(
            "adapter", "prefix_tuning", "train.gradient_checkpointing", "true", "set train.gradient_checkpointing to false",
            "train.gradient_checkpointing을 false로 하세요",
        )  # fmt: skip


def apply(settings: Settings, model: "nn.Module", new_tokens: Sequence[int] = ()) -> "nn.Module":
    """A PEFT model: only the keys and values, or what makes them, are trainable."""
    from dadeum.model.adapters._through_peft import wrap

    width = settings.encoder_hidden_size or getattr(model.config.get_text_config(), "hidden_size", None)  # type: ignore[operator, union-attr]
    values = {
        "num_virtual_tokens": settings.num_virtual_tokens,
        "prefix_projection": settings.prefix_projection,
        "encoder_hidden_size": width,
        "init_weights": settings.init_weights,
    }
    return wrap("PREFIX_TUNING", model, values, new_tokens)
