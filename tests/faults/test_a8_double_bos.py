"""A8: two BOS, because the template writes one and the tokenizer adds another."""

from pathlib import Path

import pytest

from dadeum.data.contract import PromptContract, open_prompt, save_prompt
from dadeum.data.render import Renderer
from tests.data.chats import reference_prompt, talk, with_template

MISTRAL = "llamacpp/mistralai-Mistral-Nemo-Instruct-2407"
STYLES = {
    "llama": ("trl/llama3", "<|begin_of_text|>", "<|eot_id|>", ["<|start_header_id|>", "<|end_header_id|>"]),
    "gemma": ("trl/gemma3", "<bos>", "<end_of_turn>", ["<start_of_turn>"]),
    "mistral": (MISTRAL, "<s>", "</s>", ["[INST]", "[/INST]"]),
}


@pytest.mark.parametrize("style", STYLES)
def test_bos_stands_once_at_every_entry(style: str, material: Path, tmp_path: Path) -> None:
    template, bos, eos, specials = STYLES[style]
    # The Llama-2 tokenizer puts a BOS before all that it is given, unless told otherwise.
    tokenizer = with_template(material, "tinyllama-1.1b-chat", template, eos=eos, specials=[bos, *specials])
    tokenizer.bos_token = bos
    row = talk("안녕?", "반가워요.", "또 봐요", "네!")
    renderer = Renderer(tokenizer)
    entries = [renderer.prompt_ids(row[:1]), renderer.prompt_ids(row[:3])]
    for train_on in ("all", "assistant", "last_assistant"):
        entries += [s.input_ids.tolist() for s in renderer.samples(row, train_on)]
    save_prompt(tmp_path, tokenizer, PromptContract.of(renderer))
    opened, contract = open_prompt(tmp_path)
    entries.append(contract.renderer(opened).prompt_ids(contract.messages("안녕?")))
    assert entries[-1] == entries[0] == reference_prompt(tokenizer, row[:1])
    for ids in entries:
        assert ids[0] == tokenizer.bos_token_id
        assert ids.count(tokenizer.bos_token_id) == 1


def test_a_template_without_bos_gets_none(material: Path) -> None:
    tokenizer = with_template(material, "tinyllama-1.1b-chat", "trl/qwen2_5", eos="<|im_end|>")
    ids = Renderer(tokenizer).prompt_ids(talk("안녕?"))
    assert tokenizer.bos_token_id not in ids
    assert ids == reference_prompt(tokenizer, talk("안녕?"))
