"""A9 (entry points): a model is asked with the template of its training, or not at all."""

import hashlib
import json
import subprocess
import sys
from pathlib import Path

import pytest

from dadeum.core.errors import DadeumError
from dadeum.core.progress import Silent
from dadeum.export.step import export
from dadeum.export.targets import merged
from tests.generate.support import opened, save_adapter, save_small, user

FRESH = """
import hashlib, json, sys
from pathlib import Path
from dadeum.generate.engine import Engine
found = []
for place in sys.argv[2:]:
    engine = Engine.open(Path(place), device="cpu")
    text = engine.tokenizer.chat_template
    found.append([hashlib.sha256(text.encode()).hexdigest(), engine.prompt_ids(engine.contract.messages(sys.argv[1]))])
print(json.dumps(found))
"""


def test_base_adapter_and_merged_ask_alike_in_a_fresh_process(tmp_path: Path) -> None:
    base = save_small(tmp_path / "base")
    adapter = save_adapter(tmp_path / "final", base)
    export(merged.Settings(), final=adapter, base=base, out=tmp_path / "merged", reporter=Silent())
    places = [str(folder) for folder in (base, adapter, tmp_path / "merged")]
    done = subprocess.run([sys.executable, "-c", FRESH, "안녕?", *places], capture_output=True, text=True, check=True)
    engine = opened(base)
    expected = [hashlib.sha256(engine.tokenizer.chat_template.encode()).hexdigest(), engine.prompt_ids(user("안녕?"))]
    assert json.loads(done.stdout) == [expected] * 3


@pytest.mark.parametrize("kind", ["whole", "adapter"])
def test_without_its_template_a_model_is_not_asked(tmp_path: Path, kind: str) -> None:
    base = save_small(tmp_path / "base")
    place = base if kind == "whole" else save_adapter(tmp_path / "final", base)
    (place / "chat_template.jinja").unlink()
    with pytest.raises(DadeumError, match=r"chat template is absent.*chat_template\.jinja"):
        opened(place)


def test_another_template_is_refused(tmp_path: Path) -> None:
    place = save_small(tmp_path / "base")
    file = place / "chat_template.jinja"
    file.write_text(file.read_text(encoding="utf-8").replace("user", "human") + " ", encoding="utf-8")
    with pytest.raises(DadeumError, match="the chat template differs"):
        opened(place)


def test_a_foreign_model_without_a_template_names_the_cure(tmp_path: Path) -> None:
    place = save_small(tmp_path / "base")
    (place / "chat_template.jinja").unlink()
    (place / "dadeum_prompt.json").unlink()
    with pytest.raises(DadeumError, match=r"set tokenizer\.chat_template"):
        opened(place).replies([user("안녕?")], max_new_tokens=2)
