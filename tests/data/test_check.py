"""The check goes through whatever it is given: real files with their row counts, and files that are broken."""

import gzip
import json
from pathlib import Path
from typing import Any

import pytest

from dadeum.config.purpose import SFT, Purpose
from dadeum.data.render import Renderer
from dadeum.tokenizer.load import load_tokenizer
from tests.data.checks import check, kinds, small_measure
from tests.data.small import csv

FINE = "question,answer\n질문 하나,답 하나\n질문 둘,답 둘\n질문 셋,답 셋\n"

# File: rows that are read, rows that are usable, what stops a run. Row counts are those of the folder's README.
REAL: dict[str, tuple[int, int, list[str]]] = {
    "en_finance/tatqa_dataset_dev.json": (278, 0, ["format"]),
    "en_instruct/alpaca_seed_tasks.jsonl": (175, 175, []),
    "en_instruct/dolly_finqa_val.jsonl": (796, 796, []),
    "en_instruct/rasbt_instruction-data-with-preference.json": (1100, 0, ["objective"]),
    "en_instruct/rasbt_instruction-data.json": (1100, 1100, []),
    "en_math/gsm8k_test.jsonl": (1319, 1319, []),
    "en_text/tinyshakespeare.txt": (32777, 32777, []),
    "ko_cls/Question_pair_train.csv": (6888, 0, ["objective"]),
    "ko_cls/klue-nli-v1.1_dev.json": (3000, 0, ["objective"]),
    "ko_cls/klue-sts-v1.1_dev.json": (519, 0, ["objective"]),
    "ko_cls/korean_hate_speech_train.tsv": (7896, 0, ["objective"]),
    "ko_cls/nsmc_style_train_8000.txt": (8001, 8001, []),
    "ko_instruct/ko_alpaca_data_first12761.json": (12761, 12760, ["no answer"]),
    "ko_instruct/kullm_user_oriented_eval_ko.jsonl": (252, 252, []),
    "ko_mrc/KorQuAD_v1.0_dev.json": (5774, 5774, []),
    "ko_qa/ChatbotData.csv": (11823, 11823, []),
    "ko_qa/civil_law_qa_dataset.csv": (58, 58, []),
    "ko_text/kowiki_sample.txt": (280, 280, []),
    "peer_fixtures/fastchat/dummy_conversation.json": (500, 500, []),
    "peer_fixtures/llamafactory/alpaca_en_demo.json": (999, 999, []),
    "peer_fixtures/llamafactory/dataset_info.json": (0, 0, ["damaged file"]),
    "peer_fixtures/llamafactory/glaive_toolcall_en_demo.json": (300, 300, []),
    "peer_fixtures/llamafactory/identity.json": (91, 91, []),
    "peer_fixtures/llamafactory/kto_en_demo.json": (300, 0, ["objective"]),
    "peer_fixtures/llamafactory/v1_dpo_demo.jsonl": (10, 0, ["objective"]),
    "peer_fixtures/ms-swift/alpaca.csv": (3, 3, []),
    "peer_fixtures/ms-swift/alpaca.jsonl": (3, 3, []),
    "peer_fixtures/ms-swift/alpaca2.csv": (3, 3, []),
    "peer_fixtures/ms-swift/chatml.jsonl": (3, 3, []),
    "peer_fixtures/ms-swift/conversations.jsonl": (3, 3, []),
    "peer_fixtures/ms-swift/multi_modal_1.jsonl": (3, 1, ["images"]),
    "peer_fixtures/ms-swift/multi_modal_2.jsonl": (3, 0, ["images"]),
    "peer_fixtures/ms-swift/multi_modal_3.jsonl": (3, 0, ["images"]),
    "peer_fixtures/ms-swift/sharegpt.jsonl": (3, 3, []),
    "peer_fixtures/ms-swift/swift_multi.json": (3, 3, []),
    "peer_fixtures/ms-swift/swift_multi.jsonl": (3, 3, []),
    "peer_fixtures/ms-swift/swift_pre.csv": (3, 0, ["format"]),
    "peer_fixtures/ms-swift/swift_pre.jsonl": (3, 0, ["format"]),
    "peer_fixtures/ms-swift/swift_single.csv": (3, 3, []),
    "peer_fixtures/ms-swift/swift_single.jsonl": (3, 3, []),
}
# Plain text: the README counts lines, of which blank ones are no rows.
LINES = {
    "en_text/tinyshakespeare.txt": 40000,
    "ko_cls/nsmc_style_train_8000.txt": 8001,
    "ko_text/kowiki_sample.txt": 285,
}
DATA = (
    *("en_finance", "en_instruct", "en_math", "en_text", "ko_cls", "ko_instruct", "ko_mrc", "ko_qa", "ko_text"),
    "peer_fixtures",
)


