"""The special tokens of real models as they work, and each thing that goes wrong in them."""

from pathlib import Path
from typing import Any

import pytest

from dadeum.data.contract import PromptContract
from dadeum.data.render import Renderer
from dadeum.data.special import HEADER, Analysis, Declared
from dadeum.tokenizer.load import load_tokenizer
from dadeum.tokenizer.meanings import END_OF_TURN, NOT_A_TOKEN
from tests.data.chats import CHATML, FAMILIES, LLAMA, with_template
from tests.data.small import make_tokenizer


def analysis(tokenizer: Any, declared: Declared = Declared()) -> Analysis:
    return Analysis(tokenizer, PromptContract.of(Renderer(tokenizer)), declared)


def plain(material: Path, base: str, template: str | None = None, declared: Declared = Declared()) -> Analysis:
    return analysis(load_tokenizer(material / "tokenizers" / base, chat_template=template), declared)


def where(found: Analysis) -> dict[str, tuple[str, ...]]:
    return {row.token.name: row.places for row in found.rows if row.places}


def kinds(found: Analysis) -> list[str]:
    return [f.kind for f in found.findings]


def told(found: Analysis, kind: str) -> str:
    (one,) = (f.text for f in found.findings if f.kind == kind)
    return one


def test_qwen_by_hand(material: Path) -> None:
    found = plain(
        material, "qwen2.5-0.5b-instruct", declared=Declared(151936, (151645, 151643), "generation_config.json")
    )
    assert where(found) == {
        "<|im_start|>": ("system", "user", "before_answer", "generation_prompt"),
        "<|im_end|>": ("system", "user", "after_answer"),
        "<tool_call>": ("elsewhere",),
        "</tool_call>": ("elsewhere",),
    }
    rows = {row.token.name: row.cells() for row in found.rows}
    assert rows["<|im_end|>"] == [
        *("<|im_end|>", 151645, "eos, end_of_turn", "system, user, after_answer"),
        *("151645", "<|im_end|>", "ends an answer", "yes", "yes", ""),
    ]
    assert rows["<|fim_pad|>"][1:4] == [151662, "added", "never"]
    assert len(rows) == 22 and all(len(cells) == len(HEADER) for cells in rows.values())
    assert found.findings == []


@pytest.mark.parametrize(
    ("name", "end", "before"),
    [("llama3.2", "<|eot_id|>", "<|start_header_id|>"), ("gemma3", "<end_of_turn>", "<start_of_turn>")],
)
def test_the_end_of_a_turn(material: Path, name: str, end: str, before: str) -> None:
    found = analysis(FAMILIES[name].shared(material))
    assert found.end_of_turn == end
    assert END_OF_TURN in next(r.token.roles for r in found.rows if r.token.name == end)
    assert "after_answer" in where(found)[end] and "before_answer" in where(found)[before]
    assert "start" in where(found)[found.tokenizer.bos_token]


def test_an_end_of_turn_at_which_generation_does_not_stop(material: Path) -> None:
    """Llama 3 as it was first published: eos_token_id names <|end_of_text|> only, and the model answers itself."""
    tokenizer = with_template(material, "smollm2", "trl/llama3", eos="<|endoftext|>", specials=(*LLAMA,))
    end = tokenizer.convert_tokens_to_ids("<|eot_id|>")
    found = analysis(tokenizer, Declared(None, (0,), "generation_config.json"))
    assert told(found, "end_of_turn_does_not_stop").startswith(
        f"generation_config.json: generation stops at <|endoftext|> (0), but the template ends an answer with <|eot_id|> ({end}):"
    )
    assert "end_of_turn_does_not_stop" not in kinds(
        analysis(tokenizer, Declared(None, (0, end), "generation_config.json"))
    )
    assert "end_of_turn_does_not_stop" not in kinds(analysis(tokenizer))  # nothing declared, nothing to hold against
    assert "generation stops at none" in told(analysis(tokenizer, Declared(None, (), "c.json")), "eos_does_not_stop")


