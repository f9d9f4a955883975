"""Sections `evaluate:` and `export:`."""

from typing import Annotated

from dadeum.core.family import MemberOf
from dadeum.core.settings import Many, MemberSettings, Settings, setting

Metric = Annotated[MemberSettings, MemberOf("dadeum.evaluate.metrics")]
Target = Annotated[MemberSettings, MemberOf("dadeum.export.targets")]
DEFAULT_METRICS = ("perplexity", "bits_per_byte", "rouge", "rouge_char", "chrf", "exact_match")


class EvaluateSettings(Settings):
    """What is measured on the test part, before and after."""

    metrics: Many[Metric] = setting(DEFAULT_METRICS, "Metrics by name.", "지표 이름.", min_length=1)
    max_new_tokens: int = setting(256, "Longest generated answer in tokens.", "생성할 답의 최대 토큰 수.", gt=0)
    batch_size: int = setting(16, "Prompts generated at once.", "한 번에 생성할 프롬프트 수.", gt=0)
    limit: int | None = setting(None, "Only so many test rows.", "시험 행을 이만큼만.", gt=0)
    few_shot: int = setting(
        3,
        "Examples shown to the base model in its second column; 0 leaves the column out.",
        "기본 모델에 보여 줄 예시 수. 0이면 그 열을 뺍니다.",
        ge=0,
    )
    bootstrap: int = setting(
        10_000,
        "Draws of the paired bootstrap, and swaps of the permutation test.",
        "짝지은 부트스트랩의 추출 수와 순열 검정의 교환 수.",
        ge=100,
    )
    seed: int = setting(
        42, "Seed of the bootstrap and of the examples.", "부트스트랩과 예시 추출의 씨앗.", ge=0, lt=2**32
    )
