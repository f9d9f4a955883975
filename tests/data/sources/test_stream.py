"""The first rows of Hub data sets: which they are, and by the bytes that the server sent that no more came."""

import gzip
import hashlib
import io
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow
import pyarrow.parquet
import pytest
from pydantic import ValidationError

from dadeum.core.errors import ArtifactError, DataError, HubError
from dadeum.core.progress import Silent
from dadeum.core.workspace import Workspace
from dadeum.data import step
from dadeum.data.sources import FileFacts, Row, hub
from tests.data.small import Data
from tests.hub_server import COMMIT, Hub, serve

ROWS = 20_000
SET = "datasets/owner/set"


def row(number: int) -> dict[str, str]:
    return {"question": f"질문 {number}번은?", "answer": f"답은 {hashlib.sha512(str(number).encode()).hexdigest()}"}


def jsonl(rows: int = ROWS, start: int = 0) -> bytes:
    return "".join(json.dumps(row(n), ensure_ascii=False) + "\n" for n in range(start, start + rows)).encode()


def parquet(rows: int = ROWS, group: int = 2_000) -> bytes:
    table = pyarrow.Table.from_pylist([{**row(n), "more": {"list": [n]}, "__index_level_0__": n} for n in range(rows)])
    made = io.BytesIO()
    pyarrow.parquet.write_table(table, made, row_group_size=group, data_page_size=1 << 14, compression="zstd")
    return made.getvalue()


def csv(rows: int = ROWS) -> str:
    """Every third answer breaks its line."""
    cells = ((row(n)["question"], row(n)["answer"] + ('\n둘째 ""줄""' if n % 3 == 0 else "")) for n in range(rows))
    return "question,answer\n" + "".join(f'{question},"{answer}"\n' for question, answer in cells)


@pytest.fixture
def served(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Hub]:
    monkeypatch.setattr("dadeum.core.download.PAUSE", 0.01)
    with serve(Hub({SET: {}})) as made:
        monkeypatch.setenv("HF_ENDPOINT", made.url)
        monkeypatch.setenv("HF_HOME", str(tmp_path / "home"))
        for name in ("HF_HUB_OFFLINE", "HF_TOKEN", "HUGGING_FACE_HUB_TOKEN"):
            monkeypatch.delenv(name, raising=False)
        yield made


def of(**keys: Any) -> hub.Settings:
    return hub.Settings(name="owner/set", **keys)


def read(root: Path, **keys: Any) -> list[Row]:
    settings, workspace = of(**keys), Workspace(root)
    hub.download(settings, workspace)
    items = list(hub.read(settings, hub.files(settings, workspace)))
    return [item for item in items if isinstance(item, Row)]


def whole(name: str, data: bytes, served: Hub, root: Path) -> list[Row]:
    """The rows as they are read without streaming."""
    served.repositories[SET] = {name: data}
    return read(root / "whole")


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("train.jsonl", jsonl()),
        ("train.json", jsonl()),
        ("train.csv", csv().encode()),
        ("train.tsv", csv().replace(",", "\t").encode()),
        ("train.txt", jsonl().replace(b"\n", b"\n\n")),
        ("train.jsonl.gz", gzip.compress(jsonl())),
        ("train.csv.zst", pyarrow.compress(csv().encode(), codec="zstd", asbytes=True)),
        ("train.parquet", parquet()),
        ("latin-free.csv", csv().encode("cp949")),
        ("excel.csv", csv().encode("utf-16")),
        ("wide.txt", csv().encode("utf-32")),
        ("marked.csv", csv().encode("utf-8-sig")),
        ("old-mac.csv", csv().replace("\n", "\r\n").encode()),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
@pytest.mark.parametrize("rows", [1, 700])
def test_the_first_rows_are_those_of_the_whole_file(
    served: Hub, tmp_path: Path, name: str, data: bytes, rows: int
) -> None:
    expected = whole(name, data, served, tmp_path)[:rows]
    served.sent.clear()
    found = read(tmp_path, streaming=rows)
    assert [item.values for item in found] == [item.values for item in expected]
    inner = name.removesuffix(".gz").removesuffix(".zst")
    assert [item.where.replace(inner, name) for item in found] == [item.where for item in expected]
    # 700 of 20,000 rows are 3.5 %; requests bring a little more, of Parquet the row group of 2,000 and the end of the file.
    assert 0 < served.sent[name] < 0.2 * len(data)


