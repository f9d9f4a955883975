"""Compressed files, unpacked as they are read: never on disk, never whole in memory."""

import io
from pathlib import Path
from typing import IO, Any

from dadeum.core.errors import DataError
from dadeum.core.language import say

CHUNK = 1 << 18
CODECS = {".gz": "gzip", ".zst": "zstd"}
# A frame of zstd may be preceded by one that is to be skipped.
BEGINNINGS = {
    "gzip": (b"\x1f\x8b",),
    "zstd": (b"\x28\xb5\x2f\xfd", *(bytes([n, 0x2A, 0x4D, 0x18]) for n in range(0x50, 0x60))),
}
OTHERS = {b"PK\x03\x04": "zip", b"\xfd7zXZ\0": "xz", b"7z\xbc\xaf\x27\x1c": "7z"} | {
    b"BZh%d1AY&" % level: "bzip2" for level in range(1, 10)
}


def codec(path: Path) -> str | None:
    """How the file is compressed, by its name; None where it is not."""
    return CODECS.get(path.suffix.lower())


def inner(path: Path) -> Path:
    """The name without `.gz` or `.zst`."""
    return path.with_suffix("") if codec(path) else path


def open_bytes(path: Path) -> IO[bytes]:
    """The bytes inside. Raises DataError, then or while they are read, where they cannot be unpacked."""
    how = codec(path)
    if how is None:
        return path.open("rb")
    return io.BufferedReader(_Unpacker(path, how), CHUNK)


def larger(path: Path, limit: int) -> bool:
    """Whether more than `limit` bytes are inside; counts no further than that."""
    if codec(path) is None:
        return path.stat().st_size > limit
    size = 0
    with open_bytes(path) as file:
        while size <= limit and (chunk := file.read(CHUNK)):
            size += len(chunk)
    return size > limit


def disguise(path: Path) -> str:
    """What a file that is no text may be instead, as the end of a sentence; empty where nothing is known."""
    with path.open("rb") as file:
        head = file.read(8)
    for ending, how in CODECS.items():
        if codec(path) is None and head.startswith(BEGINNINGS[how]):
            return say(
                f"; it is compressed ({how}): let its name end in {ending}",
                f". {how}(으)로 압축된 파일입니다. 이름을 {ending}로 끝내세요",
            )
    for beginning, kind in OTHERS.items():
        if head.startswith(beginning):
            return say(
                f"; it is a {kind} archive: unpack it, or compress it as .gz or .zst",
                f". {kind} 압축 파일입니다. 풀거나 .gz, .zst로 압축하세요",
            )
    return ""


class _Unpacker(io.RawIOBase):
    """A compressed file as a stream of the bytes inside."""

    def __init__(self, path: Path, how: str) -> None:
        import pyarrow

        super().__init__()
        self.path, self.how = path, how
        self.file = path.open("rb")
        head = self.file.read(4)
        if not head.startswith(BEGINNINGS[how]):
            self.file.close()
            raise self._not_packed()
        self.file.seek(0)
        self.failures: tuple[type[Exception], ...] = (OSError, pyarrow.ArrowException)
        self.stream: Any = pyarrow.CompressedInputStream(pyarrow.PythonFile(self.file, mode="r"), how)

    def readable(self) -> bool:
        """Always."""
        return True

    def readinto(self, buffer: Any) -> int:
        """Fill the buffer with what is inside. Raises DataError where it cannot be unpacked."""
        try:
            data = self.stream.read(len(buffer))
        except self.failures as error:
            raise self._damaged(str(error).split("\n")[0].rstrip(".")) from None
        buffer[: len(data)] = data
        return len(data)

    def close(self) -> None:
        """Close the file too."""
        if not self.closed and hasattr(self, "stream"):
            self.stream.close()
            self.file.close()
        super().close()

    def _not_packed(self) -> DataError:
        path, how, ending = self.path, self.how, self.path.suffix
        return DataError(
            say(
                f"{path}: found no {how} data; if it is unpacked already, take {ending} off its name",
                f"{path}: {how} 데이터가 아닙니다. 이미 풀린 파일이면 이름에서 {ending}을(를) 빼세요",
            )
        )

    def _damaged(self, reason: str) -> DataError:
        path, how = self.path, self.how
        if "Truncated" in reason:
            return DataError(
                say(
                    f"{path}: the {how} data ends too early, the file is cut short; copy or download it anew",
                    f"{path}: {how} 데이터가 중간에 끊겼습니다. 파일을 다시 복사하거나 내려받으세요",
                )
            )
        return DataError(
            say(
                f"{path}: cannot be unpacked, the {how} data is damaged ({reason}); copy or download it anew",
                f"{path}: {how} 데이터가 손상되어 풀 수 없습니다 ({reason}). 파일을 다시 복사하거나 내려받으세요",
            )
        )
