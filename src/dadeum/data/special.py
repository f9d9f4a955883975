"""The special tokens of a model as they work: roles, places in the chat template, and what is wrong with them.

Joins what the tokenizer says, what the template writes, and what the model's configuration declares. Imports no torch.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

from dadeum.core.errors import DataError, ModelError
from dadeum.core.language import say
from dadeum.data.contract import PromptContract
from dadeum.data.frames import control_strings, frames, places
from dadeum.data.render import PROBE, Renderer
from dadeum.data.spans import TurnFinder
from dadeum.tokenizer.meanings import END_OF_TURN, NOT_A_TOKEN, meaning
from dadeum.tokenizer.special import SpecialToken, as_text, special_tokens

CSV = "special_tokens_analysis.csv"
HEADER = (
    *("token", "id", "role", "in_template", "ids_in_running_text", "pieces", "meaning"),
    *("special", "one_token", "strips_blanks"),
)


@dataclass(frozen=True)
class Declared:
    """What the model's own files say: rows of its embedding, ids that stop `generate`, and the file that says so."""

    vocab_size: int | None = None
    stop_ids: tuple[int, ...] | None = None
    stop_file: str = ""


@dataclass(frozen=True)
class Finding:
    """Something that goes wrong, or is good to know; `kind` is its fixed name."""

    kind: str
    text: str
    warning: bool = True


@dataclass(frozen=True)
class Row:
    """A token and where the template uses it; `places` is None without a template."""

    token: SpecialToken
    places: tuple[str, ...] | None

    @property
    def meaning(self) -> str:
        """One line in the reader's language."""
        return meaning(self.token.name, self.token.roles)

    def cells(self) -> list[Any]:
        """The row of the CSV."""
        token = self.token
        where = "" if self.places is None else ", ".join(self.places) or "never"
        return [
            *(token.name, token.id, ", ".join(token.roles), where),
            *(" ".join(str(p.id) for p in token.pieces), " ".join(p.text for p in token.pieces), self.meaning),
            *(_yes(token.special), _yes(token.whole), ", ".join(token.strips)),
        ]


def _yes(value: bool) -> str:
    return "yes" if value else "no"


class Analysis:
    """All that is known of the special tokens of one tokenizer under its template and the model's configuration."""

    def __init__(self, tokenizer: Any, contract: PromptContract, declared: Declared = Declared()) -> None:
        self.tokenizer = tokenizer
        self.declared = declared
        self.renderer: Renderer = contract.renderer(tokenizer)
        self.known = special_tokens(tokenizer)
        self.refusal = self._why_unfit() if tokenizer.chat_template else None

    def _why_unfit(self) -> str | None:
        try:
            self.renderer.template  # noqa: B018  compiled at its first use
        except (DataError, ModelError) as error:
            return str(error)
        return str(self.renderer.refusal) if self.renderer.refusal else None

    @cached_property
    def frames(self) -> dict[str, str]:
        """Place to what the template writes there; empty without a template that works."""
        try:
            template = self.renderer.template
        except (DataError, ModelError):
            return {}
        return frames(template, [t.name for t in self.known if t.name.strip()], self.tokenizer.bos_token)

    @cached_property
    def end_of_turn(self) -> str | None:
        """The token by which the template ends an answer; None where it ends none."""
        eos, names = self.tokenizer.eos_token, [t.name for t in self.known if t.special]
        after = self.frames.get("after_answer", "")
        if self.refusal or not after:  # what it would be under a template that cannot be trained on
            return (
                eos if eos and eos in after else next(iter(sorted(filter(after.count, names), key=after.index)), None)
            )
        turn = TurnFinder(self.renderer.template, special_tokens=names, eos_token=eos).find(PROBE, 1)
        return turn.end_token if turn.closed else None

    @cached_property
    def rows(self) -> list[Row]:
        """Tokens by id, then what only looks like one."""
        source = self.tokenizer.chat_template or None
        names = {t.name for t in self.known}
        odd = as_text(self.tokenizer, [s for s in control_strings(self.frames) if s not in names], NOT_A_TOKEN)
        found = []
        for token in [*self.known, *odd]:
            if token.name == self.end_of_turn:
                token = replace(token, roles=(*(r for r in token.roles if r != "additional"), END_OF_TURN))
            found.append(Row(token, places(token.name, self.frames, source) if source else None))
        return found

    @cached_property
    def findings(self) -> list[Finding]:
        """What goes wrong, the gravest first, and then what is good to know."""
        found = [*_of_roles(self), *_of_template(self), *_of_stops(self), *_of_cuts(self), *_of_vocabulary(self)]
        return sorted(found, key=lambda f: not f.warning)

    def name_of(self, number: int) -> str:
        """An id as `<|im_end|> (2)`."""
        token = self.tokenizer.convert_ids_to_tokens(number) if number < len(self.tokenizer) else None
        return f"{token} ({number})" if token else f"({number})"


