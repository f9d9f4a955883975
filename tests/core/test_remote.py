"""A file of the Hub that is read where it lies."""

import io
from collections.abc import Iterator
from pathlib import Path

import pytest

from dadeum.core.errors import HubError
from dadeum.core.hub import Repository, resolve
from dadeum.core.remote import Remote, open_remote
from tests.hub_server import COMMIT, Hub, serve

DATA = bytes(range(256)) * 4000


@pytest.fixture
def served(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Hub]:
    monkeypatch.setattr("dadeum.core.download.PAUSE", 0.01)
    with serve(Hub({"datasets/owner/set": {"a.bin": DATA}})) as made:
        monkeypatch.setenv("HF_ENDPOINT", made.url)
        monkeypatch.setenv("HF_HOME", str(tmp_path / "home"))
        for name in ("HF_HUB_OFFLINE", "HF_TOKEN", "HUGGING_FACE_HUB_TOKEN"):
            monkeypatch.delenv(name, raising=False)
        yield made


def opened() -> Remote:
    return open_remote("dataset", resolve("dataset", "owner/set", "main"), "a.bin")


def test_only_what_is_asked_for_is_sent(served: Hub) -> None:
    file = opened()
    assert (file.size, file.readable(), file.seekable()) == (len(DATA), True, True)
    assert file.read(10) == DATA[:10] and file.tell() == 10
    assert file.seek(-5, io.SEEK_END) == len(DATA) - 5
    assert file.read(100) == DATA[-5:] and file.read(1) == b""
    file.seek(300)
    file.seek(7, io.SEEK_CUR)
    assert file.read(3) == DATA[307:310]
    assert served.sent == {"a.bin": 18}
    assert [asked for _, asked, _ in served.asked] == [
        "bytes=0-9",
        f"bytes={len(DATA) - 5}-{len(DATA) - 1}",
        "bytes=307-309",
    ]
    assert all(COMMIT in request for request in served.requests if "/resolve/" in request)


def test_it_is_a_file_to_others(served: Hub) -> None:
    assert io.BufferedReader(opened(), 1 << 16).read() == DATA


def test_a_cut_connection_goes_on_where_it_was_cut(served: Hub) -> None:
    served.cuts["a.bin"] = [40, 45]
    assert opened().read(100) == DATA[:100]
    assert [asked for _, asked, _ in served.asked] == ["bytes=0-99", "bytes=40-99", "bytes=45-99"]


def test_a_line_that_stays_cut_is_given_up_in_one_sentence(served: Hub) -> None:
    served.stuck["a.bin"] = 5
    with pytest.raises(HubError, match=r"^owner/set: a\.bin: the connection was cut; run the same command again$"):
        opened().read(100)


def test_errors_that_pass_are_waited_for_and_others_are_told(served: Hub) -> None:
    file = opened()
    served.files_status = 503
    with pytest.raises(HubError, match=r"a\.bin: the Hub answers with error 503; run the same command again"):
        file.read(1)
    served.files_status = None
    served.gated.add("datasets/owner/set")
    with pytest.raises(HubError, match="is gated; accept its licence"):
        file.read(1)
    with pytest.raises(HubError, match="is gated; accept its licence"):
        opened()


def test_a_hub_that_sends_whole_files_is_refused(served: Hub) -> None:
    file = opened()
    served.ranges = False
    with pytest.raises(HubError, match=r"a\.bin: the Hub does not send parts of files; take streaming out"):
        file.read(1)


def test_files_that_lie_on_another_host_are_read_there_without_the_token(
    served: Hub, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HF_TOKEN", "hf_secret_of_mine")
    with serve(Hub(served.repositories)) as storage:
        served.storage = storage.url
        file = opened()
        file.seek(1000)
        assert (file.size, file.read(10)) == (len(DATA), DATA[1000:1010])
        assert storage.sent == {"a.bin": 10} and not any("authorization" in seen for seen in storage.seen_headers)


def test_a_name_that_leaves_its_folder_is_not_asked_for(served: Hub) -> None:
    with pytest.raises(HubError, match="leaves its folder"):
        open_remote("dataset", Repository("owner/set", COMMIT, ()), "../a.bin")
    assert served.requests == []
