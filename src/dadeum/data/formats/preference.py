"""Two answers to one prompt, the better and the worse: `prompt`, `chosen`, `rejected`.

Prompt and answers may be texts or lists of messages; a list that begins with a question is the whole conversation. The
prompt may stand in any column that questions stand in.
"""

from collections.abc import Mapping
from typing import Any

from dadeum.core.language import say
from dadeum.data.cells import FaultyRow, first_text
from dadeum.data.formats import COMPARED, Conversation, Message, alpaca
from dadeum.data.formats._turns import BESIDE, RATINGS, conversation, history, question, turns

COLUMNS = "prompt (or question, instruction, messages …), chosen, rejected"
PAIRS = (("chosen", "rejected"), ("chosen_messages", "rejected_messages"), ("chosen_response", "rejected_response"))
LISTS = ("messages", "conversations", "conversation")
PROMPTS = ("prompt", "question", "query", "질문")
READS = (*(name for pair in PAIRS for name in pair), *LISTS, *PROMPTS, "instruction", *alpaca.INPUTS, *BESIDE)
RANK = COMPARED


def matches(columns: frozenset[str]) -> bool:
    """Exactly one of the pairs."""
    return sum(pair[0] in columns and pair[1] in columns for pair in PAIRS) == 1


def convert(values: Mapping[str, Any]) -> Conversation:
    """The conversation that ends with the better answer, and the one that ends with the worse."""
    names = next((pair for pair in PAIRS if pair[0] in values or pair[1] in values), PAIRS[0])
    better, worse = (_answer(values.get(name), name) for name in names)
    prompt: list[Message] = []
    if not (_whole(better) and _whole(worse)):
        prompt = _prompt(values)
    whole = [answer if _whole(answer) else [*prompt, *answer] for answer in (better, worse)]
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


def _whole(answer: list[Message]) -> bool:
    return bool(answer[0]["role"] != "assistant")


def _messages(value: Any) -> bool:
    return isinstance(value, list | tuple | Mapping) or (isinstance(value, str) and value.lstrip().startswith("[{"))


def _answer(value: Any, column: str) -> list[Message]:
    """A text, one message or a list of them."""
    if _messages(value):
        return turns([value] if isinstance(value, Mapping) else value, column)
    text = first_text({column: value}, (column,))
    if text is None:
        raise FaultyRow(
            "no answer", say(f"column '{column}' is blank: no answer", f"'{column}' 열이 비어 답이 없습니다")
        )
    return [{"role": "assistant", "content": text}]


def _prompt(values: Mapping[str, Any]) -> list[Message]:
    """What both answers follow."""
    column = next((name for name in LISTS if name in values), None)
    if column is not None:
        return turns(values[column], column)
    name = next((name for name in PROMPTS if name in values), None)
    if name is not None and _messages(values[name]):
        return turns(values[name], name)
    text = first_text(values, (name,)) if name is not None else alpaca.asked(values)
    return [*history(values), question(text, name or "instruction")]
