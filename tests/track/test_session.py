"""What every tracker must be able to take."""

import dataclasses
from pathlib import Path

import pytest

from dadeum.track.session import Session


def test_a_session_tells_what_a_tracker_lacks() -> None:
    empty = Session()
    assert dataclasses.asdict(empty) == {"memory": {}, "fresh": True, "lasting": True}
    for call in (
        lambda: empty.params({}),
        lambda: empty.metrics([]),
        lambda: empty.artifact(Path(), ""),
        lambda: empty.close("finished", {}, 0.0),
    ):
        with pytest.raises(NotImplementedError):
            call()
