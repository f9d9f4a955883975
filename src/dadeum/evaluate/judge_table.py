"""What a judge said, as a table: on the screen, in Markdown, on the page."""

from collections.abc import Mapping
from typing import Any

from dadeum.core.language import say


def title(found: Mapping[str, Any]) -> str:
    """What the table is called."""
    return say(
        f"Judge {found['model']}: answers against those of {found['first']}",
        f"심판 {found['model']}: {found['first']}의 답과 견주어",
    )


def header() -> list[str]:
    """The columns of `cells`."""
    return [
        say("model", "모델"),
        say("win rate [95 %]", "승률 [95 %]"),
        say("w/t/l", "승/무/패"),
        say("steady", "일관됨"),
        say("took 1st", "첫 자리"),
    ]


def cells(found: Mapping[str, Any]) -> list[list[str]]:
    """A row a model that was judged."""
    shown = []
    for name, one in found["models"].items():
        if not one["n"]:
            continue
        low, high = one["interval"]
        sided = "–" if one["chose_first"] is None else f"{one['chose_first']:.0%}"
        shown.append(
            [
                name,
                f"{one['win_rate']:.3g} [{low:.3g}, {high:.3g}]",
                f"{one['wins']}/{one['ties']}/{one['losses']}",
                f"{one['consistent']:.0%}",
                sided,
            ]
        )
    return shown


def notes(found: Mapping[str, Any]) -> list[str]:
    """What the numbers stand on."""
    told = [
        say(
            "A win counts only where the judge says so with both orders of the answers; else it is a tie (0.5). A judge is a model: "
            "it may prefer length, its own style, or what an answer tells it to.",
            "두 답의 순서를 바꿔 물어도 같은 쪽을 골랐을 때만 승패로 치고, 아니면 무승부(0.5)입니다. 심판도 모델이라 긴 답이나 자기 말투를 좋아할 수 "
            "있고 답 속의 지시에 넘어갈 수 있습니다.",
        ),
        say(
            "Steady: how often both orders said the same. Took 1st: how often the answer that stood first was chosen; 50 % is no bias.",
            "일관됨: 두 순서의 판단이 같은 비율. 첫 자리: 먼저 놓인 답을 고른 비율로, 50 %면 치우침이 없습니다.",
        ),
    ]
    told += [
        say(
            f"{name}: {one['malformed']} replies of the judge named no answer; their rows do not count.",
            f"{name}: 심판의 대답 {one['malformed']}개는 어느 쪽도 고르지 않아 그 행을 뺐습니다.",
        )
        for name, one in found["models"].items()
        if one["malformed"]
    ]
    return told


def lines(found: Mapping[str, Any] | None) -> list[str]:
    """The table as Markdown; nothing where nobody judged."""
    if not found:
        return []
    rows = [header(), ["---"] * len(header()), *cells(found)]
    written = ["| " + " | ".join(_plain(cell) for cell in row) + " |" for row in rows]
    return ["", f"## {_plain(title(found))}", "", *written, "", *(f"- {_plain(note)}" for note in notes(found))]


def _plain(text: str) -> str:
    """Names in which nothing is Markdown or HTML."""
    for mark in ("\\", "`", "*", "|", "["):
        text = text.replace(mark, f"\\{mark}")
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;").replace("\n", " ")
