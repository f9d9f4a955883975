"""Addresses: what is wrong with one, and whether anybody is there."""

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from dadeum.core.errors import ConfigError
from dadeum.track import addresses
from dadeum.track.addresses import check, silence, wrong

SCHEMES = ("http", "https", "sqlite")


@pytest.mark.parametrize(
    "address", ["http://a:5000", "https://mlflow.example/x", "sqlite:///a.db", "sqlite:////tmp/a.db"]
)
def test_right(address: str) -> None:
    assert wrong("uri", address, SCHEMES, "X") is None
    check("uri", address, SCHEMES, "X")


@pytest.mark.parametrize(
    ("address", "told"),
    [
        ("http://me:canary@a:5000", "uri: found a name or password in the address, expected none; put them into MY_VARIABLE"),
        ("http://canary@a", "uri: found a name or password"),
        ("htps://a", "expected an address that begins with one of http://, https://, sqlite://; did you mean 'https'?"),
        ("localhost:5000", "expected an address that begins"), ("mlruns", "expected an address that begins"), ("", "found ''"),
        ("http://", "expected a host: http://HOST:PORT"), ("http://a:port", "uri: no address"), ("http://[::1", "uri: no address"),
        ("postgresql://h/db", "expected an address"),
    ],
)  # fmt: skip
def test_wrong(address: str, told: str) -> None:
    with pytest.raises(ConfigError) as caught:
        check("uri", address, SCHEMES, "MY_VARIABLE")
    assert told in str(caught.value) and "canary" not in str(caught.value)


@contextmanager
def server(code: int) -> Iterator[str]:
    class Answers(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(code)
            self.end_headers()

        def log_message(self, *words: object) -> None:
            """Quiet."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Answers) as made:
        threading.Thread(target=made.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{made.server_port}/health"
        made.shutdown()


@pytest.mark.parametrize(
    ("code", "why"), [(200, None), (401, None), (404, None), (500, "answers 500"), (503, "answers 503")]
)
def test_an_answer(code: int, why: str | None) -> None:
    with server(code) as address:
        assert silence(address) == why


def test_nobody_there_and_one_who_says_nothing_or_nonsense(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(addresses, "ANSWER", 0.2)
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        address = f"http://127.0.0.1:{listening.getsockname()[1]}/"
        assert "cannot be reached" in str(silence(address))
        listening.listen()
        assert silence(address) == "no answer within 0.2 s"

        def nonsense() -> None:
            other, _ = listening.accept()
            other.sendall(b"\x00\x01 no HTTP\r\n\r\n")
            other.close()

        listening.accept()[0].close()
        threading.Thread(target=nonsense, daemon=True).start()
        assert silence(address)
