"""How much of a source is taken: the settings `rows`, `weight` and `repeat`, which every source has."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pydantic import SerializerFunctionWrapHandler, model_serializer, model_validator

from dadeum.core.language import say
from dadeum.core.settings import MemberSettings

ROWS = (
    "How many of its rows are taken, drawn by `data.split.seed` after filters, duplicates and the split; default: all. "
    "Rows that the source itself gives to validation or test stay and do not count.",
    "가져올 행의 수. 필터, 중복 처리, 나누기 뒤에 `data.split.seed`로 뽑습니다. 기본값은 전부입니다. "
    "데이터가 스스로 검증이나 시험에 둔 행은 그대로 두고 세지 않습니다.",
)
WEIGHT = (
    "Its share of rows beside the other sources that have a weight: with 2 and 1 it gives twice as many rows as the "
    "other; as many as there can be without repeating any.",
    "가중치가 있는 다른 데이터에 견준 행의 몫. 2와 1이면 다른 쪽의 두 배를 가져옵니다. 행을 되풀이하지 않고 될 수 있는 만큼 가져옵니다.",
)
REPEAT = (
    "Its training rows may come again where `rows` or `weight` asks for more than there are; those of validation and "
    "test never do.",
    "`rows`나 `weight`가 있는 것보다 많은 행을 바라면 학습 행을 되풀이해도 됩니다. 검증과 시험 행은 되풀이하지 않습니다.",
)


class Mixed(MemberSettings):
    """A share in the mixture; without one the source is taken whole. Each source declares the settings after its own."""

    if TYPE_CHECKING:
        rows: int | None
        weight: float | None
        repeat: bool

    @model_validator(mode="after")
    def _one_way_to_say_how_much(self) -> Mixed:
        part = getattr(self, "part", None)
        if self.rows is not None and self.weight is not None:
            raise ValueError(
                say(
                    "rows and weight are two ways to say how much is taken; keep one of them",
                    "rows와 weight는 둘 다 가져올 양을 정합니다. 하나만 남기세요",
                )
            )
        if self.repeat and self.rows is None and self.weight is None:
            raise ValueError(
                say(
                    "repeat lets rows come again to reach rows or weight, and neither is there; add one, or take repeat out",
                    "repeat는 rows나 weight를 채우려고 행을 되풀이합니다. 둘 중 하나를 더하거나 repeat를 지우세요",
                )
            )
        if part in ("validation", "test") and (self.weight is not None or self.repeat):
            found = "repeat" if self.repeat else "weight"
            raise ValueError(
                say(
                    f"{found} is for rows that are trained, and all rows of this source are of the part {part}; say rows instead",
                    f"{found}는 학습할 행에 씁니다. 이 데이터의 행은 모두 {part} 부분입니다. 대신 rows를 쓰세요",
                )
            )
        return self

    @model_serializer(mode="wrap")
    def _whole_as_before(self, handler: SerializerFunctionWrapHandler) -> dict[str, Any]:
        return self.unmixed(handler(self))

    def unmixed(self, written: dict[str, Any]) -> dict[str, Any]:
        """Settings that say nothing of a mixture read as they did before there was one: what was made stays fresh."""
        unsaid = {"rows": self.rows is None, "weight": self.weight is None, "repeat": not self.repeat}
        return {key: value for key, value in written.items() if not unsaid.get(key, False)}
