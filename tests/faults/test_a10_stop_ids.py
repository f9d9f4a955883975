"""A10: the end of a turn is missing from the stop ids where it is not the tokenizer's eos."""

from pathlib import Path

from dadeum.data.contract import PromptContract
from dadeum.data.render import Renderer
from dadeum.tokenizer.load import load_tokenizer
from tests.data.chats import talk, with_template


def test_end_of_turn_and_eos_both_stop(material: Path) -> None:
    tokenizer = with_template(
        material, "smollm2", "trl/llama3", eos="<|end_of_text|>", specials=["<|eot_id|>", "<|start_header_id|>"]
    )
    turn, eos = tokenizer.convert_tokens_to_ids(["<|eot_id|>", "<|end_of_text|>"])
    renderer = Renderer(tokenizer)
    assert set(renderer.stop_ids) == {turn, eos}
    assert set(PromptContract.of(renderer).stop_ids) == {turn, eos}
    (sample,) = renderer.samples(talk("안녕?", "반가워요."), "assistant")
    assert sample.input_ids[-1] == turn
    assert sample.weights[-1] == 1


def test_a_template_without_end_token_stops_at_the_eos(material: Path) -> None:
    tokenizer = load_tokenizer(material / "tokenizers" / "bora-ko-32k", chat_template="chatml")
    assert Renderer(tokenizer).stop_ids == (tokenizer.eos_token_id,)


def test_a_template_that_cannot_be_trained_still_stops(material: Path) -> None:
    tokenizer = with_template(material, "smollm2", "llamacpp/Qwen-QwQ-32B", eos="<|im_end|>", specials=["<|im_start|>"])
    renderer = Renderer(tokenizer)
    assert renderer.refusal is not None
    assert renderer.stop_ids == (tokenizer.eos_token_id,)
    assert renderer.prompt_ids(talk("안녕?"))
