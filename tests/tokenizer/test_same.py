"""Two tokenizers with one vocabulary, or the first token that tells them apart."""

from pathlib import Path

from dadeum.tokenizer.load import load_tokenizer
from dadeum.tokenizer.same import difference
from tests.data.small import make_tokenizer


def test_the_first_token_by_its_id(tmp_path: Path) -> None:
    one, other = (load_tokenizer(make_tokenizer(tmp_path / name)) for name in ("a", "b"))
    assert difference(one, other, ("the model's", "the teacher's")) is None
    size = len(one)
    one.add_tokens(["<x>", "<y>"])
    said = difference(one, other, ("A", "B"))
    assert said == f"2 tokens differ, first '<x>' is {size} in A, '<x>' is not in B"
    other.add_tokens(["<y>", "<x>"])
    said = difference(one, other, ("A", "B"))
    assert said == f"2 tokens differ, first '<x>' is {size} in A, '<x>' is {size + 1} in B"
