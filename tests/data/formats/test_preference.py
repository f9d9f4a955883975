"""A chosen and a rejected answer to one prompt."""

import json
from pathlib import Path
from typing import Any

import pytest

from dadeum.config.purpose import Purpose
from dadeum.core.artifact import read_json
from dadeum.core.errors import DataError
from dadeum.data.cells import FaultyRow
from dadeum.data.formats import Conversation
from dadeum.data.kinds import Recogniser
from dadeum.data.samples import Samples
from dadeum.data.sources import kind_of
from tests.data.small import Data

DPO, KTO = Purpose("dpo", "pair"), Purpose("kto", "rated")

USER = {"role": "user", "content": "질문"}
GOOD, BAD = {"role": "assistant", "content": "좋은 답"}, {"role": "assistant", "content": "나쁜 답"}


def convert(values: dict[str, Any]) -> Conversation:
    how, kind = Recogniser()("f", list(values))
    assert kind == "preference"
    return how(values)


@pytest.mark.parametrize(
    "values",
    [
        {"prompt": "질문", "chosen": "좋은 답", "rejected": "나쁜 답"},
        {"question": "질문", "chosen": "좋은 답", "rejected": "나쁜 답", "score_chosen": 8.0},
        {"instruction": "질문", "input": "", "output": "다른 답", "rejected": "나쁜 답", "chosen": "좋은 답"},
        {"prompt": [USER], "chosen": [GOOD], "rejected": [BAD]},
        {"messages": [USER], "chosen": "좋은 답", "rejected": "나쁜 답"},
        {"prompt": "질문", "chosen": [USER, GOOD], "rejected": [USER, BAD]},
        {"chosen": [USER, GOOD], "rejected": [USER, BAD]},
        {"chosen_messages": [USER, GOOD], "rejected_messages": [USER, BAD]},
        {"messages": [USER, GOOD], "rejected_response": "나쁜 답"},
        {"messages": [USER, GOOD], "rejected_messages": [USER, BAD]},
        {
            "conversations": [{"from": "human", "value": "질문"}],
            "chosen": {"from": "gpt", "value": "좋은 답"},
            "rejected": {"from": "gpt", "value": "나쁜 답"},
        },
        {
            "prompt": "질문",
            "chosen": '[{"role": "assistant", "content": "좋은 답"}]',
            "rejected": '[{"role": "assistant", "content": "나쁜 답"}]',
        },
    ],
)
def test_every_spelling_of_one_pair(values: dict[str, Any]) -> None:
    found = convert(values)
    assert found.messages == (USER, GOOD) and found.rejected == (USER, BAD)


def test_system_history_and_input_go_before_both() -> None:
    found = convert(
        {
            "system": "S",
            "instruction": "옮겨라",
            "input": "hi",
            "chosen": "안녕",
            "rejected": "잘 가",
            "history": [["a", "b"]],
        }
    )
    assert [m["content"] for m in found.messages] == ["S", "a", "b", "옮겨라\n\nhi", "안녕"]
    assert found.rejected == (*found.messages[:-1], {"role": "assistant", "content": "잘 가"})


def test_a_label_beside_the_pair_is_no_rating_of_it() -> None:
    assert convert({"prompt": "q", "chosen": "a", "rejected": "b", "label": True}).wanted is None


@pytest.mark.parametrize(
    ("values", "reason"),
    [
        ({"prompt": "q", "chosen": "", "rejected": "b"}, "column 'chosen' is blank: no answer"),
        ({"prompt": "q", "chosen": "a", "rejected": None}, "column 'rejected' is blank: no answer"),
        ({"prompt": " ", "chosen": "a", "rejected": "b"}, "column 'prompt' is blank: no question"),
        ({"chosen": "a", "rejected": "b"}, "column 'instruction' is blank: no question"),
        ({"messages": [USER], "rejected_response": "b"}, "column 'messages' does not end with an answer"),
        ({"chosen": [USER, GOOD], "rejected": [USER]}, "column 'rejected' does not end with an answer"),
        (
            {"chosen": [USER, GOOD], "rejected": [{"role": "user", "content": "다른 질문"}, BAD]},
            "'chosen' and 'rejected' are not answers to the same prompt",
        ),
        (
            {"chosen": [USER, BAD, USER, GOOD], "rejected": [USER, GOOD, USER, BAD]},
            "'chosen' and 'rejected' are not answers to the same prompt",
        ),
    ],
)
def test_what_is_no_pair_says_why(values: dict[str, Any], reason: str) -> None:
    with pytest.raises(FaultyRow, match=reason):
        convert(values)


REAL = {
    "en_instruct/rasbt_instruction-data-with-preference.json": (1100, {"same answers": 6}),
    "peer_fixtures/llamafactory/v1_dpo_demo.jsonl": (10, {}),
}


@pytest.mark.parametrize("name", REAL)
@pytest.mark.parametrize("purpose", [DPO, KTO])
def test_real_files_go_through_both_stages(name: str, purpose: Purpose, material: Path, tmp_path: Path) -> None:
    """Each pair is one unit for DPO and two for KTO; the pairs of one answer are counted out."""
    rows, dropped = REAL[name]
    data = Data(tmp_path)
    source = {"type": kind_of(Path(name)), "path": str(material / name)}
    settings = data.settings(source, max_length=4096, faulty_rows="drop" if dropped else "error")
    statistics = read_json(data.format(settings, purpose) / "statistics.json")
    assert statistics["dropped_before"] == dropped and statistics["dropped"] == {} and not statistics["gate"]["found"]
    kept = rows - sum(dropped.values())
    assert statistics["total"]["rows"] == kept
    assert statistics["total"]["samples"] == kept * (1 if purpose is DPO else 2)
    if dropped:
        with pytest.raises(DataError, match=r"6 of 1100 rows .*the chosen and the rejected answer are the same"):
            data.format(data.settings(source, max_length=4096), purpose)


def test_the_ratings_of_llama_factory(material: Path, tmp_path: Path) -> None:
    data = Data(tmp_path)
    source = {"type": "json", "path": str(material / "peer_fixtures" / "llamafactory" / "kto_en_demo.json")}
    settings = data.settings(source, max_length=2048, overlong="drop", cut_answers=0.9)
    samples = Samples.open(data.format(settings, KTO) / "train.arrow")
    good = [bool(samples[i].targets[0]) for i in range(len(samples))]
    assert 0 < sum(good) < len(good) > 100
    with pytest.raises(DataError, match=r"train.objective=dpo needs pairs of a chosen and a rejected answer"):
        data.format(settings, DPO)


def test_the_ratings_of_trl_in_text_and_in_messages(tmp_path: Path) -> None:
    data = Data(tmp_path)
    plain = [{"prompt": f"질문 {i}", "completion": f"답 {i}", "label": i % 2 == 0} for i in range(20)]
    talks = [
        {
            "prompt": [{"role": "user", "content": row["prompt"]}],
            "completion": [{"role": "assistant", "content": row["completion"]}],
            "label": row["label"],
        }
        for row in plain
    ]
    found = []
    for name, rows in (("plain", plain), ("talks", talks)):
        text = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
        settings = data.settings({"type": "jsonl", "path": data.write(f"{name}.jsonl", text)})
        samples = Samples.open(data.format(settings, KTO) / "train.arrow")
        found.append([(e.input_ids.tolist(), e.targets.tolist()) for e in samples])
    assert found[0] == found[1] and len(found[0]) == 18
