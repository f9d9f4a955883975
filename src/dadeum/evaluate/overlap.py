"""ROUGE by any units: torchmetrics counts, this file cuts the text. A unit rule that drops Hangul would score 0 for a text with itself.

The units are always given (never torchmetrics' own `[^a-z0-9]` rule), and the signature names them.
"""

import functools
import importlib.metadata
import threading
import unicodedata
from collections.abc import Callable, Sequence
from typing import Any

from dadeum.evaluate.metrics import Scored, Value, text_rows

KEYS = ("rouge1", "rouge2", "rougeL")
PUNCTUATION = frozenset(("SF", "SP", "SS", "SSO", "SSC", "SE", "SO", "SB"))
_loading = threading.Lock()


def plain(text: str) -> str:
    """NFC, lower case, blanks at the ends removed."""
    return unicodedata.normalize("NFC", text).lower().strip()


@functools.cache
def _kiwi() -> Any:
    from kiwipiepy import Kiwi

    return Kiwi(num_workers=1)


@functools.lru_cache(maxsize=65536)
def morphemes(text: str) -> tuple[str, ...]:
    """Korean morphemes by Kiwi, without punctuation (unless there is nothing else). Loads Kiwi once: seconds, 0.5 GB."""
    with _loading:
        kiwi = _kiwi()
    cut = [(token.form, token.tag) for token in kiwi.tokenize(text)]
    words = tuple(form for form, tag in cut if tag not in PUNCTUATION)
    return words or tuple(form for form, _ in cut)


def characters(text: str) -> tuple[str, ...]:
    """Every character that is no blank."""
    return tuple(c for c in text if not c.isspace())


def rouge(
    samples: Sequence[Scored], units: Callable[[str], tuple[str, ...]], suffix: str, name: str
) -> dict[str, Value]:
    """F-measures of ROUGE-1/2/L (Lin 2004) by `units`, a row `(f, 1)` a sample; an empty prediction scores 0."""
    rows: dict[str, list[tuple[float, float] | None]] = {key: [] for key in KEYS}
    for pair in text_rows(samples):
        scores = None if pair is None else _scores(*pair, units)
        for position, key in enumerate(KEYS):
            rows[key].append(None if scores is None else (scores[position], 1.0))
    version = importlib.metadata.version("torchmetrics")
    made = f"units:{name}|case:lower|norm:NFC|f:1|agg:mean|torchmetrics:{version}"
    return {f"{key}{suffix}": Value(tuple(rows[key]), f"{key}|{made}") for key in KEYS}


def _scores(prediction: str, reference: str, units: Callable[[str], tuple[str, ...]]) -> list[float]:
    from torchmetrics.functional.text.rouge import rouge_score

    if plain(prediction) == plain(reference) != "":
        return [1.0] * len(KEYS)  # also one unit alone, which has no pair for ROUGE-2
    found = rouge_score(prediction, reference, normalizer=plain, tokenizer=units, rouge_keys=KEYS)
    return [float(found[f"{key}_fmeasure"]) for key in KEYS]
