"""`adalora`: LoRA whose ranks are handed out by importance while it learns (Zhang et al. 2023, arXiv 2303.10512)."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Literal

from pydantic import model_validator

from dadeum.core.errors import ModelError
from dadeum.core.language import say
from dadeum.core.settings import setting
from dadeum.model.adapters import Beside, Course
from dadeum.model.adapters._settings import Layered

if TYPE_CHECKING:
    from torch import Tensor, nn

freezes_base = True
SCORES = ("ipt", "exp_avg_ipt", "exp_avg_unc")


class Settings(Layered):
    """AdaLoRA; the names are PEFT's. `total_step` is the run's own number of steps."""

    type: Literal["adalora"] = "adalora"
    init_r: int = setting(12, "Rank of each layer at first.", "처음 랭크.", gt=0)
    target_r: int = setting(8, "Rank of the layers in the end, on average.", "마지막 평균 랭크.", gt=0)
    tinit: int = setting(0, "Steps before ranks are taken away.", "랭크를 줄이기 전 단계 수.", ge=0)
    tfinal: int = setting(0, "Steps at the end in which ranks stay.", "랭크를 그대로 두는 마지막 단계 수.", ge=0)
    deltaT: int = setting(1, "Steps between two allotments.", "랭크를 다시 나누는 간격(단계).", gt=0)
    beta1: float = setting(0.85, "Memory of the importance.", "중요도의 기억.", gt=0, lt=1)
    beta2: float = setting(0.85, "Memory of its uncertainty.", "중요도 불확실성의 기억.", gt=0, lt=1)
    orth_reg_weight: float = setting(
        0.5,
        "Weight of the term of the loss that keeps the directions of a layer at right angles.",
        "한 층의 방향들을 직교하게 하는 손실 항의 가중치.",
        ge=0,
    )
    lora_alpha: float = setting(32, "The update is scaled by it.", "변화량의 배율.", gt=0)
    lora_dropout: float = setting(0.0, "Dropout before the matrices.", "행렬 앞의 드롭아웃.", ge=0, lt=1)

    @model_validator(mode="after")
    def _ranks_go_down(self) -> "Settings":
        if self.target_r >= self.init_r:
            raise ValueError(
                say(
                    f"target_r: found {self.target_r} beside 'init_r: {self.init_r}', expected less: ranks are taken away",
                    f"target_r: {self.target_r}인데 'init_r: {self.init_r}'보다 작아야 합니다. 랭크를 줄이는 방법입니다",
                )
            )
        return self


def mergeable(settings: Settings) -> bool:
    """Yes."""
    return True


def refuse(settings: Settings, beside: Beside) -> None:
    """Between the first and the last steps there must be some that take ranks away."""
    if beside.steps is not None and settings.tinit + settings.tfinal >= beside.steps:
        raise ModelError(
            say(
                f"adapter.tinit: found {settings.tinit}, with tfinal {settings.tfinal}, but the run has only {beside.steps} steps; "
                "expected fewer together",
                f"adapter.tinit: {settings.tinit}과 tfinal {settings.tfinal}의 합이 실행의 단계 수 {beside.steps}보다 작아야 합니다",
            )
        )


def apply(settings: Settings, model: "nn.Module", new_tokens: Sequence[int] = ()) -> "nn.Module":
    """A PEFT model with triples A, E, B beside the layers; how many steps there will be is told by `course`."""
    from dadeum.model.adapters._through_peft import wrap

    values = {
        **settings.layered(),
        "init_r": settings.init_r,
        "target_r": settings.target_r,
        "tinit": settings.tinit,
        "tfinal": settings.tfinal,
        "total_step": settings.tinit + settings.tfinal + 1,
        "deltaT": settings.deltaT,
        "beta1": settings.beta1,
        "beta2": settings.beta2,
        "orth_reg_weight": settings.orth_reg_weight,
        "lora_alpha": settings.lora_alpha,
        "lora_dropout": settings.lora_dropout,
    }
    return wrap("ADALORA", model, values, new_tokens)


def course(settings: Settings, model: "nn.Module", steps: int) -> Course:
    """Hands out the ranks of a run of so many steps."""
    return _Budget(settings, model, steps)


class _Budget(Course):
    """PEFT's allocator, told of each step, and the term of the loss that PEFT adds in its own forward pass only.

    PEFT keeps the mask of ranks in the configuration, and then saves the matrices without what is masked. A masked triple
    may come back later, so that a run could not go on from there: here the mask is kept apart, and matrices are saved whole.
    """

    def __init__(self, settings: Settings, model: Any, steps: int) -> None:
        self.weight, self.tuner = settings.orth_reg_weight, model.base_model
        self.config, self.allocator = model.peft_config["default"], model.base_model.rankallocator
        self.config.total_step = steps
        self.matrices = [
            p for name, p in model.named_parameters() if p.requires_grad and (".lora_A." in name or ".lora_B." in name)
        ]
        self.ranks: dict[str, list[bool]] | None = None

    def penalty(self) -> "Tensor | None":
        """The mean distance of A·Aᵀ and Bᵀ·B from the unit matrix."""
        import torch

        if not self.weight:
            return None
        squares = [p @ p.T if p.shape[0] < p.shape[1] else p.T @ p for p in self.matrices]
        found: Tensor = sum(torch.linalg.norm(s - torch.eye(len(s)).to(s)) for s in squares) / len(squares)
        return found * self.weight

    def after_step(self, step: int) -> None:
        """Weigh what was learnt, and mask."""
        self.config.rank_pattern = self.ranks
        self.tuner.update_and_allocate(step)
        self.ranks, self.config.rank_pattern = self.config.rank_pattern, None

    def state(self) -> "tuple[dict[str, Tensor], dict[str, Any]]":
        """Importance of each number, and the mask."""
        tensors = {f"{kind}|{name}": t for kind in SCORES for name, t in getattr(self.allocator, kind).items()}
        return tensors, {"ranks": self.ranks}

    def restore(self, tensors: "Mapping[str, Tensor]", values: Mapping[str, Any]) -> None:
        """Take it back."""
        device = self.matrices[0].device
        for place, tensor in tensors.items():
            kind, name = place.split("|", 1)
            getattr(self.allocator, kind)[name] = tensor.to(device)
        self.ranks = values["ranks"]
