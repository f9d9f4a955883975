"""Encodings are found, not guessed."""

from pathlib import Path

import pytest

from dadeum.core.errors import DataError
from dadeum.data import charset

KOREAN = "질문,답변\n안녕하세요 café는 아니고 똠방각하,네 그럼요\n" * 3
KOREAN_CP949 = KOREAN.replace("é", "e")


def put(tmp_path: Path, data: bytes) -> Path:
    path = tmp_path / "file.csv"
    path.write_bytes(data)
    return path


@pytest.mark.parametrize(
    ("codec", "found"),
    [
        ("utf-8", "utf-8"),
        ("utf-8-sig", "utf-8-sig"),
        ("utf-16", "utf-16"),
        ("utf-32", "utf-32"),
        ("utf-16-le", "utf-16-le"),
        ("utf-16-be", "utf-16-be"),
        ("cp949", "cp949"),
    ],
)
def test_each_encoding_is_named_and_read(tmp_path: Path, codec: str, found: str) -> None:
    path = put(tmp_path, KOREAN_CP949.encode(codec))
    assert charset.detect(path) == found
    with charset.open_text(path, found) as file:
        assert file.read() == KOREAN_CP949


def test_big_endian_mark(tmp_path: Path) -> None:
    path = put(tmp_path, b"\xfe\xff" + KOREAN.encode("utf-16-be"))
    with charset.open_text(path, charset.detect(path)) as file:
        assert file.read() == KOREAN


def test_ascii_and_emoji_are_utf8(tmp_path: Path) -> None:
    assert charset.detect(put(tmp_path, b"a,b\n1,2\n")) == "utf-8"
    assert charset.detect(put(tmp_path, "a\n👍🏽 ok".encode())) == "utf-8"


def test_latin_1_is_never_guessed(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="byte 9 cannot be read as utf-8"):
        charset.detect(put(tmp_path, "a,b\nx,caf\xe9 noir\n".encode("latin-1")))


def test_character_cut_in_utf8_is_damage_not_cp949(tmp_path: Path) -> None:
    data = KOREAN.encode()
    start = data.index("요".encode(), 60)
    cut = data[: start + 1] + data[start + 2 :]
    with pytest.raises(DataError, match=rf":\d+: byte {start} cannot be read as utf-8"):
        charset.detect(put(tmp_path, cut))


def test_mixed_file_names_line_and_byte(tmp_path: Path) -> None:
    good = "질문,답변\n하나,둘\n".encode()
    bad = "셋,넷".encode("cp949")
    with pytest.raises(DataError, match=rf":3: byte {len(good)} cannot be read as utf-8"):
        charset.detect(put(tmp_path, good + bad + b"\n"))


def test_binary_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="byte 0 cannot"):
        charset.detect(put(tmp_path, b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\1\0\0\0\1\0\x08\x06\0\0\0"))


def test_offset_is_right_beyond_the_first_chunk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(charset, "CHUNK", 7)
    data = ("가나다라마" * 9).encode()
    assert charset.detect(put(tmp_path, data)) == "utf-8"
    with pytest.raises(DataError, match="byte 99 cannot be read as utf-8"):
        charset.detect(put(tmp_path, data[:100] + b"\xff" + data[100:]))
    assert charset.detect(put(tmp_path, ("가나다라마" * 9).encode("cp949"))) == "cp949"


def test_a_stray_nul_does_not_make_it_utf16(tmp_path: Path) -> None:
    assert charset.detect(put(tmp_path, b'{"a": "b\0c"}\n{"a": "d\0\0e"}\n')) == "utf-8"
    assert charset.detect(put(tmp_path, b'{"a": "b\0c"}\n' + b"x" * 500)) == "utf-8"
