"""`head`: the losses of the model's heads. One term a head, whose weight is that of the rows, words or numbers that are known."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Literal

from dadeum.config.purpose import Takes
from dadeum.core.settings import MemberSettings
from dadeum.model.heads import HEADS, Gives
from dadeum.model.heads._settings import coefficient
from dadeum.train.context import Context, Layout

if TYPE_CHECKING:
    import numpy as np
    from torch import Tensor, nn

    from dadeum.data.samples import Entry
    from dadeum.model.headed import Headed
    from dadeum.train.loop import Loop, Rows

takes: Takes | None = None
needs: Gives = "labels"


class Settings(MemberSettings):
    """Has none of its own: what is learnt, and how, stands in `head`."""

    type: Literal["head"] = "head"


def collate(settings: Settings, samples: "Sequence[Entry]", layout: Layout) -> "dict[str, Tensor]":
    """The sequences, `targets` with a row for each unit, or for each token where they are of tokens; `units` (n+1,): their borders."""
    import torch

    from dadeum.data.batch import collate as lay_out

    units = [sample.sequences for sample in samples]
    batch = lay_out([pair for unit in units for pair in unit], packing=layout.packing, pad_id=layout.pad_id)
    batch["targets"] = torch.cat([torch.from_numpy(sample.targets.copy()) for sample in samples])
    batch["units"] = torch.tensor([0, *(len(unit) for unit in units)]).cumsum(0)
    return batch


class Weighed:
    """Knows the heads, and so how much the targets of a batch weigh: `terms`, by the head's name."""

    def __init__(self, model: "Headed") -> None:
        self.model = model

    def tensors(self, rows: "np.ndarray[Any, Any]", source: "Rows") -> dict[str, Any]:
        """The terms of these rows."""
        import torch

        from dadeum.model.headed import split_targets

        targets = torch.cat([torch.from_numpy(source[int(row)].targets.copy()) for row in rows])
        return {
            "terms": {
                outlet.head: (HEADS.of(part).weigh(part, outlet, own), coefficient(part))
                for part, outlet, own in split_targets(self.model, targets)
            }
        }


def prepare(settings: Settings, loop: "Loop") -> Weighed:
    """The model's heads."""
    from dadeum.model.headed import headed_of

    model = headed_of(loop.module)
    assert model is not None, "the head gives labels"
    return Weighed(model)


def weigh(settings: Settings, batch: "dict[str, Any]") -> dict[str, tuple[float, float]]:
    """What `Weighed` found."""
    terms: dict[str, tuple[float, float]] = batch["terms"]
    return terms


def compute(
    settings: Settings, model: "nn.Module", batch: "dict[str, Tensor]", context: Context
) -> "tuple[dict[str, Tensor], dict[str, Tensor]]":
    """The sum of each head's losses, in float32."""
    from dadeum.model.headed import head_outputs, headed_of, of_units, split_targets

    headed = headed_of(model)
    assert headed is not None, "the head gives labels"
    out = head_outputs(model, batch)
    sums = {}
    for part, outlet, targets in split_targets(headed, batch["targets"]):
        said = of_units(out.heads[outlet.head], batch["units"]) if headed.takes == "choices" else out.heads[outlet.head]
        sums[outlet.head] = HEADS.of(part).total(part, outlet, said, targets)
    return sums, {}
