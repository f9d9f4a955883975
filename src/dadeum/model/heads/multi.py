"""`multi`: several heads over one body, each with its own labels and its weight in the loss."""

import re
from typing import Annotated, Any, Literal

from pydantic import GetCoreSchemaHandler, GetJsonSchemaHandler, field_validator
from pydantic_core import CoreSchema, core_schema

from dadeum.config.purpose import Takes, Target
from dadeum.core.language import say
from dadeum.core.settings import MemberSettings, setting
from dadeum.model.heads import HEADS, Gives

takes: Takes = "labels"
gives: Gives = "labels"
objective = "head"
NAME = re.compile(r"[^\W\d][\w-]*")


class _AnyHead:
    """Pydantic annotation of the settings of any head; shown to editors by its type alone, since a head may hold heads."""

    @classmethod
    def __get_pydantic_core_schema__(cls, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.no_info_plain_validator_function(
            HEADS.validate,
            serialization=core_schema.plain_serializer_function_ser_schema(lambda s: s.model_dump(mode="json")),
        )

    @classmethod
    def __get_pydantic_json_schema__(cls, schema: CoreSchema, handler: GetJsonSchemaHandler) -> dict[str, Any]:
        return {"type": "object", "properties": {"type": {"enum": list(HEADS.names)}}, "required": ["type"]}


class Settings(MemberSettings):
    """Heads by name."""

    type: Literal["multi"] = "multi"
    heads: dict[str, Annotated[MemberSettings, _AnyHead]] = setting(
        ...,
        "Heads by name, each with its `type`, `column`, `weight` and its own settings.",
        "이름마다 헤드 하나: `type`, `column`, `weight`와 그 헤드의 설정.",
        min_length=2,
    )

    @field_validator("heads")
    @classmethod
    def _of_labels(cls, heads: dict[str, MemberSettings]) -> dict[str, MemberSettings]:
        for name, part in heads.items():
            if not NAME.fullmatch(name):
                raise ValueError(
                    say(
                        f"found '{name}', expected a name of letters, digits, '-' and '_'",
                        f"'{name}'은(는) 이름이 될 수 없습니다. 글자, 숫자, '-', '_'로 지으세요",
                    )
                )
            takes_of = HEADS.of(part).takes
            if takes_of != takes or part.type == "multi":
                fitting = ", ".join(n for n in HEADS.names if n != "multi" and HEADS.member(n).takes == takes)
                raise ValueError(
                    say(
                        f"{name}: found '{part.type}', which cannot stand beside other heads; expected one of: {fitting}",
                        f"{name}: '{part.type}'은(는) 다른 헤드와 함께 둘 수 없습니다. 쓸 수 있는 것: {fitting}",
                    )
                )
        return heads


def parts(settings: Settings) -> dict[str, MemberSettings]:
    """The heads by name."""
    return dict(settings.heads)


def targets(settings: Settings) -> tuple[Target, ...]:
    """Those of all heads, one after another, each under its own name."""
    return tuple(
        target._replace(head=name) for name, part in settings.heads.items() for target in HEADS.of(part).targets(part)
    )
