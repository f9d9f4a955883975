"""A22: transformers 5 gives a dict where transformers 4 gave ids, and what iterates over it trains on its keys."""

from pathlib import Path

from dadeum.data.render import Renderer
from dadeum.tokenizer.load import load_tokenizer
from tests.data.chats import reference_prompt, talk


def test_prompts_are_lists_of_int(material: Path) -> None:
    tokenizer = load_tokenizer(material / "tokenizers" / "bora-ko-32k", chat_template="chatml")
    row = talk("안녕?", "반가워요 <|im_end|>", "</s>")
    for messages in (row[:1], row):  # the second goes the way of texts that hold control tokens
        ids = Renderer(tokenizer).prompt_ids(messages)
        assert type(ids) is list
        assert {type(i) for i in ids} == {int}
    assert Renderer(tokenizer).prompt_ids(row[:1]) == reference_prompt(tokenizer, row[:1])
