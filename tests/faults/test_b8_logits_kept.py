"""B8: an evaluation keeps all logits, (rows, tokens, vocabulary), until memory is gone."""

import os
from pathlib import Path

from dadeum.core.progress import Silent
from dadeum.generate.likelihood import LOGITS
from tests.generate.support import opened, save_small, user

ROWS = 500
VOCABULARY = 20_000
BOUND = 150_000_000


def resident() -> int:
    pages = int(Path("/proc/self/statm").read_text(encoding="utf-8").split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE")


class _Watch(Silent):
    def __init__(self) -> None:
        self.seen: list[int] = []

    def advance(self, done: float, **facts: object) -> None:
        self.seen.append(resident())


def test_memory_does_not_grow_with_the_rows(tmp_path: Path) -> None:
    engine = opened(
        save_small(tmp_path, vocab_size=VOCABULARY, hidden_size=16, intermediate_size=16, num_hidden_layers=1)
    )
    answer = "질문과 답변입니다 the quick brown fox " * 3
    conversations = [[*user(f"질문 {i}"), {"role": "assistant", "content": answer}] for i in range(ROWS)]
    kept = ROWS * engine.answer_loss(conversations[:1])[0].tokens * VOCABULARY * 4
    assert kept > 5 * BOUND  # what keeping them would take
    watch = _Watch()
    losses = engine.answer_loss(conversations, batch_size=8, reporter=watch)
    assert len(losses) == ROWS
    assert len(watch.seen) >= 50
    assert max(watch.seen) - watch.seen[2] < BOUND


def test_one_batch_is_bounded_whatever_its_size(tmp_path: Path) -> None:
    engine = opened(
        save_small(tmp_path, vocab_size=VOCABULARY, hidden_size=16, intermediate_size=16, num_hidden_layers=1)
    )
    watch = _Watch()
    conversations = [[*user("hi " * 60), {"role": "assistant", "content": "질문"}] for _ in range(120)]
    longest = len(engine.prompt_ids(conversations[0]))
    engine.answer_loss(conversations, batch_size=10_000, reporter=watch)
    assert len(watch.seen) >= 120 * longest * VOCABULARY // LOGITS
