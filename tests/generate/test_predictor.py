"""What a model with heads says of sequences: the same in any company, as probabilities and as words."""

from pathlib import Path

import numpy as np
import pytest
import torch
from scipy.special import softmax

from dadeum.core.errors import ModelError
from dadeum.generate.predictor import Predictor
from scripts.head_cases import CASES, entries, make_base
from tests.generate.heads import opened, trained


@pytest.fixture(scope="module")
def predictors(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Predictor]:
    return opened(trained(tmp_path_factory.mktemp("models"), *CASES, steps=1))


@pytest.mark.parametrize("name", CASES)
def test_company_changes_nothing_and_shapes_are_those_of_the_kind(name: str, predictors: dict[str, Predictor]) -> None:
    predictor, rows = predictors[name], entries(CASES[name], 6, seed=3)
    together = predictor.predict(rows)
    for row, said in zip(rows, together, strict=True):
        (alone,) = predictor.predict([row])
        assert alone.keys() == said.keys() == {outlet.head for outlet in predictor.outlets}
        for outlet in predictor.outlets:
            assert said[outlet.head].dtype == np.float64
            np.testing.assert_allclose(alone[outlet.head], said[outlet.head], atol=2e-6)
            shape = {
                "words": (len(row.input_ids), outlet.size),
                "choices": (len(row.sequences),),
                "pair": (2,),
            }.get(predictor.takes, (outlet.size,))
            assert said[outlet.head].shape == shape
            if outlet.kind in ("class", "words", "choices"):
                np.testing.assert_allclose(said[outlet.head].sum(-1), 1, atol=1e-6)
            if outlet.kind == "classes":
                assert ((said[outlet.head] >= 0) & (said[outlet.head] <= 1)).all()


def test_probabilities_are_of_what_is_said(predictors: dict[str, Predictor]) -> None:
    predictor = predictors["sequence_classification"]
    (row,) = entries(CASES["sequence_classification"], 1, seed=4)
    (out,) = predictor.outputs([[row.input_ids]])
    numbers = out["sequence_classification"][0].numpy()
    (shares,) = predictor.predict([row])
    np.testing.assert_allclose(shares["sequence_classification"], softmax(numbers), atol=1e-6)
    said = predictor.says(out)["sequence_classification"]
    assert said["label"] == ("나쁨", "보통", "좋음")[int(numbers.argmax())]
    assert predictor.facts == {"device": "cpu", "dtype": "float32"} and predictor.context == 128
    assert torch.is_tensor(out["sequence_classification"])


def test_a_model_that_writes_text_is_refused(tmp_path: Path) -> None:
    from dadeum.data.contract import PromptContract, save_prompt
    from dadeum.data.render import Renderer
    from dadeum.tokenizer.load import load_tokenizer

    base = make_base(tmp_path)
    tokenizer = load_tokenizer(base, chat_template="chatml")
    save_prompt(base, tokenizer, PromptContract.of(Renderer(tokenizer)))
    with pytest.raises(ModelError, match=r"base: has no head that says labels, numbers or scores; ask it with"):
        Predictor.open(base)
