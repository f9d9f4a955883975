"""A small server that speaks the interface of a judge, and the ways in which one fails."""

import contextlib
import json
import re
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

ANSWER = re.compile(r"<answer-(\d)-(\w+)>\n(.*?)\n</answer-\1-\2>", re.DOTALL)


@dataclass
class Judge:
    """`say` gets the two answers as they stand and gives the reply; `status` other than 200 is all that is sent then."""

    say: Callable[[str, str], str] = lambda one, two: '{"better": "tie"}'
    status: int = 200
    hangs: threading.Event | None = None
    body: bytes | None = None
    asked: list[dict[str, Any]] = field(default_factory=list)
    headers: list[dict[str, str]] = field(default_factory=list)
    url: str = ""


class _Handler(BaseHTTPRequestHandler):
    judge: Judge

    def log_message(self, *args: object) -> None:
        """Quiet."""

    def do_POST(self) -> None:
        judge = self.judge
        asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        judge.asked.append(asked)
        judge.headers.append({name.lower(): value for name, value in self.headers.items()})
        if judge.hangs is not None:
            judge.hangs.wait(60)
        if judge.status != 200:
            return self._send(judge.status, b'{"error": {"message": "broken"}}')
        if judge.body is not None:
            return self._send(200, judge.body)
        answers = {found[1]: found[3] for found in ANSWER.finditer(asked["messages"][1]["content"])}
        message = {"role": "assistant", "content": judge.say(answers["1"], answers["2"])}
        reply = {
            "id": "x",
            "object": "chat.completion",
            "created": 0,
            "model": asked["model"],
            "choices": [{"index": 0, "finish_reason": "stop", "message": message}],
        }
        return self._send(200, json.dumps(reply).encode())

    def _send(self, status: int, data: bytes) -> None:
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)


@contextlib.contextmanager
def judging(judge: Judge) -> Iterator[Judge]:
    """The server on a port of its own; `judge.url` is its address."""
    handler = type("Handler", (_Handler,), {"judge": judge})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, daemon=True).start()
    judge.url = f"http://127.0.0.1:{server.server_address[1]}/v1"
    try:
        yield judge
    finally:
        if judge.hangs is not None:
            judge.hangs.set()
        server.shutdown()
        server.server_close()
