"""The model's own output layer asks nothing of labels."""

from dadeum.model.heads import HEADS


def test_it_gives_tokens_and_has_no_targets() -> None:
    head = HEADS.member("causal_lm")
    assert (head.takes, head.gives, head.objective) == ("messages", "tokens", "sft")
    assert head.targets(HEADS.validate("causal_lm")) == ()
