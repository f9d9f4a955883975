"""Where the answer lies in a rendered conversation: one rule for every template, marked or not.

    prompt = render(messages before the turn, add_generation_prompt)      full = render(messages up to the turn)
    full   = prompt + rest,   rest = P + answer + S

`P` and `S` are what the template writes around an answer; they are learned by rendering the same conversation with a
sentinel of private-use characters as the answer, and each placing is verified. A marker is never searched for.
The target ends with the first end token in `S`. Of a turn that calls tools or reasons (`extras.py`) all of `rest` up to
and with its end token is the target. Knows text, no ids.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from dadeum.core.errors import DataError
from dadeum.core.language import say
from dadeum.data.extras import EXTRAS, dropped, needs_tools, neutral, result_lost, says_more, unwritten
from dadeum.data.template import PROVIDED, ChatTemplate, Message, Refusal

NO_PREFIX = "no_prefix_rendering"


@dataclass(frozen=True)
class Turn:
    """One trained turn: `text` reaches up to and with its end token; the numbers are character positions in it."""

    index: int  # of its message
    text: str
    prompt: int  # where the prompt ends and the target begins
    answer: int  # first character of the answer
    answer_end: int
    closed: bool  # the template itself writes an end token (else the tokenizer's eos was appended)
    end_token: str

    @property
    def end(self) -> int:
        """Where the target ends: after its end token."""
        return len(self.text)


@dataclass(frozen=True)
class Frame:
    """What a template writes before and after the answer of a turn, and where in `after` the end token ends."""

    before: str
    after: str
    end: int | None
    end_token: str


class TurnFinder:
    """Finds the turns of conversations under one template."""

    def __init__(self, template: ChatTemplate, *, special_tokens: Sequence[str], eos_token: str | None) -> None:
        """`special_tokens` are the strings of the tokenizer's special added tokens."""
        self.template = template
        self.eos_token = eos_token
        longest_first = sorted(special_tokens, key=len, reverse=True)
        self._special = re.compile("|".join(map(re.escape, longest_first)) or "(?!)")
        self._frames: dict[str, Frame] = {}
        self._refusals: dict[str, Refusal] = {}

    def prompt(self, messages: Sequence[Message], index: int) -> str:
        """The text that stands before the answer of message `index` when the model is asked."""
        return self.template.render(messages[:index], add_generation_prompt=True)

    def find(self, messages: Sequence[Message], index: int) -> Turn:
        """The turn of message `index`. Raises Refusal for the template, DataError for this row."""
        prompt = self.prompt(messages, index)
        full = self.template.render(messages[: index + 1])
        lost = result_lost(messages[:index], prompt)
        if lost is not None:
            raise dropped(self.template.name, lost, "content")
        shape = _shape(messages, index)
        if not full.startswith(prompt):
            raise self._rows_own(index) if needs_tools(messages) else self._no_prefix(messages, index, shape)
        if says_more(messages[index]):
            return self._whole(messages, index, prompt, full)
        content = str(messages[index]["content"])
        known = self._frames.get(shape)
        frame = known or self._learn(messages, index, shape)
        span = _place(full, len(prompt), frame, content)
        if span is None and known is not None:
            frame = self._learn(messages, index, shape)
            span = _place(full, len(prompt), frame, content)
        span = span or _align(full, len(prompt), frame, content)
        if span is None:
            raise DataError(
                say(
                    f"the chat template of {self.template.name} does not render the whole answer of message {index + 1} "
                    "(it drops or rewrites a part, such as reasoning); change the row, or the template",
                    f"{self.template.name}의 대화 템플릿이 메시지 {index + 1}의 답을 온전히 쓰지 않습니다"
                    "(추론 등 일부를 빼거나 바꿉니다). 행이나 템플릿을 바꾸세요",
                )
            )
        return self._close(index, full, len(prompt), span, frame)

    def _whole(self, messages: Sequence[Message], index: int, prompt: str, full: str) -> Turn:
        """A turn of which all that follows the prompt is the target."""
        rest = full[len(prompt) :]
        key = unwritten(messages[index], rest) or self._unheard(messages, index)
        if key is not None:
            raise dropped(self.template.name, index, key)
        end, end_token = self._last_end(messages, index, rest)
        start = len(prompt)
        return Turn(index, full[: start + end], start, start, start + end - len(end_token), True, end_token)

    def _unheard(self, messages: Sequence[Message], index: int) -> str | None:
        """What the template leaves out when the turn is said in other words: words that are found may be found by chance."""
        other = neutral(messages[index])
        full, prompt = self.template.render([*messages[:index], other]), self.prompt(messages, index)
        return unwritten(other, full[len(prompt) :]) if full.startswith(prompt) else EXTRAS[0]

    def _last_end(self, messages: Sequence[Message], index: int, rest: str) -> tuple[int, str]:
        """Where in `rest` the end token ends: as after an answer of text, else the last special token, if nothing follows."""
        shape = _shape(messages, index)
        try:
            text = [*messages[:index], {"role": "assistant", "content": "x"}]
            frame = self._frames.get(shape) or self._learn(text, index, shape)
        except DataError:
            frame = None
        if frame is not None and frame.end is not None and rest.endswith(frame.after):
            return len(rest) - len(frame.after) + frame.end, frame.end_token
        last = next(reversed(list(self._special.finditer(rest))), None)
        if last is None or rest[last.end() :].strip():
            raise DataError(
                say(
                    f"the chat template of {self.template.name} writes no end token after message {index + 1}; change the row, "
                    "or choose another tokenizer.chat_template",
                    f"{self.template.name}의 대화 템플릿이 메시지 {index + 1} 뒤에 끝 토큰을 쓰지 않습니다. 행을 바꾸거나 다른 "
                    "tokenizer.chat_template을 고르세요",
                )
            )
        return last.end(), last[0]

    def _close(self, index: int, full: str, prompt: int, span: tuple[int, int], frame: Frame) -> Turn:
        answer, answer_end = span
        if frame.end is not None:
            return Turn(index, full[: answer_end + frame.end], prompt, answer, answer_end, True, frame.end_token)
        if self.eos_token is None:
            raise Refusal(
                say(
                    f"the chat template of {self.template.name} writes no end token after an answer, and the tokenizer has "
                    "no eos_token; give it one in tokenizer_config.json, or choose another tokenizer.chat_template",
                    f"{self.template.name}의 대화 템플릿은 답 뒤에 끝 토큰을 쓰지 않고 토크나이저에 eos_token도 없습니다. "
                    "tokenizer_config.json에 넣거나 다른 tokenizer.chat_template을 고르세요",
                ),
                "untrained_end_token",
            )
        return Turn(index, full[:answer_end] + self.eos_token, prompt, answer, answer_end, False, self.eos_token)

    def _learn(self, messages: Sequence[Message], index: int, shape: str) -> Frame:
        asked, full, sentinel = self._with_sentinel(messages, index)
        if not full.startswith(asked) or full.count(sentinel) != 1 or full.index(sentinel) < len(asked):
            raise Refusal(
                say(
                    f"the chat template of {self.template.name} does not write an answer once, after its prompt; "
                    "choose another tokenizer.chat_template, or other data.chat_template_kwargs",
                    f"{self.template.name}의 대화 템플릿이 프롬프트 뒤에 답을 한 번 쓰지 않습니다. "
                    "다른 tokenizer.chat_template이나 data.chat_template_kwargs를 고르세요",
                ),
                NO_PREFIX,
            )
        before, after = full[len(asked) :].split(sentinel)
        end, end_token = None, ""
        if self.eos_token and self.eos_token in after:
            end, end_token = after.index(self.eos_token) + len(self.eos_token), self.eos_token
        elif match := self._special.search(after):
            end, end_token = match.end(), match[0]
        frame = Frame(before, after, end, end_token)
        self._frames[shape] = frame
        return frame

    def _with_sentinel(
        self, messages: Sequence[Message], index: int, extra: Mapping[str, object] | None = None
    ) -> tuple[str, str, str]:
        """(prompt, full render, sentinel) of the conversation with a neutral answer."""
        written = "".join(str(m.get("content", "")) for m in messages[:index])
        start = next(c for c in range(0xE000, 0xF8F0, 3) if chr(c) not in written)
        sentinel = "".join(chr(start + i) for i in range(3))
        neutral = [*messages[:index], {**messages[index], "content": sentinel}]
        asked = self.template.render(messages[:index], add_generation_prompt=True, extra=extra)
        return asked, self.template.render(neutral, extra=extra), sentinel

    def _no_prefix(self, messages: Sequence[Message], index: int, shape: str) -> DataError:
        asked, full, _ = self._with_sentinel(messages, index)
        if full.startswith(asked):
            return self._rows_own(index)
        if shape not in self._refusals:
            self._refusals[shape] = self._refusal(messages, index)
        return self._refusals[shape]

    def _rows_own(self, index: int) -> DataError:
        return DataError(
            say(
                f"the chat template of {self.template.name} renders the answer of message {index + 1} so that it does not "
                "begin with its prompt (reasoning in the answer, or tools?); change the row, or data.chat_template_kwargs",
                f"{self.template.name}의 대화 템플릿이 메시지 {index + 1}의 답을 프롬프트로 시작하지 않게 씁니다(답 속의 추론이나 도구?). "
                "행이나 data.chat_template_kwargs를 바꾸세요",
            )
        )

    def _refusal(self, messages: Sequence[Message], index: int) -> Refusal:
        cure = self._cure(messages, index)
        if cure:
            key, value = cure
            return Refusal(
                say(
                    f"the chat template of {self.template.name} does not begin an answered turn with its prompt; "
                    f"set data.chat_template_kwargs: {{{key}: {value}}}",
                    f"{self.template.name}의 대화 템플릿은 답한 차례를 그 프롬프트로 시작하지 않습니다. "
                    f"data.chat_template_kwargs: {{{key}: {value}}}을(를) 넣으세요",
                ),
                NO_PREFIX,
            )
        return Refusal(
            say(
                f"the chat template of {self.template.name} does not begin an answered turn with its prompt, and no value of "
                "data.chat_template_kwargs that was tried (enable_thinking …) cures it; choose another tokenizer.chat_template",
                f"{self.template.name}의 대화 템플릿은 답한 차례를 그 프롬프트로 시작하지 않고, data.chat_template_kwargs"
                "(enable_thinking 등)로도 고쳐지지 않습니다. 다른 tokenizer.chat_template을 고르세요",
            ),
            NO_PREFIX,
        )

    def _cure(self, messages: Sequence[Message], index: int) -> tuple[str, str] | None:
        """The one variable of the template whose value `false` or `true` makes prompt and turn agree."""
        names = self.template.reads - PROVIDED - set(self.template.kwargs)
        found: list[tuple[int, tuple[str, str]]] = []
        for name in sorted(names, key=lambda n: (n != "enable_thinking", n)):
            for value in (False, True):
                try:
                    asked, full, sentinel = self._with_sentinel(messages, index, {name: value})
                except (DataError, TypeError):  # TypeError: a variable that is set already, such as bos_token
                    continue
                if full.startswith(asked) and sentinel in full[len(asked) :]:
                    found.append((full.index(sentinel) - len(asked), (name, str(value).lower())))
        # The less text the template puts before the answer, the better the prompt.
        return min(found, key=lambda f: f[0])[1] if found else None


def _shape(messages: Sequence[Message], index: int) -> str:
    return "\n".join(str(m.get("role")) for m in messages[: index + 1])


def _place(full: str, prompt: int, frame: Frame, content: str) -> tuple[int, int] | None:
    """The answer between `before` and `after`, where it is the content but for blanks at its ends."""
    start, end = prompt + len(frame.before), len(full) - len(frame.after)
    if start > end or not full.startswith(frame.before, prompt) or not full.endswith(frame.after):
        return None
    if full[start:end].strip() != content.strip():
        return None
    return start, end


def _align(full: str, prompt: int, frame: Frame, content: str) -> tuple[int, int] | None:
    """The answer as the end of what stands before `after`, compared from the end without white space.

    For templates that take the reasoning out of the content and write it with blanks of their own. What the prompt
    already says of the answer (`<think>`) stays the prompt's.
    """
    end = len(full) - len(frame.after)
    if not full.endswith(frame.after) or end <= prompt:
        return None
    position = end
    for character in reversed(content):
        if character.isspace():
            continue
        position -= 1
        while position >= 0 and full[position].isspace():
            position -= 1
        if position < 0 or full[position] != character:
            return None
    start = max(position, prompt)
    return (start, end) if start < end else None
