"""What is measured: one file a metric.

A metric never returns a mean alone. It returns one row of statistics a sample, and `combine` turns the sum of any rows
into the value; so a resample of the test set is scored exactly as the whole set is: `combine(rows[drawn].sum(axis=0))`.
Perplexity is exp(Σ nll ÷ Σ tokens), a mean is Σ x ÷ n, chrF is made of summed n-gram counts, F1 of counts by class.

What is no function of sums (ranks: AUROC, Spearman) has `value` instead of `combine`: of the rows themselves, and how often
each was drawn.

Each metric shows itself at work: `examples()` are worked by hand, and `dadeum eval --self-test` runs them.

To add a metric, add a file that holds what `Metric` asks for; its name is what users write in `evaluate.metrics`.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal, Protocol, TypeAlias

from dadeum.core.family import Family
from dadeum.core.settings import MemberSettings

if TYPE_CHECKING:
    import numpy as np

METRICS = Family("dadeum.evaluate.metrics")
Row = tuple[float, ...]
Sums: TypeAlias = "np.ndarray[tuple[int, ...], np.dtype[np.float64]]"


@dataclass(frozen=True)
class Scored:
    """One test row after it was answered. What was not measured is None."""

    prediction: str | None = None
    reference: str | None = None
    nll: float | None = None  # nats: the answer and its end token
    tokens: int | None = None  # how many tokens that is
    bytes: int | None = None  # UTF-8 bytes of the NFC answer; the end token adds none
    stopped: bool | None = None  # the answer ended by itself
    new_tokens: int | None = None  # tokens of the answer as it was generated, with the one that ended it
    question: str | None = None  # what the user said last
    references: tuple[str, ...] = ()  # all right answers, where the row has several; `reference` is one of them


@dataclass(frozen=True)
class Judged:
    """One test row after a head spoke of it.

    `kind`: class, classes, numbers, words, choice or pair. `truth`: a class's number, a 0 or 1 for each class, numbers, the
    class of each labelled token, the right answer's number, nothing of a pair. `said` (float64): of a class, of classes and
    of a choice the probability of each; numbers; (tokens, classes) of words; the scores of the better and the worse answer.
    """

    kind: str
    names: tuple[str, ...]
    truth: "np.ndarray[tuple[int, ...], np.dtype[np.float64]]"
    said: "np.ndarray[tuple[int, ...], np.dtype[np.float64]]"


@dataclass(frozen=True)
class Value:
    """Statistics of one metric: a row a sample (None where the sample lacks what the metric needs), and how they were made."""

    rows: tuple[Row | None, ...]
    signature: str
    note: str = ""  # what a reader must know beside the value, as a sentence

    @property
    def n(self) -> int:
        """Samples that count."""
        return sum(row is not None for row in self.rows)


@dataclass(frozen=True)
class Example:
    """A metric at work: samples whose values are known by hand. `want`: by key; None: there is nothing to measure."""

    english: str
    korean: str
    samples: Sequence[Any]
    want: Mapping[str, float | None]
    tolerance: float = 1e-6
    settings: Mapping[str, Any] = field(default_factory=dict)


class Metric(Protocol):
    """What a metric's file holds; and one of

        combine(sums)        sums of rows, shape (..., statistics), to values, shape (...)
        value(rows, times)   rows (n, statistics), each there `times` (draws, n), to values (draws,); not finite: there is none

    A metric of labels also has `of`, the kinds of labels that it measures, and `alone`, whether one row has a value of its
    own; its samples are `Judged`, all of one kind.

    A metric that needs something which may not be there also has `ready(settings)`: it raises a DadeumError where the metric
    cannot run. Asked before anything is trained or generated, it reads no weights.

    What a score depends on besides its settings makes it stale: `PACKAGES`, whose versions decide it, and `files(settings)`,
    files or folders of models that it reads. Both may be left out.
    """

    needs: Literal[
        "answer", "loss", "labels"
    ]  # a generated answer, the likelihood of the reference, or what a head says
    per_token: bool  # the value depends on how a tokenizer cuts text: never ranked between unlike tokenizers
    higher_is_better: bool | None  # None: neither way is better, as of a length
    floored: bool  # whether the value of answers paired with other rows' references is shown beside it
    unit: str
    keys: Mapping[str, tuple[str, str]]  # name of each value: what it is, in one line, in English and in Korean

    def score(self, settings: MemberSettings, samples: Sequence[Any]) -> dict[str, Value]:
        """One value or several, by name, of `Scored` samples."""

    def examples(self) -> Sequence[Example]:
        """The metric at work, with values worked by hand."""


def text_rows(samples: Sequence[Scored]) -> list[tuple[str, str] | None]:
    """(prediction, reference) of each sample that has both; what is blank is no reference."""
    return [
        (s.prediction, s.reference)
        if s.prediction is not None and s.reference is not None and s.reference.strip()
        else None
        for s in samples
    ]


def arrow(higher_is_better: bool | None) -> str:
    """The way that is better, beside a metric's name."""
    return "·" if higher_is_better is None else "↑" if higher_is_better else "↓"
