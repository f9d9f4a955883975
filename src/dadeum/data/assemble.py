"""From turns to samples: many texts are encoded at once, then ids and weights are laid together."""

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from dadeum.core.errors import DataError
from dadeum.core.language import say
from dadeum.data.spans import Turn
from dadeum.data.template import Refusal
from dadeum.data.tokens import Encoder, Token

Ids = Sequence[int] | npt.NDArray[np.int32]


class Sample(NamedTuple):
    """Ids (int32) and weights (float32) of the same length: the weight of a token as a target.

    `answer_bytes` counts the UTF-8 bytes of the NFC text that is trained, end tokens aside. `targets`: what a head learns of
    it. `sequences`: of how many samples the unit is that it begins; 0 where it goes on with one.
    """

    input_ids: npt.NDArray[np.int32]
    weights: npt.NDArray[np.float32]
    answer_bytes: int
    targets: tuple[float, ...] = ()
    sequences: int = 1


@dataclass(frozen=True)
class Plan:
    """One sample to be: its trained turns in order, the last of which gives the text.

    `hidden`: the turns are renders of messages whose special strings are hidden. `everything`: each token is trained.
    `weights`: what the tokens of each turn count; empty: 1.
    """

    row: int
    turns: Sequence[Turn]
    hidden: bool
    everything: bool = False
    weights: Sequence[float] = ()

    @property
    def weighed(self) -> list[tuple[Turn, float]]:
        """The turns and their weights."""
        return list(zip(self.turns, self.weights or [1.0] * len(self.turns), strict=True))

    def apart(self) -> list["Plan"]:
        """A sample for each turn."""
        return [Plan(self.row, [turn], self.hidden, weights=(weight,)) for turn, weight in self.weighed]


def build(plans: Sequence[Plan], encoder: Encoder, template_name: str) -> list[Sample | DataError | None]:
    """The sample of each plan; None where a token lies across the border of a later turn, Refusal for the template."""
    made: list[Sample | DataError | None] = [None] * len(plans)
    easy = _by_pieces(plans, encoder, template_name, made)
    for hidden in (False, True):
        chosen = [i for i, p in enumerate(plans) if p.hidden == hidden and i not in easy]
        if not chosen:
            continue
        written = [_written(plans[i], encoder) for i in chosen]
        asked = [t.text[: t.prompt] for i in chosen for t in plans[i].turns]
        prompts = iter(encoder.ids([encoder.disguise(a, [])[0] for a in asked] if hidden else asked, hidden=hidden))
        encodings = encoder.encodings([text for text, _ in written], hidden=hidden)
        for i, (text, spans), encoding in zip(chosen, written, encodings, strict=True):
            own = [next(prompts) for _ in plans[i].turns]
            borders = [spans[0][0], *sorted({answer for _, answer, _ in spans} - {spans[0][0]})]
            tokens = encoder.tail(encoding, text, borders, hidden=hidden)
            made[i] = _sample(plans[i], spans, own, tokens, encoder, template_name)
    return made


def _by_pieces(
    plans: Sequence[Plan], encoder: Encoder, template_name: str, made: list[Sample | DataError | None]
) -> set[int]:
    """Fill in `made` what no token lies across; which plans that were."""
    if encoder.pieces is None:
        return set()
    chosen = [i for i, plan in enumerate(plans) if not plan.hidden]
    texts = [plans[i].turns[-1].text for i in chosen]
    borders = [sorted({p for t in plans[i].turns for p in (t.prompt, t.answer, t.end)}) for i in chosen]
    done = set()
    for i, of_text, found in zip(chosen, borders, encoder.pieces.encode(texts, borders), strict=True):
        if found is None:
            continue
        ids, places = np.frombuffer(found[0], np.int32), found[1]
        place = dict(zip(of_text, places, strict=True))
        weights = np.zeros(len(ids), np.float32)
        for turn, weight in plans[i].weighed:
            weights[place[turn.answer] : place[turn.end]] = weight
        made[i] = _finished(plans[i], ids, weights, encoder, template_name)
        done.add(i)
    return done


def text_bytes(text: str) -> int:
    """UTF-8 bytes of the text in NFC."""
    return len(unicodedata.normalize("NFC", text).encode())


def _written(plan: Plan, encoder: Encoder) -> tuple[str, list[tuple[int, int, int]]]:
    """The text to encode, and (prompt, answer, end) of each turn in it."""
    text = plan.turns[-1].text
    spans = [(t.prompt, t.answer, t.end) for t in plan.turns]
    if plan.hidden:
        text, moved = encoder.disguise(text, [p for span in spans for p in span])
        spans = [(moved[i], moved[i + 1], moved[i + 2]) for i in range(0, len(moved), 3)]
    return text, spans


def _sample(
    plan: Plan,
    spans: list[tuple[int, int, int]],
    prompts: list[list[int]],
    tokens: list[Token],
    encoder: Encoder,
    template_name: str,
) -> Sample | DataError | None:
    ids = [*prompts[0], *(t.id for t in tokens)]
    for (start, _, _), prompt in zip(spans[1:], prompts[1:], strict=True):
        before = len(prompts[0]) + sum(t.start < start for t in tokens)
        if ids[:before] != prompt:
            return _wrong_end(plan, ids, encoder, template_name)
    weights = np.zeros(len(ids), np.float32)
    each = [(a, e, weight) for (_, a, e), (_, weight) in zip(spans, plan.weighed, strict=True)]
    weights[len(prompts[0]) :] = [next((w for a, e, w in each if a <= t.start < e), 0.0) for t in tokens]
    return _finished(plan, ids, weights, encoder, template_name)


def _wrong_end(plan: Plan, ids: Ids, encoder: Encoder, template_name: str) -> Refusal | None:
    """Why the template does not fit the tokenizer: the end of the answer is no token."""
    end = plan.turns[-1].end_token
    if len(ids) and ids[-1] == encoder.special.get(end):
        return None
    return Refusal(
        say(
            f"the tokenizer does not read '{end}' as one token after the answer; the chat template of "
            f"{template_name} does not fit it, choose another tokenizer.chat_template",
            f"토크나이저가 답 뒤의 '{end}'을(를) 한 토큰으로 읽지 않습니다. {template_name}의 대화 템플릿이 맞지 않으니 "
            "다른 tokenizer.chat_template을 고르세요",
        ),
        "untrained_end_token",
    )


def _finished(
    plan: Plan, ids: Ids, weights: npt.NDArray[np.float32], encoder: Encoder, template_name: str
) -> Sample | Refusal:
    """The sample, unless its end is no token. `weights` are those of the answers."""
    wrong = _wrong_end(plan, ids, encoder, template_name)
    if wrong is not None:
        return wrong
    last = plan.turns[-1]
    if plan.everything:
        weights[1:] = 1
        trained = last.text[: last.answer_end]
    else:
        trained = "".join([t.text[t.answer : t.answer_end] for t in plan.turns])
    trained = encoder.literal(trained) if plan.hidden else trained
    return Sample(np.asarray(ids, np.int32), weights, text_bytes(trained))
