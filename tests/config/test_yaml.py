"""dadeum.config.yaml: YAML 1.2 as plain values, with lines, and nothing that surprises."""

from pathlib import Path
from typing import Any

import pytest

from dadeum.config.yaml import MAX_BYTES, Problem, parse_yaml, read_yaml
from dadeum.core.errors import ConfigError


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1e-4", 0.0001),
        ("1E-4", 0.0001),
        ("1e4", 10000.0),
        ("2.0e-4", 0.0002),
        ("+1", 1),
        ("012", 12),
        ("0o17", 15),
        ("0x1F", 31),
        ("0_7", 7),
        ("1_000", 1000),
        ("1_000.5", 1000.5),
        ("-.5", -0.5),
        ("no", "no"),
        ("No", "No"),
        ("yes", "yes"),
        ("on", "on"),
        ("off", "off"),
        ("y", "y"),
        ("12:30", "12:30"),
        ("1:2:3", "1:2:3"),
        ("2024-01-01", "2024-01-01"),
        ("=", "="),
        ("true", True),
        ("False", False),
        ("null", None),
        ("~", None),
        ("", None),
        ("None", "None"),
        ("nan", "nan"),
        ("'1'", "1"),
        ("!!str 1", "1"),
        ("!!float 1", 1.0),
        ("한글", "한글"),
        ("|\n  a\n  b", "a\nb"),
        ("&x 1", 1),
    ],
)
def test_scalars(text: str, value: Any) -> None:
    document = parse_yaml(f"k: {text}", "f")
    assert document.problems == []
    assert document.value == {"k": value}
    assert type(document.value["k"]) is type(value)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (".nan", "f:1: k: found .nan, expected a finite number"),
        ("-.INF", "f:1: k: found -.INF, expected a finite number"),
        ("1e999", "f:1: k: found 1e999, expected a finite number"),
        ("9" * 5000, "f:1: k: found 999"),
        ("!!int abc", "f:1: k: found abc, expected"),
        ("!!bool x", "f:1: k: found x, expected"),
        ("!!python/object:os.system x", "f:1: k: found tag 'python/object:os.system', expected plain YAML"),
        ("!!python/object/apply:os.system [x]", "f:1: k: found tag"),
        ("!local x", "f:1: k: found tag '!local'"),
        ("!!binary aGk=", "f:1: k: found tag 'binary'"),
        ("!!set {a}", "f:1: k: found tag 'set'"),
        ("\n  a: 1\n  b: 2\n  a: 3", "f:4: k.a: found twice (first on line 2), expected once"),
        (
            "\n  <<: {a: 1}",
            "f:2: k.<<: found a merge key, expected plain YAML; lay files over each other with 'extends:'",
        ),
        ("\n  [a]: 1", "f:2: k: found a key that is no name"),
        ("\n  ? {a: 1}\n  : 2", "f:2: k: found a key that is no name"),
    ],
)
def test_what_is_no_plain_value_is_a_fault_with_its_place(text: str, told: str) -> None:
    problems = parse_yaml(f"k: {text}", "f").problems
    assert len(problems) == 1
    assert str(problems[0]).startswith(told)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("a: 1\n---\nb: 2", "f:2: not YAML: but found another document"),
        ("a: [1,\n2", "f:2: not YAML"),
        ("a: 'x", "f:1: not YAML"),
        ("a:\n\t- 1", "f:2: not YAML"),
        ("a: b: c", "f:1: not YAML"),
        ("a: *x", "f:1: not YAML: found undefined alias 'x'"),
        ("a\0: 1", "f: not YAML: unacceptable character #x0000"),
        ("%YAML 1.1\n---\na: no", "f: found another version of YAML, expected 1.2"),
        ("a: &a [*a, *a]", "f: too large or nested too deeply"),
    ],
)
def test_what_is_no_yaml_is_told_with_its_line(text: str, told: str) -> None:
    with pytest.raises(ConfigError) as caught:
        parse_yaml(text, "f")
    assert str(caught.value).startswith(told)


def test_every_fault_is_found_not_only_the_first() -> None:
    document = parse_yaml("a: 1\na: 2\nb: .nan\nc: !x 1\nd: 5\n", "f")
    assert [(p.line, p.key) for p in document.problems] == [(2, "a"), (3, "b"), (4, "c")]
    assert document.value == {"a": 1, "b": None, "c": None, "d": 5}


def test_lines_are_those_of_the_keys() -> None:
    document = parse_yaml("# c\na:\n  b:\n\n    - x\n    - y: 1\n", "f")
    assert document.lines[("a", "b")] == ("f", 3)
    assert document.lines[("a", "b", 0)] == ("f", 5)
    assert document.lines[("a", "b", 1, "y")] == ("f", 6)


def test_anchors_may_be_used_and_set_again() -> None:
    assert parse_yaml("a: &x [1]\nb: *x\nc: &x 2\nd: *x", "f").value == {"a": [1], "b": [1], "c": 2, "d": 2}


@pytest.mark.parametrize("text", ["", "# only a comment\n", "---\n", "\ufeff"])
def test_nothing_is_nothing(text: str, tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text(text, encoding="utf-8")
    assert read_yaml(tmp_path / "a.yaml").value is None


@pytest.mark.parametrize(
    ("raw", "told"),
    [
        ("이름: 가".encode("cp949"), "byte 0 is not UTF-8; save the file as UTF-8"),
        ("name: 가".encode("utf-16"), "byte 0 is not UTF-8"),
        (b"a" * (MAX_BYTES + 1), "expected at most 250,000"),
    ],
)
def test_files_that_are_no_utf8_text(raw: bytes, told: str, tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_bytes(raw)
    with pytest.raises(ConfigError, match=f"^a.yaml: .*{told}"):
        read_yaml(tmp_path / "a.yaml", "a.yaml")


def test_files_that_cannot_be_read(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"^b\.yaml: no such file$"):
        read_yaml(tmp_path / "b.yaml", "b.yaml")
    for path in (tmp_path, tmp_path / "a\0b"):
        with pytest.raises(ConfigError, match=r"^b\.yaml: cannot be read \("):
            read_yaml(path, "b.yaml")


def test_a_byte_order_mark_is_no_part_of_the_first_key(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text("name: x\n", encoding="utf-8-sig")
    assert read_yaml(tmp_path / "a.yaml").value == {"name": "x"}


def test_problem_leaves_out_what_is_unknown() -> None:
    assert str(Problem("f", 3, "a.b", "text")) == "f:3: a.b: text"
    assert str(Problem("f", 0, "a", "text")) == "f: a: text"
    assert str(Problem("f", 3, "", "text")) == "f:3: text"
