"""A27: perplexity with padding scored, with a mean of batch means, or shifted by left padding."""

import math
from pathlib import Path

import numpy as np
import pytest
import torch

from dadeum.data.contract import PromptContract, save_prompt
from dadeum.data.render import Renderer
from dadeum.evaluate.metrics import METRICS, Scored
from dadeum.generate.engine import Engine
from dadeum.tokenizer.load import load_tokenizer
from tests.evaluate.support import evaluated, rows_in
from tests.generate.support import QUESTIONS, opened, user

ANSWERS = [
    "ok",
    "Once upon a time, there was a little dog. " * 3,
    "yes",
    "She said: I like it! 네",
    "a b c " * 20,
    "no",
    "x",
    "The end.",
]
CONVERSATIONS = [[*user(q), {"role": "assistant", "content": a}] for q, a in zip(QUESTIONS, ANSWERS, strict=True)]


@pytest.fixture(scope="module")
def engine(material: Path, tmp_path_factory: pytest.TempPathFactory) -> Engine:
    place, prompt = material / "weights" / "stories260K" / "hf", tmp_path_factory.mktemp("prompt")
    tokenizer = load_tokenizer(place, chat_template="plain")
    save_prompt(prompt, tokenizer, PromptContract.of(Renderer(tokenizer)))
    return opened(place, prompt=prompt)


def perplexity(engine: Engine, batch_size: int) -> float:
    member = METRICS.member("perplexity")
    losses = engine.answer_loss(CONVERSATIONS, batch_size=batch_size)
    value = member.score(member.Settings(), [Scored(nll=x.nll, tokens=x.tokens, bytes=x.bytes) for x in losses])[
        "perplexity"
    ]
    return float(member.combine(np.array(value.rows).sum(axis=0)))


def by_hand(engine: Engine) -> float:
    """One row at a time, one token at a time, in float64."""
    nll, count = 0.0, 0
    for messages in CONVERSATIONS:
        sample = engine.renderer.samples(messages, "last_assistant")[0]
        with torch.no_grad():
            logits = engine.model(torch.from_numpy(sample.input_ids)[None].long()).logits[0].double()
        for place in range(1, len(sample.input_ids)):
            if sample.weights[place] > 0:
                nll -= float(logits[place - 1].log_softmax(-1)[int(sample.input_ids[place])])
                count += 1
    return math.exp(nll / count)


@pytest.mark.parametrize("side", ["left", "right"])
def test_the_same_for_any_batch_and_padding_side(engine: Engine, side: str) -> None:
    engine.tokenizer.padding_side = side
    expected = by_hand(engine)
    for size in (1, 3, 8):
        assert perplexity(engine, size) == pytest.approx(expected, rel=1e-6)


def test_a_mean_of_rows_is_another_number(engine: Engine) -> None:
    losses = engine.answer_loss(CONVERSATIONS)
    mean_of_rows = math.exp(sum(x.nll / x.tokens for x in losses) / len(losses))
    assert abs(mean_of_rows / by_hand(engine) - 1) > 0.01


def test_the_end_token_counts_and_has_no_bytes(engine: Engine) -> None:
    loss = engine.answer_loss([CONVERSATIONS[0]])[0]
    assert loss.bytes == len(b"ok")
    assert loss.tokens == len(engine.tokenizer("ok", add_special_tokens=False)["input_ids"]) + 1


def test_an_evaluation_does_not_depend_on_its_batch_size(engine: Engine, tmp_path: Path) -> None:
    rows = rows_in(tmp_path)
    one, other = (evaluated(engine, rows, batch_size=size) for size in (1, 8))
    for name, metric in one.metrics.items():
        assert other.metrics[name]["value"] == pytest.approx(metric["value"], rel=1e-6)
