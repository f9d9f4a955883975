"""Messages to token ids and weights: the one renderer behind training, evaluation and every way of asking.

The prompt's ids are those of `tokenizer.apply_chat_template(messages, add_generation_prompt=True)`; a training sample
begins with exactly these ids, and what follows is the answer as the template writes it, up to and with its first end
token (`data/spans.py`). Imports no torch.
"""

import unicodedata
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from dadeum.core.errors import DataError
from dadeum.core.language import say
from dadeum.data.spans import Turn, TurnFinder
from dadeum.data.template import ChatTemplate, Message, Refusal
from dadeum.data.tokens import Encoder, Token

__all__ = ["DEFAULT_TODAY", "Refusal", "Renderer", "Sample", "TrainOn"]

TrainOn = Literal["all", "assistant", "last_assistant"]
DEFAULT_TODAY = "2026-01-31"
CHUNK = 1024  # conversations encoded at once
# What an assistant's message may hold when it is trained: other keys would be rendered and not trained.
TRAINED_KEYS = frozenset({"role", "content", "name"})


@dataclass(frozen=True)
class Sample:
    """Ids (int32) and weights (float32) of the same length: the weight of a token as a target.

    `answer_bytes` counts the UTF-8 bytes of the NFC text that is trained, end tokens aside.
    """

    input_ids: npt.NDArray[np.int32]
    weights: npt.NDArray[np.float32]
    answer_bytes: int


@dataclass
class _Plan:
    """One sample to be: its turns in order (the last gives the text), found on hidden messages or not."""

    row: int
    turns: list[Turn]
    prompts: list[str]
    hidden: bool
    everything: bool = False


