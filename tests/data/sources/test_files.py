"""What the sources that read plain files share: folders, patterns, compressed files, and the places of their rows."""

import gzip
import json
import unicodedata
from pathlib import Path
from typing import Any

import pyarrow
import pyarrow.parquet
import pytest

from dadeum.core.errors import DataError
from dadeum.core.workspace import Workspace
from dadeum.data import step
from dadeum.data.sources import SOURCES, FileFacts, Row, kind_of, suffixes
from tests.data.small import Data, csv

KINDS = ("csv", "json", "jsonl", "parquet", "text")
PLAIN = ("csv", "json", "jsonl", "text")


def written(kind: str, texts: list[str]) -> bytes:
    """A file of this kind with a row for each text."""
    rows = [{"text": text} for text in texts]
    if kind == "parquet":
        sink = pyarrow.BufferOutputStream()
        pyarrow.parquet.write_table(pyarrow.Table.from_pylist(rows), sink)
        return bytes(sink.getvalue())
    lines = {"csv": ["text", *texts], "text": texts, "json": [json.dumps(rows, ensure_ascii=False)]}
    return ("\n".join(lines.get(kind, [json.dumps(row, ensure_ascii=False) for row in rows])) + "\n").encode()


def zstd(data: bytes) -> bytes:
    made: bytes = pyarrow.compress(data, "zstd", asbytes=True)
    return made


def read(root: Path, kind: str, path: str) -> list[Any]:
    member = SOURCES.member(kind)
    settings = member.Settings(path=path)
    return list(member.read(settings, member.files(settings, Workspace(root))))


def texts(items: list[Any]) -> list[tuple[str, str]]:
    return [(i.where, i.values["text"]) for i in items if isinstance(i, Row)]


def put(root: Path, name: str, data: bytes) -> Path:
    path = root / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)
    return path


@pytest.mark.parametrize("kind", KINDS)
def test_a_folder_of_files(tmp_path: Path, kind: str) -> None:
    suffix = SOURCES.member(kind).SUFFIXES[0]
    line = 2 if kind == "csv" else 1
    for name, text in (("b/one", "셋"), ("a/one", "하나"), ("two", "넷"), ("a/three", "둘")):
        put(tmp_path, f"parts/{name}{suffix}", written(kind, [text]))
    put(tmp_path, "parts/notes.md", b"# no rows")
    put(tmp_path, f"parts/.hidden{suffix}", b"\0")
    expected = [("a/one", "하나"), ("a/three", "둘"), ("b/one", "셋"), ("two", "넷")]
    for path in ("parts", "parts/", f"parts/**/*{suffix}", str(tmp_path / "parts")):
        items = read(tmp_path, kind, path)
        found = sorted(texts(items))
        assert found == sorted((f"{name}{suffix}:{line}", text) for name, text in expected)
        assert [f.file for f in items if isinstance(f, FileFacts)] == sorted(
            (tmp_path / "parts").rglob(f"[!.]*{suffix}")
        )
    assert [where for where, _ in texts(read(tmp_path, kind, f"parts/a/*{suffix}"))] == [
        f"one{suffix}:{line}",
        f"three{suffix}:{line}",
    ]


@pytest.mark.parametrize("kind", PLAIN)
@pytest.mark.parametrize("codec", ["utf-8", "utf-8-sig", "utf-16", "cp949"])
def test_compressed_files_in_every_encoding(tmp_path: Path, kind: str, codec: str) -> None:
    samples = ["안녕하세요 반갑습니다", "질문과 답변", "똠방각하"]
    data = written(kind, samples).decode().encode(codec)
    suffix = SOURCES.member(kind).SUFFIXES[0]
    put(tmp_path, f"plain{suffix}", data)
    put(tmp_path, f"packed{suffix}.gz", gzip.compress(data))
    put(tmp_path, f"packed2{suffix}.zst", zstd(data))
    plain = read(tmp_path, kind, f"plain{suffix}")
    assert [text for _, text in texts(plain)] == samples
    for name in (f"packed{suffix}.gz", f"packed2{suffix}.zst"):
        items = read(tmp_path, kind, name)
        assert texts(items) == [(where.replace(f"plain{suffix}", name), text) for where, text in texts(plain)]
        assert items[-1].encoding == plain[-1].encoding == codec


