"""dadeum.run.selection: filters and order of a list of runs."""

from pathlib import Path

import pytest

from dadeum.core.errors import ConfigError
from dadeum.run.ledger import Entry
from dadeum.run.selection import chosen, ordered
from dadeum.run.store import Run


def entry(name: str, status: str = "finished", **scores: float) -> Entry:
    run = Run("law", name, Path(), Path())
    loss = {"a": 2.0, "b": 10.0, "c": None}[name]
    return Entry(
        run, status, "", {"loss": loss, "when": f"2026-01-0{ord(name) - 96}"}, scores, {"train": {"seed": ord(name)}}
    )


RUNS = [entry("a", rougeL=0.5), entry("b", "failed"), entry("c", rougeL=0.25)]


@pytest.mark.parametrize(
    ("filters", "names"),
    [
        ([], "abc"),
        (["experiment=law"], "abc"),
        (["experiment=l*"], "abc"),
        (["experiment=civil"], ""),
        (["status=failed"], "b"),
        (["status!=failed"], "ac"),
        (["rougeL>0.3"], "a"),
        (["rougeL >= 0.25"], "ac"),
        (["rougeL<0.5"], "c"),
        (["loss<=2"], "a"),
        (["loss>9"], "b"),
        (["loss=null"], "c"),
        (["train.seed=98"], "b"),
        (["when>2026-01-01"], "bc"),
        (["status!=failed", "rougeL<0.3"], "c"),
    ],
)
def test_filters(filters: list[str], names: str) -> None:
    assert "".join(e.run.name for e in chosen(RUNS, filters)) == names


def test_what_is_no_filter() -> None:
    with pytest.raises(ConfigError, match="found 'rougeL', expected KEY=VALUE"):
        chosen(RUNS, ["rougeL"])
    with pytest.raises(ConfigError, match=r"found 'rogueL'.*did you mean 'rougeL'"):
        chosen(RUNS, ["rogueL>1"])
    assert chosen([], ["anything=1"]) == []


@pytest.mark.parametrize(
    ("key", "reverse", "names"),
    [
        (None, False, "abc"),
        (None, True, "cba"),
        ("loss", False, "abc"),  # as numbers, and without it last
        ("loss", True, "bac"),
        ("rougeL", False, "cab"),
        ("status", False, "bac"),
    ],
)
def test_order(key: str | None, reverse: bool, names: str) -> None:
    assert "".join(e.run.name for e in ordered(RUNS, key, reverse=reverse)) == names


def test_an_unknown_key_is_told() -> None:
    with pytest.raises(ConfigError, match=r"--sort: found 'los'.*did you mean 'loss'"):
        ordered(RUNS, "los")
