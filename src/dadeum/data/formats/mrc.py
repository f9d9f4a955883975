"""Reading comprehension: `question`, its `context`, and `answers` as SQuAD, KorQuAD and KLUE-MRC hold them."""

from collections.abc import Mapping
from typing import Any

from dadeum.core.language import say
from dadeum.data.cells import FaultyRow, first_text, list_of, text_of
from dadeum.data.formats import TALK, Conversation
from dadeum.data.formats._turns import BESIDE, ask

COLUMNS = "context, question, answers"
READS = ("context", "question", "answers", "is_impossible", *BESIDE)
RANK = TALK


def matches(columns: frozenset[str]) -> bool:
    """`question` and `answers`; a column `answer` beside them says it already."""
    return {"question", "answers"} <= columns and "answer" not in columns


def convert(values: Mapping[str, Any]) -> Conversation:
    """The context and the question, answered by the first answer; where others are right too, all of them stand beside it."""
    if values.get("is_impossible") in (True, "true", "True"):
        raise FaultyRow(
            "no answer", say("the context does not answer the question", "지문에 답이 없는 질문입니다(is_impossible)")
        )
    question, context = first_text(values, ("question",)), first_text(values, ("context",))
    if question and context:
        question = f"{context}\n\n{question}"
    answers = _texts(values.get("answers"))
    made = ask(values, question, answers[0] if answers else None, ("question", "answers"))
    right = tuple(dict.fromkeys(text for text in answers if text is not None))
    return made._replace(answers=right) if len(right) > 1 else made


def _texts(answers: Any) -> list[str | None]:
    """The answers: of `[{text, answer_start}]`, of the Hub's `{text: [], answer_start: []}`, or of texts."""
    listed = answers.get("text") if isinstance(answers, Mapping) else answers
    found = listed if isinstance(listed, list | tuple) else list_of(listed, "answers")
    return [text_of(one.get("text") if isinstance(one, Mapping) else one, "answers") for one in found]
