"""A small server that speaks the Hub's interface: repositories from memory, and the ways in which a Hub fails."""

import contextlib
import functools
import hashlib
import json
import re
import socket
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import unquote, urlsplit

import pytest

from dadeum.core import download, hub_refusal
from dadeum.core import hub as client

_KEPT = socket.socket()
COMMIT = "0123456789abcdef0123456789abcdef01234567"


@dataclass
class Hub:
    """What it holds and how it behaves. `repositories` maps `models/owner/name` or `datasets/owner/name` to files.

    `cuts` maps the name of a file to the bytes after which the connection breaks, one of them each time.
    `branches` are names of revisions beside `main`; `older` maps `<repository>@<commit>` that `main` has left to files.
    """

    repositories: dict[str, dict[str, bytes]]
    commits: dict[str, str] = field(default_factory=dict)
    branches: dict[str, str] = field(default_factory=dict)
    older: dict[str, dict[str, bytes]] = field(default_factory=dict)
    gated: set[str] = field(default_factory=set)
    token: str | None = None
    status: int | None = None
    retry_after: str | None = None
    hang: float = 0.0
    cuts: dict[str, list[int]] = field(default_factory=dict)
    stuck: dict[str, int] = field(default_factory=dict)  # the connection never gets beyond this byte
    trickle: dict[str, float] = field(default_factory=dict)  # seconds before each byte
    hangs: dict[str, float] = field(default_factory=dict)  # seconds before the body
    files_status: int | None = None
    storage: str | None = None  # another host that the files lie on
    ranges: bool = True
    before: Callable[[str], None] | None = None
    requests: list[str] = field(default_factory=list)
    asked: list[tuple[str, str, int]] = field(default_factory=list)  # GETs of files: name, Range, status
    sent: dict[str, int] = field(default_factory=dict)  # bytes of each file
    seen_headers: list[dict[str, str]] = field(default_factory=list)
    url: str = ""

    def commit(self, repository: str) -> str:
        return self.commits.get(repository, COMMIT)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    hub: Hub

    def log_message(self, *args: object) -> None:
        """Quiet."""

    def do_GET(self) -> None:
        self._answer(body=True)

    def do_HEAD(self) -> None:
        self._answer(body=False)

    def _answer(self, *, body: bool) -> None:
        hub = self.hub
        path = unquote(urlsplit(self.path).path)
        hub.requests.append(f"{self.command} {path}")
        hub.seen_headers.append({name.lower(): value for name, value in self.headers.items()})
        if hub.before is not None:
            hub.before(f"{self.command} {path}")
        if hub.hang:
            time.sleep(hub.hang)
        status = hub.status if path.startswith("/api/") else hub.status or hub.files_status
        if status:
            waits = {"Retry_After": hub.retry_after} if hub.retry_after else {}
            return self._send(status, b'{"error": "broken"}', body=body, **waits)
        if path.startswith("/api/"):
            return self._api(path.removeprefix("/api/"), body=body)
        return self._file(path.lstrip("/"), body=body)

    def _send(self, status: int, data: bytes, *, body: bool, **headers: str) -> None:
        self._head(status, len(data), headers)
        if body:
            with contextlib.suppress(BrokenPipeError, ConnectionResetError):
                self.wfile.write(data)

    def _head(self, status: int, length: int, headers: dict[str, str]) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.send_header("Content-Length", str(length))
        self.end_headers()

    def _error(self, status: int, code: str, *, body: bool) -> None:
        self._send(status, json.dumps({"error": code}).encode(), body=body, X_Error_Code=code, X_Error_Message=code)

    def _allowed(self, repository: str) -> bool:
        return repository not in self.hub.gated or self.headers.get("Authorization") == f"Bearer {self.hub.token}"

    def _files(self, repository: str, revision: str) -> dict[str, bytes] | None:
        if revision in ("main", self.hub.commit(repository), *self.hub.branches):
            return self.hub.repositories[repository]
        return self.hub.older.get(f"{repository}@{revision}")

    def _api(self, path: str, *, body: bool) -> None:
        kind, owner, name, *rest = [*path.split("/"), "", ""][:5]
        repository = f"{kind}/{owner}/{name}"
        files = self.hub.repositories.get(repository)
        if files is None:
            return self._send(401, b'{"error": "Invalid username or password."}', body=body)
        if rest[0] == "refs":
            names = {"main": self.hub.commit(repository), **self.hub.branches}
            refs = [{"name": n, "ref": f"refs/heads/{n}", "targetCommit": c} for n, c in names.items()]
            found = {"branches": refs, "tags": [], "converts": []}
            return self._send(200, json.dumps(found).encode(), body=body, Content_Type="application/json")
        revision = rest[1] if rest[0] == "revision" else "main"
        found_files = self._files(repository, revision)
        if found_files is None:
            return self._error(404, "RevisionNotFound", body=body)
        now = revision if f"{repository}@{revision}" in self.hub.older else self.hub.commit(repository)
        commit = self.hub.branches.get(revision, now)
        info = {"id": f"{owner}/{name}", "sha": commit, "siblings": [{"rfilename": f} for f in found_files], "tags": []}
        return self._send(200, json.dumps(info).encode(), body=body, Content_Type="application/json")

    def _file(self, path: str, *, body: bool) -> None:
        place, _, rest = path.partition("/resolve/")
        repository = place if place.startswith("datasets/") else f"models/{place}"
        revision, _, name = rest.partition("/")
        if not self._allowed(repository):
            return self._error(401, "GatedRepo", body=body)
        files = self._files(repository, revision) if repository in self.hub.repositories else {}
        if files is None:
            return self._error(404, "RevisionNotFound", body=body)
        if name not in files:
            return self._error(404, "EntryNotFound", body=body)
        data = files[name]
        headers = {"ETag": f'"{_etag(data)}"', "X_Repo_Commit": self.hub.commit(repository), "Accept_Ranges": "bytes"}
        if self.hub.storage is not None:
            linked = {"X_Linked_ETag": f'"{hashlib.sha256(data).hexdigest()}"', "X_Linked_Size": str(len(data))}
            return self._send(302, b"", body=body, Location=self.hub.storage + self.path, **headers, **linked)
        if self.headers.get("If-None-Match") == headers["ETag"]:
            return self._send(304, b"", body=False, **headers)
        return self._bytes(name, data, headers, body=body)

    def _bytes(self, name: str, data: bytes, headers: dict[str, str], *, body: bool) -> None:
        """The file, or the range of it that is asked for, as far as the connection holds."""
        hub, start, status = self.hub, 0, 200
        asked = self.headers.get("Range", "")
        end = len(data)
        if hub.ranges and (match := re.fullmatch(r"bytes=(\d+)-(\d*)", asked)):
            start, status = int(match[1]), 206
            end = min(int(match[2]) + 1, end) if match[2] else end
            if start >= len(data):
                status = 416
            headers["Content_Range"] = f"bytes {'*' if status == 416 else f'{start}-{end - 1}'}/{len(data)}"
        if body:
            hub.asked.append((name, asked, status))
        if status == 416:
            return self._send(416, b"", body=body, **headers)
        self._head(status, end - start, headers)
        if not body:
            return None
        due = end
        if hub.cuts.get(name):
            end = min(end, hub.cuts[name].pop(0))
        end = min(end, hub.stuck.get(name, end))
        hub.sent[name] = hub.sent.get(name, 0) + max(0, end - start)
        with contextlib.suppress(OSError):
            if name in hub.hangs:
                self.wfile.flush()
                time.sleep(hub.hangs[name])
            if name in hub.trickle:
                for at in range(start, end):
                    time.sleep(hub.trickle[name])
                    self.wfile.write(data[at : at + 1])
            else:
                self.wfile.write(data[start:end])
            if end < due:
                self.wfile.flush()
                self.close_connection = True
                self.connection.shutdown(socket.SHUT_RDWR)
        return None


def _etag(data: bytes) -> str:
    return hashlib.sha1(b"blob %d\0" % len(data) + data).hexdigest()


@contextlib.contextmanager
def serve(hub: Hub) -> Iterator[Hub]:
    """The hub on a port of its own; `hub.url` is its address.

    What is served here is given time, however busy the machine: who tests impatience sets it within.
    """
    handler = type("Handler", (_Handler,), {"hub": hub})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    server.daemon_threads = True
    hub.url = f"http://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    try:
        with pytest.MonkeyPatch.context() as patched:
            for module in (client, hub_refusal, download):
                patched.setattr(module, "TIMEOUT", 60.0)
            patched.setattr(download, "PATIENCE", 600.0)
            yield hub
    finally:
        server.shutdown()
        server.server_close()


@functools.cache
def refused_url() -> str:
    """An address at which nothing listens; nobody else can take it while this process lives."""
    _KEPT.bind(("127.0.0.1", 0))
    return f"http://127.0.0.1:{_KEPT.getsockname()[1]}"
