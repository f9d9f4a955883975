"""Words with a label each: `tokens` and `ner_tags`, as CoNLL-2003, KLUE-NER and most sets for tagging have them.

KLUE-NER's tokens are letters: where a `sentence` is these without blanks between, it is the text, else words are joined by
blanks.
"""

from collections.abc import Mapping
from typing import Any

from dadeum.core.language import say
from dadeum.data.cells import FaultyRow, first_text, list_of, text_of
from dadeum.data.formats import WANTED, Conversation
from dadeum.data.labels import joined, worded

COLUMNS = "tokens (or words), ner_tags (or tags, pos_tags, labels …): a list each"
WORDS = ("tokens", "words", "token", "word")
TAGS = ("ner_tags", "tags", "pos_tags", "chunk_tags", "labels", "ner", "label")
TEXTS = ("sentence", "text")
READS = (*WORDS, *TAGS, *TEXTS, "category")
RANK = WANTED
GIVES = "words"


def matches(columns: frozenset[str]) -> bool:
    """Words, and at least one column of labels."""
    return not columns.isdisjoint(WORDS) and not columns.isdisjoint(TAGS)


def convert(values: Mapping[str, Any]) -> Conversation:
    """The text with its words, and the labels of these by column."""
    column = next((name for name in WORDS if name in values), WORDS[0])
    words = tuple(
        text if isinstance(text, str) else text_of(text, column) or "" for text in list_of(values.get(column), column)
    )
    if not any(word.strip() for word in words):
        raise FaultyRow("no text", say(f"column '{column}' is blank", f"'{column}' 열이 비어 있습니다"))
    labels: dict[str, Any] = {}
    for name in TAGS:
        found = list_of(values.get(name), name) if name in values else []
        if found:
            labels[name] = worded(name, found, words)
    if not labels:
        name = next((name for name in TAGS if name in values), TAGS[0])
        raise FaultyRow("no label", say(f"no label: column '{name}' is blank", f"'{name}' 열이 비어 라벨이 없습니다"))
    if any("\n" in word and not word.strip() for word in words) or "" in words:
        raise FaultyRow("no text", say(f"column '{column}' holds an empty word", f"'{column}' 열에 빈 단어가 있습니다"))
    text = joined(words, first_text(values, TEXTS))
    return Conversation(text=text, words=words, labels=labels, category=first_text(values, ("category",)))
