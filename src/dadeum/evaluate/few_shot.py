"""Examples before the question: how much of a fine-tuned model's gain is only that it knows the form of an answer."""

import random
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from dadeum.data.conversations import read_conversations
from dadeum.evaluate.rows import AskedRow
from dadeum.generate.engine import Engine, Messages

Example = tuple[dict[str, Any], ...]


@dataclass(frozen=True)
class FewShot:
    """Conversations of the training part that are shown as earlier turns, the same before each question."""

    examples: tuple[Example, ...]
    _found: dict[tuple[str, int], int] = field(default_factory=dict, compare=False, repr=False)

    def before(self, engine: Engine, row: AskedRow, max_new_tokens: int) -> Messages:
        """The row's messages with as many examples before them as the context leaves room for."""
        return _join(row.messages, self.examples[: self.count(engine, row, max_new_tokens)])

    def count(self, engine: Engine, row: AskedRow, max_new_tokens: int) -> int:
        """How many examples fit before this row: prompt with answer, or with its reference, within the context."""
        key = (row.asked, max_new_tokens)
        if key not in self._found:
            self._found[key] = next(
                k for k in range(len(self.examples), -1, -1) if k == 0 or self._fits(engine, row, k, max_new_tokens)
            )
        return self._found[key]

    def _fits(self, engine: Engine, row: AskedRow, count: int, max_new_tokens: int) -> bool:
        if engine.context is None:
            return True
        messages = _join(row.messages, self.examples[:count])
        size = len(engine.prompt_ids(messages))
        if size + max_new_tokens > engine.context:
            return False
        # A generous bound for the reference: its tokens alone, and an end of turn.
        reference = engine.tokenizer(row.reference or "", add_special_tokens=False)["input_ids"]
        return size + len(reference) + 8 <= engine.context

    def used(self, engine: Engine, rows: Sequence[AskedRow], max_new_tokens: int) -> dict[str, Any]:
        """`{"asked": 3, "rows": {"3": 90, "2": 10}}`: how many rows were shown how many examples."""
        counts = Counter(self.count(engine, row, max_new_tokens) for row in rows if row.text is None)
        return {"asked": len(self.examples), "rows": {str(k): n for k, n in sorted(counts.items(), reverse=True)}}


def _join(messages: Sequence[dict[str, Any]], examples: Sequence[Example]) -> list[dict[str, Any]]:
    system = [m for m in messages[:1] if m["role"] == "system"]
    return [*system, *(m for example in examples for m in example), *messages[len(system) :]]


def draw_examples(conversations: Path, count: int, seed: int) -> FewShot | None:
    """`count` conversations of the training part of `processed_conversations.json`; None where there are none."""
    at = [i for i, row in enumerate(read_conversations(conversations)) if _is_example(row)]
    if not at or not count:
        return None
    drawn = random.Random(seed).sample(at, min(count, len(at)))
    shown: dict[int, Example] = {
        i: tuple(dict(m) for m in row["messages"] if m["role"] != "system")
        for i, row in enumerate(read_conversations(conversations))
        if i in drawn
    }
    return FewShot(tuple(shown[i] for i in drawn))


def _is_example(row: Mapping[str, Any]) -> bool:
    """Of answers that are rated, those that are good."""
    messages = list(row.get("messages") or ())
    good = row.get("wanted") is not False
    return good and row.get("part") == "train" and bool(messages) and messages[-1]["role"] == "assistant"
