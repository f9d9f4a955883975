"""A chat template at work: messages to text, in the sandbox of transformers, on the stored date.

The tools of a conversation stand in its first message, under `tools`, so that they go wherever the messages go; a template
gets them as the variable that it reads. Knows no tokens. A template is foreign code: whatever goes wrong inside it becomes one sentence that names it.
"""

import datetime
import re
from collections.abc import Callable, Mapping, Sequence
from functools import cached_property, lru_cache
from typing import Any

from dadeum.core.errors import DataError, ModelError
from dadeum.core.language import say
from dadeum.data.bounds import MEMORY, SHORT, Allowance, Exceeded, bounded
from dadeum.data.skeleton import Skeletons

Message = Mapping[str, Any]
_INTERNAL = re.compile(r"__\w+__")
# What the machinery itself provides; everything else that a template reads may come from `data.chat_template_kwargs`.
PROVIDED = frozenset({"messages", "tools", "documents", "add_generation_prompt"})


class Refusal(DataError):
    """The template cannot be used for training at all, not only on one row; `condition` is the gate's name for why."""

    def __init__(self, text: str, condition: str = "") -> None:
        super().__init__(text)
        self.condition = condition


class ChatTemplate:
    """One template with its variables and the date that it believes to be today's."""

    def __init__(self, tokenizer: Any, *, name: str, kwargs: Mapping[str, Any], today: str) -> None:
        """Compile the tokenizer's template. Raises ModelError without one, Refusal where it is no template."""
        self.name = name
        self.source: str = tokenizer.chat_template or ""
        if not self.source:
            raise ModelError(
                say(
                    f"{name}: the model has no chat template; set tokenizer.chat_template=chatml (or plain, or a file)",
                    f"{name}: 모델에 대화 템플릿이 없습니다. tokenizer.chat_template=chatml (또는 plain, 파일)을 쓰세요",
                )
            )
        self.today = datetime.datetime.fromisoformat(today)
        self._exceeds: Refusal | None = None
        self.compiled, self._tree = self._compile()
        self.kwargs = dict(kwargs)
        self._check_kwargs()
        self.variables = {"tools": None, "documents": None, **tokenizer.special_tokens_map}
        self.variables |= {key: value for key, value in _plain(self.kwargs).items() if value is not None}
        self.variables["strftime_now"] = self.today.strftime

    def _compile(self) -> tuple[Any, Any]:
        make = _maker()
        try:
            with Allowance():
                compiled, tree = make(self.source)
            hidden = _internal_name(tree)
        except Exception as error:  # jinja's own errors, and recursion in a hostile template
            raise Refusal(str(self._failure(error))) from None
        if hidden:
            raise Refusal(
                say(
                    f"the chat template of {self.name} reaches for '{hidden}', an inner name of Python; do not use this template",
                    f"{self.name}의 대화 템플릿이 파이썬 내부 이름 '{hidden}'에 손을 댑니다. 이 템플릿을 쓰지 마세요",
                )
            )
        return compiled, tree

    @cached_property
    def reads(self) -> frozenset[str]:
        """Names that the template reads and does not set itself."""
        import jinja2.meta

        found: set[str] = jinja2.meta.find_undeclared_variables(self._tree)
        return frozenset(found - set(self.compiled.environment.globals))

    def _check_kwargs(self) -> None:
        unread = sorted(set(self.kwargs) - self.reads) if self.kwargs else []
        if unread:
            known = ", ".join(sorted(self.reads - PROVIDED)) or "-"
            raise Refusal(
                say(
                    f"data.chat_template_kwargs: the chat template of {self.name} does not read '{unread[0]}'; it reads: {known}",
                    f"data.chat_template_kwargs: {self.name}의 대화 템플릿은 '{unread[0]}'을(를) 읽지 않습니다. 읽는 값: {known}",
                )
            )

    def render(
        self,
        messages: Sequence[Message],
        *,
        add_generation_prompt: bool = False,
        extra: Mapping[str, Any] | None = None,
    ) -> str:
        """The conversation as text. Raises DataError that names the template."""
        if extra:
            return self._run(messages, add_generation_prompt, {**self.variables, **extra})
        return self.skeletons.render(
            messages, add_generation_prompt, lambda: self._run(messages, add_generation_prompt, self.variables)
        )

    def _run(self, messages: Sequence[Message], add_generation_prompt: bool, variables: Mapping[str, Any]) -> str:
        if self._exceeds is not None:
            raise self._exceeds
        shown, more = self._shown(messages)
        try:
            with Allowance(len(shown)):
                text: str = self.compiled.render(
                    messages=shown, add_generation_prompt=add_generation_prompt, **{**variables, **more}
                )
        except Exception as error:  # the template is foreign code, and may raise anything
            raise self._failure(error, len(shown)) from None
        return text

    def _shown(self, messages: Sequence[Message]) -> tuple[list[dict[str, Any]], dict[str, Any]]:
        """The messages as the template sees them, and the variables that they bring along."""
        shown = [
            {self._names.get(str(key), str(key)): _plain(value) for key, value in m.items() if value is not None}
            for m in messages
        ]
        tools: list[Any] = []
        for message in shown:
            tools += [tool for tool in message.pop("tools", None) or () if tool not in tools]
        if tools and "tools" not in self.reads:
            raise DataError(
                say(
                    f"the chat template of {self.name} does not show tools, and the conversation has some; choose another "
                    "tokenizer.chat_template, or leave the column 'tools' out",
                    f"{self.name}의 대화 템플릿은 도구를 보여 주지 않는데 대화에 도구가 있습니다. 다른 tokenizer.chat_template을 고르거나 "
                    "'tools' 열을 빼세요",
                )
            )
        return shown, {"tools": tools} if tools else {}

    @cached_property
    def _names(self) -> dict[str, str]:
        """How this template calls what messages hold, where it has a name of its own."""
        own = "reasoning_content" not in self.source and re.search(r"\bthinking\b", self.source)
        return {"reasoning_content": "thinking"} if own else {}

    @cached_property
    def skeletons(self) -> Skeletons:
        """What is known of its renders."""
        return Skeletons(self.compiled, self.source, self.variables)

    @property
    def marked(self) -> bool:
        """Whether the template marks what the assistant says by `{% generation %}`."""
        return any(word in self.source for word in ("{% generation", "{%- generation", "{%generation", "{%-generation"))

    def marks(self, messages: Sequence[Message]) -> list[tuple[int, int]]:
        """Character spans of the render that the template marks as the assistant's."""
        blocks: list[str] = []
        spans: list[tuple[int, int]] = []
        shown, more = self._shown(messages)
        try:
            with Allowance(len(shown)), self.compiled.environment.activate_tracker(blocks, spans):
                parts = self.compiled.generate(
                    messages=shown, add_generation_prompt=False, **{**self.variables, **more}
                )
                for block in parts:
                    blocks.append(block)
        except Exception as error:
            raise self._failure(error, len(shown)) from None
        return spans

    def _failure(self, error: Exception, messages: int = 0) -> DataError:
        """What went wrong in the template, in one sentence that names it."""
        if not isinstance(error, Exceeded | MemoryError):
            return DataError(self._sentence(error))
        seconds, memory = Allowance(messages).seconds, MEMORY >> 20
        if messages > SHORT:  # this row may be the reason
            return DataError(
                say(
                    f"the chat template of {self.name} uses up more time or memory than {messages:,} messages may take "
                    f"({seconds:g} s of processor time, {memory} MiB); divide the conversation, or choose another tokenizer.chat_template",
                    f"{self.name}의 대화 템플릿이 메시지 {messages:,}개에 허용된 시간이나 메모리(프로세서 {seconds:g}초, {memory} MiB)를 넘게 씁니다. "
                    "대화를 나누거나 다른 tokenizer.chat_template을 고르세요",
                )
            )
        self._exceeds = self._exceeds or Refusal(
            say(
                f"the chat template of {self.name} uses up more time or memory than a conversation may take "
                f"({seconds:g} s of processor time, {memory} MiB); do not use this template",
                f"{self.name}의 대화 템플릿이 대화 하나에 허용된 시간이나 메모리(프로세서 {seconds:g}초, {memory} MiB)를 넘게 씁니다. "
                "이 템플릿을 쓰지 마세요",
            )
        )
        return self._exceeds

    def _sentence(self, error: Exception) -> str:
        reason = " ".join(str(error).split())[:300] or type(error).__name__
        return say(
            f"the chat template of {self.name} stops with '{reason}'; correct the messages, or give what it asks for in "
            "data.chat_template_kwargs",
            f"{self.name}의 대화 템플릿이 '{reason}'(으)로 멈췄습니다. 메시지를 고치거나 필요한 값을 data.chat_template_kwargs에 넣으세요",
        )


