"""Messages to token ids and weights: the one renderer behind training, evaluation and every way of asking.

The prompt's ids are those of `tokenizer.apply_chat_template(messages, add_generation_prompt=True)`; a training sample
begins with exactly these ids, and what follows is the answer as the template writes it, up to and with its first end
token (`data/spans.py`). Imports no torch.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cached_property
from typing import Any

import numpy as np

from dadeum.core.errors import DataError
from dadeum.data.assemble import Plan, Sample, build, text_bytes
from dadeum.data.mould import Moulds
from dadeum.data.spans import TurnFinder
from dadeum.data.template import ChatTemplate, Message, Refusal
from dadeum.data.tokens import Encoder
from dadeum.data.turns import TrainOn, checked, strings, trained_turns, weighed_turns
from dadeum.tokenizer.load import template_name as name_of

__all__ = ["DEFAULT_TODAY", "Refusal", "Renderer", "Sample", "TrainOn"]

DEFAULT_TODAY = "2026-01-31"
CHUNK = 1024  # conversations encoded at once
PROBE = ({"role": "user", "content": "가"}, {"role": "assistant", "content": "나"})

# Some templates are for conversations with tools only, and some end a call otherwise than an answer.
_TOOL = {"type": "function", "function": {"name": "f", "description": "f", "parameters": {"properties": {}}}}
_CALL = {"type": "function", "id": "call00001", "function": {"name": "f", "arguments": {"x": "나"}}}
PROBE_TOOLS = ({**PROBE[0], "tools": [_TOOL]}, PROBE[1])
PROBE_CALL = (PROBE_TOOLS[0], {"role": "assistant", "content": "", "tool_calls": [_CALL]})


class Renderer:
    """Renders conversations under one tokenizer, template, set of variables and date."""

    def __init__(
        self,
        tokenizer: Any,
        *,
        template_name: str = "",
        kwargs: Mapping[str, Any] | None = None,
        today: str = DEFAULT_TODAY,
    ) -> None:
        """`kwargs` are `data.chat_template_kwargs`; `today` (ISO date) is what a template that asks for the date gets.

        The template is needed for messages only: `plain` works without one.
        """
        self.tokenizer = tokenizer
        self.template_name = template_name or name_of(tokenizer)
        self.kwargs = dict(kwargs or {})
        self.today = today
        self._encoder = Encoder(tokenizer)

    @cached_property
    def template(self) -> ChatTemplate:
        """The template at work. Raises ModelError where the tokenizer has none, Refusal where it is unfit."""
        return ChatTemplate(self.tokenizer, name=self.template_name, kwargs=self.kwargs, today=self.today)

    @cached_property
    def refusal(self) -> Refusal | None:
        """Why no conversation can be trained under this template, or None."""
        found: list[DataError] = []
        for probe in (PROBE, PROBE_TOOLS):
            try:
                self._finder.find(probe, 1)
            except DataError as error:
                found.append(error)
            else:
                return None
        return Refusal(str(found[0]), getattr(found[0], "condition", ""))

    @cached_property
    def _finder(self) -> TurnFinder:
        names = list(self._encoder.special)
        return TurnFinder(self.template, special_tokens=names, eos_token=self.tokenizer.eos_token)

    @cached_property
    def _moulds(self) -> Moulds | None:
        """The shortest way to a sample, where the tokenizer allows it."""
        pieces = self._encoder.pieces
        return Moulds(self.template.skeletons, pieces) if pieces is not None else None

    def text(self, messages: Sequence[Message], *, add_generation_prompt: bool = False) -> str:
        """The conversation as the template writes it. Raises DataError."""
        return self.template.render(checked(messages), add_generation_prompt=add_generation_prompt)

    def prompt_ids(self, messages: Sequence[Message]) -> list[int]:
        """THE prompt: what the model is asked with. Raises DataError."""
        return self.prompt_ids_batch([messages])[0]

    def prompt_ids_batch(self, conversations: Iterable[Sequence[Message]]) -> list[list[int]]:
        """`prompt_ids` of many conversations."""
        found: list[list[int]] = []
        texts: dict[bool, list[tuple[int, str]]] = {False: [], True: []}
        for row, messages in enumerate(conversations):
            seen, hidden = self._seen(messages)
            text = self.template.render(seen, add_generation_prompt=True)
            texts[hidden].append((row, self._encoder.disguise(text, [])[0] if hidden else text))
            found.append([])
        for hidden, written in texts.items():
            if written:
                ids = self._encoder.ids([t for _, t in written], hidden=hidden)
                for (row, _), of_row in zip(written, ids, strict=True):
                    found[row] = of_row
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

    def answer(self, messages: Sequence[Message]) -> str:
        """The last message as the model is to write it, without its end token. Raises DataError."""
        seen, hidden = self._seen(messages)
        turn = self._finder.find(seen, trained_turns(seen, "last_assistant")[0])
        text = turn.text[turn.answer : turn.answer_end]
        return self._encoder.literal(text) if hidden else text

    def plain(self, text: str) -> Sample:
        """Text without a template: the tokenizer's own BOS rule, its eos once at the end, every token trained."""
        ids = self._encoder.natural(text)
        eos, bos = self.tokenizer.eos_token_id, self.tokenizer.bos_token_id
        if eos is not None and ids[-1:] != [eos]:
            ids = [*ids, eos]
        weights = np.ones(len(ids), np.float32)
        if bos is not None and ids[:1] == [bos] and len(ids) > 1:
            weights[0] = 0
        return Sample(np.asarray(ids, np.int32), weights, text_bytes(text))

    @cached_property
    def stop_ids(self) -> tuple[int, ...]:
        """Ids that end an answer: the template's end of turn and the tokenizer's eos."""
        found: list[int] = []
        # A template that cannot be trained on may still be asked: the tokenizer's eos ends its answers.
        if self.tokenizer.chat_template and self.refusal is None:
            for probe in (PROBE, PROBE_CALL):
                try:
                    end = self._finder.find(probe, 1).end_token
                except DataError:  # a template without calls
                    continue
                found += [self._encoder.special[end]] if end in self._encoder.special else []
        if self.tokenizer.eos_token_id is not None:
            found.append(self.tokenizer.eos_token_id)
        return tuple(dict.fromkeys(found))

    def marks_agree(self, messages: Sequence[Message]) -> bool | None:
        """Whether the template's own generation marks cover what is trained here; None where it has none.

        A cross-check for statistics: many marked templates disagree with their own prompts. Blanks do not count.
        """
        if not self.template.marked:
            return None
        seen, _ = self._seen(messages)
        turns = [self._finder.find(seen, i) for i in trained_turns(seen, "assistant")]
        whole = self.template.render(seen)
        ours = {p for t in turns for p in range(t.answer, t.end) if not whole[p : p + 1].isspace()}
        marked = {p for a, b in self.template.marks(seen) for p in range(a, b) if not whole[p].isspace()}
        return ours == marked

    def _seen(self, messages: Sequence[Message]) -> tuple[list[Message], bool]:
        """The messages as the template may see them, and whether special strings were hidden in them."""
        good = checked(messages)
        if any(self._encoder.holds_special(s) for s in strings(good)):
            return self._encoder.hide_in(good), True
        return good, False

    def _chunk(self, chunk: list[Sequence[Message]], train_on: TrainOn) -> list[list[Sample] | DataError]:
        results: list[list[Sample] | DataError] = []
        plans: list[Plan] = []
        moulds = self._moulds
        cast = moulds.cast(chunk, train_on) if moulds is not None else [None] * len(chunk)
        for row, (messages, sample) in enumerate(zip(chunk, cast, strict=True)):
            if sample is not None:
                results.append([sample])
                continue
            try:
                found = self._plans(row, messages, train_on)
            except DataError as error:
                results.append(self.refusal or error)
            else:
                results.append([])
                plans += found
                if moulds is not None and len(found) == 1:
                    moulds.learn(messages, found[0], train_on)
        while plans:
            again: list[Plan] = []
            for plan, made in zip(plans, build(plans, self._encoder, self.template_name), strict=True):
                result = results[plan.row]
                if isinstance(made, DataError):
                    results[plan.row] = made
                elif made is None:
                    again += plan.apart()
                elif isinstance(result, list):
                    result.append(made)
            plans = again
        return results

    def _plans(self, row: int, messages: Sequence[Message], train_on: TrainOn) -> list[Plan]:
        seen, hidden = self._seen(messages)
        chosen = weighed_turns(messages, train_on)
        turns = [self._finder.find(seen, i) for i, _ in chosen]
        plan = Plan(row, turns, hidden, everything=train_on == "all", weights=[weight for _, weight in chosen])
        whole = turns[-1].text
        kept = all(t.closed for t in turns) and all(whole.startswith(t.text) for t in turns)
        return [plan] if len(turns) == 1 or kept else plan.apart()


def _chunks(conversations: Iterable[Sequence[Message]]) -> Iterator[list[Sequence[Message]]]:
    chunk: list[Sequence[Message]] = []
    for messages in conversations:
        chunk.append(messages)
        if len(chunk) == CHUNK:
            yield chunk
            chunk = []
    if chunk:
        yield chunk
