"""Entities in a row of labels such as B-PER I-PER O, as seqeval (and before it CoNLL's script) finds them."""

from collections.abc import Sequence

Entity = tuple[str, int, int]  # its type, its first and its last place
MARKS = frozenset("BIESO")


def marked(names: Sequence[str]) -> bool:
    """Whether names are of a scheme for entities: O, and at least one mark with a type."""
    return any(name[1:2] == "-" for name in names) and all(
        name == "O" or (name[:1] in MARKS and name[1:2] == "-") for name in names
    )


def entities(names: Sequence[str]) -> set[Entity]:
    """All entities. Where the scheme is broken, an entity begins with what cannot go on with the one before."""
    found: set[Entity] = set()
    before, kind, begin = "O", "", 0
    for place, name in enumerate([*names, "O"]):
        mark, own = name[:1], name[1:].rsplit("-", 1)[-1] or "_"
        if _ends(before, mark, kind != own):
            found.add((kind, begin, place - 1))
        if _begins(before, mark, kind != own):
            begin = place
        before, kind = mark, own
    return found


def _ends(before: str, mark: str, other: bool) -> bool:
    if before in "ES":
        return True
    return before in "BI" and (mark in "BSO" or other)


def _begins(before: str, mark: str, other: bool) -> bool:
    if mark in "BS":
        return True
    return mark in "EI" and (before in "ESO" or other)
