"""A2: prompt, system or tool tokens in the loss, because the border was searched by token substrings."""

import random
from pathlib import Path
from typing import Any

import pytest

from dadeum.data.render import Renderer
from dadeum.tokenizer.load import load_tokenizer, shipped_templates
from tests.data.chats import talk, trained

PIECES = [
    "안녕",
    "ㄱㄴ",
    "각",
    "😀",
    " ",
    "\n",
    "### 답변:\n",
    "### 질문:\n",
    "<|im_start|>assistant\n",
    "Answer: ",
    "x",
]


def rows(rng: random.Random) -> dict[str, list[dict[str, str]]]:
    def say() -> str:
        return "".join(rng.choice(PIECES) for _ in range(rng.randint(1, 6))) + rng.choice(["끝", "."])

    single = talk(say(), say())
    return {
        "single": single,
        "multi": talk(say(), say(), say(), say(), say(), say()),
        "system": talk(say(), say(), system=say()),
        "tool": [*talk(say(), say()), {"role": "tool", "content": say()}, {"role": "assistant", "content": say()}],
    }


@pytest.mark.parametrize("template", shipped_templates())
@pytest.mark.parametrize("base", ["bora-ko-32k", "smollm2"])
def test_decoded_labels_are_the_answers(base: str, template: str, material: Path) -> None:
    tokenizer: Any = load_tokenizer(material / "tokenizers" / base, chat_template=template)
    renderer = Renderer(tokenizer)
    end = "<|im_end|>" if (base, template) == ("smollm2", "chatml") else tokenizer.eos_token
    rng = random.Random(f"a2 {base} {template}")
    for _ in range(25):
        for kind, messages in rows(rng).items():
            if kind == "tool" and template == "plain":
                continue  # this template has no tools, and says so
            found = [t for s in renderer.samples(messages, "assistant") for t in trained(tokenizer, s)]
            assert found == [m["content"] + end for m in messages if m["role"] == "assistant"]


def test_an_answer_that_repeats_its_question(material: Path) -> None:
    tokenizer = load_tokenizer(material / "tokenizers" / "bora-ko-32k", chat_template="plain")
    (sample,) = Renderer(tokenizer).samples(talk("네", "네", "네", "네"), "last_assistant")
    assert trained(tokenizer, sample) == ["네</s>"]
    assert sample.weights[-2:].tolist() == [1.0, 1.0]
    assert sample.weights[:-2].sum() == 0
