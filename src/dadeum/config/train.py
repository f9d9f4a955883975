"""Section `train:`; the names are those of `transformers.TrainingArguments`."""

from typing import Annotated, Any, Literal

from pydantic import Field

from dadeum.core.family import MemberOf
from dadeum.core.settings import MemberSettings, Settings, setting

Objective = Annotated[MemberSettings, MemberOf("dadeum.train.objectives")]
Optimizer = Annotated[MemberSettings, MemberOf("dadeum.train.optimizers")]

Scheduler = Literal[
    "linear",
    "cosine",
    "cosine_with_restarts",
    "polynomial",
    "constant",
    "constant_with_warmup",
    "inverse_sqrt",
    "cosine_with_min_lr",
    "warmup_stable_decay",
]


class TrainSettings(Settings):
    """The loop."""

    objective: Objective = setting(
        "auto",
        "What is learnt: `sft` from messages, `pretrain` from text …; `auto` is the head's own, `sft` for a language model.",
        "무엇을 배울지: 메시지는 `sft`, 글은 `pretrain` 등. `auto`는 head에 맞는 것이며 언어 모델에서는 `sft`입니다.",
    )
    optim: Optimizer = setting("adamw", "The optimizer.", "옵티마이저.")
    num_train_epochs: float = setting(3.0, "Passes over the training rows.", "학습 행을 도는 횟수.", gt=0)
    max_steps: int | None = setting(
        None, "Optimizer steps, instead of epochs.", "에포크 대신 옵티마이저 단계 수.", gt=0
    )
    total_train_batch_size: int = setting(
        16,
        "Samples of one optimizer step, over all devices: the number that matters for the result.",
        "옵티마이저 한 단계의 샘플 수(모든 장치 합계). 결과를 정하는 수입니다.",
        gt=0,
    )
    per_device_train_batch_size: Annotated[int, Field(gt=0)] | Literal["auto"] = setting(
        "auto",
        "Samples at once on one device: the number that must fit the memory; accumulation follows.",
        "한 장치에 한 번에 올릴 샘플 수. 메모리에 맞아야 하며, 누적은 따라 정해집니다.",
    )
    learning_rate: float = setting(2e-4, "Peak learning rate.", "최고 학습률.", ge=0)
    lr_scheduler_type: Scheduler = setting("cosine", "Schedule of transformers.", "transformers의 학습률 일정.")
    lr_scheduler_kwargs: dict[str, Any] = setting({}, "Further settings of the schedule.", "일정의 추가 설정.")
    warmup_steps: float = setting(
        0.03, "Steps of warm-up; below 1, a share of all steps.", "준비 단계 수. 1보다 작으면 전체에 대한 비율.", ge=0
    )
    max_grad_norm: float = setting(
        1.0,
        "Gradients are clipped to this norm; 0: never.",
        "그래디언트를 이 크기로 자릅니다. 0이면 자르지 않습니다.",
        ge=0,
    )
    precision: Literal["auto", "fp32", "bf16", "fp16"] = setting(
        "auto",
        "Type of the arithmetic; `auto`: bf16 or fp16 on a GPU, fp32 on a CPU.",
        "계산 자료형. `auto`: GPU는 bf16 또는 fp16, CPU는 fp32.",
    )
    gradient_checkpointing: bool = setting(
        False,
        "Compute activations again instead of keeping them: less memory, more time.",
        "활성값을 저장하지 않고 다시 계산합니다. 메모리는 줄고 시간은 늘어납니다.",
    )
    logging_steps: int = setting(10, "Steps between lines of the metrics.", "지표를 적는 간격(단계).", gt=0)
    eval_steps: float | None = setting(
        None,
        "Steps between evaluations on the validation part; below 1, a share of all steps; absent: at each epoch's end.",
        "검증 간격(단계). 1보다 작으면 비율. 없으면 에포크 끝마다.",
        gt=0,
    )
    save_steps: float | None = setting(
        None,
        "Steps between checkpoints; below 1, a share of all steps; absent: at each epoch's end.",
        "체크포인트 간격(단계). 1보다 작으면 비율. 없으면 에포크 끝마다.",
        gt=0,
    )
    save_total_limit: int = setting(
        2,
        "Checkpoints kept; the newest and the best are never deleted.",
        "남겨 둘 체크포인트 수. 최신과 최고는 지우지 않습니다.",
        ge=1,
    )
    seed: int = setting(42, "Seed of everything random.", "모든 난수의 씨앗.", ge=0, lt=2**32)
