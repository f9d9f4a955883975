"""A5: an answer is never cut. A long row stops the stage, goes out and is counted, or loses the front of its question."""

import json
from pathlib import Path

import pytest

from dadeum.core import artifact
from dadeum.core.errors import DataError
from dadeum.data import step
from dadeum.data.contract import open_prompt
from dadeum.data.samples import Samples
from tests.data.small import Data

LIMIT = 64


@pytest.fixture
def data(tmp_path: Path) -> Data:
    made = Data(tmp_path)
    rows = [
        {"question": ("긴 질문 " * 20 if n in (2, 5, 8) else "질문 ") + str(n), "answer": f"온전한 답 {n}"}
        for n in range(10)
    ]
    made.write("qa.json", json.dumps(rows, ensure_ascii=False))
    return made


def formatted(data: Data, policy: str) -> Path:
    return data.format(
        data.settings(
            {"type": "json", "path": "qa.json"}, max_length=LIMIT, overlong=policy, split={"validation": 0, "test": 0}
        )
    )


def test_error_names_row_length_limit_and_cure(data: Data) -> None:
    with pytest.raises(DataError) as raised:
        formatted(data, "error")
    message = str(raised.value)
    assert "3 samples are longer than data.max_length=64, first qa.json:1, longest" in message
    assert "data.overlong=drop or keep_answer" in message and "\n" not in message


def test_drop_trains_seven_and_counts_three(data: Data) -> None:
    folder = formatted(data, "drop")
    facts = artifact.read_json(folder / step.STATISTICS)
    assert len(Samples.open(folder / "train.arrow")) == 7 and facts["overlong"]["dropped"] == 3
    lines = (folder / step.FAULTY).read_text(encoding="utf-8").splitlines()
    assert [json.loads(line)["source_row"] for line in lines] == [2, 5, 8]


@pytest.mark.parametrize(("policy", "rows"), [("drop", 7), ("keep_answer", 10)])
def test_every_kept_row_has_its_whole_answer_and_end_token(data: Data, policy: str, rows: int) -> None:
    folder = formatted(data, policy)
    tokenizer, _ = open_prompt(folder / step.PROMPT)
    samples = Samples.open(folder / "train.arrow")
    assert len(samples) == rows and max(samples.lengths) <= LIMIT
    for ids, weights, row, *_ in samples:
        assert tokenizer.decode(ids[weights > 0]) == f"온전한 답 {row}<|im_end|>"
        assert ids[-1] == tokenizer.eos_token_id
