"""Files of questions read, files of answers written."""

import csv
import io
import json
import re
import unicodedata
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from dadeum.core.artifact import write_text
from dadeum.core.errors import DataError
from dadeum.core.language import say
from dadeum.data.cells import by_name, first_text
from dadeum.data.charset import detect, open_text

QUESTION = ("question", "q", "질문", "prompt", "instruction", "query")
REFERENCE = ("reference", "answer", "a", "답변", "답", "response", "output", "completion")
CATEGORY = ("category", "분류", "카테고리")
READ = (".txt", ".csv", ".jsonl")
WRITTEN = (".md", ".jsonl", ".csv")
# Cells that begin so are formulas to a spreadsheet.
FORMULA = ("=", "+", "-", "@", "\t", "\r")
NUMBER = re.compile(r"[+-]?\d+(\.\d+)?(e[+-]?\d+)?")


@dataclass(frozen=True)
class Question:
    """One question of a file, with what the file says besides."""

    question: str
    reference: str | None = None
    category: str | None = None


def read_questions(path: Path) -> list[Question]:
    """Questions of a .txt (one a line), .csv or .jsonl file (column question, and reference and category where there are).

    Any encoding that `data.charset` knows. Raises DataError: no such file, unknown kind, a row without a question.
    """
    if not path.is_file():
        raise DataError(say(f"{path}: no such file of questions", f"{path}: 질문 파일이 없습니다"))
    kind = path.suffix.lower()
    if kind not in READ:
        raise DataError(
            say(
                f"{path}: found '{path.suffix}', expected a .txt, .csv or .jsonl file of questions",
                f"{path}: '{path.suffix}' 파일입니다. 질문은 .txt, .csv, .jsonl 파일이어야 합니다",
            )
        )
    with open_text(path, detect(path), newline="" if kind == ".csv" else "\n") as file:
        if kind == ".txt":
            found = [Question(_nfc(line)) for line in file if line.strip()]
        else:
            rows = _csv_rows(path, file) if kind == ".csv" else _json_rows(path, file)
            found = [_question(f"{path}:{line}", row) for line, row in rows]
    if not found:
        raise DataError(say(f"{path}: holds no question", f"{path}: 질문이 하나도 없습니다"))
    return found


def _nfc(text: str) -> str:
    return unicodedata.normalize("NFC", text.strip())


def _csv_rows(path: Path, file: Any) -> Iterator[tuple[int, Mapping[str, Any]]]:
    reader = csv.DictReader(file, strict=True)
    try:
        for row in reader:
            yield reader.line_num, row
    except csv.Error as error:
        raise DataError(say(f"{path}:{reader.line_num}: {error}", f"{path}:{reader.line_num}: {error}")) from None


def _json_rows(path: Path, file: Any) -> Iterator[tuple[int, Mapping[str, Any]]]:
    for number, line in enumerate(file, 1):
        if not line.strip():
            continue
        try:
            row = json.loads(line)
        except ValueError:
            row = None
        if not isinstance(row, dict):
            raise DataError(
                say(
                    f"{path}:{number}: found no JSON object on this line",
                    f"{path}:{number}: 이 줄은 JSON 객체가 아닙니다",
                )
            )
        yield number, row


def _question(where: str, row: Mapping[str, Any]) -> Question:
    values = by_name({str(key): value for key, value in row.items() if isinstance(key, str)})
    text = first_text(values, QUESTION)
    if text is None:
        columns = ", ".join(map(str, row)) or say("none", "없음")
        raise DataError(
            say(
                f"{where}: found columns {columns}, expected a question in one of: {', '.join(QUESTION)}",
                f"{where}: 열이 {columns}입니다. 질문이 다음 중 한 열에 있어야 합니다: {', '.join(QUESTION)}",
            )
        )
    reference, category = first_text(values, REFERENCE), first_text(values, CATEGORY)
    return Question(_nfc(text), reference and _nfc(reference), category and _nfc(category))


def csv_text(header: Sequence[str], rows: Sequence[Sequence[Any]]) -> str:
    """CSV that a spreadsheet opens as text: a byte order mark for Hangul, and `'` before what would be a formula."""
    return "\ufeff" + csv_lines([header, *rows])


def csv_lines(rows: Iterable[Sequence[Any]]) -> str:
    """Rows of such a file, to be written one after another."""
    out = io.StringIO()
    csv.writer(out, lineterminator="\n").writerows([_cell(value) for value in row] for row in rows)
    return out.getvalue()


def _cell(value: Any) -> Any:
    if isinstance(value, str) and _may_count(value):
        return "'" + value
    return "" if value is None else value


def from_cell(cell: str) -> str:
    """What was meant by a cell of such a file."""
    return cell[1:] if cell.startswith("'") and _may_count(cell[1:]) else cell


def _may_count(text: str) -> bool:
    """Whether a spreadsheet may take the text for a formula; a number is none."""
    return text.lstrip(" ").startswith(FORMULA) and NUMBER.fullmatch(text) is None


def check_output(path: Path) -> None:
    """Raises DataError where answers cannot be written under that name."""
    if path.suffix.lower() not in WRITTEN:
        raise DataError(
            say(
                f"{path}: found '{path.suffix}', expected a name that ends in .md, .jsonl or .csv",
                f"{path}: '{path.suffix}'(으)로는 쓸 수 없습니다. .md, .jsonl, .csv로 끝나는 이름이어야 합니다",
            )
        )


def write_answers(path: Path, title: str, rows: Sequence[Mapping[str, Any]]) -> None:
    """Write rows (`question`, `answer` and more) as Markdown, JSON lines or CSV; readers see the whole file or none."""
    check_output(path)
    kind = path.suffix.lower()
    if kind == ".csv":
        header = list(rows[0]) if rows else ["question", "answer"]
        text = csv_text(header, [[row[name] for name in header] for row in rows])
    elif kind == ".jsonl":
        text = "".join(json.dumps(dict(row), ensure_ascii=False) + "\n" for row in rows)
    else:
        parts = [f"# {title}\n"]
        for number, row in enumerate(rows, 1):
            parts.append(f"## {number}. {' '.join(str(row['question']).split())}\n\n{row['answer']}\n")
        text = "\n".join(parts)
    write_text(path, text)
