"""The data stages from file to samples."""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from dadeum.config.purpose import PRETRAIN
from dadeum.core import artifact
from dadeum.core.errors import DataError, ModelError
from dadeum.data import step
from dadeum.data.contract import open_prompt
from dadeum.data.samples import Samples
from tests.data.small import Data, csv


@pytest.fixture
def data(tmp_path: Path) -> Data:
    return Data(tmp_path)


def test_from_csv_to_samples(data: Data) -> None:
    settings = data.settings({"type": "csv", "path": data.write("qa.csv", csv(40))})
    folder = data.format(settings)
    parts = {part: Samples.open(folder / f"{part}.arrow") for part in ("train", "validation", "test")}
    assert {part: len(samples) for part, samples in parts.items()} == {"train": 36, "validation": 2, "test": 2}
    tokenizer, contract = open_prompt(folder / step.PROMPT)
    for samples in parts.values():
        for ids, weights, row, size, *_ in samples:
            assert tokenizer.decode(ids[weights > 0]) == f"답 {row}입니다<|im_end|>"
            assert size == len(f"답 {row}입니다".encode())
            assert tokenizer.decode(ids).startswith(
                f"<|im_start|>user\n질문 {row}번?<|im_end|>\n<|im_start|>assistant\n"
            )
    questions = [json.loads(line) for line in (folder / step.QUESTIONS).read_text(encoding="utf-8").splitlines()]
    assert [q["source_row"] for q in questions] == [int(r) for r in parts["test"].source_rows]
    row = questions[0]["source_row"]
    assert questions[0] == {
        "messages": [{"role": "user", "content": f"질문 {row}번?"}],
        "reference": f"답 {row}입니다",
        "source_row": row,
    }
    assert contract.messages("무엇?") == [{"role": "user", "content": "무엇?"}]
    facts = artifact.read_json(folder / step.STATISTICS)
    train = facts["parts"]["train"]
    assert train["samples"] == train["rows"] == 36
    assert train["tokens"] == int(parts["train"].lengths.sum()) and train["longest"] == int(
        parts["train"].lengths.max()
    )
    assert train["trained_tokens"] == sum(int((e.weights > 0).sum()) for e in parts["train"])
    assert train["trained_share"] == pytest.approx(train["trained_tokens"] / train["tokens"], abs=1e-6)
    assert facts["total"]["samples"] == 40


def test_processed_conversations_have_the_promised_keys(data: Data) -> None:
    text = "question,answer,category,difficulty\n" + "".join(f"질문{n},답{n},민법,쉬움\n" for n in range(12))
    settings = data.settings({"type": "csv", "path": data.write("qa.csv", text)})
    rows = data.rows(settings)
    assert len(rows) == 12 and [r["source_row"] for r in rows] == list(range(12))
    assert rows[3] == {
        "messages": [{"role": "user", "content": "질문3"}, {"role": "assistant", "content": "답3"}],
        "text": "<|im_start|>user\n질문3<|im_end|>\n<|im_start|>assistant\n답3<|im_end|>\n",
        "source_row": 3,
        "where": "qa.csv:5",
        "part": rows[3]["part"],
        "category": "민법",
    }


def test_both_stages_import_no_torch(data: Data) -> None:
    data.write("qa.csv", csv(20))
    program = f"""
import sys
from pathlib import Path
from tests.data.small import Data
from dadeum.core.progress import Silent
from dadeum.core.workspace import Workspace
data = Data.__new__(Data)
data.root = Path({str(data.root)!r}); data.workspace = Workspace(data.root); data.tokenizer = data.root / "tokenizer"
folder = data.format(data.settings({{"type": "csv", "path": "qa.csv"}}))
assert (folder / "train.arrow").is_file()
print(sorted(set(sys.modules) & {{"torch", "datasets", "pandas"}}))
"""
    root = Path(__file__).parents[2]
    result = subprocess.run(
        [sys.executable, "-c", program], cwd=root, capture_output=True, text=True, encoding="utf-8", check=False
    )
    assert result.returncode == 0, result.stderr
    assert result.stdout.strip() == "[]"


def test_pretrain_chops_documents_without_loss(data: Data) -> None:
    lines = ["짧은 글", "the quick brown fox answers a question " * 20, *(f"글 {n}" for n in range(10))]
    settings = data.settings(
        {"type": "text", "path": data.write("t.txt", "\n".join(lines))},
        max_length=64,
        split={"validation": 0, "test": 0},
    )
    folder = data.format(settings, PRETRAIN)
    samples = Samples.open(folder / "train.arrow")
    tokenizer, _ = open_prompt(folder / step.PROMPT)
    chunks = [entry for entry in samples if entry.source_row == 1]
    assert len(chunks) > 1 and max(samples.lengths) <= 64
    assert min(len(c.input_ids) for c in chunks) >= len(chunks[0].input_ids) - 1
    assert tokenizer.decode(np.concatenate([c.input_ids for c in chunks])) == lines[1] + "<|im_end|>"
    assert sum(c.answer_bytes for c in chunks) == len(lines[1].encode())
    assert all(e.weights[0] == 0 and (e.weights[1:] == 1).all() for e in samples)
    facts = artifact.read_json(folder / step.STATISTICS)
    assert facts["overlong"] == {"policy": "chop", "found": 0, "dropped": 0, "cut": 0, "chopped": 1}
    assert facts["parts"]["test"]["samples"] == 0 and len(Samples.open(folder / "test.arrow")) == 0


def test_pretrain_takes_messages_whole(data: Data) -> None:
    settings = data.settings({"type": "csv", "path": data.write("qa.csv", csv(12))})
    samples = Samples.open(data.format(settings, PRETRAIN) / "train.arrow")
    assert all((e.weights[1:] == 1).all() for e in samples)