def test_of_parquet_no_other_row_groups_come(served: Hub, tmp_path: Path) -> None:
    """Only the end of the file, and pages of the first row group."""
    data = parquet(60_000, 20_000)
    served.repositories[SET] = {"a.parquet": data}
    assert len(read(tmp_path, streaming=10)) == 10
    asked = [tuple(map(int, text.removeprefix("bytes=").split("-"))) for _, text, _ in served.asked]
    group = pyarrow.parquet.ParquetFile(io.BytesIO(data)).metadata.row_group(1).column(0)
    begin, footer = group.dictionary_page_offset or group.data_page_offset, len(data) - (1 << 16)
    assert all(end < begin or start >= footer for start, end in asked)


def test_files_are_read_in_order_as_far_as_the_rows_reach(served: Hub, tmp_path: Path) -> None:
    served.repositories[SET] = {f"data/train-{n}.jsonl": jsonl(100, n * 100) for n in range(5)} | {
        "data/test-0.jsonl": jsonl(100, 900),
        "data/test-1.jsonl": jsonl(100, 1000),
    }
    found = read(tmp_path, streaming=250)
    train = [item for item in found if item.part is None]
    assert [item.values for item in train] == [row(n) for n in range(250)]
    assert [item.values for item in found if item.part == "test"] == [row(n) for n in range(900, 1100)]
    assert set(served.sent) == {f"data/{n}.jsonl" for n in ("train-0", "train-1", "train-2", "test-0", "test-1")}


def test_where_it_lies_and_what_it_is_called(served: Hub, tmp_path: Path) -> None:
    served.repositories[SET] = {"a.jsonl": jsonl(50)}
    workspace = Workspace(tmp_path)
    folder = hub.download(of(streaming=5), workspace)
    assert folder == tmp_path / "data/raw/owner--set" / f"{COMMIT}-first-5"
    other = hub.download(of(streaming=5, files="a*"), workspace)
    assert other != folder and other.name.startswith(f"{COMMIT}-first-5-")
    data = Data(tmp_path / "other").settings({"type": "hub", "name": "owner/set", "streaming": 5})
    assert step.inputs(data, workspace) == {"hub:owner/set@main[streaming=5]": COMMIT}
    assert step.inputs(data.model_copy(update={"sources": (of(),)}), workspace) == {"hub:owner/set@main": None}
    assert (folder / "a.jsonl").read_bytes() == jsonl(5)
    assert not [place for place in folder.parent.iterdir() if place.name.startswith(".")]


def test_what_is_there_is_not_asked_for_again_and_a_change_is_noticed(served: Hub, tmp_path: Path) -> None:
    served.repositories[SET] = {"a.jsonl": jsonl(50)}
    read(tmp_path, streaming=5)
    served.requests.clear()
    assert len(read(tmp_path, streaming=5)) == 5 and served.requests == []
    (tmp_path / "data/raw/owner--set" / f"{COMMIT}-first-5/a.jsonl").write_bytes(b"{}\n")
    with pytest.raises(ArtifactError, match=r"'a\.jsonl' is damaged"):
        read(tmp_path, streaming=5)


def test_fewer_rows_than_asked_for_are_all_of_them(served: Hub, tmp_path: Path) -> None:
    served.repositories[SET] = {"a.jsonl": jsonl(50).removesuffix(b"\n")}
    assert [item.values for item in read(tmp_path, streaming=1000)] == [row(n) for n in range(50)]


def test_an_interrupted_stream_goes_on_with_the_file_that_is_missing(served: Hub, tmp_path: Path) -> None:
    served.repositories[SET] = {f"{n}.jsonl": jsonl(100, n * 100) for n in range(3)}
    served.stuck["1.jsonl"] = 50
    with pytest.raises(HubError, match=r"owner/set: 1\.jsonl: the connection was cut; run the same command again"):
        read(tmp_path, streaming=250)
    with pytest.raises(DataError, match="not downloaded"):
        hub.files(of(streaming=250), Workspace(tmp_path))
    served.stuck.clear()
    before = served.sent["0.jsonl"]
    assert [item.values for item in read(tmp_path, streaming=250)] == [row(n) for n in range(250)]
    assert served.sent["0.jsonl"] == before


