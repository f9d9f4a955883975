"""Section `data:`."""

from typing import Annotated, Any, Literal

from pydantic import model_validator

from dadeum.core.family import MemberOf, NameOf
from dadeum.core.language import say
from dadeum.core.settings import Many, MemberSettings, Settings, setting

AUTO = "auto"
# What the gate looks for before the first step of training, the gravest first.
Condition = Literal[
    "nothing_trained",
    "no_prefix_rendering",
    "untrained_end_token",
    "doubled_bos",
    "special_tokens_in_text",
    "prompt_mismatch",
    "cut_answers",
    "twins_across_splits",
    "constant_labels",
]
Source = Annotated[MemberSettings, MemberOf("dadeum.data.sources")]
Filter = Annotated[MemberSettings, MemberOf("dadeum.data.filters")]


class MessageFormat(Settings):
    """One message of a messages format; `{name}` stands for a variable."""

    role: str = setting(..., "system, user, assistant or tool.", "system, user, assistant 또는 tool.")
    content: str = setting(
        ..., "Text with `{variables}`; other braces are literal.", "`{변수}`가 든 글. 다른 중괄호는 그대로입니다."
    )


class MessagesFormat(Settings):
    """`messages_format` of a prompt file."""

    system_prompt: str | None = setting(None, "Fills `{system_prompt}`.", "`{system_prompt}`에 들어갑니다.")
    messages: Many[MessageFormat] = setting(..., "The messages of one row.", "한 행의 메시지들.", min_length=1)


class EvaluateColumns(Settings):
    """`evaluate_columns` of a prompt file."""

    query: str = setting(..., "Column shown as the question.", "질문으로 보일 열.")
    response: str = setting(..., "Column that holds the reference answer.", "기준 답이 든 열.")


class PromptSettings(Settings):
    """How a row becomes messages: the file of system C, unchanged."""

    training_columns: dict[str, str] = setting(..., "Variable: column.", "변수: 열.", min_length=1)
    messages_format: MessagesFormat = setting(..., "The messages.", "메시지들.")
    evaluate_columns: EvaluateColumns | None = setting(
        None, "Question and reference of the evaluation.", "평가에 쓸 질문과 기준 답."
    )


class SplitSettings(Settings):
    """How rows are parted; rows with the same normalised prompt stay together."""

    validation: float = setting(0.05, "Share of rows for validation.", "검증에 쓸 행의 비율.", ge=0, lt=1)
    test: float = setting(0.05, "Share of rows for the test.", "시험에 쓸 행의 비율.", ge=0, lt=1)
    seed: int = setting(42, "Seed of the draw.", "나누기의 난수 씨앗.", ge=0, lt=2**32)

    @model_validator(mode="after")
    def _something_is_left(self) -> "SplitSettings":
        if self.validation + self.test >= 1:
            raise ValueError(
                say(
                    "validation and test leave no row for training, expected a sum below 1",
                    "검증과 시험의 합이 1보다 작아야 학습할 행이 남습니다",
                )
            )
        return self


