"""In which encoding a text file is written: found strictly, never guessed from what would decode anything.

Order: a byte order mark, UTF-16 without one (by where its zero bytes lie), UTF-8, CP949. A file that is none of them
wholly is refused with the offset of its first wrong byte. Of a compressed file the text inside is meant, its offsets too.
"""

import codecs
import io
import unicodedata
from collections.abc import Iterator
from pathlib import Path
from typing import IO

from dadeum.core.errors import DataError
from dadeum.core.language import say
from dadeum.data.packed import disguise, open_bytes

CHUNK = 1 << 20
HEAD = 1 << 16
LONGEST_LINE = 1 << 24  # characters; one sample is never longer, a file without line ends is
# Longest first: the mark of UTF-32 begins with that of UTF-16.
MARKS = (
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)


def _chunks(path: Path) -> Iterator[bytes]:
    with open_bytes(path) as file:
        while chunk := file.read(CHUNK):
            yield chunk


def _hangul(text: str) -> int:
    return sum("가" <= character <= "힣" for character in text) if not text.isascii() else 0


def _first_wrong_byte(path: Path, codec: str) -> int | None:
    """Offset of the first byte that the codec refuses; None where it takes all."""
    decoder = codecs.getincrementaldecoder(codec)("strict")
    done = 0
    for chunk in _chunks(path):
        held = len(decoder.getstate()[0])
        try:
            decoder.decode(chunk)
        except UnicodeDecodeError as error:
            return done - held + error.start
        done += len(chunk)
    held = len(decoder.getstate()[0])
    try:
        decoder.decode(b"", final=True)
    except UnicodeDecodeError as error:
        return done - held + error.start
    return None


def _hangul_as(path: Path, codec: str) -> int:
    """The Hangul syllables in the file as the codec reads it, what it refuses left out."""
    decoder = codecs.getincrementaldecoder(codec)("replace")
    return sum(_hangul(decoder.decode(chunk)) for chunk in _chunks(path))


def _utf16_without_mark(head: bytes) -> str | None:
    """UTF-16 text has a zero byte beside each ASCII character, always on the same side."""
    at_even, at_odd = head[0::2].count(0), head[1::2].count(0)
    zeros = at_even + at_odd
    if zeros < 2 or zeros * 100 < len(head) or (at_even and at_odd):
        return None
    codec = "utf-16-be" if at_even else "utf-16-le"
    try:
        text = codecs.getincrementaldecoder(codec)("strict").decode(head)
    except UnicodeDecodeError:
        return None
    strange = any(unicodedata.category(c) in {"Cc", "Cn", "Co"} and c not in "\t\r\n" for c in text)
    return None if strange else codec


def _line_of(path: Path, offset: int) -> int:
    line = 1
    for chunk in _chunks(path):
        line += chunk[: max(offset, 0)].count(b"\n")
        offset -= len(chunk)
        if offset <= 0:
            break
    return line


def _refuse(path: Path, codec: str, offset: int, also: int | None = None) -> DataError:
    line = _line_of(path, offset)
    what = disguise(path)
    if what:
        return DataError(say(f"{path}: found no text{what}", f"{path}: 글이 아닙니다{what}"))
    other = (
        say(f", nor as cp949 (byte {also})", f", cp949로도 읽을 수 없습니다(바이트 {also})") if also is not None else ""
    )
    return DataError(
        say(
            f"{path}:{line}: byte {offset} cannot be read as {codec}{other}; save the file as UTF-8",
            f"{path}:{line}: {offset}번째 바이트를 {codec}로 읽을 수 없습니다{other}. 파일을 UTF-8로 저장하세요",
        )
    )


def detect(path: Path) -> str:
    """Name of the Python codec that reads the file to its last byte.

    Raises DataError with line and byte offset where none does.
    """
    with open_bytes(path) as file:
        head = file.read(HEAD)
    if head[257:262] == b"ustar" and b"\0" in head[:257]:
        raise DataError(
            say(f"{path}: found a tar archive, expected text; unpack it", f"{path}: tar 묶음입니다. 풀어서 쓰세요")
        )
    codec = next((name for mark, name in MARKS if head.startswith(mark)), None) or _utf16_without_mark(head)
    if codec:
        wrong = _first_wrong_byte(path, codec)
        if wrong is not None:
            raise _refuse(path, codec, wrong)
        return codec
    wrong = _first_wrong_byte(path, "utf-8")
    if wrong is None:
        return "utf-8"
    korean_wrong = _first_wrong_byte(path, "cp949")
    # Damaged UTF-8 may happen to be CP949 too: the reading with more Hangul is the right one.
    if korean_wrong is None and b"\0" not in head and _hangul_as(path, "cp949") > _hangul_as(path, "utf-8"):
        return "cp949"
    raise _refuse(path, "utf-8", wrong, korean_wrong)


def open_text(path: Path, codec: str, newline: str = "\n") -> IO[str]:
    """The file as text, its line ends untouched; by default only `\\n` ends a line."""
    return io.TextIOWrapper(open_bytes(path), encoding=codec, newline=newline)


def lines(path: Path, file: IO[str]) -> Iterator[str]:
    """The lines of an open file with their ends, never more than one in memory.

    Raises DataError for a line longer than `LONGEST_LINE`.
    """
    number = 0
    while line := file.readline(LONGEST_LINE + 1):
        number += 1
        if len(line) > LONGEST_LINE:
            raise DataError(
                say(
                    f"{path}:{number}: a line is longer than {LONGEST_LINE} characters; does the file have line ends, and is it "
                    "of this type?",
                    f"{path}:{number}: 한 줄이 {LONGEST_LINE}자보다 깁니다. 줄바꿈이 있고 이 종류의 파일이 맞나요?",
                )
            )
        yield line