@pytest.mark.parametrize("name", REAL)
def test_every_real_file(material: Path, name: str) -> None:
    found = check(material, name)
    read, usable, stops = REAL[name]
    rows = found.facts["rows"]
    assert (rows["read"], rows["usable"], kinds(found)) == (read, usable, stops)
    rest = (
        rows[key] for key in ("usable", "faulty", "left_out", "filtered", "not_for_this_objective", "not_understood")
    )
    assert sum(rest) == read
    assert found.trainable == (not stops)
    if name in LINES:
        (file,) = found.facts["files"]
        assert file["rows"] + file["blank_lines"] == LINES[name]
    json.dumps(found.as_json(), allow_nan=False)


def test_no_real_file_is_left_out(material: Path) -> None:
    suffixes = {".csv", ".tsv", ".json", ".jsonl", ".txt"}
    there = {f.relative_to(material).as_posix() for folder in DATA for f in (material / folder).rglob("*")}
    assert {name for name in there if Path(name).suffix in suffixes} <= set(REAL)


@pytest.mark.slow
def test_a_compressed_file_of_220000_lines(material: Path) -> None:
    found = check(material, "ko_text/nsmc_reviews.txt.gz")
    assert found.facts["rows"]["usable"] == 220000 and found.trainable and found.facts["objective"] == "pretrain"


BROKEN: dict[str, tuple[str, bytes, list[str]]] = {
    "empty": ("rows.csv", b"", ["source"]),
    "header only": ("rows.csv", b"question,answer\n", ["no rows"]),
    "blank lines": ("rows.txt", b"\n\n  \n", ["no rows"]),
    "an empty list": ("rows.json", b"[]", ["no rows"]),
    "truncated JSON": ("rows.json", b'[{"question": "q", "answer": "a"}, {"question": "q2", "ans', ["damaged file"]),
    "no list": ("rows.json", b'{"version": 1}', ["damaged file"]),
    "a truncated line": ("rows.jsonl", b'{"question": "q", "answer": "a"}\n{"question": "q2", "a', ["damaged row"]),
    "a list for a row": ("rows.jsonl", b'{"question": "q", "answer": "a"}\n[1]\n', ["damaged row"]),
    "rows without columns": ("rows.jsonl", b"{}\n{}\n", ["no columns"]),
    "a NUL byte": ("rows.csv", FINE.encode() + "넷,답\0넷\n".encode(), ["damaged row"]),
    "an escaped NUL": ("rows.jsonl", b'{"question": "q", "answer": "a\\u0000"}\n', ["no text"]),
    "half a character": ("rows.jsonl", b'{"id": "\\ud800", "question": "\\ud800", "answer": "a"}\n', ["no text"]),
    "mixed encodings": ("rows.csv", FINE.encode() + "넷,답 넷\n".encode("cp949"), ["damaged file"]),
    "no text at all": ("rows.csv", bytes(range(256)) * 8, ["damaged file"]),
    "too many cells": ("rows.csv", FINE.encode() + b"a,b,c\n", ["damaged row"]),
    "an open quote": ("rows.csv", FINE.encode() + b'"a,b\nc,d\n', ["damaged file"]),
    "a column twice": ("rows.csv", b"question,question\n1,2\n", ["damaged file"]),
    "unknown columns": ("rows.csv", "물음표,느낌표\nㄱ,ㄴ\n".encode(), ["format"]),
    "blank answers": ("rows.csv", b"question,answer\nq,\nr,  \n", ["no answer"]),
    "cut gzip": ("rows.csv.gz", gzip.compress(csv(3000).encode())[:-2000], ["damaged file"]),
    "no gzip": ("rows.csv.gz", FINE.encode(), ["damaged file"]),
    "nested without end": ("rows.jsonl", b'{"question": ' + b"[" * 100_000 + b"\n", ["damaged row"]),
}