class DataSettings(Settings):
    """From rows to token ids with weights."""

    sources: Many[Source] = setting(..., "Where rows come from.", "행을 읽을 곳.", min_length=1)
    prompt: str | PromptSettings | None = setting(
        None,
        "How a row becomes messages: a shipped name, a YAML file, or inline; default: recognised by the columns.",
        "행을 메시지로 바꾸는 법: 내장 이름, YAML 파일 또는 직접 적기. 기본값은 열 이름으로 알아봅니다.",
    )
    format: Annotated[str, NameOf("dadeum.data.formats", AUTO)] = setting(
        AUTO,
        "The kind of the rows: auto (found from their columns), or the name of a format such as alpaca or messages.",
        "행의 종류: auto(열 이름으로 알아봄) 또는 alpaca, messages 같은 형식 이름.",
    )
    columns: dict[str, str] = setting(
        {},
        "Which column is what, where its name is another: `{question: Frage, answer: Antwort}`; a path such as `answers.0.text` too.",
        "열 이름이 다를 때 어느 열이 무엇인지: `{question: 물음, answer: 대답}`. `answers.0.text` 같은 경로도 됩니다.",
    )
    preference: Literal["compare", "chosen"] = setting(
        "compare",
        "Rows with a chosen and a rejected answer, or answers rated true or false: for objectives that compare, or only the good ones.",
        "나은 답과 못한 답, 또는 참·거짓으로 평가된 답이 있는 행: 비교하는 목적에 쓰기, 또는 좋은 답만 쓰기.",
    )
    system_prompt: str | None = setting(
        None, "System message put before rows that have none.", "시스템 메시지가 없는 행 앞에 둘 시스템 메시지."
    )
    filters: Many[Filter] = setting(
        (),
        "What goes out of the rows or is masked in them, in this order.",
        "행에서 빼거나 가릴 것. 적은 차례대로 합니다.",
    )
    split: SplitSettings = setting({}, "Training, validation and test parts.", "학습, 검증, 시험 나누기.")
    max_length: int = setting(1024, "Longest sample in tokens.", "한 샘플의 최대 토큰 수.", ge=8)
    overlong: Literal["error", "drop", "keep_answer"] = setting(
        "error",
        "A sample longer than `max_length`: stop, leave it out, or cut its prompt at the front so that the answer stays whole.",
        "`max_length`보다 긴 샘플: 멈추기, 빼기, 또는 답은 온전히 두고 프롬프트 앞을 자르기.",
    )
    faulty_rows: Literal["error", "drop"] = setting(
        "error",
        "A row that cannot be used (no answer, other columns, damaged line): stop, or leave it out and list it.",
        "쓸 수 없는 행(답 없음, 다른 열, 깨진 줄): 멈추기, 또는 빼고 목록에 적기.",
    )
    duplicates: Literal["keep", "drop_exact", "drop_normalised"] = setting(
        "keep",
        "Rows with the same messages as another: keep them, or leave them out, equal to the letter or but for case and white space.",
        "다른 행과 메시지가 같은 행: 두기, 또는 빼기(글자까지 같은 것만, 또는 대소문자와 공백만 다른 것도).",
    )
    packing: bool = setting(
        True,
        "Lay the samples of a micro-batch in one row without padding; each sees only itself, the result is the same.",
        "마이크로배치의 샘플을 채움 없이 한 줄로 놓습니다. 서로 보지 않으며 결과는 같습니다.",
    )
    train_on: Literal["all", "assistant", "last_assistant"] = setting(
        "assistant",
        "Which tokens are trained. The `weight` of an answer (a number, or `train: false`) multiplies what its tokens count.",
        "어느 토큰을 학습할지. 답의 `weight`(수 또는 `train: false`)는 그 답의 토큰이 차지하는 무게에 곱해집니다.",
    )
    chat_template_kwargs: dict[str, Any] = setting(
        {},
        "Variables for the chat template, such as `enable_thinking`.",
        "대화 템플릿에 줄 변수(예: `enable_thinking`).",
    )
    cut_answers: float = setting(
        0.5,
        "Share of the answers that may be lost to `max_length`; beyond it, the gate stops.",
        "`max_length` 때문에 잃어도 되는 답의 비율. 넘으면 관문이 멈춥니다.",
        ge=0,
        le=1,
    )
    allow: Many[Condition] = setting(
        (),
        "Conditions at which the gate stops and that you take: they become warnings, and stand in the artifact.",
        "관문이 멈추는 조건 가운데 받아들일 것. 경고로 바뀌고 산출물에 남습니다.",
    )

    @model_validator(mode="after")
    def _weights_are_relative(self) -> "DataSettings":
        weighted = [at for at, source in enumerate(self.sources) if getattr(source, "weight", None) is not None]
        if len(weighted) == 1:
            raise ValueError(
                say(
                    f"sources.{weighted[0]}.weight is a share beside other sources with a weight, and no other has one; give "
                    "another a weight, or say rows",
                    f"sources.{weighted[0]}.weight는 가중치가 있는 다른 데이터에 견준 몫인데, 다른 데이터에는 없습니다. 다른 데이터에도 "
                    "weight를 주거나 rows를 쓰세요",
                )
            )
        return self

    @model_validator(mode="after")
    def _one_way_to_read(self) -> "DataSettings":
        if self.prompt is not None and (self.format != AUTO or self.columns):
            raise ValueError(
                say(
                    "data.prompt says which column is what; remove data.format and data.columns, or data.prompt",
                    "data.prompt가 어느 열이 무엇인지 정합니다. data.format과 data.columns를 지우거나 data.prompt를 지우세요",
                )
            )
        return self
