"""The file of a task: what a model is asked beside the test rows of its run (`evaluate.tasks`)."""

from typing import Annotated

from pydantic import model_validator

from dadeum.config.data import AUTO, PromptSettings, Source
from dadeum.config.evaluate import Metric
from dadeum.core.family import NameOf
from dadeum.core.language import say
from dadeum.core.settings import Many, Settings, setting


class TaskSettings(Settings):
    """Rows, how they are asked, and what is measured of the answers."""

    dataset: Source = setting(..., "Where its rows come from: one source.", "행을 읽을 곳 하나.")
    prompt: str | PromptSettings | None = setting(
        None,
        "How a row becomes messages: a shipped name, a YAML file, or inline; default: recognised by the columns.",
        "행을 메시지로 바꾸는 법: 내장 이름, YAML 파일 또는 직접 적기. 기본값은 열 이름으로 알아봅니다.",
    )
    format: Annotated[str, NameOf("dadeum.data.formats", AUTO)] = setting(
        AUTO, "The kind of the rows, as `data.format`.", "행의 종류. `data.format`과 같습니다."
    )
    columns: dict[str, str] = setting(
        {}, "Which column is what, as `data.columns`.", "어느 열이 무엇인지. `data.columns`와 같습니다."
    )
    system_prompt: str | None = setting(
        None, "System message before rows that have none.", "시스템 메시지가 없는 행 앞에 둘 시스템 메시지."
    )
    metrics: Many[Metric] = setting(..., "Metrics by name.", "지표 이름.", min_length=1)
    shots: int = setting(0, "Examples before each question.", "질문마다 앞에 둘 예시 수.", ge=0, le=64)
    limit: int | None = setting(None, "Only so many rows, evenly spread.", "고르게 골라 이만큼만.", gt=0)
    max_new_tokens: int = setting(64, "Longest generated answer in tokens.", "생성할 답의 최대 토큰 수.", gt=0)

    @model_validator(mode="after")
    def _one_way_to_read(self) -> "TaskSettings":
        if self.prompt is not None and (self.format != AUTO or self.columns):
            raise ValueError(
                say(
                    "prompt says which column is what; remove format and columns, or prompt",
                    "prompt가 어느 열이 무엇인지 정합니다. format과 columns를 지우거나 prompt를 지우세요",
                )
            )
        return self
