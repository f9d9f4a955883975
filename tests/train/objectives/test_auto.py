"""`auto` is `sft` where nobody put another in its place."""

from dadeum.train.objectives import OBJECTIVES


def test_it_is_sft() -> None:
    auto, sft = OBJECTIVES.member("auto"), OBJECTIVES.member("sft")
    for name in ("takes", "needs", "collate", "weigh", "compute"):
        assert getattr(auto, name) is getattr(sft, name)