class Renderer:
    """Renders conversations under one tokenizer, template, set of variables and date."""

    def __init__(
        self,
        tokenizer: Any,
        *,
        template_name: str = "",
        kwargs: Mapping[str, Any] = {},
        today: str = DEFAULT_TODAY,
    ) -> None:
        """`today` (ISO date) is what a template that asks for the date gets. The template is needed for messages only."""
        from dadeum.tokenizer.load import template_name as name_of

        self.tokenizer = tokenizer
        self.template_name = template_name or name_of(tokenizer)
        self.kwargs = dict(kwargs)
        self.today = today
        self._encoder = Encoder(tokenizer)

    @cached_property
    def template(self) -> ChatTemplate:
        """The template at work. Raises ModelError where the tokenizer has none, Refusal where it is unfit."""
        return ChatTemplate(self.tokenizer, name=self.template_name, kwargs=self.kwargs, today=self.today)

    @cached_property
    def _finder(self) -> TurnFinder:
        return TurnFinder(self.template, special_tokens=list(self._encoder.special), eos_token=self.tokenizer.eos_token)

    def text(self, messages: Sequence[Message], *, add_generation_prompt: bool = False) -> str:
        """The conversation as the template writes it. Raises DataError."""
        return self.template.render(_checked(messages), add_generation_prompt=add_generation_prompt)

    def prompt_ids(self, messages: Sequence[Message]) -> list[int]:
        """THE prompt: what the model is asked with. Raises DataError."""
        return self.prompt_ids_batch([messages])[0]

    def prompt_ids_batch(self, conversations: Iterable[Sequence[Message]]) -> list[list[int]]:
        """`prompt_ids` of many conversations."""
        found: list[list[int]] = []
        texts: dict[bool, list[tuple[int, str]]] = {False: [], True: []}
        for row, messages in enumerate(conversations):
            seen, hidden = self._hidden(_checked(messages))
            texts[hidden].append((row, self._disguised(self.template.render(seen, add_generation_prompt=True), hidden)))
            found.append([])
        for hidden, written in texts.items():
            for (row, _), ids in zip(written, self._encoder.ids([t for _, t in written], hidden=hidden), strict=True):
                found[row] = ids
        return found

    def samples(self, messages: Sequence[Message], train_on: TrainOn) -> list[Sample]:
        """Training samples of one conversation.

        One, or one for each trained turn where the template rewrites earlier turns, writes no end token, or has a token
        across the border of a later turn. Raises Refusal for the template, DataError for the row.
        """
        result = self.samples_batch([messages], train_on)[0]
        if isinstance(result, DataError):
            raise result
        return result

    def samples_batch(
        self, conversations: Iterable[Sequence[Message]], train_on: TrainOn
    ) -> list[list[Sample] | DataError]:
        """`samples` of many conversations, with the error in place of those that cannot be used."""
        results: list[list[Sample] | DataError] = []
        for chunk in _chunks(conversations):
            results += self._chunk(chunk, train_on)
        return results

    def plain(self, text: str) -> Sample:
        """Text without a template: the tokenizer's own BOS rule, its eos once at the end, every token trained."""
        ids = self._encoder.natural(text)
        eos, bos = self.tokenizer.eos_token_id, self.tokenizer.bos_token_id
        if eos is not None and ids[-1:] != [eos]:
            ids = [*ids, eos]
        weights = np.ones(len(ids), np.float32)
        if bos is not None and ids[:1] == [bos] and len(ids) > 1:
            weights[0] = 0
        return Sample(np.asarray(ids, np.int32), weights, _bytes(text))

    @cached_property
    def stop_ids(self) -> tuple[int, ...]:
        """Ids that end an answer: the template's end of turn and the tokenizer's eos."""
        found: list[int] = []
        if self.tokenizer.chat_template:
            probe = [{"role": "user", "content": "가"}, {"role": "assistant", "content": "나"}]
            try:
                turn = self._finder.find(probe, 1)
                found += [self._encoder.special[turn.end_token]] if turn.end_token in self._encoder.special else []
            except DataError:
                pass  # a template that cannot be trained on may still be asked; the tokenizer's eos ends its answers
        if self.tokenizer.eos_token_id is not None:
            found.append(self.tokenizer.eos_token_id)
        return tuple(dict.fromkeys(found))

    def marks_agree(self, messages: Sequence[Message]) -> bool | None:
        """Whether the template's own generation marks cover what is trained here; None where it has none.

        A cross-check for statistics: many marked templates disagree with their own prompts.
        """
        if not self.template.marked:
            return None
        seen, _ = self._hidden(_checked(messages))
        turns = [self._finder.find(seen, i) for i in _trained(seen, "assistant")]
        whole = self.template.render(seen)
        ours = {p for t in turns for p in range(t.answer, t.end) if not whole[p : p + 1].isspace()}
        marked = {p for a, b in self.template.marks(seen) for p in range(a, b) if not whole[p].isspace()}
        return ours == marked

    def _hidden(self, messages: list[Message]) -> tuple[list[Message], bool]:
        """The messages as the template may see them, and whether special strings were hidden in them."""
        if any(self._encoder.holds_special(s) for s in _strings(messages)):
            return self._encoder.hide(messages), True
        return messages, False

    def _disguised(self, text: str, hidden: bool) -> str:
        return self._encoder.disguise(text, [])[0] if hidden else text

    def _chunk(self, chunk: list[Sequence[Message]], train_on: TrainOn) -> list[list[Sample] | DataError]:
        results: list[list[Sample] | DataError] = []
        plans: list[_Plan] = []
        for row, messages in enumerate(chunk):
            try:
                found = self._plans(row, messages, train_on)
            except DataError as error:
                results.append(error)
            else:
                results.append([])
                plans += found
        while plans:
            again: list[_Plan] = []
            for plan, made in zip(plans, self._build(plans), strict=True):
                result = results[plan.row]
                if isinstance(made, DataError):
                    results[plan.row] = made
                elif made is None:  # a token lies across a border of a later turn
                    again += _apart(plan)
                elif isinstance(result, list):
                    result.append(made)
            plans = again
        return results

    def _plans(self, row: int, messages: Sequence[Message], train_on: TrainOn) -> list[_Plan]:
        seen, hidden = self._hidden(_checked(messages))
        indices = _trained(seen, train_on)
        turns = [self._finder.find(seen, i) for i in indices]
        plan = _Plan(row, turns, [t.text[: t.prompt] for t in turns], hidden, everything=train_on == "all")
        whole = turns[-1].text
        kept = all(t.closed for t in turns) and all(whole.startswith(t.text) for t in turns)
        return [plan] if len(turns) == 1 or kept else _apart(plan)

    def _build(self, plans: list[_Plan]) -> list[Sample | DataError | None]:
        made: list[Sample | DataError | None] = [None] * len(plans)
        for hidden in (False, True):
            chosen = [i for i, p in enumerate(plans) if p.hidden == hidden]
            if not chosen:
                continue
            written = [self._written(plans[i]) for i in chosen]
            asked = [self._disguised(p, hidden) for i in chosen for p in plans[i].prompts]
            prompts = iter(self._encoder.ids(asked, hidden=hidden))
            encodings = self._encoder.encodings([text for text, _ in written], hidden=hidden)
            for i, (text, spans), encoding in zip(chosen, written, encodings, strict=True):
                own = [next(prompts) for _ in plans[i].prompts]
                tokens = self._encoder.tail(encoding, text, _borders(spans), hidden=hidden)
                made[i] = self._sample(plans[i], spans, own, tokens)
        return made

    def _written(self, plan: _Plan) -> tuple[str, list[tuple[int, int, int]]]:
        """The text to encode, and (prompt, answer, end) of each turn in it."""
        text = plan.turns[-1].text
        spans = [(t.prompt, t.answer, t.end) for t in plan.turns]
        if plan.hidden:
            text, moved = self._encoder.disguise(text, [p for span in spans for p in span])
            spans = [(moved[i], moved[i + 1], moved[i + 2]) for i in range(0, len(moved), 3)]
        return text, spans

    def _sample(
        self, plan: _Plan, spans: list[tuple[int, int, int]], prompts: list[list[int]], tokens: list[Token]
    ) -> Sample | DataError | None:
        ids = [*prompts[0], *(t.id for t in tokens)]
        if ids[-1:] != [self._encoder.special.get(plan.turns[-1].end_token, self.tokenizer.eos_token_id)]:
            return Refusal(
                say(
                    f"the tokenizer does not read '{plan.turns[-1].end_token}' as one token after the answer; the chat template "
                    f"of {self.template_name} does not fit it, choose another tokenizer.chat_template",
                    f"토크나이저가 답 뒤의 '{plan.turns[-1].end_token}'을(를) 한 토큰으로 읽지 않습니다. {self.template_name}의 "
                    "대화 템플릿이 맞지 않으니 다른 tokenizer.chat_template을 고르세요",
                )
            )
        for (start, _, _), prompt in zip(spans[1:], prompts[1:], strict=True):
            before = len(prompts[0]) + sum(t.start < start for t in tokens)
            if ids[:before] != prompt:
                return None
        weights = np.zeros(len(ids), np.float32)
        if plan.everything:
            weights[1:] = 1
            trained = plan.turns[-1].text[: plan.turns[-1].answer_end]
        else:
            inside = [any(a <= t.start < e for _, a, e in spans) for t in tokens]
            weights[len(prompts[0]) :] = inside
            trained = "".join(t.text[t.answer : t.answer_end] for t in plan.turns)
        trained = self._encoder.literal(trained) if plan.hidden else trained
        return Sample(np.asarray(ids, np.int32), weights, _bytes(trained))


