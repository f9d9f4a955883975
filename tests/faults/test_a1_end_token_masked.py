"""A1: padding that has the end token's id must not take the end token away from the targets."""

import numpy as np

from dadeum.data.batch import collate

END = 2


def test_the_real_end_is_a_target_and_padding_is_not() -> None:
    rows = [(np.array([*range(10, 10 + n), END], np.int32), np.ones(n + 1, np.float32)) for n in (3, 5, 1)]
    batch = collate(rows, packing=False, pad_id=END)
    for row, (ids, _) in enumerate(rows):
        assert batch["input_ids"][row, len(ids) - 1] == END
        assert batch["weights"][row, len(ids) - 1] == 1
        assert batch["weights"][row, len(ids) :].sum() == 0
    packed = collate(rows, packing=True, pad_id=END)
    ends = packed["cu_seqlens"][1:].long() - 1
    assert packed["input_ids"][0, ends].tolist() == [END] * 3
    assert packed["weights"][0, ends].tolist() == [1] * 3
