"""Sections `model:` and `tokenizer:`, and the fields of `adapter:` and `head:`."""

from typing import Annotated, Any, Literal

from pydantic import field_validator, model_validator

from dadeum.core.family import MemberOf
from dadeum.core.language import say
from dadeum.core.settings import Many, MemberSettings, Settings, setting

Adapter = Annotated[MemberSettings, MemberOf("dadeum.model.adapters")]
Head = Annotated[MemberSettings, MemberOf("dadeum.model.heads")]


class QuantizationSettings(Settings):
    """Frozen weights held in a few bits (bitsandbytes); embeddings and output layer keep their type."""

    bits: Literal[4, 8] = setting(4, "Bits a weight.", "가중치 하나의 비트 수.")
    type: Literal["nf4", "fp4"] | None = setting(
        None,
        "With 4 bits: the sixteen values that there are; default `nf4`, made for weights that are distributed normally.",
        "4비트일 때 쓰는 열여섯 값. 기본값은 정규분포인 가중치에 맞는 `nf4`.",
    )
    double_quantization: bool | None = setting(
        None,
        "With 4 bits: also quantise the scales, which saves 0.4 bits a weight; default true.",
        "4비트일 때: 배율도 양자화해 가중치마다 0.4비트를 아낍니다. 기본값 true.",
    )

    @model_validator(mode="after")
    def _fits_the_bits(self) -> "QuantizationSettings":
        for name in ("type", "double_quantization"):
            if self.bits == 8 and getattr(self, name) is not None:
                raise ValueError(
                    say(
                        f"{name}: only with 'bits: 4'; leave it out, or set 'bits: 4'",
                        f"{name}: 'bits: 4'와 함께만 씁니다. 빼거나 'bits: 4'로 하세요",
                    )
                )
        return self

    @property
    def scheme(self) -> str:
        """What the weights are held in, for people."""
        if self.bits == 8:
            return "int8"
        return f"{self.type or 'nf4'}{' + double quantization' if self.double else ''}"

    @property
    def double(self) -> bool:
        """Whether scales are quantised too."""
        return self.bits == 4 and self.double_quantization is not False


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
    quantization: QuantizationSettings | None = setting(
        None,
        "Hold the frozen weights in 4 or 8 bits, and train an adapter on them (QLoRA); needs the extra `quantize`.",
        "고정된 가중치를 4비트나 8비트로 두고 그 위에 어댑터를 학습합니다(QLoRA). `quantize` 추가 설치가 필요합니다.",
    )
    untie_embeddings: bool = setting(
        False,
        "Part an output layer that shares the embedding's weights from it, so that each is trained by itself.",
        "임베딩과 가중치를 함께 쓰는 출력층을 떼어 따로 학습합니다.",
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

    @model_validator(mode="after")
    def _quantised_is_stored(self) -> "ModelSettings":
        if self.quantization is not None and self.init == "random":
            raise ValueError(
                say(
                    "quantization: not with 'init: random', whose weights have to be trained; leave one of them out",
                    "quantization: 'init: random'과 함께 쓸 수 없습니다(새 가중치는 학습해야 함). 하나를 빼세요",
                )
            )
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
    add_special_tokens: dict[str, str | None] | Many[str] = setting(
        (),
        "New tokens: a list, or each with a description from whose pieces its row starts; else it starts from the mean row.",
        "새 토큰: 목록, 또는 토큰마다 설명. 새 행은 설명을 이루는 조각들의 평균에서, 설명이 없으면 어휘 전체의 평균에서 시작합니다.",
    )

    @field_validator("add_special_tokens")
    @classmethod
    def _usable(cls, tokens: dict[str, str | None] | tuple[str, ...]) -> dict[str, str | None] | tuple[str, ...]:
        names = list(tokens)
        for token in names:
            if not token.strip() or token != token.strip():
                raise ValueError(
                    say(
                        f"found {token!r}, expected a token without blanks around it",
                        f"{token!r}: 앞뒤에 빈칸이 없는 토큰이어야 합니다",
                    )
                )
            if names.count(token) > 1:
                raise ValueError(say(f"found '{token}' twice", f"'{token}'이(가) 두 번 있습니다"))
        return tokens

    @property
    def new_tokens(self) -> dict[str, str]:
        """The new tokens in their order, each with its description or nothing."""
        found = self.add_special_tokens
        pairs = found.items() if isinstance(found, dict) else ((token, None) for token in found)
        return {token: description or "" for token, description in pairs}
