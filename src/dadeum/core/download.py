"""One file of the Hub: goes on where it was cut, is held against its hash, and is given up when too little comes.

`huggingface_hub` throws half a file away, looks at its size only, and waits for as long as the Hub asks it to; so the
bytes are read here, through its session. What came so far stays in `<file>.incomplete` for the next command.
"""

import contextlib
import fcntl
import hashlib
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO

from dadeum.core.errors import HubError
from dadeum.core.language import say

ATTEMPTS = 5  # in a row without a new byte
TIMEOUT = 4.0  # seconds of silence until the connection is made anew
PAUSE = 0.5  # doubled with each failure in a row
PATIENCE = 8.0  # seconds in which at least LEAST bytes a second must come
LEAST = 1000
PIECE = 1 << 20
SHOWN = 5_000_000  # bytes from which a file has a progress bar
INCOMPLETE = ".incomplete"
NETWORK = {"httpx", "httpx2", "httpcore", "httpcore2", "requests", "urllib3"}
PASSING = {408, 429, 500, 502, 503, 504}


class TooSlow(Exception):
    """Bytes come, too few."""


@dataclass
class _Patience:
    """Counts failures in a row, and looks whether enough bytes come."""

    label: str
    done: int = 0
    size: int | None = None
    failures: int = 0
    resumes: bool = True  # what came is kept for the next command
    mark: int = 0
    since: float = field(default_factory=time.monotonic)

    def came(self, count: int) -> None:
        """So many bytes more. Raises TooSlow."""
        self.done += count
        self.failures = 0
        if self.done - self.mark >= LEAST * PATIENCE:
            self.mark, self.since = self.done, time.monotonic()
        elif time.monotonic() - self.since > PATIENCE:
            raise TooSlow

    def again(self, error: Exception) -> None:
        """Wait before another attempt. Raises the error that is ours to explain, or HubError where it was the last."""
        status = getattr(getattr(error, "response", None), "status_code", None)
        if status not in PASSING and not isinstance(error, TooSlow) and not _is_network(error):
            raise error
        wait = asked_to_wait(error) or PAUSE * 2**self.failures
        self.failures += 1
        spent = time.monotonic() - self.since + wait
        if isinstance(error, TooSlow) or self.failures >= ATTEMPTS or spent > PATIENCE:
            raise self._given_up(error, status, wait) from None
        time.sleep(wait)

    def _given_up(self, error: Exception, status: int | None, wait: float) -> HubError:
        if status == 429:
            why = say(
                f"the Hub had too many requests and asks to wait {wait:.0f} seconds",
                f"요청이 너무 많아 Hub이 {wait:.0f}초 기다리라고 합니다",
            )
        elif status is not None:
            why = say(f"the Hub answers with error {status}", f"Hub이 오류 {status}을(를) 답합니다")
        elif isinstance(error, TooSlow):
            why = say(
                f"the download is too slow (below {LEAST} bytes a second for {PATIENCE:.0f} seconds)",
                f"내려받기가 너무 느립니다({PATIENCE:.0f}초 동안 초당 {LEAST}바이트 미만)",
            )
        elif is_timeout(error):
            why = say("nothing comes any more", "더는 아무것도 오지 않습니다")
        else:
            why = say("the connection was cut", "연결이 끊겼습니다")
        if not self.resumes:
            return HubError(
                say(
                    f"{self.label}: {why}; run the same command again",
                    f"{self.label}: {why}. 같은 명령을 다시 실행하세요",
                )
            )
        far = f"{self.done:,}" + (f" / {self.size:,}" if self.size is not None else "")
        return HubError(
            say(
                f"{self.label}: {why}, {far} bytes are here; run the same command again to go on from there",
                f"{self.label}: {why}. {far}바이트를 받았습니다. 같은 명령을 다시 실행하면 이어집니다",
            )
        )


def _is_network(error: Exception) -> bool:
    return isinstance(error, (ConnectionError, TimeoutError)) or type(error).__module__.split(".")[0] in NETWORK


def is_timeout(error: BaseException) -> bool:
    """Whether it took too long, in the words of whatever library asked."""
    return "Timeout" in type(error).__name__ or isinstance(error, TimeoutError)


def asked_to_wait(error: Exception) -> float:
    """Seconds of the answer's `Retry-After`; 0 without one that can be read."""
    headers = getattr(getattr(error, "response", None), "headers", {})
    try:
        return max(float(headers.get("Retry-After", 0)), 0.0)
    except ValueError:  # a date
        return 0.0


def describe(url: str, *, label: str, headers: Mapping[str, Any]) -> tuple[str, int | None]:
    """Hash (`etag`) and size of the file at `url`. Raises HubError, or what the Hub's refusal is to its library."""
    from huggingface_hub import get_hf_file_metadata

    patience = _Patience(label)
    while True:
        try:
            found = get_hf_file_metadata(url, token=False, headers=dict(headers), timeout=TIMEOUT)
            return str(found.etag or ""), found.size
        except Exception as error:
            patience.again(error)


