"""dadeum.core.family: members are files, imported when named and only then."""

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any

import pytest
from pydantic import ValidationError

from dadeum.core.errors import ConfigError
from dadeum.core.family import Family, MemberOf
from dadeum.core.fingerprint import fingerprint
from dadeum.core.settings import Many, MemberSettings, Settings, setting

MEMBER = '''
from typing import Literal
from dadeum.core.settings import MemberSettings, Settings, setting

class Inner(Settings):
    """Nested."""
    depth: int = setting(1, "Deep.", "깊이.", gt=0)

class Settings_(MemberSettings):
    """One."""
    type: Literal["{name}"] = "{name}"
    size: int = setting({size}, "Size.", "크기.", gt=0)
    inner: Inner = setting({{}}, "Inner.", "안.")

Settings = Settings_

def act(settings: Settings_) -> str:
    return f"{name} {{settings.size}}"
'''


@pytest.fixture
def zoo(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """A family of three animals; the third cannot be imported."""
    package = tmp_path / "zoo_of_tests"
    package.mkdir()
    (package / "__init__.py").write_text('"""Animals."""\n', encoding="utf-8")
    for name, size in (("elephant", 9), ("mouse", 1)):
        (package / f"{name}.py").write_text(MEMBER.format(name=name, size=size), encoding="utf-8")
    (package / "dragon.py").write_text("raise RuntimeError('awake')\n", encoding="utf-8")
    (package / "_private.py").write_text("", encoding="utf-8")
    (package / "notes.txt").write_text("", encoding="utf-8")
    monkeypatch.syspath_prepend(str(tmp_path))
    yield "zoo_of_tests"
    for name in [m for m in sys.modules if m.partition(".")[0] == "zoo_of_tests"]:
        del sys.modules[name]


def loaded() -> set[str]:
    return {m for m in sys.modules if m.startswith("zoo_of_tests.")}


def cage(package: str) -> type[Settings]:
    one = Annotated[MemberSettings, MemberOf(package)]

    class Cage(Settings):
        animal: one = setting("mouse", "Who.", "누구.")
        others: Many[one] = setting((), "With whom.", "누구와.")

    return Cage


def test_names_are_file_names_and_import_nothing(zoo: str) -> None:
    assert Family(zoo).names == ("dragon", "elephant", "mouse")
    assert loaded() == set()


def test_only_the_named_member_is_imported(zoo: str) -> None:
    family = Family(zoo)
    settings = family.settings("mouse")()
    assert loaded() == {"zoo_of_tests.mouse"}
    assert family.of(settings).act(settings) == "mouse 1"


def test_schema_of_the_section_imports_no_member_until_validation(zoo: str) -> None:
    made = cage(zoo)
    assert loaded() == set()
    made.model_validate({"animal": "elephant"})
    assert loaded() == {"zoo_of_tests.elephant"}


def test_unknown_member_is_told_with_the_nearest_name(zoo: str) -> None:
    with pytest.raises(
        ConfigError, match=r"found 'elefant', expected one of: dragon, elephant, mouse; did you mean 'elephant'\?"
    ):
        Family(zoo).member("elefant")


@pytest.mark.parametrize("name", ["_private", "__init__", "../mouse", "mouse.Settings", "notes", "", "MOUSE"])
def test_only_members_are_members(zoo: str, name: str) -> None:
    with pytest.raises(ConfigError):
        Family(zoo).member(name)


def test_korean(zoo: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DADEUM_LANG", "ko")
    with pytest.raises(ConfigError, match=r"'mous'은.* 쓸 수 있는 값: dragon, elephant, mouse; 'mouse'을"):
        Family(zoo).member("mous")


@pytest.mark.parametrize("value", ["elephant", {"type": "elephant"}, {"type": "elephant", "size": 9}])
def test_name_or_mapping(zoo: str, value: Any) -> None:
    animal = cage(zoo).model_validate({"animal": value}).animal  # type: ignore[attr-defined]
    assert isinstance(animal, MemberSettings)
    assert animal.model_dump() == {"type": "elephant", "size": 9, "inner": {"depth": 1}}


def test_default_is_made_from_its_name(zoo: str) -> None:
    assert cage(zoo)().animal.type == "mouse"  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("values", "place", "kind"),
    [
        ({"animal": "mousse"}, ("animal", "type"), "unknown_member"),
        ({"animal": {"type": "mousse"}}, ("animal", "type"), "unknown_member"),
        ({"animal": {"type": 3}}, ("animal", "type"), "unknown_member"),
        ({"animal": {"size": 3}}, ("animal",), "member_type"),
        ({"animal": 3}, ("animal",), "member_shape"),
        ({"animal": None}, ("animal",), "member_shape"),
        ({"animal": {"type": "mouse", "size": 0}}, ("animal", "size"), "greater_than"),
        ({"animal": {"type": "mouse", "tail": 1}}, ("animal", "tail"), "extra_forbidden"),
        (
            {"others": ["mouse", {"type": "mouse", "inner": {"depth": "x"}}]},
            ("others", 1, "inner", "depth"),
            "int_type",
        ),
    ],
)
def test_faults_stand_where_they_are(zoo: str, values: Any, place: tuple[str | int, ...], kind: str) -> None:
    with pytest.raises(ValidationError) as caught:
        cage(zoo).model_validate(values)
    assert [(e["loc"], e["type"]) for e in caught.value.errors()] == [(place, kind)]


def test_settings_survive_a_dump_and_count_in_fingerprints(zoo: str) -> None:
    made = cage(zoo)
    values = {"animal": {"type": "elephant", "size": 4}, "others": ["mouse"]}
    settings = made.model_validate(values)
    dumped = settings.model_dump(mode="json")
    assert dumped["animal"]["size"] == 4
    assert made.model_validate(dumped) == settings
    other = made.model_validate({**values, "animal": {"type": "elephant", "size": 5}})
    assert fingerprint(settings) == fingerprint(made.model_validate(values)) != fingerprint(other)


def test_schema_of_a_member_with_nested_settings_refers_to_what_is_there(zoo: str) -> None:
    (Path(Family(zoo).member("mouse").__file__).parent / "dragon.py").unlink()
    schema = cage(zoo).model_json_schema()

    def references(node: Any) -> Iterator[str]:
        if isinstance(node, dict):
            yield from ([node["$ref"]] if isinstance(node.get("$ref"), str) else [])
            node = list(node.values())
        if isinstance(node, list):
            for item in node:
                yield from references(item)

    found = set(references(schema))
    assert found
    for reference in found:
        target: Any = schema
        for part in reference.removeprefix("#/").split("/"):
            target = target[part]
        assert target["type"] == "object"


def test_no_package_is_a_fault_of_ours() -> None:
    with pytest.raises(ImportError):
        _ = Family("dadeum.core.language").names
