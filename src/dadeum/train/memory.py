"""What the weights take before the first step, told."""

from typing import TYPE_CHECKING

from dadeum.core.language import say
from dadeum.core.progress import Reporter
from dadeum.train.job import TrainJob

if TYPE_CHECKING:
    from torch import nn

MEBIBYTE, GIBIBYTE = 1 << 20, 1 << 30


def tell_memory(job: TrainJob, module: "nn.Module", reporter: Reporter) -> None:
    """One line: how much memory the loaded weights take, and how they are held."""
    from dadeum.model.few_bits import held_bytes

    size = sized(held_bytes(module))
    wanted = job.model.quantization
    held = "" if wanted is None else say(f", the base in {wanted.bits} bits ({wanted.scheme})", f", 기본 모델은 {wanted.bits}비트({wanted.scheme})")  # fmt: skip
    reporter.note(say(f"the weights take {size} of memory{held}", f"가중치가 메모리 {size}를 씁니다{held}"))


def sized(count: int) -> str:
    """Bytes for people."""
    return f"{count / GIBIBYTE:.2f} GiB" if count >= GIBIBYTE else f"{count / MEBIBYTE:.1f} MiB"
