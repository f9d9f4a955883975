"""The prompt contract: what must travel with a model so that it is asked as it was trained.

Messages format, system prompt, template variables and date stand in `dadeum_prompt.json`, beside the tokenizer and the
template itself, whose SHA-256 is held against it when the folder is opened.
"""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from dadeum.config.data import PromptSettings
from dadeum.core.artifact import read_json, write_json
from dadeum.core.errors import ArtifactError, DataError
from dadeum.core.language import say
from dadeum.data.prompt import SYSTEM, PromptFormat
from dadeum.data.render import DEFAULT_TODAY, Renderer
from dadeum.tokenizer.load import load_tokenizer

FILE = "dadeum_prompt.json"
VERSION = 1
# How this copy was loaded, not what the tokenizer is.
LOADER_KEYS = (
    *("max_length", "padding", "stride", "truncation_strategy", "pad_to_multiple_of"),
    *("is_local", "backend", "local_files_only"),
)


def template_sha256(tokenizer: Any) -> str:
    """Hexadecimal SHA-256 of the chat template's text; empty where there is none."""
    text = tokenizer.chat_template
    return hashlib.sha256(text.encode()).hexdigest() if text else ""


@dataclass(frozen=True)
class PromptContract:
    """How a model wants to be asked.

    `prompt` is the messages format as it was given (system C), `today` the ISO date that templates get.
    """

    chat_template_kwargs: Mapping[str, Any] = field(default_factory=dict)
    today: str = DEFAULT_TODAY
    system_prompt: str | None = None
    prompt: Mapping[str, Any] | None = None
    template_sha256: str = ""
    template_name: str = ""
    stop_ids: tuple[int, ...] = ()

    @classmethod
    def of(
        cls, renderer: Renderer, *, system_prompt: str | None = None, prompt: Mapping[str, Any] | None = None
    ) -> "PromptContract":
        """The contract of what this renderer renders."""
        return cls(
            chat_template_kwargs=dict(renderer.kwargs),
            today=renderer.today,
            system_prompt=system_prompt,
            prompt=prompt,
            template_sha256=template_sha256(renderer.tokenizer),
            template_name=renderer.template_name,
            stop_ids=renderer.stop_ids,
        )

    def save(self, folder: Path) -> None:
        """Write `dadeum_prompt.json`."""
        write_json(folder / FILE, {"version": VERSION, **asdict(self)})

    @classmethod
    def load(cls, folder: Path) -> "PromptContract":
        """Read `dadeum_prompt.json`. Raises ArtifactError where it is absent, damaged or of a later dadeum."""
        path = folder / FILE
        if not path.is_file():
            raise ArtifactError(
                say(
                    f"{folder}: no {FILE}, so the prompt that this model was trained with is unknown; use a folder that dadeum saved",
                    f"{folder}: {FILE}이(가) 없어 학습 때의 프롬프트를 알 수 없습니다. dadeum이 저장한 폴더를 쓰세요",
                )
            )
        value = read_json(path)
        try:
            if value.pop("version") != VERSION:
                raise ValueError("another version")
            found = cls(**{**value, "stop_ids": tuple(value["stop_ids"])})
        except (TypeError, ValueError, KeyError, AttributeError):
            raise ArtifactError(
                say(
                    f"{path}: not a prompt contract that this dadeum can read; save the model again with this version",
                    f"{path}: 이 버전의 dadeum이 읽을 수 없는 프롬프트 파일입니다. 이 버전으로 다시 저장하세요",
                )
            ) from None
        return found

    def renderer(self, tokenizer: Any) -> Renderer:
        """The renderer that makes the very prompt of training."""
        return Renderer(tokenizer, template_name=self.template_name, kwargs=self.chat_template_kwargs, today=self.today)

    def messages(self, question: str, history: Sequence[Mapping[str, str]] = ()) -> list[dict[str, str]]:
        """The conversation to ask with: what opens it, the `history` (turns as sent and answered), the new `turn`.

        Raises DataError where the messages format needs more than a question.
        """
        head, turn = self._parts(question)
        return [*head, *({k: str(v) for k, v in m.items()} for m in history), *turn]

    def turn(self, question: str) -> list[dict[str, str]]:
        """The messages that carry the question: with the answer after them, they are the next call's history."""
        return self._parts(question)[1]

    def _parts(self, question: str) -> tuple[list[dict[str, str]], list[dict[str, str]]]:
        if self.prompt is None:
            head = [{"role": "system", "content": self.system_prompt}] if self.system_prompt else []
            return head, [{"role": "user", "content": question}]
        form = self._format()
        query = _query_variable(form)
        filled = {query: question, SYSTEM: form.system_prompt or ""}
        written = list(form.messages[:-1])
        holds = [query in _variables(form, m.content) for m in written]
        first = holds.index(True)
        made = [{"role": m.role, "content": form.placeholder.sub(lambda f: filled[f[1]], m.content)} for m in written]
        if form.system_prompt and SYSTEM not in form.used and made[0]["role"] != "system":
            made, first = [{"role": "system", "content": form.system_prompt}, *made], first + 1
        return made[:first], made[first:]

    def _format(self) -> PromptFormat:
        try:
            settings = PromptSettings.model_validate_json(json.dumps(self.prompt))
        except ValidationError as error:
            raise ArtifactError(
                say(
                    f"{FILE}: 'prompt' is no messages format ({error.errors()[0]['msg']}); save the model again",
                    f"{FILE}: 'prompt'가 메시지 형식이 아닙니다 ({error.errors()[0]['msg']}). 모델을 다시 저장하세요",
                )
            ) from None
        return PromptFormat(settings, self.system_prompt)


