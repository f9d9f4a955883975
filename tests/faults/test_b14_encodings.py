"""B14: the same rows in six encodings are the same conversations; what is no text is refused with its offset."""

from pathlib import Path

import pytest

from dadeum.config.purpose import PRETRAIN
from dadeum.core.errors import DataError
from dadeum.core.fingerprint import fingerprint
from dadeum.data import step
from tests.data.small import Data

TEXT = "instruction,output\n" + "".join(f"질문 {n}번: 똠방각하의 펲시?,답 {n}입니다\n" for n in range(100))
ENCODED = {
    "utf-8": TEXT.encode(),
    "utf-8-sig": TEXT.encode("utf-8-sig"),
    "utf-16": TEXT.encode("utf-16"),
    "utf-16-le": TEXT.encode("utf-16-le"),
    "utf-16-be": TEXT.encode("utf-16-be"),
    "cp949": TEXT.encode("cp949"),
}


def test_six_encodings_give_one_set_of_conversations(tmp_path: Path) -> None:
    data = Data(tmp_path)
    hashes = {}
    for name, encoded in ENCODED.items():
        settings = data.settings({"type": "csv", "path": data.write("qa.csv", encoded)})
        rows = data.rows(settings)
        assert len(rows) == 100 and data.report(settings)["sources"][0]["encoding"] == name
        hashes[name] = fingerprint(rows)
    assert len(set(hashes.values())) == 1, hashes


@pytest.mark.parametrize("suffix", ["jsonl", "json", "txt"])
def test_other_kinds_of_files_too(tmp_path: Path, suffix: str) -> None:
    data = Data(tmp_path)
    kind = {"txt": "text"}.get(suffix, suffix)
    lines = [f'{{"text": "질문 {n}번: 똠방각하"}}' for n in range(20)]
    text = {
        "jsonl": "\n".join(lines),
        "json": f"[{','.join(lines)}]",
        "txt": "\n".join(f"질문 {n}번: 똠방각하" for n in range(20)),
    }
    found = []
    for codec in ENCODED:
        settings = data.settings({"type": kind, "path": data.write(f"f.{suffix}", text[suffix].encode(codec))})
        found.append(fingerprint([row["text"] for row in data.rows(settings, PRETRAIN)]))
    assert len(set(found)) == 1


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("Q,A\n질문,답\n".encode() + "물음,답\n".encode("cp949"), r"qa\.csv:3: byte 15 cannot be read as utf-8"),
        (b"\x7fELF\x02\x01\x01\0\0\0\0\0\0\0\0\0\x03\0>\0\x01\0\0\0\xff\xff", r"byte \d+ cannot be read"),
        ("Q,A\ncaf\xe9,\xfcber\n".encode("latin-1"), r"qa\.csv:2: byte 7 cannot be read as utf-8"),
    ],
)
def test_what_is_mixed_or_binary_is_refused(tmp_path: Path, content: bytes, message: str) -> None:
    data = Data(tmp_path)
    with pytest.raises(DataError, match=message):
        data.preprocess(data.settings({"type": "csv", "path": data.write("qa.csv", content)}))
    assert not list((tmp_path / "data").rglob(step.CONVERSATIONS))
