"""Figures, card and package of tiny-ko, on a small model whose likelihoods are known beforehand."""

import json
import math
from pathlib import Path
from typing import Any

import pytest
import torch
from transformers import AutoModelForCausalLM, AutoTokenizer, LlamaConfig, LlamaForCausalLM

from dadeum.data.contract import PromptContract, save_prompt
from dadeum.data.render import Renderer
from dadeum.model.save import save_model
from dadeum.tokenizer.load import load_tokenizer
from scripts import tiny_ko_card, tiny_ko_pack
from scripts.tiny_ko_data import escape, make_tokenizer, write_lines

HELD = ["배우의 연기가 좋은 영화였어요", "지루하다 | 정말", "질문이 뭐야?\n답이에요."]
VOCABULARY = 300
STATISTICS = {
    "parameters": 1234567,
    "tokens": 4600000,
    "optimizer_steps": 2500,
    "epochs": 0.8,
    "seconds": 1800.0,
    "device": "cpu",
    "precision": "bf16",
    "final_validation_loss": 5.25,
    "versions": {"torch": "2"},
    "rows": 3,
}


@pytest.fixture
def workspace(tmp_path: Path) -> Path:
    raw = tmp_path / "data" / "raw"
    raw.mkdir(parents=True)
    trained = [f"{n}번째 영화는 재미있어요" for n in range(100)]
    write_lines(raw / "tiny_ko_train.txt", map(escape, trained))
    write_lines(raw / "tiny_ko_samples.txt", map(escape, trained))
    write_lines(raw / "tiny_ko_heldout.txt", map(escape, HELD))
    write_lines(raw / "tiny_ko_kept_out.txt", ["aa\theld-out", "bb\theld-out"])
    (raw / "tiny_ko_chat.csv").write_text("question,answer\n안녕?,네.\n", encoding="utf-8")
    make_tokenizer(trained, raw / "tiny_ko_tokenizer", VOCABULARY)
    return tmp_path


def made(workspace: Path, *, zero: bool, part: int = -1) -> Path:
    """A model as a training leaves it; with zero weights every token is equally likely."""
    folder = workspace / "checkpoints" / tiny_ko_pack.EXPERIMENTS[part]
    tokenizer = load_tokenizer(workspace / "data" / "raw" / "tiny_ko_tokenizer")
    torch.manual_seed(0)
    config = LlamaConfig(
        vocab_size=VOCABULARY, hidden_size=32, intermediate_size=48, num_hidden_layers=2, num_attention_heads=4,
        num_key_value_heads=2, max_position_embeddings=64, tie_word_embeddings=True,
    )  # fmt: skip
    model: Any = LlamaForCausalLM(config)
    if zero:
        torch.nn.init.zeros_(model.get_input_embeddings().weight)
    renderer = Renderer(tokenizer)
    save_model(model, folder, stop_ids=renderer.stop_ids, pad_id=0)
    save_prompt(folder, tokenizer, PromptContract.of(renderer))
    (folder / "training_stats.json").write_text(json.dumps(STATISTICS), encoding="utf-8")
    return folder


def test_every_token_and_the_end_of_each_text_are_charged_over_the_bytes_of_the_text(workspace: Path) -> None:
    folder = made(workspace, zero=True)
    tokenizer = load_tokenizer(folder)
    tokens = sum(len(tokenizer(text, add_special_tokens=False)["input_ids"]) + 1 for text in HELD)
    expected = tokens * math.log2(VOCABULARY) / sum(len(text.encode()) for text in HELD)
    assert tiny_ko_card.model_bits_per_byte(folder, HELD) == pytest.approx(expected, rel=1e-5)


def test_the_lines_come_back_as_they_were_trained(workspace: Path) -> None:
    assert tiny_ko_card.lines(workspace / "data" / "raw" / "tiny_ko_heldout.txt") == HELD


def test_the_card_says_what_was_measured_and_that_it_was_beaten(workspace: Path) -> None:
    folder = made(workspace, zero=True)
    assert tiny_ko_card.main([str(workspace), "--model", str(folder), "--note", "It rained."]) == 1
    written = (folder / "README.md").read_text(encoding="utf-8")
    found = tiny_ko_card.model_bits_per_byte(folder, HELD)
    assert f"| {found:.4f} |" in written
    assert "does not beat xz" in written
    assert "\nIt rained.\n" in written
    assert "1,234,567" in written and "4,600,000 tokens in 2,500 steps" in written
    assert "100 texts" in written and "1 conversations" in written
    assert "| 2 | 지루하다 \\| 정말 |" in written


def test_what_is_not_beaten_is_named() -> None:
    assert tiny_ko_card.Figures(1.5, 1.6, 2.0, 2.5).ahead == []
    assert tiny_ko_card.Figures(1.7, 1.6, 2.0, 2.5).ahead == ["the 5-gram character model"]
    assert tiny_ko_card.Figures(2.2, 2.3, 2.0, 2.5).ahead == ["xz"]
    assert tiny_ko_card.Figures(math.nan, 1.6, 2.0, 2.5).ahead == ["the 5-gram character model", "xz"]


def test_samples_are_the_same_each_time(workspace: Path) -> None:
    folder = made(workspace, zero=False)
    begun = [tiny_ko_card.beginning_of(text) for text in HELD]
    assert begun == ["배우의 연기가 좋은 영", "지루하다 | 정말", "질문이 뭐야?"]
    assert tiny_ko_card.generate(folder, begun) == tiny_ko_card.generate(folder, begun)


def test_the_package_loads_with_plain_transformers_and_rounds_only(workspace: Path, tmp_path: Path) -> None:
    for part in (0, 1):
        made(workspace, zero=True, part=part)
    folder, to = made(workspace, zero=False), tmp_path / "packed"
    assert tiny_ko_pack.main([str(workspace), "--to", str(to)]) == 0
    assert sorted(f.name for f in to.iterdir()) == sorted(tiny_ko_pack.FILES)
    whole, packed = (AutoModelForCausalLM.from_pretrained(place) for place in (folder, to))
    assert packed.dtype == torch.bfloat16
    for name, tensor in whole.state_dict().items():
        assert torch.equal(packed.state_dict()[name], tensor.bfloat16()), name
    assert AutoTokenizer.from_pretrained(to)(HELD[0])["input_ids"] == load_tokenizer(folder)(HELD[0])["input_ids"]
    generation = json.loads((to / "generation_config.json").read_text(encoding="utf-8"))
    assert sorted(generation["eos_token_id"]) == [0, 2]
    told = json.loads((to / "training_stats.json").read_text(encoding="utf-8"))
    assert "rows" not in told
    # Every part of the training counts.
    assert (told["tokens"], told["optimizer_steps"], told["parameters"]) == (13_800_000, 7500, 1234567)


def test_a_package_that_is_too_large_or_lost_too_much_is_refused(
    workspace: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for part in (0, 1, 2):
        made(workspace, zero=False, part=part)
    found = iter([1.0, 1.006])
    monkeypatch.setattr(tiny_ko_pack, "model_bits_per_byte", lambda *_: next(found))
    assert tiny_ko_pack.main([str(workspace), "--to", str(tmp_path / "a")]) == 1
    assert "rose from 1.0000 to 1.0060" in capsys.readouterr().err
    monkeypatch.setattr(tiny_ko_pack, "LARGEST", 1000)
    assert tiny_ko_pack.main([str(workspace), "--to", str(tmp_path / "b")]) == 1
    assert not (tmp_path / "b").exists()
