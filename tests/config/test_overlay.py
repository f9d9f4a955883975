"""dadeum.config.overlay: one mapping over another. (Files, overrides and older names together are in test_load.py.)"""

from typing import Any

import pytest

from dadeum.config.overlay import current_name, family_at, found_at, merge, name_defaults, override, placed, rename
from dadeum.config.yaml import Document, parse_yaml
from dadeum.core.errors import ConfigError

TREE: dict[str, Any] = {"train": {"seed": 1}, "data": {"sources": [{"type": "csv"}, "text"]}, "adapter": "lora"}


@pytest.mark.parametrize(
    ("place", "value"),
    [
        ((), TREE),
        (("train", "seed"), 1),
        (("data", "sources", 1), "text"),
        (("train", "x"), None),
        (("adapter", "r"), None),
    ],
)
def test_found_at(place: tuple[str | int, ...], value: Any) -> None:
    assert found_at(TREE, place) == value


def test_placed_changes_a_copy() -> None:
    changed = placed(TREE, ("data", "sources", 1, "path"), "b", "key")
    assert changed["data"]["sources"] == [{"type": "csv"}, {"type": "text", "path": "b"}]
    assert TREE["data"]["sources"][1] == "text"
    assert placed({}, ("a", "b", "c"), 3, "key") == {"a": {"b": {"c": 3}}}
    with pytest.raises(ConfigError, match="expected a number below 2"):
        placed(TREE, ("data", "sources", 2), "x", "data.sources.2")


@pytest.mark.parametrize(
    ("place", "package"),
    [
        (("adapter",), "dadeum.model.adapters"),
        (("train", "optim"), "dadeum.train.optimizers"),
        (("data", "sources"), "dadeum.data.sources"),
        (("data", "sources", 0), "dadeum.data.sources"),
        (("train",), None),
        (("train", "seed"), None),
        (("adapter", "r"), None),
        (("x", "y"), None),
    ],
)
def test_family_at(place: tuple[str | int, ...], package: str | None) -> None:
    family = family_at(place)
    assert (family.package if family else None) == package


@pytest.mark.parametrize(
    ("key", "tree", "new"),
    [
        ("train.warmup_ratio", {}, "train.warmup_steps"),
        ("train.seed", {}, "train.seed"),
        ("adapter.alpha", {}, "adapter.lora_alpha"),
        ("adapter.alpha", {"adapter": "lora"}, "adapter.lora_alpha"),
        ("adapter.alpha", {"adapter": {"type": "full"}}, "adapter.alpha"),
        ("adapter.alpha", {"adapter": {"type": "unknown"}}, "adapter.lora_alpha"),
    ],
)
def test_current_name(key: str, tree: dict[str, Any], new: str) -> None:
    assert current_name(key, tree) == new


def test_lines_follow_what_won() -> None:
    below, above = parse_yaml("a: {x: 1, y: 2}\nb: [1, 2]\n", "below"), parse_yaml("\n\na: {x: 3}\nb: 4\n", "above")
    merge(below, above)
    assert below.value == {"a": {"x": 3, "y": 2}, "b": 4}
    assert below.lines[("a", "x")] == ("above", 3)
    assert below.lines[("a", "y")] == ("below", 1)
    assert below.lines[("b",)] == ("above", 4)
    assert ("b", 1) not in below.lines


def test_an_override_takes_the_lines_of_what_it_replaces() -> None:
    document = parse_yaml("train:\n  seed: 1\n", "f")
    override(document, "train={max_steps: 2}")
    assert document.value == {"train": {"max_steps": 2}}
    assert [k for k in document.lines if k[:1] == ("train",)] == [("train",)]
    assert document.lines[("train",)] == ("command line", 0)


def test_rename_keeps_the_line() -> None:
    document = parse_yaml("train:\n  weight_decay: 0.1\n", "f")
    rename(document)
    assert document.value == {"train": {"optim": {"weight_decay": 0.1}}}
    assert document.lines[("train", "optim", "weight_decay")] == ("f", 2)
    name_defaults(document)
    assert document.value == {"train": {"optim": {"type": "adamw", "weight_decay": 0.1}}}


def test_a_switch_becomes_what_it_stands_for() -> None:
    document = parse_yaml("model:\n  load_in_8bit: true\n  load_in_4bit: false\n", "f")
    rename(document)
    assert document.value == {"model": {"quantization": {"bits": 8}}} and document.problems == []
    assert document.lines[("model", "quantization")] == ("f", 2)
    override(document, "model.load_in_4bit=false")
    assert document.value == {"model": {"quantization": {"bits": 8}}}


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("load_in_8bit: 3", "load_in_8bit: found 3, expected true or false"),
        (
            "load_in_8bit: true\n  load_in_4bit: true",
            "load_in_4bit: another name of 'model.quantization', which is set",
        ),
        ("load_in_4bit: true\n  quantization: {bits: 4}", "load_in_4bit: another name of 'model.quantization'"),
    ],
)
def test_a_switch_that_is_none_or_comes_twice(line: str, told: str) -> None:
    document = parse_yaml(f"model:\n  {line}\n", "f")
    rename(document)
    (problem,) = document.problems
    assert told in str(problem)


def test_defaults_are_named_only_where_they_have_the_settings() -> None:
    document = Document(value={"adapter": {"r": 4}, "train": {"optim": {}}})
    name_defaults(document)
    assert document.value == {"adapter": {"r": 4}, "train": {"optim": {}}}
