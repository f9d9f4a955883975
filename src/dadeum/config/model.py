"""Sections `model:` and `tokenizer:`, and the fields of `adapter:` and `head:`."""

from typing import Annotated, Any, Literal

from pydantic import model_validator

from dadeum.core.family import MemberOf
from dadeum.core.language import say
from dadeum.core.settings import MemberSettings, Settings, setting

Adapter = Annotated[MemberSettings, MemberOf("dadeum.model.adapters")]
Head = Annotated[MemberSettings, MemberOf("dadeum.model.heads")]


class ModelSettings(Settings):
    """The base model: where it comes from and how it is held."""

    name_or_path: str | None = setting(
        None,
        "Hub id or folder; `MODEL_ID` fills it in when absent.",
        "Hub 이름 또는 폴더. 없으면 `MODEL_ID` 환경 변수를 씁니다.",
    )
    revision: str = setting("main", "Branch, tag or commit of a Hub model.", "Hub 모델의 브랜치, 태그 또는 커밋.")
    init: Literal["pretrained", "random"] = setting(
        "pretrained",
        "`random` starts from fresh weights with the configuration of `config`, or of `name_or_path`.",
        "`random`이면 `config`(또는 `name_or_path`)의 설정으로 새 가중치에서 시작합니다.",
    )
    config: dict[str, Any] | None = setting(
        None,
        "With `init: random`: a transformers configuration with `model_type`; the vocabulary size follows the tokenizer.",
        "`init: random`일 때: `model_type`이 있는 transformers 설정. 어휘 크기는 토크나이저를 따릅니다.",
    )
    dtype: Literal["auto", "float32", "bfloat16", "float16"] = setting(
        "auto",
        "Type that frozen weights are held in; `auto` follows the precision. Trainable weights are always float32.",
        "고정된 가중치의 자료형. `auto`는 정밀도를 따릅니다. 학습되는 가중치는 항상 float32입니다.",
    )
    attn_implementation: Literal["auto", "sdpa", "eager"] = setting(
        "auto",
        "Attention of transformers; `auto` takes the fastest that the model allows.",
        "어텐션 구현. `auto`는 모델이 허용하는 가장 빠른 것을 씁니다.",
    )
    trust_remote_code: bool = setting(
        False,
        "Run Python code that the model brings. Only for authors that you trust.",
        "모델에 딸린 파이썬 코드를 실행합니다. 믿는 제작자에게만 쓰세요.",
    )

    @model_validator(mode="after")
    def _config_needs_random(self) -> "ModelSettings":
        if self.config is not None and self.init != "random":
            raise ValueError(say("config: only with 'init: random'", "config: 'init: random'과 함께만 씁니다"))
        return self


class TokenizerSettings(Settings):
    """The tokenizer, when it is not the model's own as it is."""

    name_or_path: str | None = setting(
        None, "Hub id or folder; default the model's own.", "Hub 이름 또는 폴더. 기본값은 모델의 것입니다."
    )
    revision: str = setting(
        "main",
        "Branch, tag or commit of a tokenizer of its own from the Hub.",
        "따로 지정한 Hub 토크나이저의 브랜치, 태그 또는 커밋.",
    )
    chat_template: str | None = setting(
        None,
        "A name (`chatml`, `plain`) or a Jinja file, for a model without a chat template or instead of its own.",
        "이름(`chatml`, `plain`) 또는 Jinja 파일. 대화 템플릿이 없는 모델에 주거나 모델의 것을 대신합니다.",
    )
