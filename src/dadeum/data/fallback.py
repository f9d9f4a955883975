"""Where a text file that is missing comes from: a data set of the Hub, or a text that dadeum ships.

It is written once and is a file like any other then; a note beside it (`.<name>.json`) tells where it came from, for as
long as nobody changes it.
"""

import json
import tempfile
from pathlib import Path
from typing import Any

from dadeum.core import artifact
from dadeum.core.errors import DataError
from dadeum.core.fingerprint import sha256_file
from dadeum.core.language import say
from dadeum.core.near import hint, nearest
from dadeum.core.progress import Reporter
from dadeum.core.workspace import Workspace
from dadeum.data.cells import FaultyRow
from dadeum.data.extras import says_more
from dadeum.data.files import label
from dadeum.data.formats import Conversation
from dadeum.data.sources import Part

SHIPPED = Path(__file__).parent / "texts"
NAME = r"^[\w.\-]+(/[\w.\-]+(@[\w.\-/]+)?)?$"
SPEAKERS = {"system": "", "user": "질문: ", "assistant": "답변: "}


def write(name: str, path: Path, part: Part | None, workspace: Workspace, reporter: Reporter) -> None:
    """Write the text `name` to `path`, one sample a line, of a Hub data set the rows of this part (None: train).

    Raises HubError and DataError; then nothing is written.
    """
    shown = label(workspace, path)
    reporter.note(say(f"{shown} is missing; written from {name}", f"{shown}이(가) 없어 {name}에서 만듭니다"))
    text, source = _hub(name, part, workspace, reporter) if "/" in name else _shipped(name)
    path.parent.mkdir(parents=True, exist_ok=True)
    aside = path.with_name(f".{path.name}.new")
    artifact.write_text(aside, text)
    artifact.write_json(_note(path), {"from": source, "sha256": sha256_file(aside)})
    aside.replace(path)


def origin(path: Path) -> str:
    """What the file is: written from a fallback and unchanged, or the user's own."""
    note: Any = artifact.read_json(_note(path)) if _note(path).is_file() else {}
    if note and note.get("sha256") == sha256_file(path):
        return say(f"written from {note['from']}", f"{note['from']}에서 만든 파일")
    return say("a file of your own", "직접 넣은 파일")


def line(text: str) -> str:
    """A sample on one line, as the text source reads it back."""
    return text.replace("\\", "\\\\").replace("\n", "\\n")


def dialogue(conversation: Conversation) -> str:
    """A conversation as plain text: each message on a line of its own, after who speaks."""
    if conversation.text is not None:
        return conversation.text
    if any(says_more(m) for m in conversation.messages):
        raise FaultyRow(
            "tool calls", say("calls of tools and reasoning are no text", "도구 호출과 추론은 글이 아닙니다")
        )
    return "\n".join(SPEAKERS.get(m["role"], f"{m['role']}: ") + m["content"] for m in conversation.messages)


def _note(path: Path) -> Path:
    return path.with_name(f".{path.name}.json")


def _shipped(name: str) -> tuple[str, str]:
    file = SHIPPED / f"{name}.txt"
    if not file.is_file():
        names = sorted(f.stem for f in SHIPPED.glob("*.txt"))
        near = hint(nearest(name, names))
        known = ", ".join(names)
        raise DataError(
            say(
                f"fallback: found '{name}', expected owner/name of a Hub data set or one of: {known}{near}",
                f"fallback: '{name}'은(는) 없습니다. Hub 데이터셋의 소유자/이름이나 다음을 쓰세요: {known}{near}",
            )
        )
    return file.read_text(encoding="utf-8"), say(f"the built-in samples '{name}'", f"내장 글 '{name}'")


def _hub(name: str, part: Part | None, workspace: Workspace, reporter: Reporter) -> tuple[str, str]:
    """The samples of a Hub data set, and its name with the commit."""
    from dadeum.data.account import Account
    from dadeum.data.clean import Cleaner
    from dadeum.data.kinds import Recogniser
    from dadeum.data.maker import Maker
    from dadeum.data.prepare import RowReader
    from dadeum.data.sources import SOURCES
    from dadeum.data.split import NONE, number
    from dadeum.data.usable import AS_TEXT

    owner_name, _, revision = name.partition("@")
    source = SOURCES.settings("hub").model_validate({"name": owner_name, "revision": revision or "main"})
    commit = SOURCES.of(source).download(source, workspace).name
    with tempfile.TemporaryDirectory() as aside:
        with Account(Path(aside) / "kept.jsonl", Path(aside) / "faulty.jsonl", seed=0) as account:
            maker = Maker(dialogue, Cleaner(None), Recogniser(), AS_TEXT, seed=0)
            RowReader(workspace, reporter, maker, account).read([source])
        wanted = {number(part or "train")} | ({NONE} if part in (None, "train") else set())
        rows = zip(account.pins.tolist(), account.lines(), strict=True)
        samples = [json.loads(row)["text"] for pin, row in rows if pin in wanted]
    if not samples:
        wish = part or "train"
        raise DataError(
            say(
                f"fallback: {name} has no rows of the part '{wish}'",
                f"fallback: {name}에 '{wish}' 부분의 행이 없습니다",
            )
        )
    if account.first is not None:
        count, first = account.dropped.total(), account.first
        reporter.warn(
            say(
                f"{count} rows of {name} left out, first {first['where']}: {first['reason']}",
                f"{name}의 {count}행을 뺐습니다. 첫 행 {first['where']}: {first['reason']}",
            )
        )
    return "".join(line(sample) + "\n" for sample in samples), f"hub:{owner_name}@{commit}"
