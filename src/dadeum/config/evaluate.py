"""Sections `evaluate:` and `export:`."""

from typing import Annotated

from dadeum.config.judge import JudgeSettings
from dadeum.core.family import MemberOf
from dadeum.core.settings import Many, MemberSettings, Settings, setting

Metric = Annotated[MemberSettings, MemberOf("dadeum.evaluate.metrics")]
Target = Annotated[MemberSettings, MemberOf("dadeum.export.targets")]
# What overlaps hide stands beside them: who repeats itself, and who never stops.
DEFAULT_METRICS = (
    "perplexity",
    "bits_per_byte",
    "rouge",
    "rouge_char",
    "chrf",
    "exact_match",
    "repetition",
    "stop_rate",
)
DEFAULT_TASKS = ("general-text",)


class TaskChoice(Settings):
    """One entry of `evaluate.tasks` with choices of its own."""

    task: str = setting(
        ...,
        "A shipped task, a YAML file, or `lm-eval:NAME` (a task or a group of lm-eval).",
        "내장 과제, YAML 파일, 또는 `lm-eval:이름`(lm-eval의 과제나 묶음).",
        min_length=1,
    )
    shots: int | None = setting(
        None, "Examples before each question; default: the task's own.", "질문 앞의 예시 수. 기본값은 과제의 것.", ge=0
    )
    limit: int | None = setting(
        None, "At most so many rows; default: the task's own.", "이만큼의 행만. 기본값은 과제의 것.", gt=0
    )
    chat_template: bool | None = setting(
        None,
        "Ask a task of lm-eval through the chat template; default: plain, as lm-eval does by itself.",
        "lm-eval 과제를 대화 템플릿으로 묻기. 기본값은 lm-eval처럼 템플릿 없이.",
    )


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
    tasks: Many[str | TaskChoice] = setting(
        DEFAULT_TASKS,
        "What the base and the tuned model are asked besides, to see what was forgotten: a shipped task, a YAML file, `lm-eval:NAME`.",
        "무엇을 잊었는지 보려고 기본 모델과 학습한 모델에 더 물을 것: 내장 과제, YAML 파일, `lm-eval:이름`.",
    )
    judge: JudgeSettings | None = setting(
        None,
        "A language model that says which of two answers is better; default: none is asked.",
        "두 답 가운데 나은 쪽을 고를 언어 모델. 기본값은 묻지 않습니다.",
    )
    task_path: str | None = setting(
        None,
        "Folder of your own lm-eval tasks; default: `configs/tasks` where there is one.",
        "직접 만든 lm-eval 과제의 폴더. 기본값은 `configs/tasks`(있으면).",
    )
    seed: int = setting(
        42, "Seed of the bootstrap and of the examples.", "부트스트랩과 예시 추출의 씨앗.", ge=0, lt=2**32
    )