def _variables(form: PromptFormat, content: str) -> set[str]:
    return {found[1] for found in form.placeholder.finditer(content)} - {SYSTEM}


def _query_variable(form: PromptFormat) -> str:
    """The variable that a question fills; the only one that the messages before the answer may need."""
    used = {name for m in form.messages[:-1] for name in _variables(form, m.content)}
    evaluate = form.settings.evaluate_columns
    named = {n for n in used if evaluate is not None and form.columns.get(n) == evaluate.query}
    chosen = named or used
    missing = used - chosen if named else set()
    if len(chosen) == 1 and not missing:
        return next(iter(chosen))
    names = ", ".join(sorted(missing or used)) or "-"
    raise DataError(
        say(
            f"the messages format needs more than a question (variables: {names}); ask with a file of rows that has these columns, "
            "or set evaluate_columns.query",
            f"메시지 형식에 질문 말고도 값이 필요합니다 (변수: {names}). 그 열이 있는 파일로 묻거나 evaluate_columns.query를 쓰세요",
        )
    )


def save_prompt(folder: Path, tokenizer: Any, contract: PromptContract) -> None:
    """Write tokenizer, chat template and contract; plain `AutoTokenizer.from_pretrained(folder)` loads them too."""
    found = template_sha256(tokenizer)
    if found != contract.template_sha256:
        raise ValueError("the contract belongs to another chat template than the tokenizer's")
    folder.mkdir(parents=True, exist_ok=True)
    backend = tokenizer.backend_tokenizer
    backend.no_padding()
    backend.no_truncation()
    tokenizer.save_pretrained(str(folder))
    config = folder / "tokenizer_config.json"
    value = read_json(config)
    for key in LOADER_KEYS:
        value.pop(key, None)
    # Read by every version of transformers; a class named after a model would be rebuilt instead of read.
    value["tokenizer_class"] = "PreTrainedTokenizerFast"
    write_json(config, value)
    contract.save(folder)


def open_prompt(folder: Path, *, known: bool = False) -> tuple[Any, PromptContract]:
    """Tokenizer and contract of a saved model; `known` as for `load_tokenizer`. Raises ArtifactError where its chat template is not the trained one."""
    contract = PromptContract.load(folder)
    tokenizer = load_tokenizer(folder, known=known)
    if template_sha256(tokenizer) != contract.template_sha256:
        state = say("differs", "다릅니다") if tokenizer.chat_template else say("is absent", "없습니다")
        raise ArtifactError(
            say(
                f"{folder}: the chat template {state}, {FILE} asks for the one of {contract.template_name} that the model was "
                "trained with; restore chat_template.jinja",
                f"{folder}: 대화 템플릿이 {state}. 학습에 쓴 {contract.template_name}의 템플릿(chat_template.jinja)을 되돌려 놓으세요",
            )
        )
    tokenizer._dadeum_template_name = contract.template_name
    return tokenizer, contract
