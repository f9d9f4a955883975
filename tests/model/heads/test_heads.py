"""What heads ask of rows, their losses against torch and transformers, and what their settings refuse."""

from typing import Any

import pytest
import torch
from pydantic import ValidationError
from torch.nn import functional as F
from transformers import AutoConfig
from transformers.loss.loss_utils import ForSequenceClassificationLoss

from dadeum.config.purpose import Target
from dadeum.core.errors import ModelError
from dadeum.model.heads import HEADS, Outlet, outlets, parts
from dadeum.model.heads._layers import Top, pool
from dadeum.model.heads._settings import Pooled, coefficient

NAMES = ("나쁨", "보통", "좋음")
NAN = float("nan")


def head(**settings: Any) -> tuple[Any, Any]:
    made = HEADS.validate(settings)
    return HEADS.of(made), made


def test_each_says_what_it_wants_of_a_row() -> None:
    wanted = {}
    for name in HEADS.names:
        if name != "multi":
            member, settings = head(type=name)
            wanted[name] = (member.takes, member.gives, [(t.kind, t.head) for t in member.targets(settings)])
    assert wanted == {
        "causal_lm": ("messages", "tokens", []),
        "multiple_choice": ("choices", "labels", [("class", "multiple_choice")]),
        "regression": ("labels", "labels", [("numbers", "regression")]),
        "reward": ("pair", "scores", []),
        "sequence_classification": ("labels", "labels", [("class", "sequence_classification")]),
        "token_classification": ("words", "labels", [("class", "token_classification")]),
    }
    member, settings = head(type="sequence_classification", problem="multi_label", labels=["a", "b"], column="x")
    assert member.targets(settings) == (Target("sequence_classification", "classes", "x", ("a", "b")),)


def test_several_heads_stand_in_their_order() -> None:
    member, settings = head(
        type="multi",
        heads={
            "hate": {"type": "sequence_classification", "column": "hate", "weight": 2.0},
            "score": {"type": "regression", "column": "s", "numbers": 2},
        },
    )
    assert member.targets(settings) == (Target("hate", "class", "hate"), Target("score", "numbers", "s", size=2))
    labels = [
        {"head": "score", "kind": "numbers", "size": 2, "names": None},
        {"head": "hate", "kind": "class", "size": 3, "names": list(NAMES)},
    ]
    assert outlets(settings, labels) == (Outlet("hate", "class", 3, NAMES), Outlet("score", "numbers", 2))
    assert [coefficient(part) for part in parts(settings).values()] == [2.0, 1.0]
    assert parts(HEADS.validate("causal_lm")) == {}
    assert HEADS.validate(settings.model_dump(mode="json")) == settings


@pytest.mark.parametrize(
    ("settings", "sentence"),
    [
        ({"type": "regression", "pooling": "first"}, "Input should be 'last', 'mean' or 'attention'"),
        ({"type": "regression", "hidden_sizes": [8, 0]}, "greater than 0"),
        ({"type": "regression", "dropout": 1.0}, "less than 1"),
        ({"type": "regression", "huber_delta": 0.0}, "greater than 0"),
        ({"type": "sequence_classification", "labels": ["a", "b", "a"]}, "labels: found 'a' twice"),
        ({"type": "sequence_classification", "labels": ["a"]}, "found only 'a', expected two classes"),
        (
            {"type": "sequence_classification", "labels": ["spam", "ham"], "class_weights": {"sam": 2.0}},
            "class_weights: found 'sam', expected one of: spam, ham; did you mean 'spam'?",
        ),
        ({"type": "sequence_classification", "pos_weight": {"a": 2.0}}, "pos_weight: found beside 'problem: single_label'"),
        (
            {"type": "sequence_classification", "problem": "multi_label", "label_smoothing": 0.1},
            "label_smoothing: found beside 'problem: multi_label'",
        ),
        ({"type": "multi", "heads": {"a": {"type": "regression"}}}, "at least 2"),
        (
            {"type": "multi", "heads": {"a": {"type": "regression"}, "b": {"type": "token_classification"}}},
            "b: found 'token_classification', which cannot stand beside other heads; expected one of: regression, sequence",
        ),
        (
            {"type": "multi", "heads": {"a": {"type": "regression"}, "b": {"type": "multi", "heads": {}}}},
            "at least 2",
        ),
        ({"type": "multi", "heads": {"a.b": {"type": "regression"}, "c": {"type": "regression"}}}, "found 'a.b'"),
        ({"type": "multi", "heads": {"a": {"type": "regresion"}, "c": {"type": "regression"}}}, "did you mean 'regression'"),
    ],
)  # fmt: skip
def test_settings_that_are_wrong_are_refused_in_words(settings: dict[str, Any], sentence: str) -> None:
    with pytest.raises(ValidationError) as error:
        HEADS.validate(settings)
    assert sentence in str(error.value)


