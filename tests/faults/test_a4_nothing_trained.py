"""A4: samples of which nothing would be trained are counted, and never pass as a success."""

import json
from pathlib import Path

import pytest

from dadeum.config.purpose import PRETRAIN
from dadeum.core import artifact
from dadeum.core.errors import DataError
from dadeum.data import step
from dadeum.data.samples import Samples
from tests.data.small import Data


def talk(question: str, answer: str) -> str:
    return json.dumps({"messages": [{"role": "user", "content": question}, {"role": "assistant", "content": answer}]})


def test_answers_that_cannot_fit_leave_nothing_and_that_is_an_error(tmp_path: Path) -> None:
    data = Data(tmp_path)
    path = data.write("m.jsonl", "\n".join(talk("질문 " * 10 + str(n), "x" * 100) for n in range(10)))
    settings = {"max_length": 16, "split": {"validation": 0, "test": 0}}
    with pytest.raises(DataError, match=r"10 samples are longer than data\.max_length=16"):
        data.format(data.settings({"type": "jsonl", "path": path}, **settings))
    for policy in ("drop", "keep_answer"):
        with pytest.raises(DataError, match=r"nothing is left to train of 10 rows \(left out: \{'overlong': 10\}\)"):
            data.format(data.settings({"type": "jsonl", "path": path}, overlong=policy, **settings))


def test_a_mixed_set_counts_exactly(tmp_path: Path) -> None:
    data = Data(tmp_path)
    rows = [talk(f"질문 {n}", "x" * (100 if n % 3 == 0 else 2)) for n in range(30)]
    path = data.write("m.jsonl", "\n".join(rows))
    folder = data.format(
        data.settings(
            {"type": "jsonl", "path": path}, max_length=64, overlong="keep_answer", split={"validation": 0, "test": 0}
        )
    )
    facts = artifact.read_json(folder / step.STATISTICS)
    assert facts["dropped"] == {"overlong": 10} and facts["total"]["samples"] == 20
    assert all((entry.weights > 0).any() for entry in Samples.open(folder / "train.arrow"))
    assert facts["parts"]["train"]["trained_tokens"] > 0 and facts["rows_read"] == 30


def test_text_of_one_token_trains_nothing(tmp_path: Path) -> None:
    """Without an end token a document of one token has no target."""
    data = Data(tmp_path)
    config = data.tokenizer / "tokenizer_config.json"
    value = json.loads(config.read_text(encoding="utf-8"))
    value.pop("eos_token")
    config.write_text(json.dumps(value), encoding="utf-8")
    path = data.write("t.txt", "a\n안녕하세요 무엇을\n")
    settings = data.settings({"type": "text", "path": path}, split={"validation": 0, "test": 0}, faulty_rows="drop")
    with pytest.raises(
        DataError, match=r"untrained_end_token: 1 of 2 rows, first t\.txt:2: the tokenizer has no eos_token"
    ):
        data.format(settings, PRETRAIN)
    settings = settings.model_copy(update={"allow": ("untrained_end_token",)})
    folder = data.format(settings, PRETRAIN)
    assert artifact.read_json(folder / step.STATISTICS)["dropped"] == {"nothing trained": 1}
    with pytest.raises(DataError, match=r"first t\.txt:1: no token of it would be trained"):
        data.format(settings.model_copy(update={"faulty_rows": "error"}), PRETRAIN)


def test_too_many_are_an_error_above_a_set_share(tmp_path: Path) -> None:
    data = Data(tmp_path)
    rows = [talk(f"질문 {n}", "x" * (100 if n % 3 == 0 else 2)) for n in range(30)]
    source = {"type": "jsonl", "path": data.write("m.jsonl", "\n".join(rows))}
    settings = {"max_length": 64, "overlong": "drop", "split": {"validation": 0, "test": 0}}
    message = r"^cut_answers: 10 of 30 rows, first m\.jsonl:1: 10 of 30 answers \(33%\) are lost to data\.max_length=64"
    with pytest.raises(DataError, match=message):
        data.format(data.settings(source, cut_answers=0.3, **settings))
    assert data.format(data.settings(source, cut_answers=0.34, **settings)).is_dir()
