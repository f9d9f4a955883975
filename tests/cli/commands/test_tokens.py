"""`dadeum tokens MODEL`."""

import csv
import json
import shutil
from pathlib import Path

import pytest

from tests.hub_server import Hub, serve
from tests.run.lab import NAME, child, cli, files_below, fine

CSV = "special_tokens_analysis.csv"
COLUMNS = ["token", "id", "role", "in_template", "ids_in_running_text", "pieces", "meaning"]


def rows(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8-sig", newline="") as file:
        return list(csv.DictReader(file))


def folder(material: Path, base: str) -> str:
    return str(material / "tokenizers" / base)


def test_the_file_of_a_real_model(material: Path, tmp_path: Path) -> None:
    said = fine(tmp_path, "tokens", folder(material, "qwen2.5-0.5b-instruct"), "--text", "안녕하세요 <|im_end|>")
    assert "generation stops at <|im_end|> (151645), <|endoftext|> (151643)" in said.out
    assert "special tokens read in the text: <|im_end|> (151645)" in said.out
    assert "0.60 tokens a Korean letter (3 for 5)" in said.out  # 안, 녕, 하세요
    found = rows(tmp_path / CSV)
    assert list(found[0])[: len(COLUMNS)] == COLUMNS
    assert [row["id"] for row in found] == [str(i) for i in range(151643, 151665)]
    end = found[2]
    assert (end["token"], end["role"], end["ids_in_running_text"]) == ("<|im_end|>", "eos, end_of_turn", "151645")
    assert (tmp_path / CSV).read_bytes().startswith(b"\xef\xbb\xbf")
    assert [f.name for f in tmp_path.iterdir()] == [CSV]


def test_tokens_with_line_ends_come_back_from_the_file(material: Path, tmp_path: Path) -> None:
    fine(tmp_path, "tokens", folder(material, "bora-ko-32k"), "-o", "out/mine.csv")
    found = rows(tmp_path / "out" / "mine.csv")
    raw = json.loads((material / "tokenizers/bora-ko-32k/tokenizer.json").read_text(encoding="utf-8"))
    # A tab at the beginning is a formula to some spreadsheets: it gets a `'`.
    expected = [("'" * (t["content"][0] == "\t") + t["content"], str(t["id"])) for t in raw["added_tokens"]]
    assert [(row["token"], row["id"]) for row in found] == expected
    assert {"\n\n", "'\t"} < {row["token"] for row in found}
    assert not (tmp_path / CSV).exists()


def test_korean(material: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DADEUM_LANG", "ko")
    said = fine(tmp_path, "tokens", folder(material, "tinyllama-1.1b-chat"), "--chat-template", "chatml")
    assert "주의: eos와 pad가 같은 토큰 </s>입니다" in said.out and "저장: " in said.out
    assert {row["meaning"] for row in rows(tmp_path / CSV) if row["token"] == "<s>"} == {"글의 시작"}


def test_a_run_an_experiment_and_nothing(ran: Path) -> None:
    said = [fine(ran, "tokens", *words).out for words in ((NAME,), (), (f"checkpoints/{NAME}",))]
    assert said[0] == said[1] == said[2]
    assert f"Special tokens of {NAME}" in said[0] and "rows in the model" in said[0]
    (end,) = (row for row in rows(ran / CSV) if "end_of_turn" in row["role"])
    assert end["token"] == "<|im_end|>" and "after_answer" in end["in_template"]


def test_an_adapter_whose_base_is_gone(ran: Path) -> None:
    """What it says of itself is shown; the size of the base is not known then."""
    for base in (ran / "checkpoints" / NAME).glob("base-*"):
        shutil.rmtree(base)
    config = next((ran / "checkpoints" / NAME).glob("*/final/adapter_config.json"))
    value = json.loads(config.read_text(encoding="utf-8"))
    value["base_model_name_or_path"] = "/gone/base"
    config.unlink()
    config.write_text(json.dumps(value), encoding="utf-8")
    said = fine(ran, "tokens", NAME)
    assert "<|im_end|>" in said.out and "rows in the model" not in said.out


def test_no_weights_and_no_torch(material: Path, tmp_path: Path) -> None:
    place = tmp_path / "model"
    shutil.copytree(folder(material, "smollm2"), place, copy_function=shutil.copyfile)
    place.chmod(0o755)
    (place / "model.safetensors").write_bytes(b"no weights at all")
    program = (
        "import sys; sys.argv = ['dadeum', 'tokens', 'model', '--text', '가', '--chat-template', 'chatml']\n"
        "from dadeum.cli.app import main\n"
        "try:\n main(sys.argv[1:])\nexcept SystemExit as left:\n assert not left.code\n"
        "print(sorted({'torch', 'pandas', 'datasets'} & set(sys.modules)))"
    )
    done = child(tmp_path, program=("-c", program))
    assert done.returncode == 0, done.stderr.decode()
    assert done.stdout.decode().splitlines()[-1] == "[]"


def test_of_a_model_on_the_hub_no_weights_are_fetched(
    material: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    files = {f.name: f.read_bytes() for f in (material / "tokenizers/tinyllama-1.1b-chat").iterdir()}
    with serve(Hub({"models/someone/small": {**files, "model.safetensors": b"0" * 999}})) as hub:
        monkeypatch.setenv("HF_ENDPOINT", hub.url)
        monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path / "cache"))
        for name in ("HF_TOKEN", "HF_HUB_OFFLINE", "HUGGING_FACE_HUB_TOKEN"):
            monkeypatch.delenv(name, raising=False)
        assert "Special tokens of someone/small" in fine(tmp_path, "tokens", "someone/small").out
        assert any("tokenizer.json" in line for line in hub.requests)
        assert not any("safetensors" in line for line in hub.requests)
    assert len(rows(tmp_path / CSV)) == 3


def test_what_cannot_be_done_is_one_sentence_and_writes_nothing(material: Path, done: Path, tmp_path: Path) -> None:
    place, before = folder(material, "gpt2"), files_below(done)
    for words, sentence in (
        (("absent",), "absent: no experiment, run or folder of that name"),
        ((place, "-o", "a.xlsx"), "a.xlsx: found '.xlsx', expected a name that ends in .csv"),
        ((place, "--chat-template", "chatlm"), "found 'chatlm', expected one of chatml, plain"),
        ((".",), "found no tokenizer"),
    ):
        said = cli(done, "tokens", *words)
        assert said.code == 2 and len(said.errors) == 1 and sentence in said.errors[0], words
        assert "Traceback" not in said.err
    assert files_below(done) == before
    assert "no finished run in this workspace" in cli(tmp_path, "tokens").errors[0]


def test_a_token_that_is_a_formula_or_acts_on_the_terminal(material: Path, tmp_path: Path) -> None:
    from dadeum.tokenizer.load import load_tokenizer

    tokenizer = load_tokenizer(material / "tokenizers" / "smollm2")
    tokenizer.add_tokens(["=1+1", "\x1b[2Jx"], special_tokens=True)
    tokenizer.save_pretrained(str(tmp_path / "evil"))
    said = fine(tmp_path, "tokens", "evil", "--text", "\x1b[2J =1+1")
    assert "\x1b" not in said.out
    assert "'=1+1" in [row["token"] for row in rows(tmp_path / CSV)]
