"""Rows that become several sequences."""

import json
from pathlib import Path

import numpy as np
import pytest

from dadeum.config.purpose import Purpose
from dadeum.core.errors import DataError
from dadeum.data.samples import Samples
from dadeum.tokenizer.load import load_tokenizer
from tests.data.small import Data

DPO = Purpose("dpo", "pair")


def pairs(count: int) -> str:
    rows = [{"prompt": f"질문 {i}", "chosen": f"좋은 답 {i}", "rejected": f"나쁜 답입니다 {i}"} for i in range(count)]
    return "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)


def test_a_pair_is_one_sample_of_two_sequences(tmp_path: Path) -> None:
    data = Data(tmp_path)
    settings = data.settings({"type": "jsonl", "path": data.write("p.jsonl", pairs(1500))}, split={"validation": 0.1})
    samples = Samples.open(data.format(settings, DPO) / "train.arrow")
    # More than a batch on disk: a unit may begin in one and end in the next.
    assert len(samples) > 1200 and len(samples.lengths) == len(samples.source_rows) == len(samples)
    tokenizer = load_tokenizer(data.tokenizer)
    for i in (0, 499, 500, len(samples) - 1):
        entry = samples[i]
        (better, weights), (worse, others) = entry.sequences
        row = entry.source_row
        said = [tokenizer.decode(ids[w > 0]) for ids, w in ((better, weights), (worse, others))]
        assert f"좋은 답 {row}" in said[0] and f"나쁜 답입니다 {row}" in said[1]
        assert "질문" not in said[0] and "질문" not in said[1]
        assert len(entry.input_ids) == samples.lengths[i] and max(len(better), len(worse)) <= samples.longest
        np.testing.assert_array_equal(np.concatenate([better, worse]), entry.input_ids)


def test_an_objective_that_compares_needs_pairs(tmp_path: Path) -> None:
    data = Data(tmp_path)
    talk = json.dumps({"messages": [{"role": "user", "content": "ㄱ"}, {"role": "assistant", "content": "ㄴ"}]})
    settings = data.settings({"type": "jsonl", "path": data.write("p.jsonl", talk + "\n")})
    with pytest.raises(DataError, match=r"train.objective=dpo needs pairs of a chosen and a rejected answer"):
        data.format(settings, DPO)
