"""What stands on top of a model: one file a head.

A member defines `Settings`, `takes` (what it learns from), `gives` (what objectives find in its output: `tokens`, `labels`
or `scores`), `objective` (the one that `train.objective: auto` means), and `targets`. One that is more than the model's
own output layer also defines, by name:

    size                                  how many numbers it says, where no labels tell (a score: 1)
    build(settings, width, outlet)        the layers, from the body's width to `outlet.size` numbers: a `_layers.Top`
    weigh(settings, outlet, targets)      how much the known targets of some rows weigh together in the loss
    total(settings, outlet, out, targets) the sum of their losses, with its gradient
    says(settings, outlet, out)           what it says of one row, by the columns of `dadeum predict`
    parts(settings)                       the heads that it consists of, by name; one of its own type, unless it says otherwise

`targets` holds a column for each number that `Outlet.width` counts, NaN where it is not known; `out` are the head's
numbers: a row for each row of `targets`. Heads that take choices see a row for each choice, heads that take words one for
each token.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Literal, NamedTuple, Protocol

from dadeum.config.purpose import Takes, Target
from dadeum.core.family import Family
from dadeum.core.settings import MemberSettings

HEADS = Family("dadeum.model.heads")
Gives = Literal["tokens", "labels", "scores"]


class Outlet(NamedTuple):
    """One head as the data made it: its name, what kind of labels, how many numbers it says, and its classes by name."""

    head: str
    kind: str
    size: int
    names: tuple[str, ...] = ()

    @property
    def width(self) -> int:
        """How many numbers a row's targets are."""
        return self.size if self.kind in ("classes", "numbers") else 1


class Head(Protocol):
    """A member of the family."""

    Settings: type[MemberSettings]
    takes: Takes
    gives: Gives
    objective: str

    def targets(self, settings: MemberSettings) -> tuple[Target, ...]:
        """What it wants to know of a row, where it learns from labels."""


def parts(settings: MemberSettings) -> dict[str, Any]:
    """The settings of each head that these settings mean, by its name; none for the model's own output layer."""
    member = HEADS.of(settings)
    if (several := getattr(member, "parts", None)) is not None:
        found: dict[str, Any] = several(settings)
        return found
    return {settings.type: settings} if hasattr(member, "build") else {}


def outlets(settings: MemberSettings, labels: Sequence[Mapping[str, Any]]) -> tuple[Outlet, ...]:
    """What each head says, after the `heads` of labels.json: `head`, `kind`, `size` and, of classes, their `names`."""
    known = {str(entry["head"]): entry for entry in labels}
    found = []
    for name, part in parts(settings).items():
        size: int | None = getattr(HEADS.of(part), "size", None)
        if size is not None:
            found.append(Outlet(name, HEADS.of(part).takes, size))
        else:
            entry = known[name]
            found.append(Outlet(name, str(entry["kind"]), int(entry["size"]), tuple(entry.get("names") or ())))
    return tuple(found)