@pytest.mark.parametrize("what", BROKEN)
def test_a_broken_file_gives_findings(tmp_path: Path, what: str) -> None:
    name, data, stops = BROKEN[what]
    (tmp_path / name).write_bytes(data)
    found = check(tmp_path, name)
    assert sorted(set(kinds(found))) == stops and not found.trainable
    json.dumps(found.as_json(), ensure_ascii=False, allow_nan=False).encode()


def test_the_rest_is_read_where_one_file_is_damaged(tmp_path: Path) -> None:
    for number, text in enumerate([csv(5), 'question,answer\n"open,1\n', csv(7, start=5)]):
        (tmp_path / f"{number}.csv").write_text(text, encoding="utf-8")
    found = check(tmp_path, {"type": "csv", "path": "*.csv"})
    assert found.facts["rows"]["usable"] == 12 and kinds(found) == ["damaged file"]
    assert "1.csv:2: a quote" in found.findings[0].text and found.findings[0].places[0].startswith("mend this file")
    assert [(f["file"], f["rows"], f["damaged"]) for f in found.facts["files"]] == [
        ("0.csv", 5, False),
        ("1.csv", 0, True),
        ("2.csv", 7, False),
    ]


def test_what_stands_before_the_damage_counts(tmp_path: Path) -> None:
    (tmp_path / "rows.json").write_text('[{"question": "q", "answer": "a"}, {"que', encoding="utf-8")
    found = check(tmp_path, "rows.json")
    assert found.facts["rows"]["usable"] == 1 and "rows.json:1" in found.findings[0].text


def test_faulty_rows_stop_unless_they_are_dropped(tmp_path: Path) -> None:
    (tmp_path / "rows.csv").write_text(csv(20) + "q,\nr,\ns,\nt,\n", encoding="utf-8")
    found = check(tmp_path, "rows.csv")
    assert kinds(found) == ["no answer"] and "data.faulty_rows=drop" in found.findings[0].text
    assert found.facts["faulty"]["no answer"]["rows"] == 4
    first = [entry["where"] for entry in found.facts["faulty"]["no answer"]["first"]]
    assert first == ["rows.csv:22", "rows.csv:23", "rows.csv:24"]
    assert found.findings[0].places[0].startswith("rows.csv:22: ")
    dropped = check(tmp_path, "rows.csv", faulty_rows="drop")
    assert dropped.trainable and "no answer" in kinds(dropped, "look")


def test_rows_say_what_they_are_for(tmp_path: Path) -> None:
    (tmp_path / "rows.txt").write_text("글 하나\n글 둘\n", encoding="utf-8")
    (tmp_path / "rows.csv").write_text(csv(2), encoding="utf-8")
    assert check(tmp_path, "rows.txt").facts["objective"] == "pretrain"
    assert check(tmp_path, "rows.csv").facts["objective"] == "sft"
    named = check(tmp_path, "rows.txt", purpose=SFT)
    assert kinds(named) == ["objective"] and "train.objective=pretrain" in named.findings[0].text


def test_rows_that_no_objective_takes_are_looked_at_all_the_same(tmp_path: Path) -> None:
    (tmp_path / "rows.csv").write_text("text,label\n좋다,1\n나쁘다,0\n좋다,0\n", encoding="utf-8")
    found = check(tmp_path, "rows.csv")
    assert found.facts["rows"]["not_for_this_objective"] == 3 and found.facts["characters"]["whole"]["total"] == 7
    assert found.facts["several_answers"] == {"questions": 1, "rows": 2, "labels": True}


