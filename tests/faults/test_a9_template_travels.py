"""A9 (artefact half): the template of training is not saved, or another one answers."""

import hashlib
import json
import subprocess
import sys
from pathlib import Path

import pytest

from dadeum.core.errors import ArtifactError
from dadeum.data.contract import PromptContract, open_prompt, save_prompt
from dadeum.data.render import Renderer
from tests.data.chats import FAMILIES

FRESH = """
import hashlib, json, sys
from pathlib import Path
from dadeum.data.contract import open_prompt
tokenizer, contract = open_prompt(Path(sys.argv[1]))
ids = contract.renderer(tokenizer).prompt_ids(contract.messages(sys.argv[2]))
print(json.dumps([hashlib.sha256(tokenizer.chat_template.encode()).hexdigest(), ids]))
"""


def test_a_fresh_process_renders_the_same_ids(material: Path, tmp_path: Path) -> None:
    tokenizer = FAMILIES["llama3.2"].tokenizer(material)
    renderer = Renderer(tokenizer, today="2024-02-29")
    contract = PromptContract.of(renderer, system_prompt="짧게 답한다.")
    save_prompt(tmp_path, tokenizer, contract)
    command = [sys.executable, "-c", FRESH, str(tmp_path), "나스닥이 뭐야?"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    digest, ids = json.loads(done.stdout)
    assert digest == hashlib.sha256(tokenizer.chat_template.encode()).hexdigest() == contract.template_sha256
    assert ids == renderer.prompt_ids(contract.messages("나스닥이 뭐야?"))
    assert "29 Feb 2024" in tokenizer.decode(ids)


def test_without_its_template_the_artefact_is_refused(material: Path, tmp_path: Path) -> None:
    tokenizer = FAMILIES["gemma3"].tokenizer(material)
    save_prompt(tmp_path, tokenizer, PromptContract.of(Renderer(tokenizer)))
    (tmp_path / "chat_template.jinja").unlink()
    with pytest.raises(ArtifactError, match=r"the chat template is absent.*restore chat_template\.jinja"):
        open_prompt(tmp_path)
