"""Heads × ways to train them, pairwise: saved, merged, and loaded again in one fresh process."""

from pathlib import Path

from scripts.head_cases import CASES
from scripts.head_grid import MODES, grid, page

# Each head at least once, each way at least twice.
PAIRS = [
    ("sequence_classification", "4 bits + LoRA"), ("multi_label", "full"), ("mlp", "LoRA"), ("regression", "8 bits + LoRA"),
    ("regressions", "full"), ("token_classification", "LoRA"), ("token_classification", "full"),
    ("multiple_choice", "4 bits + LoRA"), ("reward", "8 bits + LoRA"), ("multi", "LoRA"),
]  # fmt: skip


def test_what_was_trained_is_what_a_fresh_process_loads(tmp_path: Path) -> None:
    assert {name for name, _ in PAIRS} == set(CASES) and {mode for _, mode in PAIRS} == set(MODES)
    found = grid(PAIRS, tmp_path)
    assert [(one.head, one.mode) for one in found] == PAIRS
    assert all(one.good for one in found), page([one for one in found if not one.good])
    own = {one.head for one in found if one.own is not None}
    assert own == {"sequence_classification", "multi_label", "regression", "token_classification", "reward"}
    text = page(found)
    assert f"{len(PAIRS)} of {len(PAIRS)} are as they should be" in text and text.count("✓") == len(PAIRS)
