"""Every template of the data folder under random conversations: what is trained is what transformers renders."""

import random
from pathlib import Path

import numpy as np
import pytest

from dadeum.data.render import Renderer, Sample
from scripts.render_fuzz import Outcome, all_outcomes, page, small
from scripts.render_oracle import Oracle, Talk, compare
from scripts.template_table import templates


def held(outcomes: list[Outcome]) -> None:
    assert len(outcomes) >= 108
    assert {o.name: o.wrong[0] for o in outcomes if o.wrong} == {}
    assert sum(not o.admitted for o in outcomes) <= 0.2 * len(outcomes)
    assert all(o.trained for o in outcomes if o.admitted)
    assert all(o.name in o.refusal for o in outcomes if o.refusal), "a refusal names the template"


def test_some_conversations_on_every_template(material: Path) -> None:
    outcomes = all_outcomes(material, 6, 1)
    held(outcomes)
    assert all(o.name in page(outcomes, 6) for o in outcomes)


@pytest.mark.slow
def test_two_thousand_conversations_on_every_template(material: Path) -> None:
    held(all_outcomes(material, 2000, 1))


def drawn(control: list[str]) -> list[Talk]:
    rng = random.Random("a")
    return [Talk.drawn(rng, control) for _ in range(40)]


def test_the_conversations_hold_what_they_should(material: Path) -> None:
    control = ["<|im_end|>"]
    talks = drawn(control)
    texts = [text for talk in talks for text in talk.texts]
    assert any(control[0] in text for text in texts) and any(not text.strip() for text in texts)
    assert {(t.system, t.tools) for t in talks} == {(a, b) for a in (False, True) for b in (False, True)}


@pytest.mark.parametrize("name", ["trl/qwen2_5", "trl/gptoss", "llamacpp/meta-llama-Llama-3.1-8B-Instruct"])
def test_the_oracle_notices(name: str, material: Path) -> None:
    """One token more or less in the target, another token in the text, a control token out of what is said."""
    tokenizer = small(templates(material)[name])
    oracle, renderer = Oracle(tokenizer, {}), Renderer(tokenizer, template_name=name)
    control = next(iter(renderer._encoder.special.values()))
    talk = Talk(("<|im_end|> 안녕", " 그래요.\n"), False, False)
    (sample,) = renderer.samples(talk.row(), "assistant")
    compare(oracle, talk, [sample])
    first = int(np.flatnonzero(sample.weights)[0])
    for at, weight in ((first, 0), (first - 1, 1), (len(sample.weights) - 1, 0)):
        weights = sample.weights.copy()
        weights[at] = weight
        with pytest.raises(AssertionError):
            compare(oracle, talk, [Sample(sample.input_ids, weights, sample.answer_bytes)])
    for at in (0, first - 1, first):
        ids = sample.input_ids.copy()
        ids[at] = control if ids[at] != control else 0
        with pytest.raises(AssertionError):
            compare(oracle, talk, [Sample(ids, sample.weights, sample.answer_bytes)])
