"""BLEU from summed counts is sacrebleu's corpus score; its words are chosen by script and named."""

import random

import numpy as np
import pytest
from sacrebleu.metrics import BLEU

from dadeum.core.errors import MissingExtra
from dadeum.evaluate.metrics import Scored, bleu
from dadeum.evaluate.overlap import tagged

PREDICTIONS = [
    "네",
    "오늘은 날씨가 참 좋네요 그렇지요",
    "",
    "the quick brown fox jumps",
    "민법 제750조의 불법행위입니다",
    "아니요",
]
REFERENCES = [
    "네",
    "오늘 날씨가 참 좋습니다",
    "무언가",
    "The quick brown fox jumped!",
    "민법 제 750 조의 불법행위",
    "계약은 무효입니다",
]


def rows(tokenize: str) -> np.ndarray:
    samples = [Scored(p, r) for p, r in zip(PREDICTIONS, REFERENCES, strict=True)]
    return np.array(bleu.score(bleu.Settings(tokenize=tokenize), samples)["bleu"].rows)


def direct(places: list[int], tokenize: str) -> float:
    def cut(text: str) -> str:
        return " ".join(form for form, _ in tagged(text)) if tokenize == "kiwi" else text

    metric = BLEU(tokenize="none" if tokenize == "kiwi" else tokenize, force=True)
    said, true = [cut(PREDICTIONS[i]) for i in places], [cut(REFERENCES[i]) for i in places]
    return float(metric.corpus_score(said, [true]).score)


@pytest.mark.parametrize("tokenize", ["kiwi", "13a", "char", "intl", "zh", "none"])
def test_the_whole_set_each_row_and_any_resample(tokenize: str) -> None:
    draw, table = random.Random(0), rows(tokenize)
    every = [[i] for i in range(6)] + [list(range(6))] + [[draw.randrange(6) for _ in range(8)] for _ in range(30)]
    found = [float(bleu.combine(table[places].sum(axis=0))) for places in every]
    assert found == pytest.approx([direct(places, tokenize) for places in every], rel=1e-12, abs=1e-12)
    assert bleu.combine(table) == pytest.approx([direct([i], tokenize) for i in range(6)], rel=1e-12, abs=1e-12)
    assert max(found) > 0


@pytest.mark.parametrize(
    ("references", "name"),
    [
        (["계약은 무효입니다"], "kiwi"),
        (["API server의 timeout 값을 늘리세요"], "kiwi"),
        (["The contract is void."], "13a"),
        (["Договор недействителен"], "13a"),
        (["合同无效。"], "zh"),
        (["契約は無効です"], "char"),
        (["สัญญาเป็นโมฆะ"], "char"),
        (["123"], "13a"),
    ],
)
def test_words_are_chosen_by_the_script_of_the_references(references: list[str], name: str) -> None:
    assert bleu.chosen(references) == name


def test_the_signature_says_what_cut_the_words() -> None:
    def signature(tokenize: str, text: str) -> str:
        return bleu.score(bleu.Settings(tokenize=tokenize), [Scored(text, text)])["bleu"].signature

    assert "tok:kiwi-" in signature("auto", "계약") and "13a" not in signature("auto", "계약")
    assert "tok:13a" in signature("auto", "contract") and "tok:13a" in signature("13a", "계약")
    assert signature("13a", "a").startswith("nrefs:1|case:mixed|eff:no|tok:13a|smooth:exp|version:")


def test_a_tokenizer_that_is_not_installed_is_refused_with_the_command(monkeypatch: pytest.MonkeyPatch) -> None:
    import importlib.util

    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(MissingExtra, match=r'bleu with tokenize .ko-mecab.*pip install "sacrebleu\[ko\]"'):
        bleu.ready(bleu.Settings(tokenize="ko-mecab"))
    bleu.ready(bleu.Settings())