def download(url: str, target: Path, *, etag: str, size: int | None, label: str, headers: Mapping[str, Any]) -> None:
    """Bring the file to `target`, which is there whole or not at all. Raises as `describe`."""
    target.parent.mkdir(parents=True, exist_ok=True)
    partial = target.with_name(target.name + INCOMPLETE)
    with partial.open("ab") as file:
        with contextlib.suppress(OSError):  # a file system without locks
            fcntl.flock(file, fcntl.LOCK_EX)
        if target.is_file():  # another process brought it meanwhile
            partial.unlink(missing_ok=True)
            return
        _fill(file, _Patience(label, file.tell(), size, mark=file.tell()), url, headers)
        file.flush()
        if not matches(partial, etag):
            partial.unlink()
            raise HubError(
                say(
                    f"{label}: came with other bytes than the Hub says (hash {etag[:12]}); run the same command again",
                    f"{label}: 받은 내용이 Hub의 해시({etag[:12]})와 다릅니다. 같은 명령을 다시 실행하세요",
                )
            )
        partial.replace(target)


def _fill(file: BinaryIO, patience: _Patience, url: str, headers: Mapping[str, Any]) -> None:
    from huggingface_hub.utils import tqdm

    size = patience.size
    hidden = None if size is not None and size >= SHOWN else True  # None: where nobody looks
    with tqdm(total=size, initial=patience.done, unit="B", unit_scale=True, desc=patience.label, disable=hidden) as bar:
        while patience.done != size:
            try:
                _stream(file, patience, url, headers, bar)
                if size is None or patience.done >= size:
                    return
                raise ConnectionError
            except Exception as error:
                patience.again(error)


def _stream(file: BinaryIO, patience: _Patience, url: str, headers: Mapping[str, Any], bar: Any) -> None:
    """One request, from the byte that is missing on."""
    from huggingface_hub import get_session
    from huggingface_hub.utils import hf_raise_for_status

    begun = patience.done
    asked = {**headers, "Accept-Encoding": "identity", **({"Range": f"bytes={begun}-"} if begun else {})}
    with get_session().stream("GET", url, headers=asked, timeout=TIMEOUT) as answer:
        if answer.status_code >= 400:
            answer.read()
        if answer.status_code != 416:  # more is here than the file has: from the front
            hf_raise_for_status(answer)
        if begun and answer.status_code != 206:
            file.truncate(0)
            patience.done = patience.mark = 0
            bar.update(-begun)
        if answer.status_code == 416:
            return
        for chunk in answer.iter_bytes():
            file.write(chunk)
            bar.update(len(chunk))
            patience.came(len(chunk))


def read_range(url: str, start: int, end: int, *, label: str, headers: Mapping[str, Any]) -> bytes:
    """The bytes of the file from `start` up to `end`. Raises as `describe`."""
    data = bytearray()
    patience = _Patience(label, size=end - start, resumes=False)
    while True:
        try:
            _stream_range(data, patience, url, start, end, headers)
            if len(data) >= end - start:
                return bytes(data[: end - start])
            raise ConnectionError
        except Exception as error:
            patience.again(error)


def _stream_range(
    data: bytearray, patience: _Patience, url: str, start: int, end: int, headers: Mapping[str, Any]
) -> None:
    """One request for what is missing."""
    from huggingface_hub import get_session
    from huggingface_hub.utils import hf_raise_for_status

    begin = start + len(data)
    asked = {**headers, "Accept-Encoding": "identity", "Range": f"bytes={begin}-{end - 1}"}
    with get_session().stream("GET", url, headers=asked, timeout=TIMEOUT) as answer:
        if answer.status_code >= 400:
            answer.read()
        hf_raise_for_status(answer)
        if answer.status_code != 206 or not answer.headers.get("Content-Range", "").startswith(f"bytes {begin}-"):
            raise HubError(
                say(
                    f"{patience.label}: the Hub does not send parts of files; take streaming out",
                    f"{patience.label}: Hub이 파일을 나누어 보내지 않습니다. streaming을 빼세요",
                )
            )
        for chunk in answer.iter_bytes():
            data += chunk
            patience.came(len(chunk))
            if len(data) >= end - start:
                return


def matches(path: Path, etag: str) -> bool:
    """Whether the file has the hash: SHA-256, or git's of a blob. Other tags say nothing about bytes."""
    if len(etag) not in (40, 64):
        return True
    digest = hashlib.sha256() if len(etag) == 64 else hashlib.sha1(b"blob %d\0" % path.stat().st_size)
    with path.open("rb") as file:
        while piece := file.read(PIECE):
            digest.update(piece)
    return digest.hexdigest() == etag