@pytest.mark.parametrize("name", ["a.parquet", "a.jsonl", "a.jsonl.gz"])
def test_a_cut_connection_is_mended(served: Hub, tmp_path: Path, name: str) -> None:
    data = {"a.parquet": parquet(2000), "a.jsonl": jsonl(2000), "a.jsonl.gz": gzip.compress(jsonl(2000))}[name]
    served.repositories[SET] = {name: data}
    served.cuts[name] = [len(data) - 20_000, 900, 2000]
    assert [item.values["question"] for item in read(tmp_path, streaming=300)] == [
        row(n)["question"] for n in range(300)
    ]


def test_offline_is_one_sentence(served: Hub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    with pytest.raises(HubError, match=r"^owner/set: not in the cache, and HF_HUB_OFFLINE forbids the network; .*$"):
        read(tmp_path, streaming=5)
    monkeypatch.delenv("HF_HUB_OFFLINE")
    served.repositories[SET] = {"a.jsonl": jsonl(50)}
    read(tmp_path, streaming=5)
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    assert len(read(tmp_path, streaming=5)) == 5


@pytest.mark.parametrize(
    ("name", "data", "message"),
    [
        ("a.json", json.dumps([row(n) for n in range(5)]).encode(), r"owner/set: a\.json: is one JSON value"),
        ("a.parquet", b"PAR1 no PAR1", r"owner/set: a\.parquet: cannot be read as Parquet \("),
        ("a.jsonl.gz", b"no gzip" * 100, r"owner/set: a\.jsonl\.gz: cannot be unpacked \("),
        ("a.csv", b"question,answer\n\xff\xfe\xfa,1\n" * 100, r"a\.csv:2: byte 16 cannot be read as utf-8"),
        ("a.csv", b'question,answer\n"open,1\n' + b"2,3\n" * 100_000, r"a\.csv:2: a quote opened here is never closed"),
    ],
)
def test_what_cannot_be_read_row_by_row(served: Hub, tmp_path: Path, name: str, data: bytes, message: str) -> None:
    served.repositories[SET] = {name: data}
    with pytest.raises(DataError, match=message) as raised:
        read(tmp_path, streaming=50)
    assert "\n" not in str(raised.value)
    assert not list((tmp_path / "data/raw/owner--set").glob("[!.]*"))


@pytest.mark.parametrize(("value", "message"), [(True, "expected how many rows of each split"), (0, "greater than")])
def test_a_stream_has_an_end(value: Any, message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        of(streaming=value)


def test_from_a_stream_to_conversations_with_a_draw(served: Hub, tmp_path: Path) -> None:
    served.repositories[SET] = {"data/train.jsonl": jsonl(5000)}
    data = Data(tmp_path)
    settings = data.settings({"type": "hub", "name": "owner/set", "streaming": 400, "rows": 100})
    assert step.inputs(settings, data.workspace) == {"hub:owner/set@main[streaming=400]": None}
    step.download(settings, data.workspace, Silent())
    report = data.report(settings)
    assert (report["read"], report["kept"], report["dropped"]) == (400, 100, {"not drawn": 300})
    assert (
        report["sources"][0]["origin"] == "the first 400 rows of data/train.jsonl in hub:owner/set@main[streaming=400]"
    )


def test_facts_come_at_the_end_of_each_file(served: Hub, tmp_path: Path) -> None:
    served.repositories[SET] = {"a.jsonl": jsonl(50), "b.jsonl": jsonl(50)}
    settings, workspace = of(streaming=60), Workspace(tmp_path)
    hub.download(settings, workspace)
    kinds = [type(item) for item in hub.read(settings, hub.files(settings, workspace))]
    assert kinds == [*[Row] * 50, FileFacts, *[Row] * 10, FileFacts]
