"""Whether two tokenizers give the same ids."""

from typing import Any

from dadeum.core.language import say


def difference(one: Any, other: Any, names: tuple[str, str]) -> str | None:
    """In a few words the first token, by id, that is not the same in both, and how many are not; None where all are.

    `names` are what to call the two in the sentence.
    """
    first, second = one.get_vocab(), other.get_vocab()
    differing = [
        (first.get(t, second.get(t)), t) for t in first.keys() | second.keys() if first.get(t) != second.get(t)
    ]
    if not differing:
        return None
    token = min(differing)[1]
    said = ", ".join(
        say(f"{token!r} is {of[token]} in {name}", f"{token!r}이(가) {name}에서 {of[token]}")
        if token in of
        else say(f"{token!r} is not in {name}", f"{token!r}이(가) {name}에 없음")
        for of, name in zip((first, second), names, strict=True)
    )
    return say(f"{len(differing)} tokens differ, first {said}", f"토큰 {len(differing)}개가 다름, 처음은 {said}")