def _borders(spans: list[tuple[int, int, int]]) -> list[int]:
    later = {answer for _, answer, _ in spans}
    return [spans[0][0], *sorted(later - {spans[0][0]})]


def _apart(plan: _Plan) -> list[_Plan]:
    return [_Plan(plan.row, [t], [p], plan.hidden) for t, p in zip(plan.turns, plan.prompts, strict=True)]


def _bytes(text: str) -> int:
    return len(unicodedata.normalize("NFC", text).encode())


def _chunks(conversations: Iterable[Sequence[Message]]) -> Iterator[list[Sequence[Message]]]:
    chunk: list[Sequence[Message]] = []
    for messages in conversations:
        chunk.append(messages)
        if len(chunk) == CHUNK:
            yield chunk
            chunk = []
    if chunk:
        yield chunk


def _strings(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for key, item in value.items():
            if key != "role":
                yield from _strings(item)
    elif isinstance(value, list | tuple):
        for item in value:
            yield from _strings(item)


def _checked(messages: Sequence[Message]) -> list[Message]:
    for number, message in enumerate(messages, 1):
        role, content = message.get("role"), message.get("content")
        if not isinstance(role, str) or not (isinstance(content, str) or (content is None and len(message) > 2)):
            raise DataError(
                say(
                    f"message {number}: found role {role!r} and content of type {type(content).__name__}, expected text for both",
                    f"메시지 {number}: role {role!r}, content {type(content).__name__}. 둘 다 글이어야 합니다",
                )
            )
    if not messages:
        raise DataError(say("the conversation has no message", "대화에 메시지가 없습니다"))
    return list(messages)


def _trained(messages: Sequence[Message], train_on: TrainOn) -> list[int]:
    """Indices of the trained turns. Raises DataError where there is nothing to train."""
    answers = [i for i, m in enumerate(messages) if m["role"] == "assistant"]
    if not answers or answers[-1] != len(messages) - 1:
        raise DataError(
            say(
                "the conversation has no answer: its last message must be the assistant's",
                "대화에 답이 없습니다. 마지막 메시지는 assistant의 것이어야 합니다",
            )
        )
    chosen = answers if train_on == "assistant" else answers[-1:]
    for i in chosen:
        unknown = sorted(set(messages[i]) - TRAINED_KEYS)
        if unknown or i == 0 or not messages[i]["content"].strip():
            reason = _unfit(unknown, i)
            raise DataError(say(f"message {i + 1}: {reason[0]}", f"메시지 {i + 1}: {reason[1]}"))
    return chosen


def _unfit(unknown: list[str], index: int) -> tuple[str, str]:
    if unknown:
        return (
            f"'{unknown[0]}' of an answer cannot be trained, only its 'content'",
            f"답의 '{unknown[0]}'은(는) 학습할 수 없습니다. 'content'만 학습합니다",
        )
    if index == 0:
        return "an answer needs a message before it", "답 앞에 메시지가 있어야 합니다"
    return "the answer is empty", "답이 비어 있습니다"
