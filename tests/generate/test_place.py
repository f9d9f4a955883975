"""Whose tokenizer and contract an engine takes."""

from pathlib import Path

from dadeum.generate.place import default_device, open_contract
from tests.generate.support import save_adapter, save_small


def test_the_folders_own_contract_first(tmp_path: Path) -> None:
    base = save_small(tmp_path / "base")
    _, contract = open_contract(base)
    assert contract.template_name == "chatml"
    (base / "dadeum_prompt.json").unlink()
    tokenizer, found = open_contract(base)  # any model is asked by its own template
    assert found.template_sha256 == contract.template_sha256
    assert found.stop_ids == contract.stop_ids
    assert tokenizer.chat_template


def test_an_adapter_without_a_tokenizer_takes_its_bases(tmp_path: Path) -> None:
    base = save_small(tmp_path / "base")
    adapter = save_adapter(tmp_path / "adapter", base)
    for name in ("tokenizer.json", "tokenizer_config.json", "chat_template.jinja", "dadeum_prompt.json"):
        (adapter / name).unlink()
    assert open_contract(adapter)[1] == open_contract(base)[1] == open_contract(adapter, base)[1]


def test_some_device() -> None:
    assert default_device() in ("cuda", "mps", "cpu")
