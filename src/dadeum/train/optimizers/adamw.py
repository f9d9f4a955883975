"""AdamW: Loshchilov and Hutter, "Decoupled Weight Decay Regularization" (ICLR 2019), as torch has it."""

from typing import TYPE_CHECKING, Literal

from dadeum.core.settings import MemberSettings, setting

if TYPE_CHECKING:
    from torch import nn
    from torch.optim import Optimizer


class Settings(MemberSettings):
    """Named and preset as in `transformers.TrainingArguments`."""

    type: Literal["adamw"] = "adamw"
    weight_decay: float = setting(
        0.0,
        "Decay of weight matrices; norms and biases have none.",
        "가중치 행렬의 감쇠. 정규화와 편향에는 쓰지 않습니다.",
        ge=0,
    )
    adam_beta1: float = setting(0.9, "Memory of the mean of gradients.", "그래디언트 평균의 기억.", ge=0, lt=1)
    adam_beta2: float = setting(
        0.999, "Memory of the mean of squared gradients.", "그래디언트 제곱 평균의 기억.", ge=0, lt=1
    )
    adam_epsilon: float = setting(1e-8, "Added to the root in the denominator.", "분모의 제곱근에 더하는 값.", gt=0)


def build(settings: Settings, model: "nn.Module", learning_rate: float) -> "Optimizer":
    """Two groups: matrices decay; norms and biases (everything with fewer than two dimensions) do not."""
    import torch

    trained = [p for p in model.parameters() if p.requires_grad]
    groups = [
        {"params": [p for p in trained if p.ndim >= 2], "weight_decay": settings.weight_decay},
        {"params": [p for p in trained if p.ndim < 2], "weight_decay": 0.0},
    ]
    return torch.optim.AdamW(
        [group for group in groups if group["params"]],
        lr=learning_rate,
        betas=(settings.adam_beta1, settings.adam_beta2),
        eps=settings.adam_epsilon,
        fused=True,
    )


def state_bytes(settings: Settings, trainable: int) -> int:
    """Two fp32 moments a number."""
    return 8 * trainable
