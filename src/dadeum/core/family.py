"""Families: plural folders whose files are members, found by file name.

A family's `__init__.py` holds its contract and its `Family`. A member file holds `Settings` (a `MemberSettings`)
and what the contract asks for. To add a member, add a file; nothing else is edited.
"""

import importlib
import importlib.util
from collections.abc import Iterable
from functools import cached_property
from pathlib import Path
from types import ModuleType
from typing import Any

from pydantic import GetCoreSchemaHandler, GetJsonSchemaHandler, ValidationError
from pydantic_core import CoreSchema, InitErrorDetails, PydanticCustomError, core_schema

from dadeum.core.errors import ConfigError
from dadeum.core.language import say
from dadeum.core.near import hint, nearest
from dadeum.core.settings import MemberSettings


def unknown(name: str, names: Iterable[str]) -> str:
    """That there is no such name, which there are, and which was probably meant."""
    known = tuple(names)
    near, listed = hint(nearest(name, known)), ", ".join(known)
    return say(
        f"found '{name}', expected one of: {listed}{near}", f"'{name}'은(는) 없습니다. 쓸 수 있는 값: {listed}{near}"
    )


class Family:
    """The members of one plural folder, imported one by one and only when named."""

    def __init__(self, package: str) -> None:
        self.package = package

    @cached_property
    def names(self) -> tuple[str, ...]:
        """File names of the members, sorted, without importing any."""
        spec = importlib.util.find_spec(self.package)
        if spec is None or not spec.submodule_search_locations:
            raise ImportError(f"{self.package} is not a package")
        files = (f for place in spec.submodule_search_locations for f in Path(place).iterdir())
        return tuple(sorted(f.stem for f in files if f.suffix == ".py" and not f.stem.startswith("_")))

    def member(self, name: str) -> Any:
        """The member's module. Raises ConfigError with the nearest name where there is none."""
        if name not in self.names:
            raise ConfigError(unknown(name, self.names))
        return importlib.import_module(f"{self.package}.{name}")

    def settings(self, name: str) -> type[MemberSettings]:
        """The member's `Settings` class."""
        module: ModuleType = self.member(name)
        found: type[MemberSettings] = module.Settings
        return found

    def of(self, settings: MemberSettings) -> Any:
        """The module that belongs to these settings."""
        return self.member(settings.type)

    def validate(self, value: Any) -> MemberSettings:
        """Settings of the member that `value` names: `"csv"`, `{"type": "csv", …}` or settings already made."""
        if isinstance(value, MemberSettings):
            return value
        if isinstance(value, str):
            value = {"type": value}
        if not isinstance(value, dict):
            raise PydanticCustomError("member_shape", "expected a mapping with 'type', or the type's name")
        name = value.get("type")
        if name is None:
            raise PydanticCustomError(
                "member_type", "expected 'type', one of: {names}", {"names": ", ".join(self.names)}
            )
        if not isinstance(name, str) or name not in self.names:
            error = PydanticCustomError("unknown_member", "{text}", {"text": unknown(str(name), self.names)})
            raise ValidationError.from_exception_data(
                self.package, [InitErrorDetails(type=error, loc=("type",), input=name)]
            )
        return self.settings(name).model_validate(value)


class MemberOf:
    """Pydantic annotation of a field that takes any member of `package`: `Annotated[MemberSettings, MemberOf("…")]`."""

    def __init__(self, package: str) -> None:
        self.family = Family(package)

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.no_info_plain_validator_function(
            self.family.validate,
            serialization=core_schema.plain_serializer_function_ser_schema(lambda s: s.model_dump(mode="json")),
        )

    def __get_pydantic_json_schema__(self, schema: CoreSchema, handler: GetJsonSchemaHandler) -> dict[str, Any]:
        members = []
        for name in self.family.names:
            member = handler(self.family.settings(name).__pydantic_core_schema__)
            body = handler.resolve_ref_schema(member)
            body["title"] = f"{self.family.package.rpartition('.')[2]}/{name}"
            body["required"] = sorted({"type", *body.get("required", ())})
            keys = getattr(self.family.member(name), "keys", None)
            if isinstance(keys, dict):  # what it makes, by name
                body["keys"] = {key: {"description": en, "ko": ko} for key, (en, ko) in keys.items()}
            members.append(member)
        return {"anyOf": [*members, {"enum": list(self.family.names)}]}


class NameOf:
    """Pydantic annotation of a text that names a member of `package`, or is one of `others`."""

    def __init__(self, package: str, *others: str) -> None:
        self.family, self.others = Family(package), others

    @property
    def names(self) -> tuple[str, ...]:
        """All that may be written."""
        return (*self.others, *self.family.names)

    def _validate(self, value: Any) -> str:
        if isinstance(value, str) and value in self.names:
            return value
        raise PydanticCustomError("unknown_member", "{text}", {"text": unknown(str(value), self.names)})

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.no_info_plain_validator_function(self._validate)

    def __get_pydantic_json_schema__(self, schema: CoreSchema, handler: GetJsonSchemaHandler) -> dict[str, Any]:
        return {"enum": list(self.names), "type": "string"}
