"""Tokenizers from folders: the ids of tokenizer.json, no torch, one sentence for what cannot be read."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from dadeum.core.errors import ModelError
from dadeum.tokenizer.load import PROBE, load_tokenizer, shipped_templates, template_name

REAL = ["bora-ko-32k", "gpt2", "klue-roberta-type", "smollm2", "tinyllama-1.1b-chat"]


@pytest.mark.parametrize("base", REAL)
def test_ids_are_those_of_tokenizer_json(base: str, material: Path) -> None:
    from tokenizers import Tokenizer

    folder = material / "tokenizers" / base
    tokenizer, raw = load_tokenizer(folder), Tokenizer.from_file(str(folder / "tokenizer.json"))
    raw.no_padding()
    raw.no_truncation()
    long = PROBE * 40
    assert tokenizer(long, add_special_tokens=False)["input_ids"] == raw.encode(long, add_special_tokens=False).ids
    assert tokenizer.backend_tokenizer.padding is None
    assert tokenizer.backend_tokenizer.truncation is None
    assert template_name(tokenizer) == base


def test_hangul_survives_a_roberta_name(material: Path) -> None:
    tokenizer = load_tokenizer(material / "tokenizers" / "klue-roberta-type")
    assert tokenizer.unk_token_id not in tokenizer("한국어 문장을 다듬는다")["input_ids"]


def test_vocabulary_and_merges_without_tokenizer_json(material: Path, tmp_path: Path) -> None:
    tokenizer = load_tokenizer(material / "tokenizers" / "qwen2.5-0.5b-instruct")
    assert tokenizer.decode(tokenizer(PROBE)["input_ids"]) == PROBE
    assert (tokenizer.eos_token, len(tokenizer)) == ("<|im_end|>", 151665)
    assert "<|im_start|>" in tokenizer.chat_template
    tokenizer.save_pretrained(str(tmp_path))
    assert load_tokenizer(tmp_path)(PROBE)["input_ids"] == tokenizer(PROBE)["input_ids"]


def test_no_torch_is_imported(material: Path) -> None:
    code = (
        "import sys; from pathlib import Path; from dadeum.tokenizer.load import load_tokenizer; "
        "from dadeum.data.render import Renderer; import dadeum.data.contract; "
        "[load_tokenizer(Path(sys.argv[1]) / n) for n in ('bora-ko-32k', 'qwen2.5-0.5b-instruct')]; "
        "r = Renderer(load_tokenizer(Path(sys.argv[1]) / 'bora-ko-32k', chat_template='chatml')); "
        "r.samples([{'role': 'user', 'content': '가'}, {'role': 'assistant', 'content': '나'}], 'assistant'); "
        "print(sorted({'torch', 'pandas', 'datasets'} & set(sys.modules)))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, str(material / "tokenizers")], capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "[]"


def test_padding_saved_in_the_file_is_switched_off(material: Path) -> None:
    saved = json.loads((material / "tokenizers/klue-roberta-type/tokenizer.json").read_text(encoding="utf-8"))
    assert saved["padding"], "the trap has gone"
    tokenizer = load_tokenizer(material / "tokenizers" / "klue-roberta-type")
    assert len(tokenizer("짧은 글")["input_ids"]) < 10


def copy(material: Path, base: str, place: Path) -> Path:
    shutil.copytree(material / "tokenizers" / base, place, copy_function=shutil.copyfile)
    place.chmod(0o755)
    return place


def test_what_cannot_be_read_is_one_sentence(material: Path, tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="no such folder"):
        load_tokenizer(tmp_path / "absent")
    with pytest.raises(ModelError, match=r"found no tokenizer, expected tokenizer\.json"):
        load_tokenizer(tmp_path)
    folder = copy(material, "bora-ko-32k", tmp_path / "cut")
    text = (folder / "tokenizer.json").read_text(encoding="utf-8")
    (folder / "tokenizer.json").write_text(text[: len(text) // 2], encoding="utf-8")
    with pytest.raises(ModelError, match=r"cut: the tokenizer cannot be read") as caught:
        load_tokenizer(folder)
    assert "\n" not in str(caught.value)
    folder = copy(material, "smollm2", tmp_path / "config")
    (folder / "tokenizer_config.json").write_text("{", encoding="utf-8")
    with pytest.raises(ModelError, match="the tokenizer cannot be read"):
        load_tokenizer(folder)


def test_a_config_that_changes_ids_is_refused(material: Path, tmp_path: Path) -> None:
    folder = copy(material, "smollm2", tmp_path / "changed")
    path = folder / "tokenizer_config.json"
    config = json.loads(path.read_text(encoding="utf-8"))
    config["added_tokens_decoder"]["17"] = {
        **config["added_tokens_decoder"]["1"],
        "content": "한국어",
        "special": False,
    }
    path.write_text(json.dumps(config), encoding="utf-8")
    with pytest.raises(ModelError, match=r"tokenizer_config\.json changes the ids"):
        load_tokenizer(folder)


def test_only_a_sentencepiece_model(material: Path, tmp_path: Path) -> None:
    folder = copy(material, "tinyllama-1.1b-chat", tmp_path / "spm")
    (folder / "tokenizer.json").unlink()
    try:
        tokenizer = load_tokenizer(folder)
    except ModelError as error:
        assert "only a SentencePiece model" in str(error)
    else:
        reference = load_tokenizer(material / "tokenizers" / "tinyllama-1.1b-chat")
        assert tokenizer(PROBE)["input_ids"] == reference(PROBE)["input_ids"]


def test_templates_by_name_and_by_file(material: Path, tmp_path: Path) -> None:
    assert shipped_templates() == ("chatml", "plain")
    folder = material / "tokenizers" / "bora-ko-32k"
    chatml = load_tokenizer(folder, chat_template="chatml")
    assert "<|im_start|>" in chatml.chat_template
    assert template_name(chatml) == "chatml"
    file = tmp_path / "mine.jinja"
    file.write_bytes(b"{% for m in messages %}\r\n{{ m.content }}{% endfor %}")
    mine = load_tokenizer(folder, chat_template=str(file))
    assert mine.chat_template == "{% for m in messages %}\n{{ m.content }}{% endfor %}"
    assert template_name(mine) == "mine.jinja"
    with pytest.raises(ModelError, match=r"found 'chatlm', expected one of chatml, plain, or a Jinja file"):
        load_tokenizer(folder, chat_template="chatlm")


def test_shipped_templates_begin_with_bos_where_plain_text_does(material: Path) -> None:
    messages = [{"role": "user", "content": "안녕"}]
    for base, begins in (("tinyllama-1.1b-chat", True), ("bora-ko-32k", False), ("smollm2", False)):
        for name in shipped_templates():
            tokenizer = load_tokenizer(material / "tokenizers" / base, chat_template=name)
            text = tokenizer.apply_chat_template(messages, tokenize=False, add_generation_prompt=True)
            assert text.startswith("<s>") is begins


def test_the_default_of_several_named_templates(material: Path, tmp_path: Path) -> None:
    folder = copy(material, "smollm2", tmp_path / "many")
    path = folder / "tokenizer_config.json"
    config = json.loads(path.read_text(encoding="utf-8"))
    config["chat_template"] = [{"name": "tool_use", "template": "T"}, {"name": "default", "template": "D"}]
    path.write_text(json.dumps(config), encoding="utf-8")
    assert load_tokenizer(folder).chat_template == "D"


def test_a_hub_folder_is_named_by_its_model(material: Path, tmp_path: Path) -> None:
    place = tmp_path / "models--someone--small-ko" / "snapshots" / "0123abcd"
    place.parent.mkdir(parents=True)
    assert template_name(load_tokenizer(copy(material, "smollm2", place))) == "someone/small-ko"


def test_offline_stays_offline(material: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import socket

    def no_network(*_: object, **__: object) -> None:
        raise AssertionError("a local folder asked the network")

    monkeypatch.setattr(socket.socket, "connect", no_network)
    for base in os.listdir(material / "tokenizers"):
        load_tokenizer(material / "tokenizers" / base)