def test_weights_of_classes_that_the_data_do_not_have_are_refused_by_name() -> None:
    member, settings = head(type="sequence_classification", class_weights={"좋아": 2.0})
    with pytest.raises(ModelError, match=r"head.class_weights: found '좋아', expected one of: 나쁨, 보통, 좋음"):
        member.total(settings, Outlet("h", "class", 3, NAMES), torch.zeros(1, 3), torch.zeros(1, 1))


def test_losses_are_those_of_transformers() -> None:
    """Means by sum and weight, of the classes of transformers' own heads."""
    torch.manual_seed(0)
    config = AutoConfig.for_model("llama", num_labels=3)
    out = torch.randn(7, 3)
    config.problem_type = "single_label_classification"
    classes = torch.randint(3, (7, 1)).float()
    member, settings = head(type="sequence_classification")
    outlet = Outlet("h", "class", 3, NAMES)
    mean = member.total(settings, outlet, out, classes) / member.weigh(settings, outlet, classes)
    assert mean == pytest.approx(float(ForSequenceClassificationLoss(classes[:, 0].long(), out, config)), rel=1e-6)
    config.problem_type = "multi_label_classification"
    several = torch.randint(2, (7, 3)).float()
    member, settings = head(type="sequence_classification", problem="multi_label")
    outlet = Outlet("h", "classes", 3, NAMES)
    mean = member.total(settings, outlet, out, several) / member.weigh(settings, outlet, several)
    assert mean == pytest.approx(float(ForSequenceClassificationLoss(several, out, config)), rel=1e-6)
    config.problem_type = "regression"
    numbers = torch.randn(7, 3)
    member, settings = head(type="regression")
    outlet = Outlet("h", "numbers", 3)
    mean = member.total(settings, outlet, out, numbers) / member.weigh(settings, outlet, numbers)
    assert mean == pytest.approx(float(ForSequenceClassificationLoss(numbers, out, config)), rel=1e-6)


def test_weights_smoothing_and_other_distances_are_those_of_torch() -> None:
    torch.manual_seed(1)
    out, classes = torch.randn(9, 3), torch.randint(3, (9, 1)).float()
    outlet = Outlet("h", "class", 3, NAMES)
    member, settings = head(type="sequence_classification", class_weights={"좋음": 4.0}, label_smoothing=0.2)
    ours = member.total(settings, outlet, out, classes) / member.weigh(settings, outlet, classes)
    weight = torch.tensor([1.0, 1.0, 4.0])
    theirs = F.cross_entropy(out, classes[:, 0].long(), weight=weight, label_smoothing=0.2)
    assert float(ours) == pytest.approx(float(theirs), rel=1e-6)
    member, settings = head(type="sequence_classification", problem="multi_label", pos_weight={"나쁨": 3.0})
    several, outlet = torch.randint(2, (9, 3)).float(), Outlet("h", "classes", 3, NAMES)
    ours = member.total(settings, outlet, out, several) / member.weigh(settings, outlet, several)
    theirs = F.binary_cross_entropy_with_logits(out, several, pos_weight=torch.tensor([3.0, 1.0, 1.0]))
    assert float(ours) == pytest.approx(float(theirs), rel=1e-6)
    numbers, outlet = torch.randn(9, 3), Outlet("h", "numbers", 3)
    for kind, theirs in (
        ("l1", F.l1_loss(out, numbers)),
        ("huber", F.huber_loss(out, numbers, delta=0.3)),
    ):
        member, settings = head(type="regression", loss=kind, huber_delta=0.3)
        ours = member.total(settings, outlet, out, numbers) / member.weigh(settings, outlet, numbers)
        assert float(ours) == pytest.approx(float(theirs), rel=1e-6)


