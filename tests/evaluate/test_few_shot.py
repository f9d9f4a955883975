"""Examples are earlier turns, seeded, of the training part, and only as many as fit."""

from pathlib import Path

from dadeum.evaluate.few_shot import FewShot, draw_examples
from dadeum.evaluate.rows import AskedRow
from tests.evaluate.support import rows_in, write_conversations
from tests.generate.support import opened, save_small, user


def test_examples_are_training_rows_without_their_system_message(tmp_path: Path) -> None:
    path = write_conversations(tmp_path, 12) / "processed_conversations.json"
    first, again, other = (draw_examples(path, 3, seed) for seed in (1, 1, 2))
    assert first is not None
    assert first == again != other
    numbers = {int(example[0]["content"].split()[1]) for example in first.examples}
    assert len(numbers) == 3
    assert all(n % 3 for n in numbers)  # the others belong to the test part
    assert [m["role"] for m in first.examples[0]] == ["user", "assistant"]
    many = draw_examples(path, 99, 1)
    assert many is not None and len(many.examples) == 8
    assert draw_examples(path, 0, 1) is None
    path.write_text("[]", encoding="utf-8")
    assert draw_examples(path, 3, 1) is None


def test_they_stand_after_the_system_message(tmp_path: Path) -> None:
    engine = opened(save_small(tmp_path))
    shown = FewShot(((*user("가"), {"role": "assistant", "content": "나"}),))
    row = AskedRow(messages=({"role": "system", "content": "s"}, *user("다")), reference="라", asked="1")
    assert [m["content"] for m in shown.before(engine, row, 8)] == ["s", "가", "나", "다"]


def test_as_many_as_the_context_has_room_for(tmp_path: Path) -> None:
    engine = opened(save_small(tmp_path, max_position_embeddings=128))
    one = (*user("물음"), {"role": "assistant", "content": "대답"})
    shown = FewShot((one, one, one, one))
    rows = rows_in(tmp_path)
    counts = [shown.count(engine, row, 30) for row in rows]
    assert min(counts) < max(counts) < 5
    for row, count in zip(rows, counts, strict=True):
        assert len(engine.prompt_ids(shown.before(engine, row, 30))) + 30 <= 128
        if count < 4:
            more = [m for example in shown.examples[: count + 1] for m in example]
            assert len(engine.prompt_ids([*more, *row.messages])) + 30 > 128
    used = shown.used(engine, rows, 30)
    assert used["asked"] == 4
    assert sum(used["rows"].values()) == len(rows)
    assert shown.count(engine, rows[0], 127) == 0
