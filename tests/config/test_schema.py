"""dadeum.config.schema: what an editor accepts is what dadeum accepts. A small validator stands in for the editor's."""

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from dadeum.config.load import Loaded
from dadeum.config.schema import json_schema

Read = Callable[..., Loaded]
GOOD = [
    "name: x\n",
    "name: x\nmodel: {name_or_path: a/b}\ndata: {sources: [{type: csv, path: a.csv}]}\n",
    "name: x\nextends: base.yaml\nadapter: lora\n",
    "name: x\nextends: [a.yaml, b.yaml]\nadapter: {type: lora, r: 4, target_modules: [q_proj]}\n",
    "name: x\ntrain: {learning_rate: 1, warmup_ratio: 0.1, weight_decay: 0.1, per_device_train_batch_size: auto}\n",
    "name: x\nevaluate: {metrics: [perplexity, {type: chrf}]}\nexport: []\n",
    "name: x\ndata: {sources: [{type: text, path: a}], prompt: {training_columns: {q: 질문}, messages_format: {messages: [{role: user, content: '{q}'}]}}}\n",
]
BAD = [
    "nam: x\n", "name: 1\n", "name: ''\n", "name: x\ntrian: {}\n", "name: x\ntrain: {sedd: 1}\n", "name: x\ntrain: {seed: x}\n",
    "name: x\ntrain: {seed: 1.5}\n", "name: x\ntrain: {learning_rate: -1}\n", "name: x\ntrain: {precision: bf61}\n",
    "name: x\ntrain: {per_device_train_batch_size: 0}\n", "name: x\nadapter: lorra\n", "name: x\nadapter: {type: lora, rr: 4}\n",
    "name: x\nadapter: {type: lora, r: 0}\n", "name: x\nadapter: {r: 4}\n", "name: x\ndata: {sources: []}\n",
    "name: x\ndata: {sources: [{type: csv}]}\n", "name: x\ndata: {sources: {type: csv, path: a}}\n", "name: x\nextends: 3\n",
    "name: x\ntrain: {gradient_checkpointing: 'no'}\n", "name: x\nevaluate: {metrics: [rogue]}\n",
]  # fmt: skip
KINDS: dict[str, Callable[[Any], bool]] = {
    "object": lambda v: isinstance(v, dict),
    "array": lambda v: isinstance(v, list),
    "string": lambda v: isinstance(v, str),
    "boolean": lambda v: isinstance(v, bool),
    "null": lambda v: v is None,
    "integer": lambda v: isinstance(v, int) and not isinstance(v, bool),
    "number": lambda v: isinstance(v, int | float) and not isinstance(v, bool),
}
LIMITS: dict[str, Callable[[Any, Any], bool]] = {
    "minimum": lambda v, n: not KINDS["number"](v) or v >= n,
    "maximum": lambda v, n: not KINDS["number"](v) or v <= n,
    "exclusiveMinimum": lambda v, n: not KINDS["number"](v) or v > n,
    "exclusiveMaximum": lambda v, n: not KINDS["number"](v) or v < n,
    "minLength": lambda v, n: not isinstance(v, str) or len(v) >= n,
    "maxLength": lambda v, n: not isinstance(v, str) or len(v) <= n,
    "minItems": lambda v, n: not isinstance(v, list) or len(v) >= n,
    "minProperties": lambda v, n: not isinstance(v, dict) or len(v) >= n,
    "pattern": lambda v, n: not isinstance(v, str) or re.search(n, v) is not None,
    "enum": lambda v, n: v in n,
    "const": lambda v, n: v == n,
    "required": lambda v, n: not isinstance(v, dict) or set(n) <= set(v),
    "type": lambda v, n: KINDS[n](v),
}
TOLD = {"title", "description", "default", "ko", "keys", "$schema", "$defs"}  # `keys`: what a metric makes
BELOW = {"properties", "additionalProperties", "items", "anyOf", "allOf", "$ref"}


def valid(value: Any, schema: Any, root: dict[str, Any]) -> bool:
    """JSON Schema 2020-12, as far as pydantic uses it; a keyword that is not known here fails the test."""
    if isinstance(schema, bool):
        return schema
    unknown = set(schema) - TOLD - BELOW - set(LIMITS)
    assert not unknown, unknown
    if not all(check(value, schema[name]) for name, check in LIMITS.items() if name in schema):
        return False
    if "$ref" in schema:
        target: Any = root
        for part in schema["$ref"].removeprefix("#/").split("/"):
            target = target[part]
        if not valid(value, target, root):
            return False
    if not any(valid(value, one, root) for one in schema.get("anyOf", [True])):
        return False
    if not all(valid(value, one, root) for one in schema.get("allOf", [])):
        return False
    if isinstance(value, list):
        return all(valid(item, schema.get("items", True), root) for item in value)
    if isinstance(value, dict):
        known = schema.get("properties", {})
        return all(
            valid(item, known.get(key, schema.get("additionalProperties", True)), root) for key, item in value.items()
        )
    return True


def plain(text: str) -> Any:
    return YAML(typ="safe", pure=True).load(text)


@pytest.fixture(scope="module")
def schema() -> dict[str, Any]:
    return json_schema()


@pytest.mark.parametrize("text", GOOD)
def test_good_examples(text: str, schema: dict[str, Any]) -> None:
    assert valid(plain(text), schema, schema)


@pytest.mark.parametrize("text", BAD)
def test_bad_examples(text: str, schema: dict[str, Any]) -> None:
    assert not valid(plain(text), schema, schema)


def test_what_dadeum_reads_and_writes_back_is_valid(read: Read, schema: dict[str, Any]) -> None:
    loaded = read(
        "name: x\nmodel: {name_or_path: a}\nadapter: {type: lora}\ndata: {sources: [{type: csv, path: a.csv}]}\n"
    )
    assert valid(loaded.experiment.model_dump(mode="json"), schema, schema)


def test_shipped_experiments_are_valid(schema: dict[str, Any]) -> None:
    files = sorted((Path(__file__).parents[2] / "configs").glob("**/*.yaml"))
    for file in files:
        value = plain(file.read_text(encoding="utf-8"))
        if isinstance(value, dict) and ("model" in value or "data" in value):
            assert valid(value, schema, schema), file.name


def properties(schema: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    for place, part in [("", schema), *schema["$defs"].items()]:
        for name, body in part.get("properties", {}).items():
            yield f"{place}.{name}", body


def test_every_setting_says_what_it_is(schema: dict[str, Any]) -> None:
    silent = [
        place for place, body in properties(schema) if not place.endswith(".type") and not body.get("description")
    ]
    assert silent == []


def test_every_key_of_a_metric_is_described_in_both_languages() -> None:
    from dadeum.evaluate.metrics import METRICS

    schema = json_schema()
    told = {d["title"]: d["keys"] for d in _every_object(schema) if str(d.get("title", "")).startswith("metrics/")}
    assert set(told) == {f"metrics/{name}" for name in METRICS.names}
    for name in METRICS.names:
        for key, (english, korean) in METRICS.member(name).keys.items():
            assert told[f"metrics/{name}"][key] == {"description": english, "ko": korean}


def _every_object(value: Any) -> list[dict[str, Any]]:
    below = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return [*([value] if isinstance(value, dict) else []), *(found for one in below for found in _every_object(one))]
