"""Files of the Hub on bad days: cut, slow, stuck, refused, damaged; for models and for data sets."""

import hashlib
import logging
import random
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from dadeum.core import download, hub
from dadeum.core.errors import HubError
from dadeum.core.workspace import Workspace
from dadeum.data.sources import hub as source
from tests.hub_server import COMMIT, Hub, serve

BYTES = random.Random(1).randbytes(300_000)
ROWS = b"question,answer\n" + b"".join(b"%d,%d\n" % (n, n) for n in range(30_000))


@dataclass
class Case:
    """A repository with one file of some size, and how it is fetched."""

    hub: Hub
    repository: str
    file: str
    data: bytes
    fetch: Callable[[], Path]
    root: Path

    def sentence(self) -> str:
        """What a user reads instead of the file; after a bounded number of requests, on one line."""
        before = len(self.hub.requests)
        with pytest.raises(HubError) as raised:
            self.fetch()
        message = str(raised.value)
        # Who it is (tried twice), and for each of up to three files its size and its bytes.
        most = hub.ATTEMPTS + 3 * 2 * download.ATTEMPTS
        assert len(self.hub.requests) - before <= most and "\n" not in message and "owner/it" in message
        self.nothing_half()
        return message

    def nothing_half(self) -> None:
        """No file under its final name that is not whole."""
        for file in self.root.rglob("*"):
            if file.is_file() and file.name in (self.file, *(_hashes(self.data))):
                assert file.read_bytes() == self.data

    def got(self) -> None:
        """The right bytes, and no leavings."""
        assert hashlib.sha256((self.fetch() / self.file).read_bytes()).digest() == hashlib.sha256(self.data).digest()
        assert not list(self.root.rglob(f"*{download.INCOMPLETE}"))

    def ranges(self) -> list[str]:
        return [asked for name, asked, _ in self.hub.asked if name == self.file]


def _hashes(data: bytes) -> tuple[str, str]:
    return hashlib.sha256(data).hexdigest(), hashlib.sha1(b"blob %d\0" % len(data) + data).hexdigest()


@pytest.fixture(params=["model", "dataset"])
def case(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Case]:
    monkeypatch.setattr(download, "PAUSE", 0.02)
    monkeypatch.setattr(hub, "PAUSE", 0.02)
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path / "cache"))
    for name in ("HF_HUB_OFFLINE", "HF_TOKEN", "HUGGING_FACE_HUB_TOKEN"):
        monkeypatch.delenv(name, raising=False)
    small = {"config.json": b"{}", "tokenizer.json": b"{}", "tokenizer_config.json": b""}
    held = Hub({"models/owner/it": {**small, "model.safetensors": BYTES}, "datasets/owner/it": {"rows.csv": ROWS}})
    with serve(held):
        monkeypatch.setenv("HF_ENDPOINT", held.url)
        if request.param == "model":
            root = tmp_path / "cache"
            yield Case(
                held,
                "models/owner/it",
                "model.safetensors",
                BYTES,
                lambda: hub.fetch_model("owner/it", weights=True),
                root,
            )
        else:
            settings, workspace = source.Settings(name="owner/it"), Workspace(tmp_path)
            root = workspace.raw
            yield Case(held, "datasets/owner/it", "rows.csv", ROWS, lambda: source.download(settings, workspace), root)


def test_a_cut_download_goes_on_by_a_range(case: Case) -> None:
    case.hub.cuts[case.file] = [1000, 200_000]
    case.got()
    assert case.ranges() == ["", "bytes=1000-", "bytes=200000-"]


def test_always_cut_at_a_byte_then_the_same_command_goes_on(case: Case) -> None:
    case.hub.stuck[case.file] = 123_456
    told = case.sentence()
    assert f"owner/it: {case.file}: the connection was cut, 123,456 / {len(case.data):,} bytes are here" in told
    assert "run the same command again to go on from there" in told
    assert len(case.ranges()) == download.ATTEMPTS
    case.hub.stuck.clear()
    case.hub.asked.clear()
    case.got()
    assert case.ranges() == ["bytes=123456-"], "not one byte came twice"


