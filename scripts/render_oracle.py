"""Random conversations, and an oracle of what is trained of them that knows nothing of how dadeum finds a turn.

The oracle renders the same messages by transformers' `apply_chat_template`, once as they are and once with a word in
place of the answer, and compares texts.
"""

import random
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from unittest.mock import patch

from dadeum.data.render import DEFAULT_TODAY, Sample

Row = list[dict[str, Any]]
PARTS = [
    *("가", "힣", "뷁", "안녕하세요", "법률 상담", "ㅋㅋ", "ㅏ", "\u1112\u1161\u11ab", "각", "\u1100", "\u11a8"),
    *("😀", "👩‍👩‍👧", "🇰🇷", "e\u0301", "é", "漢字", "\U0001f468🏽", "\u200b", "\ufeff", "\u00a0"),
    *(
        "<|im_",
        "end|>",
        "assistant",
        "user",
        "{{ x }}",
        "{% if %}",
        "### 답변:",
        "a",
        "b1",
        "The ",
        "x**2",
        "```",
        "\\n",
    ),
    *("<b>", "&amp;", '"', "'", "[/INST]", "</s>", "<|endoftext|>", "<unk>"),
    *(" ", "  ", "\n", "\n\n", "\t", "　", "\r\n"),
]
WORD, OTHER = "Qz7", "Vk4"  # stand for an answer, and for each text of a neutral conversation; no template writes them


def some_text(rng: random.Random, control: Sequence[str], *, blank: bool = False) -> str:
    """A few parts and control tokens in a row; with `blank` it may be blank."""
    while True:
        parts = [rng.choice(control if rng.random() < 0.15 else PARTS) for _ in range(rng.randint(1, 9))]
        text = "".join(parts)
        if blank or text.strip():
            return text


@dataclass(frozen=True)
class Talk:
    """A conversation of these texts, in this order: system, then turns; with `tools` a call and its result come first."""

    texts: tuple[str, ...]
    system: bool
    tools: bool

    @classmethod
    def drawn(cls, rng: random.Random, control: Sequence[str]) -> "Talk":
        """Four of ten have a system message, one of five a call of a tool."""
        system, tools = rng.random() < 0.4, rng.random() < 0.2
        turns = 2 * rng.randint(1, 3)
        texts = [some_text(rng, control)] * system
        texts += [some_text(rng, control) for _ in range(2 * tools)]  # the call's argument and its result
        for at in range(turns):
            texts.append(some_text(rng, control, blank=at % 2 == 0 and rng.random() < 0.1))
        return cls(tuple(texts), system, tools)

    def neutral(self) -> "Talk":
        """The same with words that no template writes."""
        return Talk(tuple(f"{OTHER}{i}x" for i in range(len(self.texts))), self.system, self.tools)

    def row(self) -> Row:
        """As messages; the first carries the tools."""
        texts = list(self.texts)
        row: Row = [{"role": "system", "content": texts.pop(0)}] if self.system else []
        between: Row = []
        if self.tools:
            argument, result = texts.pop(0), texts.pop(0)
            call = {"type": "function", "id": "abcdefghi", "function": {"name": "look", "arguments": {"at": argument}}}
            between = [
                {"role": "assistant", "content": "", "tool_calls": [call]},
                {"role": "tool", "content": result, "tool_call_id": "abcdefghi", "name": "look"},
            ]
        talk = [{"role": ("user", "assistant")[i % 2], "content": text} for i, text in enumerate(texts)]
        row += [talk[0], *between, *talk[1:]]
        if self.tools:
            row[0] = {**row[0], "tools": [TOOL]}
        return row


PARAMETERS = {"type": "object", "properties": {"at": {"type": "string", "description": "d"}}, "required": ["at"]}
TOOL = {"type": "function", "function": {"name": "look", "description": "d", "parameters": PARAMETERS}}


class Frozen(datetime):
    """The day that dadeum's templates believe in."""

    @classmethod
    def now(cls, tz: Any = None) -> "Frozen":
        """That day."""
        return cls.fromisoformat(DEFAULT_TODAY)


