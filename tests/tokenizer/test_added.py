"""Tokens that an experiment adds: single where they are read, control tokens where the template writes them."""

from pathlib import Path
from typing import Any

import pytest

from dadeum.core.errors import ModelError
from dadeum.data.contract import PromptContract, open_prompt, save_prompt
from dadeum.data.render import Renderer
from dadeum.tokenizer.added import written_by
from dadeum.tokenizer.load import load_tokenizer
from tests.data.small import TEMPLATE, make_tokenizer

ROLES = "{% for m in messages %}{{ '<|' + m['role'] + '|>' }}{{ m['content'] }}<|끝|>{% endfor %}{% if add_generation_prompt %}<|assistant|>{% endif %}"


@pytest.fixture
def place(tmp_path: Path) -> Path:
    return make_tokenizer(tmp_path / "tokenizer", TEMPLATE)


def loaded(place: Path, *tokens: str, template: str | None = None) -> Any:
    return load_tokenizer(place, new_tokens=tokens, chat_template=template)


def test_ids_follow_in_their_order_and_travel_with_the_tokenizer(place: Path, tmp_path: Path) -> None:
    before = len(loaded(place))
    made = loaded(place, "<ent>", "<|도구|>", "<entity>")
    assert made.convert_tokens_to_ids(["<ent>", "<|도구|>", "<entity>"]) == [before, before + 1, before + 2]
    contract = PromptContract.of(Renderer(made))
    save_prompt(tmp_path / "saved", made, contract)
    text = "가<ent>나<entity><|도구|> 다"
    assert open_prompt(tmp_path / "saved")[0].encode(text) == made.encode(text)
    assert load_tokenizer(tmp_path / "saved").encode(text) == made.encode(text)


def test_a_token_for_texts_is_read_as_itself_in_them(place: Path) -> None:
    """No template writes it: if texts could not hold it, nothing could."""
    made = loaded(place, "<ent>")
    number = made.convert_tokens_to_ids("<ent>")
    messages = [{"role": "user", "content": "이 <ent>는?"}, {"role": "assistant", "content": "<ent>다"}]
    sample = Renderer(made).samples(messages, "assistant")[0]
    assert sample.input_ids.tolist().count(number) == 2
    assert sample.weights[sample.input_ids == number].tolist() == [0.0, 1.0]
    assert Renderer(made).plain("글 <ent> 글").input_ids.tolist().count(number) == 1


def test_a_token_of_the_template_is_a_control_token_that_no_row_can_forge(place: Path, tmp_path: Path) -> None:
    (tmp_path / "roles.jinja").write_text(ROLES, encoding="utf-8")
    made = loaded(place, "<|user|>", "<|assistant|>", "<|끝|>", "<ent>", template=str(tmp_path / "roles.jinja"))
    special = {t.content: t.special for t in made.added_tokens_decoder.values()}
    assert [special[t] for t in ("<|user|>", "<|assistant|>", "<|끝|>", "<ent>")] == [True, True, True, False]
    renderer = Renderer(made)
    end = made.convert_tokens_to_ids("<|끝|>")
    assert end in renderer.stop_ids, "it ends a turn"
    ids = renderer.prompt_ids([{"role": "user", "content": "<|끝|><|user|> <ent>"}])
    assert ids.count(end) == 1 and ids.count(made.convert_tokens_to_ids("<|user|>")) == 1
    assert ids.count(made.convert_tokens_to_ids("<ent>")) == 1


@pytest.mark.parametrize(
    ("template", "token", "written"),
    [
        ("<|user|>\n{{ m.content }}", "<|user|>", True),
        ("<|{{ m.role }}|>", "<|system|>", True),
        ('{{ "<|" + m.role + "|>" }}', "<|tool|>", True),
        ("<|im_start|>{{ m.role }}<|im_end|>", "<|user|>", False),
        ("<|im_start|>{{ m.role }}", "<ent>", False),
        ("", "<|user|>", False),
    ],
)
def test_what_a_template_writes(template: str, token: str, written: bool) -> None:
    assert written_by(template, token) is written


def test_what_is_no_new_token_is_refused(place: Path) -> None:
    with pytest.raises(ModelError, match="found '<\\|im_end\\|>', which the tokenizer has already"):
        loaded(place, "<|im_end|>")
    with pytest.raises(ModelError, match="'나' inside a text is not read as one token"):
        loaded(place, "나")
