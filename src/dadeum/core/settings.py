"""The base of every settings class: frozen, strict, no unknown key, each field described in both languages."""

from typing import Annotated, Any, TypeVar

from pydantic import BaseModel, ConfigDict, Field, Strict

Item = TypeVar("Item")
# YAML knows lists only; settings are frozen, so they hold tuples.
Many = Annotated[tuple[Item, ...], Strict(False)]


class Settings(BaseModel):
    """Frozen and strict: `"1"` is no number, an unknown key is an error, nothing is assigned later."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, validate_default=True, allow_inf_nan=False)


class MemberSettings(Settings):
    """Settings of one member of a family; `type` is the member's file name."""

    type: str


def setting(default: Any, english: str, korean: str, **limits: Any) -> Any:
    """A field with its one description; the schema, the reference docs and the help are made from it.

    `...` as the default makes it required; `limits` are pydantic's own (`gt=0`, `le=1`, `min_length=1`).
    """
    return Field(default, description=english, json_schema_extra={"ko": korean}, **limits)