def _of_roles(a: Analysis) -> Iterator[Finding]:
    eos, pad = a.tokenizer.eos_token, a.tokenizer.pad_token
    if not eos:
        yield Finding(
            "no_eos",
            say(
                "the tokenizer has no eos_token: nothing ends a text, answers run on to their longest; name one in tokenizer_config.json",
                "토크나이저에 eos_token이 없습니다. 글을 끝낼 토큰이 없어 답이 최대 길이까지 이어집니다. tokenizer_config.json에 적으세요",
            ),
        )
    if eos and eos == pad:
        yield Finding(
            "eos_is_pad",
            say(
                f"eos and pad are the same token {eos}: a trainer that leaves padding out by its id never teaches the model to stop "
                "(dadeum goes by place, and does teach it)",
                f"eos와 pad가 같은 토큰 {eos}입니다. 채움을 번호로 빼는 학습기에서는 멈추는 법을 배우지 못합니다"
                "(dadeum은 자리로 빼므로 배웁니다)",
            ),
        )
    if eos and eos == a.tokenizer.unk_token:
        yield Finding(
            "eos_is_unk",
            say(
                f"eos and unk are the same token {eos}: a letter outside the vocabulary, if there is one, would end the text",
                f"eos와 unk가 같은 토큰 {eos}입니다. 어휘에 없는 글자가 있다면 글의 끝으로 읽힙니다",
            ),
            warning=False,
        )


def _of_template(a: Analysis) -> Iterator[Finding]:
    if not a.tokenizer.chat_template:
        yield Finding(
            "no_template",
            say(
                "the model has no chat template; --chat-template chatml (or plain, or a Jinja file) shows what one would do",
                "모델에 대화 템플릿이 없습니다. --chat-template chatml (또는 plain, Jinja 파일)로 넣었을 때를 볼 수 있습니다",
            ),
            warning=False,
        )
        return
    if a.refusal:
        yield Finding("unfit_template", a.refusal)
    bos = a.tokenizer.bos_token_id
    head = a.frames.get("start", "") or a.frames.get("user", "")
    if bos is None or not head:
        return
    adds = a.tokenizer.backend_tokenizer.encode("가", add_special_tokens=True).ids[:1] == [bos]
    writes = head.startswith(a.tokenizer.bos_token)
    if adds and writes:
        yield Finding(
            "double_bos",
            say(
                f"template and tokenizer both put {a.tokenizer.bos_token} at the start: whoever encodes a rendered conversation needs "
                "add_special_tokens=False (dadeum does so)",
                f"템플릿과 토크나이저가 모두 앞에 {a.tokenizer.bos_token}을(를) 넣습니다. 템플릿이 쓴 글을 부호화할 때는 "
                "add_special_tokens=False가 필요합니다(dadeum은 그렇게 합니다)",
            ),
            warning=False,
        )
    if adds and not writes:
        yield Finding(
            "missing_bos",
            say(
                f"plain text begins with {a.tokenizer.bos_token}, a conversation of this template does not: the model sees a beginning "
                "that it was not pretrained on; put {{ bos_token }} before the template",
                f"보통 글은 {a.tokenizer.bos_token}(으)로 시작하는데 이 템플릿의 대화는 그렇지 않습니다. 모델이 사전학습 때와 다른 시작을 봅니다. "
                "템플릿 앞에 {{ bos_token }}을 넣으세요",
            ),
        )


