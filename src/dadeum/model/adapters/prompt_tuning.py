"""`prompt_tuning`: learnt embeddings before each text (Lester et al. 2021, arXiv 2104.08691)."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Literal

from pydantic import model_validator

from dadeum.core.errors import ModelError
from dadeum.core.language import say
from dadeum.core.settings import MemberSettings, setting
from dadeum.model.adapters import Beside, Start
from dadeum.model.adapters._virtual import refuse_packing

if TYPE_CHECKING:
    from torch import nn

freezes_base = True


class Settings(MemberSettings):
    """Prompt tuning; the names are PEFT's."""

    type: Literal["prompt_tuning"] = "prompt_tuning"
    num_virtual_tokens: int = setting(20, "How many embeddings.", "임베딩의 개수.", gt=0)
    prompt_tuning_init: Literal["RANDOM", "SAMPLE_VOCAB", "TEXT"] = setting(
        "RANDOM",
        "First values: at random, of random tokens, or of `prompt_tuning_init_text`.",
        "초깃값: 무작위, 무작위 토큰의 것, 또는 `prompt_tuning_init_text`의 것.",
    )
    prompt_tuning_init_text: str | None = setting(
        None,
        "With `TEXT`: its tokens, repeated or cut to the number of embeddings.",
        "`TEXT`일 때: 이 글의 토큰을 임베딩 수에 맞게 되풀이하거나 자릅니다.",
        min_length=1,
    )

    @model_validator(mode="after")
    def _text_for_text(self) -> "Settings":
        if (self.prompt_tuning_init == "TEXT") != (self.prompt_tuning_init_text is not None):
            raise ValueError(
                say(
                    "prompt_tuning_init_text: expected together with 'prompt_tuning_init: TEXT', or neither",
                    "prompt_tuning_init_text: 'prompt_tuning_init: TEXT'와 함께 쓰거나 둘 다 빼야 합니다",
                )
            )
        return self


def mergeable(settings: Settings) -> bool:
    """No: weights cannot hold tokens."""
    return False


def refuse(settings: Settings, beside: Beside) -> None:
    """A packed row has room for them before its first text only."""
    refuse_packing("prompt_tuning", beside)


def apply(settings: Settings, model: "nn.Module", new_tokens: Sequence[int] = ()) -> "nn.Module":
    """A PEFT model: only the embeddings of the virtual tokens are trainable."""
    from dadeum.model.adapters._through_peft import wrap

    init = "RANDOM" if settings.prompt_tuning_init == "TEXT" else settings.prompt_tuning_init
    return wrap(
        "PROMPT_TUNING",
        model,
        {"num_virtual_tokens": settings.num_virtual_tokens, "prompt_tuning_init": init},
        new_tokens,
    )


def initialise(settings: Settings, model: Any, start: Start) -> None:
    """The embeddings of the text: done here, since PEFT would ask the Hub for a tokenizer by name."""
    import torch

    if settings.prompt_tuning_init_text is None:
        return
    ids = start.tokenizer.encode(settings.prompt_tuning_init_text, add_special_tokens=False)
    if not ids:
        raise ModelError(
            say(
                f"adapter.prompt_tuning_init_text: found '{settings.prompt_tuning_init_text}', which has no tokens",
                f"adapter.prompt_tuning_init_text: '{settings.prompt_tuning_init_text}'에는 토큰이 없습니다",
            )
        )
    count = settings.num_virtual_tokens
    chosen = torch.tensor((ids * (count // len(ids) + 1))[:count])
    with torch.no_grad():
        table = model.get_base_model().get_input_embeddings()
        rows = table(chosen.to(table.weight.device))
        model.prompt_encoder["default"].embedding.weight.copy_(rows)
