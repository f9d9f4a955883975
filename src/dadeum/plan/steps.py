"""The plan: which steps stand between an experiment and its result, what is fresh, and why the rest is not."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from dadeum.core.fingerprint import SHORT, fingerprint
from dadeum.core.language import say


@dataclass(frozen=True)
class Step:
    """One stage of `dadeum run`: what makes it, and whether that was already done.

    `made_from` maps names that users know (a file, a setting, an earlier step) to values or hashes.
    """

    name: str
    made_from: dict[str, Any]
    fresh: bool = False
    why: str = ""
    forecast: dict[str, Any] = field(default_factory=dict)

    @property
    def fingerprint(self) -> str:
        """One word for everything that this step is made from."""
        return fingerprint(self.name, self.made_from)

    @property
    def short(self) -> str:
        """The part of the fingerprint that stands in folder names."""
        return self.fingerprint[:SHORT]


def flat(settings: Mapping[str, Any], prefix: str) -> dict[str, Any]:
    """Settings as `{"data.split.test": 0.05, …}`: the keys that users write."""
    found: dict[str, Any] = {}
    for key, value in settings.items():
        name = f"{prefix}.{key}"
        if isinstance(value, Mapping) and value:
            found.update(flat(value, name))
        else:
            found[name] = value
    return found


def why_stale(old: Mapping[str, Any] | None, new: Mapping[str, Any]) -> str:
    """One clause: what differs between the last time and now."""
    if old is None:
        return say("not made yet", "아직 만들지 않음")
    changed = [name for name in new if name not in old or old[name] != new[name]]
    changed += [name for name in old if name not in new]
    if not changed:
        return say("its result is gone or damaged", "결과가 없어졌거나 손상됨")
    few = ", ".join(changed[:3]) + (
        say(f" and {len(changed) - 3} more", f" 외 {len(changed) - 3}개") if len(changed) > 3 else ""
    )
    return say(f"changed: {few}", f"바뀜: {few}")