def test_a_server_without_ranges_begins_anew(case: Case) -> None:
    case.hub.ranges = False
    case.hub.cuts[case.file] = [1000, 200_000]
    case.got()


def test_a_file_that_hangs_and_one_that_trickles(case: Case, monkeypatch: pytest.MonkeyPatch) -> None:
    stream = download._stream

    def impatient(*words: Any) -> None:
        """Only where the bytes come: the questions before them are answered, however slow this machine is."""
        with pytest.MonkeyPatch.context() as patched:
            patched.setattr(download, "TIMEOUT", 0.2)
            stream(*words)

    with monkeypatch.context() as patched:
        patched.setattr(download, "_stream", impatient)
        patched.setattr(download, "PATIENCE", 0.7)
        case.hub.hangs[case.file] = 600
        assert "nothing comes any more, 0 /" in case.sentence()
    case.hub.hangs.clear()
    with monkeypatch.context() as patched:
        patched.setattr(download, "PATIENCE", 0.7)
        case.hub.trickle[case.file] = 0.1
        assert "too slow (below 1000 bytes a second" in case.sentence()
    case.hub.trickle.clear()
    case.got()


def test_patience_as_shipped_ends_within_ten_seconds() -> None:
    """A hang costs PATIENCE and less than one more timeout; the request before it is bounded in test_hub."""
    patience, spent = download._Patience("file"), 0.0
    clock = patience.since
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(download.time, "monotonic", lambda: clock + spent)

        def sleep(seconds: float) -> None:
            nonlocal spent
            spent += seconds

        patched.setattr(download.time, "sleep", sleep)
        with pytest.raises(HubError, match="nothing comes any more"):
            while True:
                spent += download.TIMEOUT
                patience.again(TimeoutError())
    assert spent < 10


def test_a_steady_slow_line_is_not_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    """Twice the least rate, for an hour, with a cut each minute."""
    patience, now = download._Patience("file"), 0.0
    patience.since = 0.0
    monkeypatch.setattr(download.time, "monotonic", lambda: now)
    monkeypatch.setattr(download.time, "sleep", lambda _: None)
    for second in range(3600):
        now = float(second)
        patience.came(2 * download.LEAST)
        if second % 60 == 59:
            patience.again(ConnectionError())
    assert patience.done == 3600 * 2 * download.LEAST


def test_status_in_the_middle(case: Case) -> None:
    for status in (500, 502, 503, 504):
        case.hub.files_status = status
        assert f"the Hub answers with error {status}" in case.sentence()
    case.hub.files_status, case.hub.retry_after = 429, "3600"
    assert "too many requests and asks to wait 3600 seconds" in case.sentence()
    case.hub.retry_after = None

    def recover(_: str) -> None:
        case.hub.files_status = None if len(case.hub.requests) % 3 == 0 else 503

    case.hub.before = recover
    case.got()


def test_the_first_request_is_asked_to_wait(case: Case, monkeypatch: pytest.MonkeyPatch) -> None:
    """The user is told, and nobody waits that long."""
    waits: list[float] = []
    monkeypatch.setattr(hub, "time", SimpleNamespace(sleep=waits.append))
    case.hub.status, case.hub.retry_after = 429, "77"
    with pytest.raises(HubError, match="had too many requests; wait 77 seconds"):
        case.fetch()
    assert waits == [hub.PAUSE] * (hub.ATTEMPTS - 1)


def test_a_retry_that_is_near_is_waited_for(case: Case, monkeypatch: pytest.MonkeyPatch) -> None:
    waits: list[float] = []
    monkeypatch.setattr(download, "time", SimpleNamespace(sleep=waits.append, monotonic=time.monotonic))
    answers = iter([429, 429])

    def then_fine(request: str) -> None:
        case.hub.files_status = next(answers, None) if case.file in request and request.startswith("GET") else None

    case.hub.before, case.hub.retry_after = then_fine, "1"
    case.got()
    assert waits == [1.0, 1.0]


