"""What is trained of a model: one file per way.

A member defines `Settings`, `freezes_base` (the base's weights do not move, so they may be held in a short type),
`mergeable` and `apply`. What else it may define, by name, is asked for by the functions below:

    refuse(settings, beside)              choices of other sections that it cannot go together with
    reads_weights(settings)               whether `apply` makes first values of the weights, which it is then given in float32
    resumed(settings, saved)              the settings of a run that goes on, where its first step changed them
    initialise(settings, model, start)    first values that come from data, from text or from the weights
    learning_rates(settings, model)       (parameter, how many times the rate) of those with a rate of their own
    course(settings, model, steps)        a `Course`: what is done beside the training itself
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from dadeum.core.errors import ModelError
from dadeum.core.family import Family
from dadeum.core.language import say
from dadeum.core.settings import MemberSettings
from dadeum.model.kernels import keep_out

if TYPE_CHECKING:
    from torch import Tensor, nn


keep_out()  # before any member imports PEFT


class Adapter(Protocol):
    """A member of the family."""

    Settings: type[MemberSettings]
    freezes_base: bool

    def mergeable(self, settings: MemberSettings) -> bool:
        """Whether the result can be merged into the base."""

    def apply(self, settings: MemberSettings, model: "nn.Module", new_tokens: Sequence[int] = ()) -> "nn.Module":
        """Make `model` trainable in this way; on the meta device too. Raises ModelError where the settings do not fit it.

        `new_tokens` are ids whose rows are new and must be trained as well; a member that cannot leaves them out, and the
        loader refuses it by name.
        """


class NeedsWeights(ModelError):
    """Whether it fits shows only beside real weights."""


ADAPTERS = Family("dadeum.model.adapters")


@dataclass(frozen=True)
class Beside:
    """Choices of other sections that an adapter may not go together with.

    `bits` is 0 for a base that is not quantised, `steps` None where it is not yet known.
    """

    packing: bool = False
    gradient_checkpointing: bool = False
    bits: int = 0
    steps: int | None = None


@dataclass(frozen=True)
class Start:
    """What first values may be made of: padded batches of training rows, the tokenizer, the folder of the base."""

    batches: Sequence[Mapping[str, "Tensor"]]
    tokenizer: Any = None
    base: Path | None = None


class Course:
    """What an adapter does beside being trained; nothing, unless a member says otherwise."""

    def penalty(self) -> "Tensor | None":
        """A term of the loss that depends on the weights alone, once a step."""
        return None

    def after_step(self, step: int) -> None:
        """Step number `step`, from 1, was done; the gradients are still there."""

    def state(self) -> tuple[dict[str, "Tensor"], dict[str, Any]]:
        """What the next step depends on and no weight holds: tensors and plain values."""
        return {}, {}

    def restore(self, tensors: Mapping[str, "Tensor"], values: Mapping[str, Any]) -> None:
        """Take back what `state` gave."""


def _of(settings: MemberSettings, name: str) -> Any:
    return getattr(ADAPTERS.of(settings), name, None)


def refuse(settings: MemberSettings, beside: Beside) -> None:
    """Raises ModelError for a pair of choices that cannot go together, naming both. Imports nothing heavy."""
    if (check := _of(settings, "refuse")) is not None:
        check(settings, beside)


def reads_weights(settings: MemberSettings) -> bool:
    """Whether first values are made of the weights."""
    ask = _of(settings, "reads_weights")
    return ask is not None and bool(ask(settings))


def resumed(settings: MemberSettings, saved: Mapping[str, Any]) -> MemberSettings:
    """The settings that make the adapter which was saved with the configuration `saved`."""
    change = _of(settings, "resumed")
    found: MemberSettings = settings if change is None else change(settings, saved)
    return found


def wants_start(settings: MemberSettings) -> bool:
    """Whether `initialise` is to be called."""
    return _of(settings, "initialise") is not None


def initialise(settings: MemberSettings, model: "nn.Module", start: Start) -> None:
    """Give the adapter its first values where they come from data."""
    if wants_start(settings):
        _of(settings, "initialise")(settings, model, start)


def learning_rates(settings: MemberSettings, model: "nn.Module") -> "Iterable[tuple[nn.Parameter, float]]":
    """Parameters that learn by another rate, and by how many times the run's."""
    rates = _of(settings, "learning_rates")
    return () if rates is None else rates(settings, model)


def course(settings: MemberSettings, model: "nn.Module", steps: int) -> Course:
    """What is done beside a training of so many steps."""
    make = _of(settings, "course")
    found: Course = Course() if make is None else make(settings, model, steps)
    return found


def together(key: str, found: str, other: str, other_found: str, cure: str, korean_cure: str) -> ModelError:
    """The sentence of two choices that exclude each other."""
    return ModelError(
        say(
            f"{key}: found '{found}' beside '{other}: {other_found}', which cannot go together; {cure}",
            f"{key}: '{found}'은(는) '{other}: {other_found}'와 함께 쓸 수 없습니다. {korean_cure}",
        )
    )
