"""Settings that several adapters have, by PEFT's names."""

from typing import Any

from pydantic import model_validator

from dadeum.core.language import say
from dadeum.core.settings import Many, MemberSettings, setting

ALL = "all-linear"


class Layered(MemberSettings):
    """An adapter that stands beside layers."""

    target_modules: str | Many[str] | None = setting(
        ALL,
        "Names of the layers that get matrices, a regular expression, or `all-linear`: all linear layers of the language "
        "model but its output layer.",
        "행렬을 붙일 층의 이름들, 정규식, 또는 언어 모델의 모든 선형층(출력층 제외) `all-linear`.",
        min_length=1,
    )
    layers_to_transform: Many[int] | None = setting(
        None,
        "Numbers of the decoder layers that get the adapter, from 0; absent: all.",
        "어댑터를 붙일 디코더 층의 번호(0부터). 없으면 모두.",
        min_length=1,
    )
    layers_pattern: str | Many[str] | None = setting(
        None,
        "Name of the list of layers that `layers_to_transform` counts, where PEFT does not find it itself.",
        "`layers_to_transform`이 세는 층 목록의 이름(PEFT가 스스로 찾지 못할 때).",
        min_length=1,
    )
    modules_to_save: Many[str] | None = setting(
        None,
        "Names of further modules that are trained whole and saved with the adapter.",
        "통째로 학습해 어댑터와 함께 저장할 다른 모듈의 이름들.",
    )

    @model_validator(mode="after")
    def _layers_are_counted(self) -> Any:
        if self.layers_pattern is not None and self.layers_to_transform is None:
            raise ValueError(
                say(
                    "layers_pattern: found without 'layers_to_transform', expected both",
                    "layers_pattern: 'layers_to_transform'과 함께 써야 합니다",
                )
            )
        expression = isinstance(self.target_modules, str) and self.target_modules != ALL
        if self.layers_to_transform is not None and expression:
            raise ValueError(
                say(
                    f"layers_to_transform: found beside 'target_modules: {self.target_modules}', which cannot go together; "
                    "write names, or name the layers in the expression",
                    f"layers_to_transform: 정규식 'target_modules: {self.target_modules}'와 함께 쓸 수 없습니다. "
                    "이름을 쓰거나 층을 정규식에 넣으세요",
                )
            )
        return self

    def layered(self) -> dict[str, Any]:
        """These settings as values of PEFT's configuration."""
        return {
            "target_modules": self.target_modules,
            "layers_to_transform": self.layers_to_transform,
            "layers_pattern": self.layers_pattern,
            "modules_to_save": self.modules_to_save,
        }