@lru_cache(maxsize=1)
def _maker() -> Callable[[str], tuple[Any, Any]]:
    """Compiles a template in the environment of transformers, under bounds; with it, what the template was parsed to.

    What is imported for it is not held against the first template.
    """
    from transformers.utils.chat_template_utils import _compile_jinja_template

    @lru_cache(maxsize=32)
    def make(source: str) -> tuple[Any, Any]:
        # An environment of its own: that of transformers is kept there for whoever else renders the same template.
        environment = bounded(_compile_jinja_template.__wrapped__("").environment)
        return environment.from_string(source), environment.parse(source)

    return make


def _internal_name(tree: Any) -> str | None:
    """The first `__name__` that a parsed template asks for. The sandbox would give it nothing, and say nothing."""
    import jinja2.nodes

    for node in tree.find_all((jinja2.nodes.Getattr, jinja2.nodes.NSRef, jinja2.nodes.Const)):
        name = node.value if isinstance(node, jinja2.nodes.Const) else node.attr
        if isinstance(name, str) and _INTERNAL.fullmatch(name):
            return name
    return None


def _plain(value: Any) -> Any:
    """A copy of JSON values only: objects would lend their methods to the template."""
    if value is None or type(value) in (str, int, float, bool):
        return value
    if isinstance(value, str):
        return str.__str__(value)
    if isinstance(value, Mapping):
        return {str(k): _plain(v) for k, v in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(v) for v in value]
    raise DataError(
        say(
            f"a message holds a {type(value).__name__}, expected text, numbers, lists and mappings",
            f"메시지에 {type(value).__name__}이(가) 있습니다. 글, 수, 목록, 사전만 쓸 수 있습니다",
        )
    )