def test_eos_that_is_pad_and_eos_that_is_not(material: Path) -> None:
    assert "same token </s>" in told(plain(material, "tinyllama-1.1b-chat"), "eos_is_pad")
    smol = plain(material, "smollm2")
    assert kinds(smol)[0] == "eos_is_pad" and {"eos_is_unk", "no_template"} < set(kinds(smol))
    assert kinds(plain(material, "bora-ko-32k")) == ["no_template"]
    assert "no eos_token" in told(plain(material, "gpt2"), "no_eos")


def test_a_template_whose_tokens_the_tokenizer_does_not_have(material: Path) -> None:
    """ChatML on a tokenizer without it: < | i m _ s t a r t | > are 12 tokens, < | i m _ e n d | > 10."""
    found = plain(material, "bora-ko-32k", "chatml")
    assert "<|im_start|>, which is no token here: it is cut into 12" in told(found, "not_one_token")
    end = told(found, "end_is_no_token")
    assert "<|im_end|>" in end and "(cut into 10)" in end and end.endswith("eos, </s>")
    assert found.end_of_turn is None
    odd = [row for row in found.rows if row.token.id is None]
    assert [(r.token.name, r.token.roles, len(r.token.pieces)) for r in odd] == [
        ("<|im_start|>", (NOT_A_TOKEN,), 12),
        ("<|im_end|>", (NOT_A_TOKEN,), 10),
    ]
    assert odd[1].cells()[:4] == ["<|im_end|>", None, "not_a_token", "system, user, after_answer"]
    assert not {"not_one_token", "end_is_no_token"} & set(kinds(plain(material, "smollm2", "chatml")))


def test_tokens_beyond_the_model(material: Path) -> None:
    """SmolLM2 has 49,152 rows; two tokens more have none."""
    tokenizer = load_tokenizer(material / "tokenizers" / "smollm2")
    assert "beyond_the_model" not in kinds(analysis(tokenizer, Declared(49152)))
    tokenizer.add_tokens(["<|법|>", "<|조|>"], special_tokens=True)
    text = told(analysis(tokenizer, Declared(49152)), "beyond_the_model")
    assert "49,152 rows" in text and "<|법|> (49152), <|조|> (49153)" in text
    assert "beyond_the_model" not in kinds(analysis(tokenizer, Declared(49154)))


def test_the_beginning_of_a_conversation(material: Path) -> None:
    """TinyLlama's tokenizer puts <s> before plain text; chatml as dadeum ships it does too, another template does not."""
    assert "double_bos" in kinds(plain(material, "tinyllama-1.1b-chat", "chatml"))
    without = str(material / "chat_templates/llamacpp/Qwen-Qwen2.5-7B-Instruct.jinja")
    assert "begins with <s>" in told(plain(material, "tinyllama-1.1b-chat", without), "missing_bos")
    assert not {"double_bos", "missing_bos"} & set(kinds(plain(material, "qwen2.5-0.5b-instruct")))


def test_a_template_that_cannot_be_trained_on(material: Path) -> None:
    tokenizer = with_template(
        material, "qwen2.5-0.5b-instruct", "llamacpp/Qwen-QwQ-32B", eos="<|im_end|>", specials=CHATML
    )
    found = analysis(tokenizer)
    assert "does not begin an answered turn with its prompt" in told(found, "unfit_template")
    assert found.end_of_turn == "<|im_end|>" and "generation_prompt" in where(found)["<|im_start|>"]


def test_a_template_that_is_none(tmp_path: Path) -> None:
    found = analysis(load_tokenizer(make_tokenizer(tmp_path, "{% for m in messages %}")))
    assert kinds(found) == ["unfit_template"] and where(found) == {} and found.end_of_turn is None


def test_an_added_token_that_is_not_read_as_itself(tmp_path: Path) -> None:
    from tokenizers import AddedToken

    tokenizer = load_tokenizer(make_tokenizer(tmp_path))
    tokenizer.add_tokens([AddedToken("민법", single_word=True)])
    found = analysis(tokenizer)
    assert "민법" in told(found, "not_read_as_itself")
    cells = next(row.cells() for row in found.rows if row.token.name == "민법")
    assert cells[2] == "added" and cells[8] == "no" and len(cells[4].split()) == 6  # two letters of three bytes
