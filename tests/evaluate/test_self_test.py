"""Every metric does at work what its examples say; and an example that is wrong is found."""

import dataclasses
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from dadeum.core.errors import ConfigError, MissingExtra
from dadeum.evaluate.metrics import METRICS
from dadeum.evaluate.self_test import Shown, Skipped, self_test


@pytest.mark.parametrize("name", METRICS.names)
def test_every_example_holds(name: str) -> None:
    found = list(self_test([name]))
    wrong = [one for one in found if isinstance(one, Shown) and not one.ok]
    assert wrong == []
    skipped = [one.reason for one in found if isinstance(one, Skipped)]
    assert all(
        "pip install" in reason or "fetches nothing" in reason or "not in the cache" in reason for reason in skipped
    )


@pytest.mark.parametrize("name", METRICS.names)
def test_examples_cover_the_keys_the_best_and_the_worst(name: str) -> None:
    member = METRICS.member(name)
    examples = member.examples()
    assert len(examples) >= 2
    assert {key for example in examples for key in example.want} == set(member.keys)
    for english, korean in member.keys.values():
        assert english and any("가" <= letter <= "힣" for letter in korean)
    for example in examples:
        assert any("가" <= letter <= "힣" for letter in example.korean)
    for key in member.keys:
        known = {example.want[key] for example in examples if key in example.want} - {None}
        assert len(known) >= 2, f"{key}: an example that always gives the same shows nothing"


def test_an_example_that_is_wrong_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    member = METRICS.member("exact_match")
    right = member.examples()[0]
    monkeypatch.setattr(member, "examples", lambda: [dataclasses.replace(right, want={"exact_match": 0.5})])
    assert [one.ok for one in self_test(["exact_match"]) if isinstance(one, Shown)] == [False]
    monkeypatch.setattr(member, "examples", lambda: [dataclasses.replace(right, want={"exact_match": None})])
    assert [one.ok for one in self_test(["exact_match"]) if isinstance(one, Shown)] == [False]


def test_what_cannot_run_is_skipped_with_the_reason(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(settings: object) -> Iterator[None]:
        raise MissingExtra('needs X: pip install "dadeum[x]"')

    monkeypatch.setattr(METRICS.member("chrf"), "ready", missing, raising=False)
    assert list(self_test(["chrf"])) == [Skipped("chrf", 'needs X: pip install "dadeum[x]"')]


def test_nothing_is_fetched_to_be_shown(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("HF_HUB_OFFLINE", raising=False)
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path))
    (skipped,) = self_test(["bertscore"])
    assert skipped == Skipped("bertscore", "its model is not on this machine, and a self-test fetches nothing")
    assert "HF_HUB_OFFLINE" not in os.environ
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    (skipped,) = self_test(["bertscore"])
    assert isinstance(skipped, Skipped) and "klue/roberta-base: not in the cache" in skipped.reason


def test_a_name_that_is_none_names_the_nearest() -> None:
    with pytest.raises(ConfigError, match=r"did you mean.*rouge"):
        list(self_test(["rogue"]))
