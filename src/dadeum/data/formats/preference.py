"""Two answers to one prompt, the better and the worse: `prompt`, `chosen`, `rejected`.

Prompt and answers may be texts or lists of messages; a list that begins with a question is the whole conversation. The
prompt may stand in any column that questions stand in.
"""

from collections.abc import Collection, Mapping
from typing import Any

from dadeum.core.language import say
from dadeum.data.cells import FaultyRow, first_text
from dadeum.data.formats import COMPARED, Conversation, Message, alpaca
from dadeum.data.formats._turns import (
    BESIDE,
    RATINGS,
    answer,
    conversation,
    history,
    in_messages,
    question,
    turns,
)

COLUMNS = "prompt (or question, instruction, messages …), chosen, rejected"
PAIRS = (("chosen", "rejected"), ("chosen_messages", "rejected_messages"), ("chosen_response", "rejected_response"))
LISTS = ("messages", "conversations", "conversation")
# Beside a conversation that ends with the better answer, as ms-swift writes it.
WORSE = ("rejected_response", "rejected_messages")
PROMPTS = ("prompt", "question", "query", "질문")
READS = (*(name for pair in PAIRS for name in pair), *LISTS, *PROMPTS, "instruction", *alpaca.INPUTS, *BESIDE)
RANK = COMPARED


def matches(columns: frozenset[str]) -> bool:
    """Exactly one of the pairs, or a conversation and a worse answer."""
    whole = sum(pair[0] in columns and pair[1] in columns for pair in PAIRS)
    return whole == 1 or (not whole and _conversation(columns) is not None)


def _conversation(columns: Collection[str]) -> tuple[str, str] | None:
    """The columns of a conversation and of the one answer that is worse than its last."""
    lists, worse = ([name for name in names if name in columns] for names in (LISTS, WORSE))
    chosen = any(pair[0] in columns for pair in PAIRS)
    return (lists[0], worse[0]) if lists and len(worse) == 1 and not chosen else None


def convert(values: Mapping[str, Any]) -> Conversation:
    """The conversation that ends with the better answer, and the one that ends with the worse."""
    names, whole = _both(values)
    for name, messages in zip(names, whole, strict=True):
        if messages[-1]["role"] != "assistant":
            raise FaultyRow(
                "no answer",
                say(f"column '{name}' does not end with an answer", f"'{name}' 열이 답으로 끝나지 않습니다"),
            )
    if whole[0][:-1] != whole[1][:-1]:
        raise FaultyRow(
            "no pair",
            say(
                f"columns '{names[0]}' and '{names[1]}' are not answers to the same prompt: they differ before the last message",
                f"'{names[0]}' 열과 '{names[1]}' 열이 같은 질문의 답이 아닙니다. 마지막 메시지 앞이 서로 다릅니다",
            ),
        )
    plain = {name: value for name, value in values.items() if name not in RATINGS}
    chosen = conversation(plain, whole[0])
    return chosen._replace(rejected=conversation(plain, whole[1]).messages)


def _both(values: Mapping[str, Any]) -> tuple[tuple[str, str], list[list[Message]]]:
    """Two columns, and of each the whole conversation."""
    beside = _conversation(values)
    if beside is not None:
        better, worse = turns(values[beside[0]], beside[0]), answer(values[beside[1]], beside[1])
        return beside, [better, worse if _whole(worse) else [*better[:-1], *worse]]
    names = next((pair for pair in PAIRS if pair[0] in values or pair[1] in values), PAIRS[0])
    better, worse = (answer(values.get(name), name) for name in names)
    prompt: list[Message] = []
    if not (_whole(better) and _whole(worse)):
        prompt = _prompt(values)
    return names, [said if _whole(said) else [*prompt, *said] for said in (better, worse)]


def _whole(said: list[Message]) -> bool:
    return bool(said[0]["role"] != "assistant")


def _prompt(values: Mapping[str, Any]) -> list[Message]:
    """What both answers follow."""
    column = next((name for name in LISTS if name in values), None)
    if column is not None:
        return turns(values[column], column)
    name = next((name for name in PROMPTS if name in values), None)
    if name is not None and in_messages(values[name]):
        return turns(values[name], name)
    text = first_text(values, (name,)) if name is not None else alpaca.asked(values)
    return [*history(values), question(text, name or "instruction")]
