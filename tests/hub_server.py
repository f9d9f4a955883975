"""A small server that speaks the Hub's interface: repositories from memory, and the ways in which a Hub fails."""

import contextlib
import hashlib
import json
import socket
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import unquote, urlsplit

COMMIT = "0123456789abcdef0123456789abcdef01234567"


@dataclass
class Hub:
    """What it holds and how it behaves. `repositories` maps `models/owner/name` or `datasets/owner/name` to files."""

    repositories: dict[str, dict[str, bytes]]
    commits: dict[str, str] = field(default_factory=dict)
    gated: set[str] = field(default_factory=set)
    token: str | None = None
    status: int | None = None
    hang: float = 0.0
    requests: list[str] = field(default_factory=list)
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
        if hub.hang:
            time.sleep(hub.hang)
        if hub.status:
            return self._send(hub.status, b'{"error": "broken"}', body=body)
        if path.startswith("/api/"):
            return self._api(path.removeprefix("/api/"), body=body)
        return self._file(path.lstrip("/"), body=body)

    def _send(self, status: int, data: bytes, *, body: bool, **headers: str) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        if body:
            with contextlib.suppress(BrokenPipeError, ConnectionResetError):
                self.wfile.write(data)

    def _error(self, status: int, code: str, *, body: bool) -> None:
        self._send(status, json.dumps({"error": code}).encode(), body=body, X_Error_Code=code, X_Error_Message=code)

    def _allowed(self, repository: str) -> bool:
        return repository not in self.hub.gated or self.headers.get("Authorization") == f"Bearer {self.hub.token}"

    def _api(self, path: str, *, body: bool) -> None:
        kind, owner, name, *rest = [*path.split("/"), "", ""][:5]
        repository = f"{kind}/{owner}/{name}"
        files = self.hub.repositories.get(repository)
        if files is None:
            return self._send(401, b'{"error": "Invalid username or password."}', body=body)
        commit = self.hub.commit(repository)
        if rest[0] == "revision" and rest[1] not in ("main", commit):
            return self._error(404, "RevisionNotFound", body=body)
        if rest[0] == "tree":
            listing = [{"type": "file", "path": f, "size": len(d), "oid": _etag(d)} for f, d in files.items()]
            return self._send(200, json.dumps(listing).encode(), body=body, Content_Type="application/json")
        info = {"id": f"{owner}/{name}", "sha": commit, "siblings": [{"rfilename": f} for f in files], "tags": []}
        return self._send(200, json.dumps(info).encode(), body=body, Content_Type="application/json")

    def _file(self, path: str, *, body: bool) -> None:
        place, _, rest = path.partition("/resolve/")
        repository = place if place.startswith("datasets/") else f"models/{place}"
        files = self.hub.repositories.get(repository, {})
        name = rest.partition("/")[2]
        if not self._allowed(repository):
            return self._error(401, "GatedRepo", body=body)
        if name not in files:
            return self._error(404, "EntryNotFound", body=body)
        headers = {"ETag": f'"{_etag(files[name])}"', "X_Repo_Commit": self.hub.commit(repository)}
        return self._send(200, files[name], body=body, **headers)


def _etag(data: bytes) -> str:
    return hashlib.sha1(b"blob %d\0" % len(data) + data).hexdigest()


@contextlib.contextmanager
def serve(hub: Hub) -> Iterator[Hub]:
    """The hub on a port of its own; `hub.url` is its address."""
    handler = type("Handler", (_Handler,), {"hub": hub})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    server.daemon_threads = True
    hub.url = f"http://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    try:
        yield hub
    finally:
        server.shutdown()
        server.server_close()


def refused_url() -> str:
    """An address at which nothing listens."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return f"http://127.0.0.1:{free.getsockname()[1]}"
