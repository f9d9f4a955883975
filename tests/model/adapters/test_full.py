"""Every weight is trained."""

from dadeum.model.adapters import ADAPTERS, full
from tests.model.tiny import tiny


def test_everything_is_trainable_and_there_is_no_adapter() -> None:
    model = tiny("llama").requires_grad_(False)
    assert full.apply(full.Settings(), model) is model
    assert all(p.requires_grad for p in model.parameters())
    assert not full.mergeable and not full.freezes_base


def test_every_member_keeps_the_contract() -> None:
    for name in ADAPTERS.names:
        member = ADAPTERS.member(name)
        assert isinstance(member.mergeable, bool) and isinstance(member.freezes_base, bool) and callable(member.apply)
        assert member.Settings().type == name
