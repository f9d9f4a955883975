"""YAML 1.2 read as a tree of nodes: values with their lines, every duplicate key, no tag that builds anything."""

import math
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from io import StringIO
from pathlib import Path
from typing import Any

from dadeum.core.errors import ConfigError
from dadeum.core.language import say

MAX_BYTES = 250_000
MAX_DEPTH = 40
MAX_NODES = 100_000
PREFIX = "tag:yaml.org,2002:"
OTHER_VERSION = re.compile(r"^%YAML[ \t]+(?!1\.2\b)", re.MULTILINE)
Place = tuple[str | int, ...]


@dataclass(frozen=True)
class Problem:
    """One fault of an experiment file: shown as `file:line: key: text`."""

    file: str
    line: int
    key: str
    text: str

    def __str__(self) -> str:
        where = f"{self.file}:{self.line}" if self.line else self.file
        return f"{where}: {self.key}: {self.text}" if self.key else f"{where}: {self.text}"


@dataclass
class Document:
    """The value of a file, where each key stands, and what is wrong with it."""

    value: Any = None
    lines: dict[Place, tuple[str, int]] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)


def dotted(place: Place) -> str:
    """`("data", "sources", 0, "path")` as users write it: `data.sources.0.path`."""
    return ".".join(str(part) for part in place)


def read_yaml(path: Path, shown: str | None = None) -> Document:
    """Read a file. Raises ConfigError when it is absent, not UTF-8, or no YAML at all."""
    name = shown or str(path)
    try:
        raw = path.read_bytes()
    except FileNotFoundError:
        raise ConfigError(say(f"{name}: no such file", f"{name}: 그런 파일이 없습니다")) from None
    except (OSError, ValueError) as error:  # ValueError: a NUL character in the name
        reason = getattr(error, "strerror", None) or error
        raise ConfigError(say(f"{name}: cannot be read ({reason})", f"{name}: 읽을 수 없습니다 ({reason})")) from None
    if len(raw) > MAX_BYTES:
        raise ConfigError(
            say(
                f"{name}: {len(raw):,} bytes, expected at most {MAX_BYTES:,}",
                f"{name}: {len(raw):,}바이트입니다. {MAX_BYTES:,}바이트 이하여야 합니다",
            )
        )
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise ConfigError(
            say(
                f"{name}: byte {error.start} is not UTF-8; save the file as UTF-8",
                f"{name}: {error.start}번째 바이트가 UTF-8이 아닙니다. UTF-8로 저장하세요",
            )
        ) from None
    return parse_yaml(text, name)


def parse_yaml(text: str, name: str) -> Document:
    """The document in `text`; `name` stands for the file in messages."""
    from ruamel.yaml import YAML
    from ruamel.yaml.composer import MaxDepthExceededError
    from ruamel.yaml.error import MarkedYAMLError, YAMLError

    if OTHER_VERSION.search(text):  # in YAML 1.1, `no` is false and 12:30 is 750
        raise ConfigError(
            say(
                f"{name}: found another version of YAML, expected 1.2; delete the line '%YAML …'",
                f"{name}: YAML 1.2여야 합니다. '%YAML …' 줄을 지우세요",
            )
        )
    yaml = YAML(typ="safe", pure=True)
    yaml.max_depth = MAX_DEPTH
    yaml.composer.warn_double_anchors = False  # YAML 1.2 lets an anchor be set again
    try:
        root = yaml.compose(StringIO(text))
    except (RecursionError, MaxDepthExceededError):
        raise ConfigError(say(f"{name}: nested too deeply", f"{name}: 너무 깊이 겹쳐 있습니다")) from None
    except MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 0
        raise ConfigError(
            str(Problem(name, line, "", say(f"not YAML: {error.problem}", f"YAML이 아닙니다: {error.problem}")))
        ) from None
    except (YAMLError, ValueError) as error:
        reason = str(error).splitlines()[0]
        raise ConfigError(str(Problem(name, 0, "", say(f"not YAML: {reason}", f"YAML이 아닙니다: {reason}")))) from None
    document = Document()
    if root is not None:
        document.value = _Reader(name, document).value(root, ())
    return document


