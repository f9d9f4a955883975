"""What templates write around messages: by hand for real templates, and nothing lost in any of them."""

from pathlib import Path
from typing import Any

import pytest

from dadeum.core.errors import DataError
from dadeum.data.frames import CONTROL, PLACES, control_strings, frames, places
from dadeum.data.render import DEFAULT_TODAY
from dadeum.data.template import ChatTemplate
from dadeum.tokenizer.load import load_tokenizer
from scripts.template_table import templates
from tests.data.chats import talk

BY_HAND = {
    "trl/llama3": {
        "start": "<s>",
        "system": "<|start_header_id|>system<|end_header_id|>\n\n<|eot_id|>",
        "user": "<|start_header_id|>user<|end_header_id|>\n\n<|eot_id|>",
        "before_answer": "<|start_header_id|>assistant<|end_header_id|>\n\n",
        "after_answer": "<|eot_id|>",
        "generation_prompt": "<|start_header_id|>assistant<|end_header_id|>\n\n",
    },
    "trl/gemma3": {  # writes the system prompt into the first user turn
        "start": "<s>",
        "system": "<start_of_turn>user\n\n\n",
        "user": "<start_of_turn>user\n<end_of_turn>\n",
        "before_answer": "<start_of_turn>model\n",
        "after_answer": "<end_of_turn>\n",
        "generation_prompt": "<start_of_turn>model\n",
    },
    "llamacpp/Qwen-Qwen3-0.6B": {  # what stands before an answer is not what it is asked with
        "system": "<|im_start|>system\n<|im_end|>\n",
        "user": "<|im_start|>user\n<|im_end|>\n",
        "before_answer": "<|im_start|>assistant\n<think>\n\n</think>\n\n",
        "after_answer": "<|im_end|>\n",
        "generation_prompt": "<|im_start|>assistant\n",
    },
    "llamacpp/mistralai-Mistral-Nemo-Instruct-2407": {
        "start": "<s>",
        "system": "[INST]\n\n",
        "user": "[INST][/INST]",
        "after_answer": "</s>",
    },
    "llamacpp/google-gemma-2-2b-it": {  # refuses a system message
        "start": "<s>",
        "user": "<start_of_turn>user\n<end_of_turn>\n",
        "before_answer": "<start_of_turn>model\n",
        "after_answer": "<end_of_turn>\n",
        "generation_prompt": "<start_of_turn>model\n",
    },
}


@pytest.fixture(scope="module")
def tokenizer(material: Path) -> Any:
    return load_tokenizer(material / "tokenizers" / "tinyllama-1.1b-chat")  # <s>, </s>


def template(tokenizer: Any, text: str) -> ChatTemplate:
    tokenizer.chat_template = text
    return ChatTemplate(tokenizer, name="t", kwargs={}, today=DEFAULT_TODAY)


@pytest.mark.parametrize("name", BY_HAND)
def test_frames_by_hand(material: Path, tokenizer: Any, name: str) -> None:
    made = template(tokenizer, templates(material)[name])
    assert frames(made, ["<s>", "</s>"], "<s>") == BY_HAND[name]


def test_a_system_prompt_of_its_own_is_the_systems(material: Path, tokenizer: Any) -> None:
    found = frames(template(tokenizer, templates(material)["llamacpp/Qwen-Qwen2.5-7B-Instruct"]), [], "<s>")
    assert "start" not in found
    assert found["system"].startswith("<|im_start|>system\nYou are Qwen, created by Alibaba Cloud.")
    assert found["user"] == "<|im_start|>user\n<|im_end|>\n"


def test_no_control_token_is_lost_in_any_template(material: Path, tokenizer: Any) -> None:
    """Whatever stands in a render of a question and its answer has its place, whatever the template does."""
    tried = 0
    for name, text in templates(material).items():
        made = template(tokenizer, text)
        rows = [talk("물음", "답"), talk("물음", "답", "다시"), talk("물음")]
        found = "".join(frames(made, ["<s>", "</s>"], "<s>").values())
        for row in rows:
            try:
                written = made.render(row, add_generation_prompt=len(row) == 1)
            except DataError:
                continue
            if "물음" not in written:  # takes its contents as lists of parts only
                continue
            tried += 1
            assert {m[0] for m in CONTROL.finditer(written)} <= {m[0] for m in CONTROL.finditer(found)}, name
    assert tried > 250


def test_a_template_that_drops_or_refuses_everything(tokenizer: Any) -> None:
    assert frames(template(tokenizer, "{{ raise_exception('no') }}"), []) == {}
    assert frames(template(tokenizer, "<|nothing|>"), []) == {}


def test_places_and_what_looks_like_a_token() -> None:
    found = {"user": "<|user|>\n", "after_answer": "</s>", "generation_prompt": "<|assistant|> a < b > c"}
    assert places("</s>", found, "") == ("after_answer",)
    assert places("<tool>", found, "{% if tools %}<tool>") == ("elsewhere",)
    assert places("<tool>", found, "") == ()
    assert control_strings(found) == ["<|user|>", "</s>", "<|assistant|>"]
    assert set(found) <= set(PLACES)
