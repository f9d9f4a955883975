"""A file of the Hub that is read where it lies: only the bytes that are asked for are fetched.

What is read is pinned to a commit. Its hash is that of the whole file, so a part cannot be held against it.
"""

import io
from collections.abc import Callable, Mapping
from pathlib import PurePosixPath
from typing import Any

from dadeum.core.download import describe, read_range
from dadeum.core.errors import HubError
from dadeum.core.hub import Repository
from dadeum.core.hub_refusal import Kind, endpoint, sentence, token
from dadeum.core.language import say


class Remote(io.RawIOBase):
    """Bytes at an address; each `read` is one request. Raises HubError."""

    def __init__(
        self, url: str, size: int, *, label: str, headers: Mapping[str, Any], refusal: Callable[[Exception], None]
    ) -> None:
        """`refusal` raises what an error of the Hub's library means to the user."""
        super().__init__()
        self.url, self.size, self.label, self.headers, self.refusal = url, size, label, headers, refusal
        self._at = 0

    def readable(self) -> bool:
        """Always."""
        return True

    def seekable(self) -> bool:
        """Always."""
        return True

    def tell(self) -> int:
        """Where the next byte is read."""
        return self._at

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        """Go elsewhere, at no cost."""
        base = {io.SEEK_SET: 0, io.SEEK_CUR: self._at, io.SEEK_END: self.size}[whence]
        self._at = max(0, base + offset)
        return self._at

    def readinto(self, buffer: Any) -> int:
        """Fill the buffer as far as the file goes."""
        end = min(self.size, self._at + len(buffer))
        if end <= self._at:
            return 0
        try:
            data = read_range(self.url, self._at, end, label=self.label, headers=self.headers)
        except Exception as error:
            self.refusal(error)
            raise
        buffer[: len(data)] = data
        self._at = end
        return len(data)


def open_remote(kind: Kind, repository: Repository, name: str) -> Remote:
    """A file of the repository at its commit. Raises HubError."""
    from huggingface_hub import hf_hub_url
    from huggingface_hub.utils import build_hf_headers

    label, headers = f"{repository.name}: {name}", build_hf_headers(token=token())
    if PurePosixPath(name).is_absolute() or ".." in PurePosixPath(name).parts:
        raise HubError(say(f"{label}: leaves its folder, not fetched", f"{label}: 폴더를 벗어나는 이름입니다"))

    def refusal(error: Exception) -> None:
        found = sentence(kind, repository.name, repository.commit, error)
        if found is not None:
            raise found from None

    url = hf_hub_url(repository.name, name, repo_type=kind, revision=repository.commit, endpoint=endpoint())
    try:
        _, size = describe(url, label=label, headers=headers)
    except Exception as error:
        refusal(error)
        raise
    if size is None:
        raise HubError(
            say(
                f"{label}: the Hub does not tell its size, so it cannot be read in parts; take streaming out",
                f"{label}: Hub이 크기를 알려 주지 않아 나누어 읽을 수 없습니다. streaming을 빼세요",
            )
        )
    return Remote(url, size, label=label, headers=headers, refusal=refusal)
