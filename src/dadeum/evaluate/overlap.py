"""ROUGE (Lin 2004) by any units. A rule that drops Hangul would score 0 for a text with itself: the signature names the units.

What is counted equals the package rouge-score on English text, for ROUGE-1, 2, L and Lsum; tests hold it to that.
"""

import functools
import importlib.metadata
import threading
import unicodedata
from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any

from dadeum.evaluate.metrics import Scored, Value, text_rows

Units = tuple[str, ...]
KEYS = ("rouge1", "rouge2", "rougeL", "rougeLsum")
PUNCTUATION = frozenset(("SF", "SP", "SS", "SSO", "SSC", "SE", "SO", "SB"))
# Nouns, numerals, verbs, adjectives, roots, adverbs; foreign words, Chinese characters, numbers, addresses. What Kiwi adds
# behind a tag (VV-I, VA-R) says how the word is inflected.
CONTENT = ("NNG", "NNP", "NR", "VV", "VA", "XR", "MAG", "SL", "SH", "SN", "W_")
_loading = threading.Lock()


def plain(text: str) -> str:
    """NFC, lower case, blanks at the ends removed."""
    return unicodedata.normalize("NFC", text).lower().strip()


@functools.cache
def _kiwi() -> Any:
    from kiwipiepy import Kiwi

    return Kiwi(num_workers=1)


@functools.lru_cache(maxsize=65536)
def tagged(text: str) -> tuple[tuple[str, str], ...]:
    """Korean morphemes with their tags, by Kiwi. Loads Kiwi once: seconds, 0.5 GB."""
    with _loading:
        kiwi = _kiwi()
    return tuple((token.form, token.tag) for token in kiwi.tokenize(text))


def morphemes(text: str) -> Units:
    """Korean morphemes without punctuation (unless there is nothing else)."""
    cut = tagged(text)
    words = tuple(form for form, tag in cut if tag not in PUNCTUATION)
    return words or tuple(form for form, _ in cut)


def content(text: str) -> Units:
    """The morphemes that carry what is said: no particles, endings, pronouns, nor dependent nouns."""
    return tuple(form for form, tag in tagged(text) if tag.startswith(CONTENT))


def runs(text: str | None, n: int) -> list[Units]:
    """All runs of `n` morphemes in a text, in order."""
    units = morphemes(plain(text)) if text else ()
    return [units[i : i + n] for i in range(len(units) - n + 1)]


def kiwi_version() -> str:
    """Kiwi and its model, as signatures name them."""
    return f"kiwi-{importlib.metadata.version('kiwipiepy')}-model-{importlib.metadata.version('kiwipiepy_model')}"


def characters(text: str) -> Units:
    """Every character that is no blank."""
    return tuple(c for c in text if not c.isspace())


def rouge(
    samples: Sequence[Scored],
    units: Callable[[str], Units],
    suffix: str,
    name: str,
    *,
    keys: Sequence[str] = KEYS,
    counts: Callable[[str], bool] = bool,
    whole: bool = True,
) -> dict[str, Value]:
    """F-measures of ROUGE by `units`, a row `(f, 1)` a sample; an empty prediction scores 0.

    A row whose reference does not `counts` has no value. `whole`: a text with itself has 1 even where it has no pair of units.
    """
    rows: dict[str, list[tuple[float, float] | None]] = {key: [] for key in keys}
    for pair in text_rows(samples):
        scores = None if pair is None or not counts(pair[1]) else scores_of(*pair, units, whole=whole)
        for key in keys:
            rows[key].append(None if scores is None else (scores[key], 1.0))
    made = f"units:{name}|case:lower|norm:NFC|f:1|agg:mean"
    return {
        f"{key}{suffix}": Value(tuple(rows[key]), f"{key}|{made}{'|sentences:lines' if key == 'rougeLsum' else ''}")
        for key in keys
    }


def scores_of(
    prediction: str, reference: str, units: Callable[[str], Units], *, whole: bool = True
) -> dict[str, float]:
    """ROUGE-1, 2, L and Lsum of one pair; the sentences of Lsum are lines."""
    said, true = plain(prediction), plain(reference)
    if whole and said == true != "":
        return dict.fromkeys(KEYS, 1.0)
    a, b = units(said), units(true)
    found = {f"rouge{n}": _f((x & y).total(), x.total(), y.total()) for n in (1, 2) for x, y in [_grams(a, b, n)]}
    found["rougeL"] = found["rougeLsum"] = _f(common(a, b), len(a), len(b))
    if "\n" in said or "\n" in true:
        found["rougeLsum"] = _by_sentences(_lines(said, units), _lines(true, units))
    return found


def _f(hits: int, a: int, b: int) -> float:
    return 2 * hits / (a + b) if hits else 0.0


def _grams(a: Units, b: Units, n: int) -> tuple[Counter[Units], Counter[Units]]:
    first, other = (Counter(zip(*(units[i:] for i in range(n)), strict=False)) for units in (a, b))
    return first, other


def common(a: Units, b: Units) -> int:
    """Length of the longest common subsequence, a whole row of the table in one number (Hyyrö 2004)."""
    places: dict[str, int] = {}
    for place, unit in enumerate(a):
        places[unit] = places.get(unit, 0) | 1 << place
    full = (1 << len(a)) - 1
    row = full
    for unit in b:
        hit = row & places.get(unit, 0)
        row = ((row + hit) | (row - hit)) & full
    return len(a) - row.bit_count()


def _lines(text: str, units: Callable[[str], Units]) -> list[Units]:
    return [units(line) for line in text.split("\n") if line]


def _by_sentences(said: list[Units], true: list[Units]) -> float:
    """Summary-level ROUGE-L: of each true sentence the union of its subsequences with all that were said, none counted twice."""
    left = Counter(unit for sentence in said for unit in sentence)
    owed = Counter(unit for sentence in true for unit in sentence)
    sizes = left.total(), owed.total()
    hits = 0
    for sentence in true:
        for place in sorted({place for other in said for place in _places(sentence, other)}):
            unit = sentence[place]
            if left[unit] > 0 and owed[unit] > 0:
                left[unit], owed[unit], hits = left[unit] - 1, owed[unit] - 1, hits + 1
    return _f(hits, *sizes)


def _places(true: Units, said: Units) -> list[int]:
    """Where in `true` the units of one longest common subsequence stand. Of several the one that rouge-score takes."""
    table = [[0] * (len(said) + 1)]
    for one in true:
        row, before = [0], table[-1]
        for j, other in enumerate(said):
            row.append(before[j] + 1 if one == other else max(before[j + 1], row[j]))
        table.append(row)
    i, j = len(true), len(said)
    found = []
    while i and j:
        if true[i - 1] == said[j - 1]:
            i, j = i - 1, j - 1
            found.append(i)
        elif table[i][j - 1] > table[i - 1][j]:
            j -= 1
        else:
            i -= 1
    return found