def test_test_questions_of_plain_text(data: Data) -> None:
    text = "\n".join(f"글 {n}" for n in range(30))
    folder = data.format(data.settings({"type": "text", "path": data.write("t.txt", text)}), PRETRAIN)
    questions = [json.loads(line) for line in (folder / step.QUESTIONS).read_text(encoding="utf-8").splitlines()]
    assert questions and all(q["text"] == f"글 {q['source_row']}" for q in questions)


def test_sft_on_plain_text_names_the_cure(data: Data) -> None:
    settings = data.settings({"type": "text", "path": data.write("t.txt", "하나\n둘\n")})
    with pytest.raises(DataError, match=r"set train\.objective=pretrain"):
        data.preprocess(settings)


def test_messages_without_a_template(tmp_path: Path) -> None:
    data = Data(tmp_path, template=None)
    settings = data.settings({"type": "csv", "path": data.write("qa.csv", csv(12))})
    with pytest.raises(ModelError, match=r"tokenizer\.chat_template=chatml"):
        data.preprocess(settings)
    text = data.settings({"type": "text", "path": data.write("t.txt", "하나\n둘\n")})
    assert len(Samples.open(data.format(text, PRETRAIN) / "train.arrow")) == 2


def test_row_that_the_template_refuses_is_a_faulty_row(tmp_path: Path) -> None:
    template = "{% for m in messages %}{% if '금지' in m.content %}{{ raise_exception('no such word') }}{% endif %}{{ m.content }}<|im_end|>{% endfor %}"
    data = Data(tmp_path, template=template)
    path = data.write("qa.csv", csv(12) + "금지어?,답\n")
    with pytest.raises(DataError, match=r"1 of 13 rows cannot be used, first qa\.csv:14: .*no such word"):
        data.preprocess(data.settings({"type": "csv", "path": path}))
    report = data.report(data.settings({"type": "csv", "path": path}, faulty_rows="drop"))
    assert report["dropped"] == {"not rendered": 1} and report["kept"] == 12


def test_system_prompt_stands_before_rows_that_have_none(data: Data) -> None:
    rows = [
        {"messages": [{"role": "user", "content": "a"}, {"role": "assistant", "content": "b"}]},
        {
            "messages": [
                {"role": "system", "content": "S"},
                {"role": "user", "content": "c"},
                {"role": "assistant", "content": "d"},
            ]
        },
    ]
    path = data.write("m.jsonl", "\n".join(json.dumps(r) for r in rows))
    settings = data.settings({"type": "jsonl", "path": path}, system_prompt="친절하게")
    found = data.rows(settings)
    assert [r["messages"][0]["content"] for r in found] == ["친절하게", "S"]
    _, contract = open_prompt(data.format(settings) / step.PROMPT)
    assert contract.messages("질문")[0] == {"role": "system", "content": "친절하게"}


def test_inputs_name_files_by_content(data: Data) -> None:
    settings = data.settings({"type": "csv", "path": data.write("qa.csv", csv(3))}, prompt="mrc")
    before = step.inputs(settings, data.workspace)
    assert set(before) == {"qa.csv", "data.prompt"}
    (data.root / "missing.csv").unlink(missing_ok=True)
    with pytest.raises(DataError, match="no such file"):
        step.inputs(data.settings({"type": "csv", "path": "missing.csv"}), data.workspace)


def test_a_whole_artifact_is_used_again(data: Data) -> None:
    settings = data.settings({"type": "csv", "path": data.write("qa.csv", csv(20))})
    folder = data.format(settings)
    stamp = (folder / "train.arrow").stat().st_mtime_ns
    assert data.format(settings) == folder and (folder / "train.arrow").stat().st_mtime_ns == stamp


def test_train_on_decides_the_weights(data: Data) -> None:
    row = {
        "messages": [
            {"role": r, "content": c} for r, c in (("user", "a"), ("assistant", "b"), ("user", "c"), ("assistant", "d"))
        ]
    }
    path = data.write("m.jsonl", json.dumps(row))

    def trained(train_on: str) -> str:
        folder = data.format(data.settings({"type": "jsonl", "path": path}, train_on=train_on))
        tokenizer, _ = open_prompt(folder / step.PROMPT)
        ((ids, weights, *_),) = Samples.open(folder / "train.arrow")
        return str(tokenizer.decode(ids[weights > 0]))

    assert trained("assistant") == "b<|im_end|>d<|im_end|>"
    assert trained("last_assistant") == "d<|im_end|>"
    assert trained("all").endswith(
        "user\na<|im_end|>\n<|im_start|>assistant\nb<|im_end|>\n<|im_start|>user\nc<|im_end|>\n<|im_start|>assistant\nd<|im_end|>"
    )


def test_failed_stage_leaves_no_folder(data: Data) -> None:
    settings = data.settings({"type": "csv", "path": data.write("qa.csv", csv(20))}, max_length=8)
    with pytest.raises(DataError, match=r"20 samples are longer than data\.max_length=8"):
        data.format(settings)
    names = [f.name for f in (data.root / "data" / "processed").iterdir()]
    assert len(names) == 1 and names[0].startswith("preprocessed-")


def test_real_sets(tmp_path: Path, material: Path) -> None:
    data = Data(tmp_path)
    settings = data.settings({"type": "csv", "path": str(material / "ko_qa/civil_law_qa_dataset.csv")}, max_length=4096)
    report = data.report(settings)
    assert report["read"] == report["kept"] and report["sources"][0]["format"] == "question_answer"
    assert Samples.open(data.format(settings) / "test.arrow").source_rows.size == report["parts"]["test"]