def test_bytes_are_held_against_the_hash(case: Case, monkeypatch: pytest.MonkeyPatch) -> None:
    """A part on disk that is not the file's beginning: the size alone would not tell."""
    case.hub.stuck[case.file] = 5000
    case.sentence()
    (partial,) = case.root.rglob(f"*{download.INCOMPLETE}")
    partial.write_bytes(b"x" * 5000)
    case.hub.stuck.clear()
    assert "came with other bytes than the Hub says" in case.sentence()
    case.got()


def test_more_on_disk_than_the_file_has(case: Case) -> None:
    case.hub.stuck[case.file] = 5000
    case.sentence()
    (partial,) = case.root.rglob(f"*{download.INCOMPLETE}")
    partial.write_bytes(case.data + b"more")
    case.hub.stuck.clear()
    case.got()
    assert [status for name, _, status in case.hub.asked if name == case.file][-2:] == [416, 200]


def test_the_branch_moves_between_two_requests(case: Case) -> None:
    """All files are of the commit that was resolved."""

    def move(request: str) -> None:
        if "/resolve/" in request and not case.hub.commits:
            old = case.hub.older[f"{case.repository}@{COMMIT}"] = case.hub.repositories[case.repository]
            case.hub.repositories[case.repository] = {name: b"new" + data for name, data in old.items()}
            case.hub.commits[case.repository] = "f" * 40

    case.hub.before = move
    case.got()
    assert case.fetch().name == ("f" * 40 if case.repository.startswith("models") else COMMIT)


def test_files_on_another_host_are_resumed_and_the_token_stays_home(
    case: Case, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv("HF_TOKEN", "hf_secret_of_mine")
    case.hub.token = "hf_secret_of_mine"
    case.hub.gated.add(case.repository)
    with serve(Hub(case.hub.repositories)) as storage, caplog.at_level(logging.DEBUG):
        case.hub.storage = storage.url
        storage.stuck[case.file] = 1000
        assert "hf_secret" not in case.sentence()
        storage.stuck.clear()
        case.got()
        assert (case.file, "bytes=1000-", 206) in storage.asked
        assert storage.seen_headers and not any("authorization" in seen for seen in storage.seen_headers)
        assert any(seen.get("authorization") == "Bearer hf_secret_of_mine" for seen in case.hub.seen_headers)
    assert "hf_secret" not in caplog.text


def test_gated_missing_and_unknown_are_told_apart(case: Case, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_TOKEN", "hf_not_the_right_one")
    case.hub.gated.add(case.repository)
    told = [case.sentence()]
    assert "accept its licence on its page" in told[0] and "HF_TOKEN" in told[0]
    for status in (401, 403, 404, 500, 504):
        case.hub.status = status
        told.append(case.sentence())
    assert all("hf_not" not in text for text in told) and len(set(told)) == 5, "403 and gated are the same"


def test_a_name_that_leaves_its_folder(case: Case, tmp_path: Path) -> None:
    files = case.hub.repositories[case.repository]
    files["../../out.json" if "model" in case.repository else "../../out.csv"] = b"{}"
    assert "leaves its folder" in case.sentence()
    assert not list(tmp_path.rglob("out.*"))


@pytest.mark.parametrize("case", ["model"], indirect=True)
def test_two_processes_of_one_file(case: Case) -> None:
    """The second waits for the first and finds it done: nobody writes into the other's half."""
    case.hub.cuts[case.file] = [1000, 2000, 3000]
    other = threading.Thread(target=case.fetch)
    other.start()
    case.got()
    other.join()
    case.got()
    assert len(case.ranges()) == 4


@pytest.mark.parametrize("case", ["model"], indirect=True)
def test_an_interrupted_snapshot_does_not_look_whole(case: Case) -> None:
    case.hub.stuck["tokenizer_config.json"] = 0
    case.hub.repositories[case.repository]["tokenizer_config.json"] = b"late"
    case.sentence()
    for revision in ("main", COMMIT):
        assert hub.cached_model("owner/it", revision, weights=True) is None
        assert hub.cached_model("owner/it", revision, weights=False) is None
    case.hub.stuck.clear()
    case.got()
