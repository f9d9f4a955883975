"""What happens beside the loop: one concern a file, all of them always present, each with its place in the order.

A hook file holds `Settings`, `PLACE` (hooks run from the smallest to the greatest) and
`build(settings, job, reporter) -> Hook`. A hook reads the loop; guard and signals stop it, by raising.
"""

from typing import TYPE_CHECKING

from dadeum.core.family import Family
from dadeum.train.events import Hook, Stop

if TYPE_CHECKING:
    from dadeum.core.progress import Reporter
    from dadeum.train.job import TrainJob

__all__ = ["HOOKS", "Hook", "Stop", "build_hooks"]
HOOKS = Family("dadeum.train.hooks")


def build_hooks(job: "TrainJob", reporter: "Reporter") -> dict[str, Hook]:
    """Every hook of the family by name, in the order of their `PLACE`."""
    modules = sorted(((HOOKS.member(name), name) for name in HOOKS.names), key=lambda pair: pair[0].PLACE)
    return {name: module.build(module.Settings(type=name), job, reporter) for module, name in modules}
