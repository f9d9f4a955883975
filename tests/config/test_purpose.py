"""What a purpose says of its rows."""

from dadeum.config.purpose import PRETRAIN, SFT, Purpose


def test_which_rows_are_conversations() -> None:
    assert SFT.talks and not SFT.pretrain
    assert PRETRAIN.pretrain and not PRETRAIN.talks
    assert Purpose("dpo", "pair").talks and Purpose("kto", "rated").talks
    assert not Purpose("head", "labels").talks
