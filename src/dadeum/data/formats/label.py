"""Texts with labels: one text or two sentences, and classes or scores in one column or in several.

NSMC's `id document label`, hate speech with its three columns, KLUE-NLI, KLUE-STS whose `labels` hold a score and more.
"""

from collections.abc import Mapping
from typing import Any

from dadeum.core.language import say
from dadeum.data.cells import FaultyRow, first_text, text_of
from dadeum.data.formats import LABELLED, Conversation

COLUMNS = (
    "text (or document, sentence, comments …; sentence1/sentence2, premise/hypothesis …), label (or labels, score …)"
)
TEXTS = ("text", "document", "sentence", "comment", "comments", "review", "content", "문장")
PAIRS = (
    ("sentence1", "sentence2"),
    ("premise", "hypothesis"),
    ("question1", "question2"),
    ("text1", "text2"),
    ("text_a", "text_b"),
)
LABELS = ("label", "labels", "gold_label", "score", "is_duplicate", "hate", "bias", "contain_gender_bias", "라벨")
READS = (*TEXTS, *(name for pair in PAIRS for name in pair), *LABELS, "category")
RANK = LABELLED
GIVES = "labels"


def _texts(columns: Any) -> list[tuple[str, ...]]:
    """The ways in which these columns hold a text or a pair; a pair leaves single texts aside."""
    pairs: list[tuple[str, ...]] = [pair for pair in PAIRS if pair[0] in columns and pair[1] in columns]
    return pairs or [(name,) for name in TEXTS if name in columns]


def matches(columns: frozenset[str]) -> bool:
    """One text or one pair, and at least one column of labels."""
    return len(_texts(columns)) == 1 and not columns.isdisjoint(LABELS)


def convert(values: Mapping[str, Any]) -> Conversation:
    """The text or the pair with its labels by column."""
    names = next(iter(_texts(values)), TEXTS[:1])
    texts = [first_text(values, (name,)) for name in names]
    for name, text in zip(names, texts, strict=True):
        if text is None:
            raise FaultyRow("no text", say(f"column '{name}' is blank", f"'{name}' 열이 비어 있습니다"))
    labels = {name: value for column in LABELS for name, value in _label(column, values.get(column)).items()}
    if not labels:
        found = ", ".join(column for column in LABELS if column in values) or LABELS[0]
        raise FaultyRow("no label", say(f"no label: column '{found}' is blank", f"'{found}' 열이 비어 라벨이 없습니다"))
    return Conversation(
        text=texts[0],
        second=texts[1] if len(texts) > 1 else None,
        labels=labels,
        category=first_text(values, ("category",)),
    )


def _label(column: str, value: Any) -> dict[str, Any]:
    """What a cell says by name: a class or a number as it is, a list of them, or what a mapping holds by its own names."""
    if isinstance(value, Mapping):
        return {str(name): inner for name, inner in value.items() if _said(inner, column)}
    if isinstance(value, list | tuple):
        known = [inner for inner in value if _said(inner, column)]
        # An empty list says that no class holds; blanks in a list say nothing.
        return {column: known} if known or not value else {}
    return {column: value} if _said(value, column) else {}


def _said(value: Any, column: str) -> bool:
    return text_of(value, column) is not None
