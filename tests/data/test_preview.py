"""The gate on the first rows."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from dadeum.config.purpose import PRETRAIN, SFT, Purpose
from dadeum.data.preview import LARGEST, ROWS, Preview, preview, told
from tests.data.chats import talk
from tests.data.small import TEMPLATE, Data, csv
from tests.data.test_gate import lines, plain_rows, unmarked


def looked(data: Data, *sources: Any, purpose: Purpose = SFT, **keys: Any) -> Preview:
    found = preview(
        data.settings(*sources, **keys),
        tokenizer_place=data.tokenizer,
        chat_template=None,
        purpose=purpose,
        workspace=data.workspace,
    )
    assert found is not None
    return found


def test_good_rows(tmp_path: Path) -> None:
    data = Data(tmp_path)
    before = sorted(tmp_path.rglob("*"))
    found = looked(data, {"type": "csv", "path": data.write("qa.csv", csv(1000))})
    assert found == Preview(ROWS) and told(found) == "nothing found in the first 300 rows"
    assert sorted(tmp_path.rglob("*")) == sorted([*before, tmp_path / "qa.csv"])


def test_every_source_is_looked_into(tmp_path: Path) -> None:
    data = unmarked(tmp_path)
    data.write("good.csv", csv(1000))
    data.write("bad.jsonl", lines(*plain_rows(3), talk("a<|im_start|>", "b")))
    sources = {"type": "csv", "path": "good.csv"}, {"type": "jsonl", "path": "bad.jsonl"}
    found = looked(data, *sources)
    assert found.rows == 150 + 4
    assert [f.condition for f in found.findings] == ["special_tokens_in_text"] and "bad.jsonl:4" in str(
        found.findings[0]
    )
    assert told(found) == "would stop, seen in the first 154 rows"
    allowed = looked(data, *sources, allow=["special_tokens_in_text"])
    assert allowed.findings[0].allowed and told(allowed) == "only what is allowed, in the first 154 rows"


def test_what_only_the_settings_say(tmp_path: Path) -> None:
    data = Data(tmp_path)
    source = {
        "type": "jsonl",
        "path": data.write("a.jsonl", lines(*[talk(f"{n}?", "네", system="S") for n in range(9)])),
    }
    (found,) = looked(data, source).findings
    assert found.condition == "prompt_mismatch" and "first a.jsonl:1" in str(found)
    assert looked(data, source, system_prompt="S").findings == ()


def test_other_sentences_that_would_stop(tmp_path: Path) -> None:
    data = Data(tmp_path)
    source = {"type": "csv", "path": data.write("qa.csv", csv(20))}
    (stop,) = looked(data, source, max_length=8).stops
    assert "20 samples are longer than data.max_length=8, first qa.csv:2" in stop
    assert looked(data, {"type": "csv", "path": data.write("b.csv", "x,y\n1,2\n")}).rows == 0
    broken = Data(tmp_path / "b", TEMPLATE.replace("<|im_start|>assistant\n", "다음:"))
    source = {"type": "csv", "path": broken.write("qa.csv", csv(20))}
    (stop,) = looked(broken, source).stops
    assert stop.startswith("no_prefix_rendering: no row can be trained, first qa.csv:2")
    cut = Data(tmp_path / "c", TEMPLATE.replace("{{ m.content }}", "{{ m.content.split('|')[0] }}"))
    source = {"type": "csv", "path": cut.write("qa.csv", csv(20) + "질문?,답|끝\n")}
    (stop,) = looked(cut, source).stops
    assert stop.startswith("qa.csv:22: ") and looked(cut, source, faulty_rows="drop").stops == ()


def test_filters_are_at_work_and_plain_text_is_looked_into(tmp_path: Path) -> None:
    data = unmarked(tmp_path)
    text = lines(*plain_rows(3), talk("a<|im_start|>", "b" * 200))
    source = {"type": "jsonl", "path": data.write("a.jsonl", text)}
    filters = [{"type": "length", "max_characters": 100}]
    assert looked(data, source, filters=filters).findings == ()
    plain = {"type": "text", "path": data.write("t.txt", "".join(f"글 {n}\n" for n in range(9)))}
    assert looked(data, plain, purpose=PRETRAIN) == Preview(9)


def test_large_files_are_left_alone(tmp_path: Path) -> None:
    data = Data(tmp_path)
    with (tmp_path / "large.csv").open("wb") as file:
        file.truncate(LARGEST + 1)
    settings = data.settings({"type": "csv", "path": "large.csv"})
    found = preview(settings, tokenizer_place=data.tokenizer, chat_template=None, purpose=SFT, workspace=data.workspace)
    assert found is None


def test_korean(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DADEUM_LANG", "ko")
    data = Data(tmp_path)
    assert "처음 20행" in told(looked(data, {"type": "csv", "path": data.write("qa.csv", csv(20))}))


def test_no_torch(tmp_path: Path) -> None:
    Data(tmp_path).write("qa.csv", csv(20))
    program = f"""
import sys
from pathlib import Path
from dadeum.config.data import DataSettings
from dadeum.config.purpose import SFT
from dadeum.core.workspace import Workspace
from dadeum.data.preview import preview
root = Path({str(tmp_path)!r})
data = DataSettings.model_validate({json.dumps({"sources": [{"type": "csv", "path": "qa.csv"}]})})
found = preview(data, tokenizer_place=root / "tokenizer", chat_template=None, purpose=SFT, workspace=Workspace(root))
print(found.rows, sorted(set(sys.modules) & {{"torch", "datasets", "pandas"}}))
"""
    result = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, encoding="utf-8", check=False
    )
    assert result.stdout.strip() == "20 []", result.stderr


@pytest.mark.parametrize(("objective", "takes"), [("dpo", "pair"), ("kto", "rated")])
def test_pairs_are_looked_into(tmp_path: Path, objective: str, takes: Any) -> None:
    data = Data(tmp_path)
    rows = [{"prompt": f"질문 {n}", "chosen": f"나은 답 {n}", "rejected": f"못한 답 {n}"} for n in range(20)]
    name = data.write("p.jsonl", "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows))
    found = preview(
        data.settings({"type": "jsonl", "path": name}),
        tokenizer_place=data.tokenizer,
        chat_template=None,
        purpose=Purpose(objective, takes),
        workspace=data.workspace,
    )
    assert found is not None and (found.rows, found.findings, found.stops) == (20, (), ())
