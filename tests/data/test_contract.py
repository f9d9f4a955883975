"""The prompt contract: saved, opened, asked with; refused where its template is another."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from dadeum.core.artifact import read_json
from dadeum.core.errors import ArtifactError, DataError
from dadeum.data.contract import FILE, PromptContract, open_prompt, save_prompt
from dadeum.data.render import Renderer
from dadeum.tokenizer.load import PROBE, load_tokenizer
from tests.data.chats import FAMILIES, talk

FORMAT: dict[str, Any] = {
    "training_columns": {"q": "질문", "a": "답", "law": "법"},
    "messages_format": {
        "system_prompt": "너는 변호사다.",
        "messages": [
            {"role": "system", "content": "{system_prompt} {other}"},
            {"role": "user", "content": "물음: {q}"},
            {"role": "assistant", "content": "{a}"},
        ],
    },
    "evaluate_columns": {"query": "질문", "response": "답"},
}


@pytest.fixture(scope="module")
def bora(material: Path) -> Any:
    return load_tokenizer(material / "tokenizers" / "bora-ko-32k", chat_template="chatml")


def test_saved_and_opened_it_is_the_same(bora: Any, tmp_path: Path) -> None:
    contract = PromptContract.of(Renderer(bora, today="2025-10-09"), system_prompt="짧게.", prompt=FORMAT)
    save_prompt(tmp_path, bora, contract)
    tokenizer, again = open_prompt(tmp_path)
    assert again == contract
    assert tokenizer.chat_template == bora.chat_template
    row = again.messages("안녕?")
    assert again.renderer(tokenizer).prompt_ids(row) == contract.renderer(bora).prompt_ids(row)
    assert again.renderer(tokenizer).today == "2025-10-09"
    assert again.renderer(tokenizer).template_name == "chatml"


def test_variables_travel(material: Path, tmp_path: Path) -> None:
    tokenizer = FAMILIES["qwen3"].tokenizer(material)
    renderer = Renderer(tokenizer, kwargs={"enable_thinking": False})
    save_prompt(tmp_path, tokenizer, PromptContract.of(renderer))
    opened, contract = open_prompt(tmp_path)
    asked = talk("안녕?")
    assert contract.renderer(opened).prompt_ids(asked) == renderer.prompt_ids(asked)
    assert contract.renderer(opened).prompt_ids(asked) != Renderer(tokenizer).prompt_ids(asked)


@pytest.mark.parametrize("base", ["klue-roberta-type", "bora-ko-32k", "tinyllama-1.1b-chat", "qwen2.5-0.5b-instruct"])
def test_the_folder_holds_no_padding_and_one_class(base: str, material: Path, tmp_path: Path) -> None:
    tokenizer = load_tokenizer(material / "tokenizers" / base, chat_template="plain")
    tokenizer(["하나", "둘 셋"], padding=True, truncation=True, max_length=8)
    save_prompt(tmp_path, tokenizer, PromptContract.of(Renderer(tokenizer)))
    saved = read_json(tmp_path / "tokenizer.json")
    assert saved["padding"] is None and saved["truncation"] is None
    config = read_json(tmp_path / "tokenizer_config.json")
    assert config["tokenizer_class"] == "PreTrainedTokenizerFast"
    assert "local_files_only" not in config
    assert (tmp_path / "chat_template.jinja").read_text(encoding="utf-8") == tokenizer.chat_template


def test_plain_auto_tokenizer_loads_it(material: Path, tmp_path: Path) -> None:
    """In one fresh process, with the configuration of the model beside it where transformers knows the model."""
    bases = ["klue-roberta-type", "bora-ko-32k", "tinyllama-1.1b-chat", "qwen2.5-0.5b-instruct"]
    expected = {}
    for base in bases:
        source = material / "tokenizers" / base
        tokenizer = load_tokenizer(source, chat_template="plain")
        save_prompt(tmp_path / base, tokenizer, PromptContract.of(Renderer(tokenizer)))
        if base != "bora-ko-32k":
            (tmp_path / base / "config.json").write_bytes((source / "config.json").read_bytes())
        expected[base] = [tokenizer(PROBE)["input_ids"], tokenizer.chat_template, tokenizer.eos_token]
    code = (
        "import json, sys; from pathlib import Path; from transformers import AutoTokenizer\n"
        "found = {}\n"
        "for name in sys.argv[3:]:\n"
        "    t = AutoTokenizer.from_pretrained(str(Path(sys.argv[1]) / name))\n"
        "    found[name] = [t(sys.argv[2])['input_ids'], t.chat_template, t.eos_token]\n"
        "print(json.dumps(found))"
    )
    command = [sys.executable, "-c", code, str(tmp_path), PROBE, *bases]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert json.loads(done.stdout.splitlines()[-1]) == expected


def test_another_template_or_none_is_refused(bora: Any, tmp_path: Path) -> None:
    save_prompt(tmp_path, bora, PromptContract.of(Renderer(bora)))
    path = tmp_path / "chat_template.jinja"
    text = path.read_text(encoding="utf-8")
    path.write_text(text + " ", encoding="utf-8")
    with pytest.raises(ArtifactError, match=r"the chat template differs.*chatml"):
        open_prompt(tmp_path)
    path.unlink()
    with pytest.raises(ArtifactError, match="the chat template is absent"):
        open_prompt(tmp_path)
    path.write_text(text, encoding="utf-8")
    open_prompt(tmp_path)


def test_a_contract_that_cannot_be_read_is_refused(bora: Any, tmp_path: Path) -> None:
    with pytest.raises(ArtifactError, match=f"no {FILE}"):
        PromptContract.load(tmp_path)
    for text in ("{", "[]", '{"version": 99, "stop_ids": []}', '{"version": 1, "stop_ids": [], "colour": 1}'):
        (tmp_path / FILE).write_text(text, encoding="utf-8")
        with pytest.raises(ArtifactError, match=FILE):
            PromptContract.load(tmp_path)


def test_save_refuses_a_contract_of_another_template(bora: Any, material: Path, tmp_path: Path) -> None:
    other = load_tokenizer(material / "tokenizers" / "bora-ko-32k", chat_template="plain")
    with pytest.raises(ValueError, match="another chat template"):
        save_prompt(tmp_path, bora, PromptContract.of(Renderer(other)))


def test_a_model_without_template_saves_and_opens(material: Path, tmp_path: Path) -> None:
    tokenizer = load_tokenizer(material / "tokenizers" / "smollm2")
    save_prompt(tmp_path, tokenizer, PromptContract.of(Renderer(tokenizer)))
    opened, contract = open_prompt(tmp_path)
    assert contract.template_sha256 == ""
    assert contract.stop_ids == (tokenizer.eos_token_id,)
    assert (
        contract.renderer(opened).plain("글").input_ids.tolist() == Renderer(tokenizer).plain("글").input_ids.tolist()
    )


def test_questions_without_a_messages_format() -> None:
    assert PromptContract().messages("안녕?") == talk("안녕?")
    contract = PromptContract(system_prompt="짧게.")
    history = [*contract.turn("하나?"), {"role": "assistant", "content": "첫째."}]
    assert contract.messages("둘?", history) == talk("하나?", "첫째.", "둘?", system="짧게.")


def test_questions_under_a_messages_format() -> None:
    contract = PromptContract(prompt=FORMAT)
    head = {"role": "system", "content": "너는 변호사다. {other}"}
    assert contract.messages("{a}라면?") == [head, {"role": "user", "content": "물음: {a}라면?"}]
    history = [*contract.turn("하나?"), {"role": "assistant", "content": "첫째."}]
    assert contract.messages("둘?", history) == [
        head,
        {"role": "user", "content": "물음: 하나?"},
        {"role": "assistant", "content": "첫째."},
        {"role": "user", "content": "물음: 둘?"},
    ]


def test_a_system_prompt_that_no_message_asks_for_stands_first() -> None:
    bare = {**FORMAT, "messages_format": {"messages": FORMAT["messages_format"]["messages"][1:]}}
    contract = PromptContract(prompt=bare, system_prompt="짧게.")
    history = [*contract.turn("하나?"), {"role": "assistant", "content": "첫째."}]
    assert [m["role"] for m in contract.messages("둘?", history)] == ["system", "user", "assistant", "user"]


def test_the_evaluation_prompt_of_a_row_is_what_a_question_makes() -> None:
    from dadeum.config.data import PromptSettings
    from dadeum.data.prompt import PromptFormat

    row = PromptFormat(PromptSettings.model_validate(FORMAT)).convert({"질문": "왜?", "답": "그냥", "법": "민법"})
    assert PromptContract(prompt=FORMAT).messages("왜?") == list(row.messages[:-1])


def test_a_format_that_needs_more_than_a_question_says_so() -> None:
    more = json.loads(json.dumps(FORMAT))
    more["messages_format"]["messages"][1]["content"] = "{law}: {q}"
    with pytest.raises(DataError, match=r"variables: law"):
        PromptContract(prompt=more).messages("왜?")
    del more["evaluate_columns"]
    with pytest.raises(DataError, match=r"variables: law, q"):
        PromptContract(prompt=more).messages("왜?")
    more["messages_format"]["messages"][1]["content"] = "{q}"
    assert PromptContract(prompt=more).messages("왜?")[-1]["content"] == "왜?"
