"""Chunks of conversations become numbers end to end, whatever befalls single rows."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from dadeum.config.purpose import PRETRAIN, SFT, Purpose
from dadeum.data.bench import Bench
from dadeum.data.contract import open_prompt
from dadeum.data.render import Sample
from dadeum.data.samples import Samples
from dadeum.data.shape import Chunk, Overlong, Shaped, chop, cut_front
from tests.data.small import Data

LONG = "질문과 답변입니다. " * 40


def sample(length: int, trained: int, first: int = 1) -> Sample:
    weights = np.zeros(length, np.float32)
    weights[length - trained :] = 1
    return Sample(np.arange(first, first + length, dtype=np.int32), weights, 100)


@pytest.mark.parametrize(("length", "limit"), [(64, 64), (65, 64), (1000, 64), (129, 64), (17, 8)])
def test_chop_loses_and_doubles_nothing(length: int, limit: int) -> None:
    whole = Sample(np.arange(length, dtype=np.int32), np.ones(length, np.float32), 12345)
    chunks = chop(whole, limit)
    assert np.array_equal(np.concatenate([c.input_ids for c in chunks]), whole.input_ids)
    sizes = [len(c.input_ids) for c in chunks]
    assert max(sizes) <= limit and max(sizes) - min(sizes) <= 1
    assert sum(c.answer_bytes for c in chunks) == 12345


def cut(length: int, trained: int, limit: int, bos: int | None, start: int) -> Sample | None:
    found = cut_front([sample(length, trained)], limit, bos=bos, start=start)
    return found[0] if found is not None else None


def test_cut_front_keeps_the_bos_and_the_whole_answer() -> None:
    kept = cut(20, 5, 10, bos=1, start=15)
    assert kept is not None and kept.input_ids.tolist() == [1, *range(12, 21)] and kept.weights.sum() == 5
    without = cut(20, 5, 10, bos=None, start=15)
    assert without is not None and without.input_ids.tolist() == list(range(11, 21)) and without.weights.sum() == 5
    assert cut(20, 9, 10, bos=1, start=11) is not None
    assert cut(20, 10, 10, bos=1, start=10) is None
    assert cut(20, 9, 10, bos=None, start=11) is not None
    assert cut(20, 10, 10, bos=None, start=10) is None


def test_a_unit_is_cut_at_one_place_and_keeps_what_it_is() -> None:
    long, short = sample(20, 5)._replace(sequences=2, targets=(1.0,)), sample(17, 2)._replace(sequences=0)
    found = cut_front([long, short], 12, bos=1, start=15)
    assert found is not None
    assert [s.input_ids.tolist() for s in found] == [[1, *range(10, 21)], [1, *range(10, 18)]]
    assert [(s.sequences, s.targets, s.weights.sum()) for s in found] == [(2, (1.0,), 5), (0, (), 2)]
    # What is not the same prompt is not cut as if it were.
    other = short._replace(input_ids=short.input_ids + 1)
    assert cut_front([long, other], 12, bos=1, start=15) is None


def row(number: int, *texts: str, part: str = "train", **more: Any) -> str:
    roles = ["user", "assistant"] * len(texts)
    messages = [{"role": r, "content": c} for r, c in zip(roles, texts, strict=False)]
    said = {"part": part, "messages": messages, "source_row": number, "where": f"a:{number}"}
    return json.dumps(said | more | {"text": '", "text": "'}, ensure_ascii=False)


def shaped(
    folder: Path, lines: list[str], marked: int = 0, purpose: Purpose = SFT, **keys: Any
) -> tuple[Shaped, Bench]:
    data = Data(folder)
    chosen = data.settings({"type": "jsonl", "path": "a.jsonl"}, **keys)
    bench = Bench(chosen, purpose, data.tokenizer, None, data.workspace)
    return bench.shaper(Chunk(lines, marked)), bench


def test_the_blocks_of_the_parts_are_the_samples_of_their_rows(tmp_path: Path) -> None:
    parts = ["train", "test", "train", "validation", "train", "test"]
    lines = [row(i, f"질문 {i}", f"답 {i}", "다시", "또", part=part) for i, part in enumerate(parts)]
    found, bench = shaped(tmp_path, lines)
    assert found.rows == 6 and found.kept == {"train": 3, "validation": 1, "test": 2} and found.dropped == []
    for part, block in found.blocks.items():
        mine = [i for i, of in enumerate(parts) if of == part]
        assert block.source_rows.tolist() == mine
        ends = np.cumsum(block.lengths)
        rule = "last_assistant" if part == "test" else "assistant"
        for place, end, size, counted in zip(mine, ends, block.lengths, block.answer_bytes, strict=True):
            (one,) = bench.renderer.samples(json.loads(lines[place])["messages"], rule)  # type: ignore[arg-type]
            assert block.input_ids[end - size : end].tolist() == one.input_ids.tolist()
            assert block.weights[end - size : end].tolist() == one.weights.tolist() and counted == one.answer_bytes
    assert [json.loads(q)["source_row"] for q in found.questions] == [1, 5]
    assert found.seen.rows == 6 and found.seen.samples == 6


def test_a_row_that_is_trained_several_times_stands_there_several_times(tmp_path: Path) -> None:
    found, _ = shaped(tmp_path, [row(0, "가", "나", times=3), row(1, "다", "라"), row(2, "마", "바", times=2)])
    assert found.blocks["train"].source_rows.tolist() == [0, 0, 0, 1, 2, 2] and found.kept["train"] == 3
    assert len(found.blocks["train"].input_ids) == found.blocks["train"].lengths.sum()
    assert found.seen.samples == 3, "the gate looks at each once"


def test_rows_go_out_in_their_order_with_their_reasons(tmp_path: Path) -> None:
    lines = [row(0, "가", LONG), row(1, "가", "나"), row(2, "가", "나", "다"), row(3, LONG, "나"), row(4, "라", "마")]
    found, _ = shaped(tmp_path, lines, max_length=64, overlong="keep_answer")
    assert [(d["source_row"], d["kind"]) for d in found.dropped] == [(0, "overlong"), (2, "not rendered")]
    assert found.blocks["train"].source_rows.tolist() == [1, 3, 4]
    assert found.overlong.found == 2 and found.overlong.cut == found.overlong.dropped == 1
    assert found.overlong.first == "a:0" and found.overlong.longest > 64
    assert found.seen.lost == 1 and found.seen.found["cut_answers"].rows == 1


def test_a_chunk_in_which_nothing_stays(tmp_path: Path) -> None:
    found, _ = shaped(tmp_path, [row(0, "가", LONG)], max_length=16, overlong="drop")
    assert found.blocks == {} and found.kept == {} and found.rows == 1


def test_documents_are_chopped_and_their_first_token_is_no_target(tmp_path: Path) -> None:
    said = json.dumps({"messages": [], "text": LONG, "source_row": 0, "where": "a:0", "part": "train"})
    found, bench = shaped(tmp_path, [said], purpose=PRETRAIN, max_length=64)
    block = found.blocks["train"]
    whole = bench.renderer.plain(LONG)
    assert block.input_ids.tolist() == whole.input_ids.tolist() and found.overlong == Overlong(chopped=1)
    begins = np.cumsum(block.lengths) - block.lengths
    assert set(np.flatnonzero(block.weights == 0)) == set(begins.tolist()) and len(begins) > 3


def test_what_a_chunk_told_is_not_told_again(tmp_path: Path) -> None:
    lines = [row(0, "가", LONG), row(1, "가", "나")]
    first, bench = shaped(tmp_path, lines, max_length=64, overlong="drop")
    second = bench.shaper(Chunk(lines[1:]))
    assert len(first.dropped) == 1 and second.dropped == [] and second.overlong == Overlong()
    assert second.seen.rows == second.seen.samples == 1 and not second.seen.found


def test_counts_of_overlong_samples_add_up() -> None:
    one, two = Overlong(2, 1, 1, 0, 70, "a:3"), Overlong(1, 1, 0, 4, 90, "a:9")
    assert Overlong().and_then(one).and_then(two) == Overlong(3, 2, 1, 4, 90, "a:3")


def test_of_a_long_talk_the_last_answer_that_counts_stays(tmp_path: Path) -> None:
    """Also where an answer of weight 0 stands behind it; and a row whose answers all weigh 0 goes out with its reason."""
    data = Data(tmp_path)
    long = "긴 질문이 있습니다 " * 12

    def row(*weights: float) -> str:
        turns: list[dict[str, Any]] = []
        for place, weight in enumerate(weights):
            turns.append({"role": "user", "content": long})
            turns.append({"role": "assistant", "content": f"답 {place}", "weight": weight})
        return json.dumps({"messages": turns}, ensure_ascii=False)

    source = {"type": "jsonl", "path": data.write("rows.jsonl", "\n".join([row(1, 0.5, 0), row(0, 0), row(1, 2)]))}
    settings = data.settings(
        source,
        split={"validation": 0.0, "test": 0.0},
        max_length=160,
        overlong="keep_answer",
        allow=["cut_answers"],
        faulty_rows="drop",
    )
    folder = data.format(settings)
    tokenizer, _ = open_prompt(folder / "prompt")
    found = [
        (e.source_row, tokenizer.decode(e.input_ids[e.weights > 0]), sorted(set(e.weights.tolist()) - {0.0}))
        for e in Samples.open(folder / "train.arrow")
    ]
    assert found == [(0, "답 1<|im_end|>", [0.5]), (2, "답 1<|im_end|>", [2.0])]