def test_plain_and_compressed_ones_lie_in_one_folder(tmp_path: Path) -> None:
    put(tmp_path, "parts/1.jsonl", written("jsonl", ["a"]))
    put(tmp_path, "parts/2.jsonl.gz", gzip.compress(written("jsonl", ["b"])))
    put(tmp_path, "parts/3.JSONL.ZST", zstd(written("jsonl", ["c"])))
    expected = [("1.jsonl:1", "a"), ("2.jsonl.gz:1", "b"), ("3.JSONL.ZST:1", "c")]
    assert texts(read(tmp_path, "jsonl", "parts")) == expected
    assert texts(read(tmp_path, "jsonl", "parts/*.jsonl")) == expected[:1]
    put(tmp_path, "parts/1.jsonl.gz", gzip.compress(written("jsonl", ["a"])))
    with pytest.raises(DataError, match=r"parts: '1\.jsonl' and '1\.jsonl\.gz' may hold the same rows; take one away"):
        read(tmp_path, "jsonl", "parts")


@pytest.mark.parametrize("kind", PLAIN)
def test_a_compressed_file_that_is_cut_short_gives_no_row(tmp_path: Path, kind: str) -> None:
    suffix = SOURCES.member(kind).SUFFIXES[0]
    whole = gzip.compress(written(kind, [f"{n} {n * 7919 % 10007}" for n in range(50_000)]))
    put(tmp_path, f"a{suffix}.gz", whole[:-100])
    member = SOURCES.member(kind)
    settings = member.Settings(path=f"a{suffix}.gz")
    with pytest.raises(DataError, match=r"a\.\w+\.gz: the gzip data ends too early, the file is cut short"):
        next(member.read(settings, member.files(settings, Workspace(tmp_path))))


def test_damaged_text_inside_is_named_by_line_and_byte(tmp_path: Path) -> None:
    put(tmp_path, "a.txt.gz", gzip.compress("하나\n둘\n".encode() + b"x\xff\n"))
    with pytest.raises(DataError, match=r"a\.txt\.gz:3: byte 12 cannot be read as utf-8"):
        read(tmp_path, "text", "a.txt.gz")


def test_names_of_both_compositions_have_one_order_and_nfc_places(tmp_path: Path) -> None:
    names = ["가.jsonl", unicodedata.normalize("NFD", "나.jsonl"), "다.jsonl"]
    for name in names:
        put(tmp_path, f"자료/{name}", written("jsonl", [unicodedata.normalize("NFC", name)]))
    found = texts(read(tmp_path, "jsonl", unicodedata.normalize("NFD", "자료/*.jsonl")))
    assert found == [(f"{n}.jsonl:1", f"{n}.jsonl") for n in "가나다"]


def test_a_file_more_makes_the_stage_stale(tmp_path: Path) -> None:
    data = Data(tmp_path)
    put(tmp_path, "parts/a.csv", csv(12).encode())
    settings = data.settings({"type": "csv", "path": "parts"})
    before, made = step.inputs(settings, data.workspace), data.preprocess(settings)
    assert list(before) == ["parts/a.csv"] and data.preprocess(settings) == made
    put(tmp_path, "parts/notes.md", b"nothing that is read")
    assert step.inputs(settings, data.workspace) == before
    put(tmp_path, "parts/b/c.csv.gz", gzip.compress(csv(15).encode("cp949")))
    assert list(step.inputs(settings, data.workspace)) == ["parts/a.csv", "parts/b/c.csv.gz"]
    again = data.preprocess(settings)
    assert again != made
    report = data.report(settings)
    assert report["read"] == 27
    assert [(s["file"], s["encoding"], s["rows"]) for s in report["sources"]] == [
        ("parts/a.csv", "utf-8", 12),
        ("parts/b/c.csv.gz", "cp949", 15),
    ]
    assert {row["where"] for row in data.rows(settings)} <= {
        f"{name}:{n}" for name in ("a.csv", "b/c.csv.gz") for n in range(2, 17)
    }


def test_kinds_by_name() -> None:
    assert set(suffixes().values()) == {*KINDS, "conll"}  # which has no column `text`
    names = {"a.csv": "csv", "b.TSV.gz": "csv", "c.jsonl.zst": "jsonl", "d.ndjson": "jsonl", "e.parquet": "parquet"}
    assert {name: kind_of(Path(name)) for name in names} == names
    assert [kind_of(Path(name)) for name in ("a.docx", "a.gz", "a", "a.tar.gz")] == [None] * 4
