"""The report as Markdown worth keeping in `docs/`, with its pictures as SVG files beside it.

Text of models and data stands in indented blocks or with its marks taken away: nothing in it is Markdown or HTML.
"""

import re
from collections.abc import Sequence

from dadeum.core.language import say
from dadeum.core.secrets import redact
from dadeum.report import plots
from dadeum.report.blocks import Block, Code, Document, Facts, Figure, Link, Page, Side, Table, Text
from dadeum.tokenizer.readable import visible

# What begins something wherever it stands; an underscore inside a word does not.
_MARKS = re.compile(r"[\\`*{}\[\]<>|~$&]|(?<![^\W_])_|_(?![^\W_])")
_ENTITIES = {"<": "&lt;", ">": "&gt;", "&": "&amp;"}
_STARTS = re.compile(r"^([-+#=]|\d+(?=[.)](\s|$)))")
_LINKS = re.compile(r"(?i)(?<=:)(?=//)|(?<=www)(?=\.)")  # what would become a link by itself


def markdown(report: Document, folder: str) -> tuple[str, dict[str, str]]:
    """The text, and the pictures that it shows by their names in `folder`, which stands beside it."""
    files: dict[str, str] = {}
    lines = [f"# {escaped(report.title)}", "", escaped(report.lead), ""]
    lines += [f"## {say('Result', '결과')}", ""]
    first, *more = report.verdict.sentences
    lines += [f"**{escaped(first)}**", "", *(line for one in (*more, *report.damaged) for line in (escaped(one), ""))]
    for section in report.sections:
        if not section.kept:
            continue
        lines += [f"## {escaped(section.title)}", ""]
        for block in section.blocks:
            lines += [*_block(block, folder, files), ""]
    return redact(re.sub(r"\n{3,}", "\n\n", "\n".join(lines)).rstrip() + "\n"), files


def escaped(text: str, *, start: bool = True) -> str:
    """One line in which no character means anything to Markdown; `start` says that it may stand first in its line."""
    line = " ".join(visible(redact(text)).split())
    told = _LINKS.sub(r"\\", _MARKS.sub(lambda m: _ENTITIES.get(m[0], "\\" + m[0]), line))
    return _STARTS.sub(_first, told) if start else told


def _first(match: re.Match[str]) -> str:
    return match[0] + "\\" if match[0].isdigit() else "\\" + match[0]


def _block(block: Block, folder: str, files: dict[str, str]) -> list[str]:
    match block:
        case Text():
            told = _with_code(block.text)
            return [f"*{told}*" if block.look == "hint" and "`" not in told else told]
        case Facts():
            return [f"- {escaped(name)}: {escaped(value, start=False)}" for name, value in block.pairs]
        case Table():
            head = [f"### {escaped(block.title)}", ""] if block.title else []
            aligned = ["---:" if how == "right" else "---" for _, how in block.columns]
            rows = [_line(row) for row in block.rows]
            return [*head, _line([name for name, _ in block.columns]), "| " + " | ".join(aligned) + " |", *rows]
        case Figure():
            files[f"{block.name}.svg"] = redact(plots.alone(block.svg, block.legend))
            title = escaped(block.title, start=False)
            return [f"![{title}](<{folder}/{block.name}.svg>)", "", f"*{title}*"]
        case Side():
            return _side(block)
        case Code():
            return _code(block)
        case Link():
            return []  # what it leads to does not travel with the page
        case Page():
            return []


def _with_code(text: str) -> str:
    parts = text.split("`")
    if len(parts) % 2 == 0:
        return escaped(text)
    return "".join(f"`{part}`" if at % 2 else _kept(part) for at, part in enumerate(parts))


def _kept(part: str) -> str:
    """Escaped, with the blanks around it that stand beside code."""
    front, back = part[: len(part) - len(part.lstrip())], part[len(part.rstrip()) :]
    return f"{' ' if front else ''}{escaped(part)}{' ' if back and part.strip() else ''}"


def _line(cells: Sequence[str]) -> str:
    return "| " + " | ".join(escaped(cell, start=False) for cell in cells) + " |"


def _code(block: Code) -> list[str]:
    text = visible(redact(block.text)).rstrip("\n")
    longest = max((len(run) for run in re.findall(r"`+", text)), default=0)
    fence = "`" * max(3, longest + 1)
    head = [f"### {escaped(block.title)}", ""] if block.title else []
    return [*head, f"{fence}{block.kind}", *text.split("\n"), fence]


def _side(side: Side) -> list[str]:
    lines = [f"### {escaped(side.title)}", ""]
    for name, text in (*side.asked, *side.answers):
        told = visible(redact(text))
        lines += [
            f"**{escaped(name)}**",
            "",
            *(f"    {line}" for line in told.splitlines() or [say("(nothing)", "(없음)")]),
            "",
        ]
    return lines