def test_settings_that_are_wrong_are_told(tmp_path: Path) -> None:
    (tmp_path / "rows.csv").write_text("물음,대답\n하나,둘\n", encoding="utf-8")
    assert kinds(check(tmp_path, "rows.csv", prompt="no-such.yaml")) == ["settings"]
    mapped = check(tmp_path, "rows.csv", columns={"question": "물음", "answer": "대답"})
    assert mapped.trainable and mapped.facts["rows"]["usable"] == 1
    wrong = check(tmp_path, "rows.csv", columns={"question": "물움", "answer": "대답"})
    assert not wrong.trainable and "물움" in wrong.findings[0].text


def test_a_table_that_is_called_text(tmp_path: Path) -> None:
    (tmp_path / "rows.txt").write_text("id\tdocument\tlabel\n1\t좋다\t1\n2\t싫다\t0\n", encoding="utf-8")
    assert kinds(check(tmp_path, "rows.txt"), "look")[0] == "table"
    (tmp_path / "rows.txt").write_text("하나\t둘\n셋\n", encoding="utf-8")
    assert "table" not in kinds(check(tmp_path, "rows.txt"), "look")


def test_rows_that_the_template_refuses(tmp_path: Path) -> None:
    rows = [{"messages": [{"role": "user", "content": "q"}, {"role": "assistant", "content": "a"}]}] * 3
    strange = {"messages": [{"role": "us er", "content": "q"}, {"role": "assistant", "content": "a"}]}
    (tmp_path / "rows.jsonl").write_text("\n".join(map(json.dumps, [*rows, strange])), encoding="utf-8")
    found = check(tmp_path, "rows.jsonl", measure=small_measure(tmp_path / "tokenizer"))
    assert found.facts["rows"]["usable"] == 3 and found.facts["rows"]["faulty"] == 1 and not found.trainable


PAIRS = [{"prompt": f"질문 {n}", "chosen": f"나은 답 {n}", "rejected": f"못한 답 {n}" * 4} for n in range(20)]


@pytest.mark.parametrize("takes", ["pair", "rated"])
def test_pairs_are_measured_on_both_sides(tmp_path: Path, takes: Any) -> None:
    """And the one whose answers are one stops a run, as it would."""
    rows = [*PAIRS, {"prompt": "q", "chosen": "a", "rejected": "a"}]
    (tmp_path / "p.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    purpose = Purpose("dpo", takes)
    found = check(
        tmp_path, "p.jsonl", purpose=purpose, measure=small_measure(tmp_path / "t"), split={"validation": 0, "test": 0}
    )
    assert kinds(found) == ["same answers"]
    tokens, renderer = found.facts["tokens"], Renderer(load_tokenizer(tmp_path / "t"))
    lengths = [
        len(renderer.samples([*talk(row["prompt"]), {"role": "assistant", "content": row[side]}], "all")[0].input_ids)
        for row in PAIRS
        for side in ("chosen", "rejected")
    ]
    assert tokens["lengths"]["total"] == sum(lengths) and tokens["lengths"]["samples"] == 40
    assert tokens["epoch"]["samples"] == (20 if takes == "pair" else 40)
    # Of a pair both are dropped, or both are cut at one place.
    limit = sorted(lengths)[-2] - 1
    over = [max(0, max(lengths[i : i + 2]) - limit) for i in range(0, 40, 2)]
    for rule, total in (
        ("drop", sum(sum(lengths[2 * i : 2 * i + 2]) for i in range(20) if not over[i])),
        ("keep_answer", sum(lengths) - 2 * sum(over)),
    ):
        if takes == "rated":
            continue
        measure = small_measure(tmp_path / "t")
        told = check(
            tmp_path,
            "p.jsonl",
            purpose=purpose,
            measure=measure,
            split={"validation": 0, "test": 0},
            max_length=limit,
            overlong=rule,
        )
        assert told.facts["tokens"]["epoch"]["tokens"] == total


def talk(text: str) -> list[dict[str, str]]:
    return [{"role": "user", "content": text}]
