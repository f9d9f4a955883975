"""dadeum.config.aliases: every other name leads to a setting that exists."""

import pytest

from dadeum.config.aliases import FLAGS, OLD_NAMES, SWITCHES
from dadeum.config.experiment import Experiment
from dadeum.config.problems import known_keys

RAW = {"adapter": "lora", "train": {"optim": "adamw", "objective": "sft"}, "model": {}, "data": {}}


def exists(key: str) -> bool:
    *section, name = key.split(".")
    return name in known_keys(Experiment, RAW, tuple(section))


@pytest.mark.parametrize(("old", "new"), OLD_NAMES.items())
def test_older_names(old: str, new: str) -> None:
    assert exists(new)
    assert not exists(old)
    assert len(old.split(".")) == 2


@pytest.mark.parametrize("key", FLAGS.values())
def test_flags(key: str) -> None:
    assert exists(key) or key in SWITCHES


@pytest.mark.parametrize(("old", "meaning"), SWITCHES.items())
def test_switches(old: str, meaning: tuple[str, dict[str, int]]) -> None:
    new, value = meaning
    assert exists(new) and not exists(old)
    assert set(value) <= set(known_keys(Experiment, RAW, tuple(new.split("."))))
