"""How `dadeum tokens` looks: the table of special tokens, what goes wrong, a text cut into its tokens."""

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING

from rich import box
from rich.cells import cell_len, set_cell_size
from rich.console import Console
from rich.table import Table
from rich.text import Text

from dadeum.core.language import say
from dadeum.tokenizer.meanings import END_OF_TURN, NOT_A_TOKEN
from dadeum.tokenizer.readable import BYTE_TOKEN, visible
from dadeum.tokenizer.special import on_one_line

if TYPE_CHECKING:
    from dadeum.data.special import Analysis, Finding, Row
    from dadeum.tokenizer.special import Counts, Piece

ALIKE = 3  # so many tokens that differ only in their number share a line
MOST = 60  # lines of the table; the file has them all
MOST_PIECES = 2000
LONGEST = 28  # cells of a token's name
_STYLES = {"bos": "green", "eos": "bold red", END_OF_TURN: "bold red", "pad": "dim", NOT_A_TOKEN: "yellow"}


def place_names() -> dict[str, str]:
    """The places of a chat template in the reader's language."""
    return {
        "start": say("start", "시작"),
        "system": say("system", "시스템"),
        "user": say("user", "사용자"),
        "before_answer": say("before answer", "답 앞"),
        "after_answer": say("after answer", "답 뒤"),
        "generation_prompt": say("prompt end", "프롬프트 끝"),
        "elsewhere": say("elsewhere", "그 밖"),
    }


def role_names() -> dict[str, str]:
    """Roles that are more than a key of tokenizer_config.json."""
    return {
        "additional": say("special", "특수"),
        "added": say("added", "추가"),
        END_OF_TURN: say("end of turn", "차례 끝"),
        NOT_A_TOKEN: say("no token", "토큰 아님"),
    }


def show_analysis(console: Console, name: str, analysis: "Analysis") -> None:
    """The table and what goes wrong."""
    groups = grouped(analysis.rows)
    title = Text(say(f"Special tokens of {name}", f"{name}의 특수 토큰"))
    table = Table(title=title, title_justify="left", title_style="bold", header_style="bold", box=box.SIMPLE_HEAD)
    table.pad_edge = False
    # Only the places may break; several roles, and what they are for, stand below each other.
    table.add_column(say("token", "토큰"), no_wrap=True)
    table.add_column(say("id", "번호"), justify="right", no_wrap=True)
    table.add_column(say("role", "역할"), no_wrap=True)
    drawn = [_what_for]
    if analysis.tokenizer.chat_template:
        table.add_column(say("in the template", "템플릿에서"), overflow="fold")
        drawn = [_places, _what_for]
    table.add_column(say("what for", "뜻"), no_wrap=True)
    for group in groups[:MOST]:
        table.add_row(*_head(group), *(draw(group[0]) for draw in drawn))
    console.print(table)
    if len(groups) > MOST:
        rest = len(groups) - MOST
        console.print(Text(say(f"  … {rest} more in the file", f"  … {rest}개 더 (파일에 있음)"), style="dim"))
    _facts(console, analysis)
    for finding in analysis.findings:
        console.print(_finding(finding))


def grouped(rows: "Sequence[Row]") -> "list[list[Row]]":
    """Rows in the order of interest: roles, the template's, the rest; those that differ only in a number together."""
    kinds: dict[str, list[Row]] = {}
    single: list[list[Row]] = []
    for row in rows:
        if _plain(row):
            name = row.token.name
            key = "blanks" if not name.strip(" \t\r\n▁") else re.sub(r"\d+", "#", name)
            kinds.setdefault(key, []).append(row)
        else:
            single.append([row])
    rest = [part for group in kinds.values() for part in ([group] if len(group) >= ALIKE else [[r] for r in group])]
    rest.sort(key=lambda group: group[0].token.id or 0)
    return [*sorted(single, key=lambda group: _interest(group[0])), *rest]


def _plain(row: "Row") -> bool:
    """Nothing to look at: no role, whole, blank or unused by the template."""
    blank = not row.token.name.strip(" \t\r\n▁")
    return (blank or not row.places) and row.token.whole and set(row.token.roles) <= {"additional", "added"}


def _interest(row: "Row") -> tuple[int, int]:
    roles = row.token.roles
    number = row.token.id if row.token.id is not None else 0
    if roles[0] not in ("additional", "added", NOT_A_TOKEN):
        return 0, number
    return (1 if row.places and row.places != ("elsewhere",) else 2), number


def _head(group: "list[Row]") -> tuple[Text, Text, Text]:
    token, last = group[0].token, group[-1].token
    style = next((_STYLES[r] for r in token.roles if r in _STYLES), "cyan" if group[0].places else "")
    name, number = shown(token.name), "–" if token.id is None else str(token.id)
    if len(group) > 1:
        name, number = f"{name} … ×{len(group):,}", f"{token.id}…\n{last.id}"
    named = role_names()
    roles = Text("\n".join(named.get(r, r) for r in token.roles))
    if not token.whole:
        roles.append(say(f"\n{len(token.pieces)} pieces", f"\n{len(token.pieces)}조각"), style="yellow")
    if token.strips:
        roles.append(say("\neats blanks", "\n빈칸을 삼킴"), style="dim")
    return Text(name, style=style), Text(number), roles


