"""A1: eight rows learnt by heart end by themselves, although the padding's id is that of the end token."""

from dataclasses import replace
from pathlib import Path

from dadeum.config.model import ModelSettings
from dadeum.core.progress import Silent
from dadeum.tokenizer.load import load_tokenizer
from dadeum.train.smoke import smoke
from tests.train.support import chat_rows, make_formatted, make_job, save_tokenizer

PAIRS = [
    ("몇 시예요?", "세 시"),
    ("날씨는?", "좋네요"),
    ("이름은?", "다듬"),
    ("뭐 해?", "안녕하세요"),
    ("fox?", "quick fox"),
    ("dog?", "no"),
    ("왜?", "몰라요"),
    ("언제?", "오늘"),
    ("어디?", "긴 대답은 여덟 줄 밖에 둡니다 " * 2),
]


def test_all_eight_stop(tmp_path: Path) -> None:
    """Padded rows, `pad == eos`, a model whose weights are all trained: near zero loss, and 8 of 8 end as trained."""
    tokenizer = load_tokenizer(save_tokenizer(tmp_path / "tokenizer", pad="<|im_end|>"), chat_template="chatml")
    assert tokenizer.pad_token_id == tokenizer.eos_token_id
    job = make_job(tmp_path, make_formatted(tmp_path, chat_rows(tokenizer, PAIRS), pad="<|im_end|>"), packing=False)
    found = smoke(job, Silent())
    assert found.passed and (found.answers, found.rows) == ((8, 8), 8)
    assert found.final_loss < 0.05 < found.first_loss
    assert not job.checkpoints.exists() and not job.evidence.exists()


def test_a_masked_end_token_is_noticed(tmp_path: Path) -> None:
    """The fault itself: with the end token out of the loss, the loss still falls, and nothing stops."""
    tokenizer = load_tokenizer(save_tokenizer(tmp_path / "tokenizer"), chat_template="chatml")
    rows = [(ids, [*weights[:-1], 0.0]) for ids, weights in chat_rows(tokenizer, PAIRS)]
    job = make_job(tmp_path, make_formatted(tmp_path, rows))
    found = smoke(job, Silent())
    assert found.answers is not None
    assert found.final_loss < 0.05 and not found.passed and found.answers.stopped < found.rows


def test_another_architecture(tmp_path: Path) -> None:
    tokenizer = load_tokenizer(save_tokenizer(tmp_path / "tokenizer"), chat_template="chatml")
    job = make_job(tmp_path, make_formatted(tmp_path, chat_rows(tokenizer, PAIRS)))
    config = {"model_type": "gpt2", "n_embd": 64, "n_head": 4, "n_layer": 2, "n_positions": 128}
    found = smoke(replace(job, model=ModelSettings(init="random", config=config)), Silent())
    assert found.answers == (8, 8)
