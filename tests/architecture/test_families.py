"""Each member of a family keeps the family's contract."""

import ast
import importlib
import inspect
import typing
from types import ModuleType
from typing import Any

import pytest

from dadeum.core.settings import MemberSettings
from tests.architecture.tree import FAMILIES, FILES, MEMBERS, SOURCE, module_name, parsed

# Members that no one names in a file: rows are recognised by their columns.
WITHOUT_SETTINGS = {"dadeum.data.formats"}
# Members that build an object of the family's base class: PLACE, and build with these parameters.
BUILDERS = {"dadeum.train.hooks": ("settings", "job", "reporter")}


def hangul(text: str) -> bool:
    return any("가" <= letter <= "힣" for letter in text)


def protocol_of(package: str) -> type | None:
    module = importlib.import_module(package)
    found = [
        v
        for v in vars(module).values()
        if inspect.isclass(v) and getattr(v, "_is_protocol", False) and v.__module__ == package
    ]
    assert len(found) <= 1, f"{package} has more than one contract"
    return found[0] if found else None


def member(package: str, name: str) -> ModuleType:
    found: ModuleType = FAMILIES[package].member(name)
    return found


def test_there_are_families() -> None:
    assert {
        "dadeum.data.sources",
        "dadeum.data.formats",
        "dadeum.data.filters",
        "dadeum.model.adapters",
        "dadeum.train.objectives",
        "dadeum.train.optimizers",
        "dadeum.train.hooks",
        "dadeum.evaluate.metrics",
        "dadeum.export.targets",
    } <= set(FAMILIES)


@pytest.mark.parametrize("package", FAMILIES)
def test_a_family_is_a_plural_folder_with_a_contract_and_members(package: str) -> None:
    module = importlib.import_module(package)
    assert package.endswith("s")
    assert (module.__doc__ or "").strip()
    assert FAMILIES[package].names
    assert protocol_of(package) is not None or package in BUILDERS


@pytest.mark.parametrize(("package", "name"), MEMBERS)
def test_settings_carry_the_files_name(package: str, name: str) -> None:
    module = member(package, name)
    assert (module.__doc__ or "").strip()
    if package in WITHOUT_SETTINGS:
        assert not hasattr(module, "Settings")
        return
    settings = module.Settings
    assert issubclass(settings, MemberSettings)
    assert settings.__module__ == f"{package}.{name}"
    assert settings.model_fields["type"].default == name
    assert typing.get_args(settings.model_fields["type"].annotation) == (name,)


def every_field() -> list[tuple[str, str, Any]]:
    """Class, name and field of each setting: of the sections, of the members, and of what nests in them."""
    from dadeum.core.settings import Settings

    for file in FILES:
        if file.relative_to(SOURCE).parts[0] == "config":
            importlib.import_module(module_name(file))
    for package, name in MEMBERS:
        member(package, name)
    classes: list[type[Settings]] = [Settings]
    for kind in classes:
        classes += [c for c in kind.__subclasses__() if c.__module__.startswith("dadeum.") and c not in classes]
    return [
        (f"{kind.__module__}.{kind.__qualname__}", name, field)
        for kind in classes
        for name, field in kind.model_fields.items()
        if name != "type"
    ]


FIELDS = every_field()


@pytest.mark.parametrize(("kind", "name", "field"), FIELDS, ids=[f"{k}.{n}" for k, n, _ in FIELDS])
def test_every_setting_is_described_in_both_languages(kind: str, name: str, field: Any) -> None:
    extra = field.json_schema_extra
    assert field.description
    assert not hangul(field.description)
    assert isinstance(extra, dict)
    assert hangul(str(extra["ko"]))
    assert field.description.endswith(".")
    assert str(extra["ko"]).endswith(".")


@pytest.mark.parametrize(("package", "name"), [m for m in MEMBERS if m[0] not in BUILDERS])
def test_a_member_has_what_the_contract_asks_for(package: str, name: str) -> None:
    contract, module = protocol_of(package), member(package, name)
    assert contract is not None
    wanted = {k: v for k, v in vars(contract).items() if inspect.isfunction(v) and not k.startswith("_")}
    assert wanted
    for function, asked in wanted.items():
        given = getattr(module, function, None)
        assert inspect.isfunction(given), f"{package}.{name} lacks {function}()"
        assert list(inspect.signature(given).parameters) == list(inspect.signature(asked).parameters)[1:], function
    for value in contract.__annotations__:
        assert hasattr(module, value), f"{package}.{name} lacks {value}"


@pytest.mark.parametrize(("package", "name"), [m for m in MEMBERS if m[0] in BUILDERS])
def test_a_builder_builds(package: str, name: str) -> None:
    module = member(package, name)
    assert tuple(inspect.signature(module.build).parameters) == BUILDERS[package]
    assert isinstance(module.PLACE, int)


@pytest.mark.parametrize("package", BUILDERS)
def test_builders_have_places_of_their_own(package: str) -> None:
    places = [member(package, name).PLACE for name in FAMILIES[package].names]
    assert len(set(places)) == len(places)


def test_config_names_no_member() -> None:
    """A section may give a default by name; nothing else in config/ knows one."""
    known = {name for package, name in MEMBERS if package not in WITHOUT_SETTINGS}
    named = []
    for file in (SOURCE / "config").glob("*.py"):
        for node in ast.walk(parsed(file)):
            compared = [*node.comparators, node.left] if isinstance(node, ast.Compare) else []
            named += [
                f"{file.name}:{node.lineno} {c.value}"
                for c in compared
                if isinstance(c, ast.Constant) and c.value in known
            ]
            if isinstance(node, ast.ImportFrom | ast.Import):
                names = [node.module or ""] if isinstance(node, ast.ImportFrom) else [a.name for a in node.names]
                named += [
                    f"{file.name}:{node.lineno} {n}"
                    for n in names
                    if any(n.startswith(f"{package}.") for package in FAMILIES)
                ]
    assert named == []