def _places(row: "Row") -> Text:
    named = place_names()
    return Text(
        ", ".join(named[p] for p in row.places or ()) or say("never", "없음"), style="" if row.places else "dim"
    )


def _what_for(row: "Row") -> Text:
    return Text(row.meaning.replace("; ", "\n"), style="dim" if _plain(row) else "")


def shown(name: str) -> str:
    """A token's name, short and on one line."""
    written = on_one_line(name)
    return written if cell_len(written) <= LONGEST else set_cell_size(written, LONGEST - 1).rstrip() + "…"


def _facts(console: Console, analysis: "Analysis") -> None:
    size, tokens = analysis.declared.vocab_size, len(analysis.tokenizer)
    said = [say(f"{tokens:,} tokens", f"토큰 {tokens:,}개")]
    if size is not None:
        said.append(say(f"{size:,} rows in the model", f"모델의 어휘 {size:,}행"))
    if analysis.declared.stop_ids:
        stops = ", ".join(analysis.name_of(i) for i in analysis.declared.stop_ids)
        said.append(say(f"generation stops at {stops}", f"생성이 멈추는 곳 {stops}"))
    console.print(Text("  " + " · ".join(said), style="dim"))
    if all(row.token.whole for row in analysis.rows):
        told = say("each is read as one token inside a text too", "모두 글 속에서도 한 토큰으로 읽힙니다")
        console.print(Text(f"  {told}", style="dim"))


def _finding(finding: "Finding") -> Text:
    label = say("warning", "주의") if finding.warning else say("note", "참고")
    return Text.assemble((f"{label}: ", "bold yellow" if finding.warning else "bold"), visible(finding.text))


def show_cut(console: Console, text: str, pieces: "Sequence[Piece]", counts: "Counts") -> None:
    """The text piece over id, line by line, and what it costs."""
    console.print(Text(say("The text as the tokenizer cuts it", "토크나이저가 자른 글"), style="bold"))
    for line in glossed(pieces[:MOST_PIECES], console.width - 2):
        console.print(Text("  ").append(line), soft_wrap=True)
    if len(pieces) > MOST_PIECES:
        console.print(Text(f"  … {len(pieces) - MOST_PIECES:,}", style="dim"))
    said = [
        say(f"{counts.tokens:,} tokens", f"토큰 {counts.tokens:,}개"),
        say(f"{counts.characters:,} characters", f"글자 {counts.characters:,}자"),
        say(f"{counts.bytes:,} bytes", f"{counts.bytes:,}바이트"),
    ]
    if counts.framing:
        said[0] += say(f" and {counts.framing} around it", f", 둘레에 {counts.framing}개")
    if counts.tokens_per_hangul is not None:
        said.append(
            say(
                f"{counts.tokens_per_hangul:.2f} tokens a Korean letter ({counts.hangul_tokens:,} for {counts.hangul:,})",
                f"한글 한 자에 {counts.tokens_per_hangul:.2f}토큰 ({counts.hangul:,}자에 {counts.hangul_tokens:,}개)",
            )
        )
    console.print(Text("  " + " · ".join(said)))
    if any(BYTE_TOKEN.search(p.text) for p in pieces):
        told = say(
            "<0xEB> and the like are bytes: a letter that the vocabulary lacks is spread over several tokens",
            "<0xEB> 같은 것은 바이트입니다. 어휘에 없는 글자가 여러 토큰으로 나뉘었습니다",
        )
        console.print(Text(f"  {told}", style="dim"))
    _specials(console, pieces, text)


def _specials(console: Console, pieces: "Sequence[Piece]", text: str) -> None:
    added = [f"{shown(p.text)} ({p.id})" for p in pieces if p.framed]
    own = [p for p in pieces if p.special and not p.framed]
    read = [f"{shown(p.text)} ({p.id})" for p in own if text[p.start : p.end] == p.text]
    lost = [f"{shown(text[p.start : p.end])} → {p.text} ({p.id})" for p in own if text[p.start : p.end] != p.text]
    for found, words in (
        (added, say("put around it by the tokenizer", "토크나이저가 둘레에 넣음")),
        (lost, say("not in the vocabulary, so the model never sees it", "어휘에 없어 모델이 보지 못함")),
        (read, say("special tokens read in the text", "글에서 읽힌 특수 토큰")),
    ):
        if found:
            console.print(Text.assemble(("  * ", "bold magenta"), f"{words}: {', '.join(dict.fromkeys(found))}"))
    if read:
        told = say(
            "    (in a message of a conversation dadeum reads such a string as ordinary text)",
            "    (대화의 메시지에서는 dadeum이 이런 글을 보통 글로 읽습니다)",
        )
        console.print(Text(told, style="dim"))


def glossed(pieces: "Sequence[Piece]", width: int) -> list[Text]:
    """Two lines a row: pieces, and below each its id; special ones carry a star."""
    lines: list[Text] = []
    above, below = Text(), Text()
    for piece in pieces:
        text = piece.text + ("*" if piece.special or piece.framed else "")
        wide = max(cell_len(text), len(str(piece.id)))
        if above and cell_len(above.plain) + wide > width:
            lines += [above, below]
            above, below = Text(), Text()
        style = "bold magenta" if piece.special or piece.framed else "bold"
        above.append(text, style=style).append(" " * (wide - cell_len(text) + 1))
        below.append(str(piece.id).ljust(wide + 1), style="dim")
    return [*lines, above, below] if above else lines
