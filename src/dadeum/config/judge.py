"""Section `evaluate.judge`: a language model that says which of two answers is better."""

from urllib.parse import urlsplit

from pydantic import field_validator

from dadeum.core.language import say
from dadeum.core.settings import Settings, setting


class JudgeSettings(Settings):
    """Where the judge is, what it is told, and how much it is asked. Its key comes from the environment."""

    base_url: str = setting(
        ...,
        "Address of the OpenAI-compatible interface, such as `http://127.0.0.1:8000/v1`; a key comes from `JUDGE_API_KEY` or "
        "`OPENAI_API_KEY`.",
        "OpenAI 호환 인터페이스의 주소(예: `http://127.0.0.1:8000/v1`). 키는 `JUDGE_API_KEY`나 `OPENAI_API_KEY`에서 읽습니다.",
        min_length=1,
    )
    model: str = setting(..., "The judge's model.", "심판 모델의 이름.", min_length=1)
    criteria: str | None = setting(
        None,
        "What makes an answer better; default: right, complete, to the point, in the language of the question.",
        "어떤 답이 더 나은지. 기본값은 정확하고, 빠짐없고, 군더더기 없고, 질문과 같은 언어로 쓴 답입니다.",
        min_length=1,
    )
    max_rows: int = setting(
        100, "At most so many test rows, evenly spread.", "고르게 고른 시험 행을 이만큼까지만.", gt=0
    )
    temperature: float = setting(0.0, "Sampling temperature of the judge.", "심판의 샘플링 온도.", ge=0, le=2)
    max_tokens: int = setting(512, "Longest answer of the judge in tokens.", "심판의 답의 최대 토큰 수.", gt=0)
    concurrency: int = setting(4, "Questions to the judge at a time.", "심판에게 한 번에 물을 수.", gt=0, le=64)
    timeout: float = setting(60.0, "Seconds to wait for an answer.", "답을 기다릴 시간(초).", gt=0)
    retries: int = setting(
        2,
        "How often a question is asked again that got no answer.",
        "답을 받지 못한 질문을 다시 물을 횟수.",
        ge=0,
        le=10,
    )

    @field_validator("base_url")
    @classmethod
    def _plain_address(cls, value: str) -> str:
        try:
            parts = urlsplit(value)
            wrong = parts.scheme not in ("http", "https") or not parts.hostname
            held = parts.username is not None or parts.password is not None or bool(parts.query)
        except ValueError:
            wrong, held = True, "@" in value
        if held:  # the value is not shown: it may hold a key
            raise ValueError(
                say(
                    "found an address with a name, a password or a query in it, expected a plain one; put the key into JUDGE_API_KEY",
                    "주소에 이름, 비밀번호, 물음표 뒤의 값이 있습니다. 주소만 쓰고 키는 JUDGE_API_KEY에 두세요",
                )
            )
        if wrong:
            raise ValueError(
                say(
                    f"found '{value}', expected an address such as http://127.0.0.1:8000/v1",
                    f"'{value}' 대신 http://127.0.0.1:8000/v1 같은 주소를 쓰세요",
                )
            )
        return value
