"""Rows that become more than one sequence, or sequences with targets. Knows the other rows of its chunk, and no more.

What makes the samples of rows is chosen by what the training takes: `maker` gives None for plain messages and text, which
the shaper renders itself.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from dadeum.config.purpose import Purpose
from dadeum.core.errors import DataError
from dadeum.core.language import say
from dadeum.data.labelled import Labelled, Texts
from dadeum.data.labels import Labels
from dadeum.data.render import Renderer, Sample

Row = Mapping[str, Any]
Made = list[Sample] | DataError
Make = Callable[[Sequence[Row]], list[Made]]


def maker(purpose: Purpose, renderer: Renderer, max_length: int, labels: Labels | None = None) -> Make | None:
    """What makes the samples of a chunk's rows; `labels`: what all of them tell of the heads."""
    if purpose.targets:
        if labels is None:
            raise ValueError("heads need to know their labels")
        return Labelled(purpose.takes, labels, Texts(renderer.tokenizer))
    if purpose.takes == "pair":
        return lambda rows: pairs(rows, renderer)
    if purpose.takes == "rated":
        return lambda rows: rated(rows, renderer, max_length)
    return None


def units(samples: Sequence[Sample]) -> Iterator[list[Sample]]:
    """The units that these samples are, one after the other."""
    at = 0
    while at < len(samples):
        size = max(1, samples[at].sequences)
        yield list(samples[at : at + size])
        at += size


def pairs(rows: Sequence[Row], renderer: Renderer) -> list[Made]:
    """Of each row a unit of two sequences: the conversation with the better answer, and that with the worse.

    Trained, that is compared, is the last answer of each.
    """
    better, worse = (
        renderer.samples_batch((row[name] for row in rows), "last_assistant") for name in ("messages", "rejected")
    )
    found: list[Made] = []
    for one, other in zip(better, worse, strict=True):
        if isinstance(one, DataError) or isinstance(other, DataError):
            found.append(one if isinstance(one, DataError) else other)
        elif np.array_equal(one[0].input_ids, other[0].input_ids):
            found.append(
                DataError(
                    say(
                        "the template makes the same tokens of the chosen and the rejected answer",
                        "템플릿이 나은 답과 못한 답에서 같은 토큰을 만듭니다",
                    )
                )
            )
        else:
            found.append([one[0]._replace(sequences=2), other[0]._replace(sequences=0)])
    return found


class _Answer(NamedTuple):
    """An answer with what was said before it, whether it is good, and its row's place in the chunk."""

    row: int
    messages: Sequence[Mapping[str, Any]]
    good: bool


def rated(rows: Sequence[Row], renderer: Renderer, max_length: int) -> list[Made]:
    """Of each answer a unit: the conversation with it, and the same question with the answer of another row.

    By the second KTO estimates a divergence: nothing in it is trained. Its answer is that of the row before in this chunk and
    part, before the first stands the last; so it is the same for any number of processes. There is none where no other row
    is there, and where it would be longer than `max_length`. A pair is two answers. The target is 1 for an answer that is good.
    """
    answers = [answer for place, row in enumerate(rows) for answer in _answers(place, row)]
    own = renderer.samples_batch((answer.messages for answer in answers), "last_assistant")
    faults = {answer.row: made for answer, made in zip(answers, own, strict=True) if isinstance(made, DataError)}
    kept = [
        (answer, made[0])
        for answer, made in zip(answers, own, strict=True)
        if not isinstance(made, DataError) and answer.row not in faults
    ]
    others = _others([answer for answer, _ in kept], rows)
    mixed = ([*kept[place][0].messages[:-1], kept[other][0].messages[-1]] for place, other in others.items())
    strange = dict(zip(others, renderer.samples_batch(mixed, "last_assistant"), strict=True))
    samples: list[list[Sample]] = [[] for _ in rows]
    for place, (answer, sample) in enumerate(kept):
        first, other = sample._replace(targets=(float(answer.good),)), strange.get(place)
        if other is None or isinstance(other, DataError) or _too_long(other[0], sample, max_length):
            samples[answer.row] += [first]
        else:
            samples[answer.row] += [first._replace(sequences=2), other[0]._replace(sequences=0, answer_bytes=0)]
    return [faults.get(place, made) for place, made in enumerate(samples)]


def _too_long(other: Sample, own: Sample, max_length: int) -> bool:
    """Whether only the answer of another row does not fit; where neither does, it goes the way of the row's own."""
    return len(other.input_ids) > max_length >= len(own.input_ids)


def _answers(place: int, row: Row) -> list[_Answer]:
    if row.get("rejected"):
        return [_Answer(place, row["messages"], True), _Answer(place, row["rejected"], False)]
    return [_Answer(place, row["messages"], bool(row["wanted"]))]


def _others(answers: Sequence[_Answer], rows: Sequence[Row]) -> dict[int, int]:
    """Of each answer, by its place, that of the row before; of the good and the bad answer of a pair the good and the bad one."""
    parts: dict[str, dict[int, list[int]]] = {}
    for place, answer in enumerate(answers):
        parts.setdefault(rows[answer.row]["part"], {}).setdefault(answer.row, []).append(place)
    found: dict[int, int] = {}
    for of_part in parts.values():
        places = list(of_part.values())
        if len(places) > 1:
            for before, mine in zip([places[-1], *places], places, strict=False):
                found |= {place: before[min(number, len(before) - 1)] for number, place in enumerate(mine)}
    return dict(sorted(found.items()))