def _of_stops(a: Analysis) -> Iterator[Finding]:
    stops, file = a.declared.stop_ids, a.declared.stop_file
    if stops is None:
        return
    declared = ", ".join(map(a.name_of, stops)) or say("none", "없음")
    end = a.tokenizer.convert_tokens_to_ids(a.end_of_turn) if a.end_of_turn else None
    if end is not None and end not in stops:
        yield Finding(
            "end_of_turn_does_not_stop",
            say(
                f"{file}: generation stops at {declared}, but the template ends an answer with {a.name_of(end)}: other programs go on "
                "and answer themselves (dadeum stops); add it to eos_token_id",
                f"{file}: 생성은 {declared}에서 멈추는데 템플릿은 답을 {a.name_of(end)}(으)로 끝냅니다. 다른 프로그램은 멈추지 않고 "
                "혼자 대화를 이어 갑니다(dadeum은 멈춤). eos_token_id에 더하세요",
            ),
        )
    eos = a.tokenizer.eos_token_id
    if eos is not None and eos not in stops and eos != end:
        yield Finding(
            "eos_does_not_stop",
            say(
                f"{file}: generation stops at {declared}, the tokenizer's eos is {a.name_of(eos)}; add it to eos_token_id",
                f"{file}: 생성은 {declared}에서 멈추는데 토크나이저의 eos는 {a.name_of(eos)}입니다. eos_token_id에 더하세요",
            ),
        )


def _of_cuts(a: Analysis) -> Iterator[Finding]:
    for row in a.rows:
        token = row.token
        if token.whole:
            continue
        if token.id is None and "after_answer" in (row.places or ()) and a.end_of_turn is None:
            ends = a.tokenizer.eos_token or say("nothing", "없음")
            yield Finding(
                "end_is_no_token",
                say(
                    f"the template ends an answer with {token.name}, which is no token here (cut into {len(token.pieces)}): "
                    f"what ends an answer is the tokenizer's eos, {ends}",
                    f"템플릿은 답을 {token.name}(으)로 끝내지만 이 토크나이저에는 그 토큰이 없습니다({len(token.pieces)}조각). "
                    f"답을 끝내는 것은 토크나이저의 eos, {ends}입니다",
                ),
            )
        elif token.id is None:
            yield Finding(
                "not_one_token",
                say(
                    f"the template writes {token.name}, which is no token here: it is cut into {len(token.pieces)}, like any text",
                    f"템플릿이 쓰는 {token.name}은(는) 이 토크나이저의 토큰이 아닙니다. 보통 글처럼 {len(token.pieces)}조각으로 잘립니다",
                ),
            )
        else:
            yield Finding(
                "not_read_as_itself",
                say(
                    f"{token.name} ({token.id}) inside a text is cut into {len(token.pieces)}, not read as itself",
                    f"{token.name} ({token.id})은(는) 글 속에서 한 토큰으로 읽히지 않고 {len(token.pieces)}조각으로 잘립니다",
                ),
                warning=bool(row.places),
            )


def _of_vocabulary(a: Analysis) -> Iterator[Finding]:
    size = a.declared.vocab_size
    beyond = [t for t in a.known if size is not None and t.id is not None and t.id >= size]
    if beyond:
        first = _listed([f"{t.name} ({t.id})" for t in beyond])
        yield Finding(
            "beyond_the_model",
            say(
                f"the model has {size:,} rows, ids 0 to {size - 1 if size else 0:,}: it has none for {first}; its embedding must grow first",
                f"모델의 어휘는 {size:,}행(0–{size - 1 if size else 0:,}번)입니다. {first}의 행이 없습니다. 임베딩을 먼저 늘려야 합니다",
            ),
        )


def _listed(names: Sequence[str], most: int = 5) -> str:
    rest = len(names) - most
    return ", ".join(names[:most]) + (say(f" and {rest} more", f" 외 {rest}개") if rest > 0 else "")