def test_what_is_not_known_weighs_nothing() -> None:
    out = torch.randn(3, 2)
    for settings, outlet, targets, weight in (
        ({"type": "sequence_classification"}, Outlet("h", "class", 2, NAMES[:2]), [[NAN], [1.0], [NAN]], 1),
        ({"type": "token_classification"}, Outlet("h", "words", 2, NAMES[:2]), [[-100.0], [1.0], [0.0]], 2),
        ({"type": "regression"}, Outlet("h", "numbers", 2), [[NAN, 1.0], [2.0, 3.0], [NAN, NAN]], 3),
        ({"type": "multiple_choice"}, Outlet("h", "choices", 1), [[0.0], [NAN], [1.0]], 2),
    ):
        member, made = head(**settings)
        known, given = torch.tensor(targets), out.clone().requires_grad_()
        assert member.weigh(made, outlet, known) == weight
        member.total(made, outlet, given, known).backward()
        assert given.grad is not None
        rows = (~known.isnan() & (known >= 0)).any(1)
        assert torch.equal(given.grad.abs().sum(1) > 0, rows)
        empty = member.total(made, outlet, given, torch.full_like(known, NAN))
        assert empty.detach() == 0 and empty.requires_grad


def test_pooling_by_hand() -> None:
    torch.manual_seed(2)
    tokens, borders = torch.randn(7, 4), torch.tensor([0, 3, 4, 7])
    documents = [tokens[:3], tokens[3:4], tokens[4:]]
    assert torch.equal(pool(tokens, borders, "last"), torch.stack([d[-1] for d in documents]))
    assert torch.allclose(pool(tokens, borders, "mean"), torch.stack([d.mean(0) for d in documents]), atol=1e-6)
    attend = torch.nn.Linear(4, 1)
    by_hand = torch.stack([(attend(d).softmax(0) * d).sum(0) for d in documents])
    assert torch.allclose(pool(tokens, borders, "attention", attend), by_hand, atol=1e-6)
    assert pool(tokens, borders, None) is tokens


def test_an_mlp_has_its_layers_and_drops_only_in_training() -> None:
    settings = Pooled(type="x", hidden_sizes=(5, 6), dropout=0.5, activation="relu")
    top = Top(settings, 4, 2, "last", bias=False)
    assert [tuple(layer.weight.shape) for layer in (*top.hidden, top.score)] == [(5, 4), (6, 5), (2, 6)]
    tokens, borders = torch.randn(3, 4), torch.tensor([0, 3])
    a, b = top(tokens, borders), top(tokens, borders)
    assert not torch.equal(a, b)
    top.eval()
    by_hand = top.score(F.relu(top.hidden[1](F.relu(top.hidden[0](tokens[2:])))))
    assert torch.allclose(top(tokens, borders), by_hand, atol=1e-6)


def test_what_is_said_is_in_words() -> None:
    member, settings = head(type="sequence_classification")
    said = member.says(settings, Outlet("h", "class", 3, NAMES), torch.tensor([0.0, 0.0, 1.0]))
    assert said["label"] == "좋음" and list(said["probabilities"]) == list(NAMES)
    assert sum(said["probabilities"].values()) == pytest.approx(1, abs=1e-6)
    member, settings = head(type="sequence_classification", problem="multi_label")
    said = member.says(settings, Outlet("h", "classes", 3, NAMES), torch.tensor([1.0, -1.0, 0.1]))
    assert said["labels"] == ["나쁨", "좋음"] and said["probabilities"]["보통"] == pytest.approx(0.2689, abs=1e-4)
    member, settings = head(type="regression")
    assert member.says(settings, Outlet("h", "numbers", 1), torch.tensor([2.5])) == {"value": 2.5}
    assert member.says(settings, Outlet("h", "numbers", 2), torch.tensor([2.5, 1.0])) == {"values": [2.5, 1.0]}
    member, settings = head(type="token_classification")
    said = member.says(settings, Outlet("h", "words", 2, ("O", "B")), torch.tensor([[1.0, 0.0], [0.0, 3.0]]))
    assert said["labels"] == ["O", "B"] and said["probabilities"][1] == pytest.approx(0.9526, abs=1e-4)
    member, settings = head(type="multiple_choice")
    said = member.says(settings, Outlet("h", "choices", 1), torch.tensor([0.0, 2.0, 1.0]))
    assert said["choice"] == 1 and len(said["probabilities"]) == 3
    member, settings = head(type="reward")
    assert member.says(settings, Outlet("h", "pair", 1), torch.tensor([0.5])) == {"score": 0.5}