class Oracle:
    """What transformers renders, cut by comparing renders."""

    def __init__(self, tokenizer: Any, kwargs: dict[str, Any]) -> None:
        self.tokenizer, self.kwargs = tokenizer, kwargs
        self.names = sorted((t.content for t in tokenizer.added_tokens_decoder.values()), key=len, reverse=True)
        self.special = re.compile("|".join(map(re.escape, self.names)))
        self.frames: dict[Any, list[list[str]]] = {}

    def hidden(self, talk: Talk) -> Talk:
        """With words in place of the control tokens that are said."""
        texts = [self.special.sub(lambda m: f"Yw{self.names.index(m[0])}w", text) for text in talk.texts]
        return Talk(tuple(texts), talk.system, talk.tools)

    def shown(self, text: str) -> str:
        """These words as the control tokens that they stand for."""
        return re.sub(r"Yw(\d+)w", lambda m: self.names[int(m[1])], text)

    def written(self, row: Row, *, ask: bool = False) -> str:
        """The text of transformers."""
        messages = [{k: v for k, v in m.items() if k != "tools"} for m in row]
        tools = row[0].get("tools") if row else None
        keys = {**self.kwargs, "tools": tools} if tools else self.kwargs
        with patch("transformers.utils.chat_template_utils.datetime", Frozen):
            text: str = self.tokenizer.apply_chat_template(messages, tokenize=False, add_generation_prompt=ask, **keys)
        return text

    def turn(self, row: Row, at: int) -> tuple[str, str]:
        """Of an answer: the text up to and with its end token, and what of that is the answer and its end."""
        prompt, full = self.written(row[:at], ask=True), self.written(row[: at + 1])
        assert full.startswith(prompt), "the render does not begin with its prompt"
        if row[at].get("tool_calls"):
            rest = full[len(prompt) :]
            after = self.written([*row[:at], {"role": "assistant", "content": WORD}]).partition(WORD)[2]
            end = self._end(after)
            if end is None or not rest.endswith(after):
                last = list(self.special.finditer(rest))[-1]
                end, after = last.end(), rest[last.start() :]
                assert not rest[end:].strip(), "something follows the end of a call"
                return full[: len(prompt) + end], rest[:end]
            stop = len(rest) - len(after) + end
            return full[: len(prompt) + stop], rest[:stop]
        before, found, after = self.written([*row[:at], {**row[at], "content": WORD}]).partition(WORD)
        assert found and WORD not in after, "an answer is written once"
        assert full.startswith(before) and full.endswith(after), "the frame of an answer depends on the answer"
        answer = full[len(before) : len(full) - len(after)]
        assert answer.strip() == row[at]["content"].strip(), "the answer is written as it is, but for blanks around it"
        end = self._end(after)
        tail = self.tokenizer.eos_token if end is None else after[:end]
        return before + answer + tail, answer + tail

    def _end(self, after: str) -> int | None:
        """Where the end token ends in what follows an answer: the tokenizer's eos, or the first special one."""
        eos = self.tokenizer.eos_token
        if eos in after:
            return after.index(eos) + len(eos)
        found = self.special.search(after)
        return found.end() if found else None

    def control(self, talk: Talk) -> list[list[str]]:
        """The special tokens of each turn's text when nothing but words is said."""
        shape = (talk.system, talk.tools, len(talk.texts))
        if shape not in self.frames:
            row = talk.neutral().row()
            texts = [self.turn(row, at)[0] for at in answers(row)]
            self.frames[shape] = [self.special.findall(text) for text in texts]
        return self.frames[shape]


def answers(row: Row) -> list[int]:
    """Which messages are the assistant's."""
    return [i for i, m in enumerate(row) if m["role"] == "assistant"]


def compare(oracle: Oracle, talk: Talk, samples: Sequence[Sample]) -> bool:
    """Hold the samples of a conversation against the oracle. Raises AssertionError.

    True where that holds for the text with its control tokens as words only: a template that looks for them in what is
    said would cut there, and dadeum lets it see none.
    """
    control = oracle.control(talk)
    try:
        _compare(oracle, talk, samples, control)
    except AssertionError:
        hidden = oracle.hidden(talk)
        if hidden == talk:
            raise
        _compare(oracle, hidden, samples, control)
        return True
    return False


def _compare(oracle: Oracle, talk: Talk, samples: Sequence[Sample], control: list[list[str]]) -> None:
    row = talk.row()
    want = [
        (oracle.shown(text), oracle.shown(target)) for text, target in (oracle.turn(row, at) for at in answers(row))
    ]
    got = [text for sample in samples for text in _trained(oracle.tokenizer, sample)]
    assert got == [target for _, target in want], (got, want)
    ends = list(range(len(want))) if len(samples) == len(want) else [len(want) - 1]
    assert len(samples) == len(ends), "one sample, or one for each answer"
    special = {i: t.content for i, t in oracle.tokenizer.added_tokens_decoder.items()}
    for sample, end in zip(samples, ends, strict=True):
        ids = sample.input_ids.tolist()
        assert _text(oracle.tokenizer, ids) == want[end][0], "the text of the sample is that of transformers"
        assert [special[i] for i in ids if i in special] == control[end], "control tokens come from the template alone"


def _trained(tokenizer: Any, sample: Sample) -> list[str]:
    """The text of each unbroken run of trained tokens."""
    runs: list[list[int]] = []
    before = False
    for token, weight in zip(sample.input_ids.tolist(), sample.weights.tolist(), strict=True):
        if weight and not before:
            runs.append([])
        if weight:
            runs[-1].append(token)
        before = bool(weight)
    return [_text(tokenizer, run) for run in runs]


def _text(tokenizer: Any, ids: Sequence[int]) -> str:
    text: str = tokenizer.backend_tokenizer.decode(list(ids), skip_special_tokens=False)
    return text