class _Reader:
    """Turns composed nodes into plain values; aliases are counted each time, so a bomb stops early."""

    def __init__(self, name: str, document: Document) -> None:
        self.name, self.document, self.nodes = name, document, 0

    def fault(self, node: Any, place: Place, text: str) -> None:
        self.document.problems.append(Problem(self.name, node.start_mark.line + 1, dotted(place), text))

    def value(self, node: Any, place: Place) -> Any:
        self.nodes += 1
        if self.nodes > MAX_NODES or len(place) > MAX_DEPTH:
            raise ConfigError(
                say(f"{self.name}: too large or nested too deeply", f"{self.name}: 너무 크거나 너무 깊이 겹쳐 있습니다")
            )
        self.document.lines[place] = (self.name, node.start_mark.line + 1)
        kind = type(node).__name__
        if kind == "MappingNode" and _tag(node) == "map":
            return dict(self.pairs(node, place))
        if kind == "SequenceNode" and _tag(node) == "seq":
            return [self.value(child, (*place, i)) for i, child in enumerate(node.value)]
        if kind == "ScalarNode":
            return self.scalar(node, place)
        self.fault(
            node, place, say(f"found tag '{_tag(node)}', expected plain YAML", f"'{_tag(node)}' 태그는 쓸 수 없습니다")
        )
        return None

    def pairs(self, node: Any, place: Place) -> Iterator[tuple[str, Any]]:
        seen: dict[str, int] = {}
        for key, child in node.value:
            if type(key).__name__ == "ScalarNode" and _tag(key) == "merge":
                self.fault(
                    key,
                    (*place, "<<"),
                    say(
                        "found a merge key, expected plain YAML; lay files over each other with 'extends:'",
                        "'<<'는 쓸 수 없습니다. 파일은 'extends:'로 겹치세요",
                    ),
                )
                continue
            if type(key).__name__ != "ScalarNode":
                self.fault(key, place, say("found a key that is no name, expected text", "키는 글자여야 합니다"))
                continue
            name, line = str(key.value), key.start_mark.line + 1
            if name in seen:
                first = seen[name]
                self.fault(
                    key,
                    (*place, name),
                    say(
                        f"found twice (first on line {first}), expected once",
                        f"두 번 나옵니다 (처음은 {first}번째 줄). 한 번만 쓰세요",
                    ),
                )
                continue
            seen[name] = line
            item = self.value(child, (*place, name))
            self.document.lines[(*place, name)] = (self.name, line)
            yield name, item

    def scalar(self, node: Any, place: Place) -> Any:
        kind, text = _tag(node), node.value
        if kind == "null":
            return None
        if kind in ("str", "timestamp", "value"):
            return text
        if kind not in ("bool", "int", "float"):
            self.fault(node, place, say(f"found tag '{kind}', expected plain YAML", f"'{kind}' 태그는 쓸 수 없습니다"))
            return None
        try:
            return _BUILT[kind](text.replace("_", "").lower())
        except (ValueError, KeyError):
            shown = text if len(text) <= 40 else text[:37] + "…"
            self.fault(
                node,
                place,
                say(
                    f"found {shown}, expected a finite number, true or false; put quotes around text",
                    f"{shown}: 유한한 숫자나 true, false여야 합니다. 글자라면 따옴표로 묶으세요",
                ),
            )
            return None


def _integer(text: str) -> int:
    return int(text) if text.lstrip("+-").isdigit() else int(text, 0)


def _number(text: str) -> float:
    value = float(text.replace(".inf", "inf").replace(".nan", "nan"))
    if not math.isfinite(value):
        raise ValueError(text)
    return value


_BUILT: dict[str, Callable[[str], Any]] = {
    "bool": {"true": True, "false": False}.__getitem__,
    "int": _integer,
    "float": _number,
}


def _tag(node: Any) -> str:
    return str(node.tag).removeprefix(PREFIX)
