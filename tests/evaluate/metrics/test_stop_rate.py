"""Who ended by itself."""

from dadeum.evaluate.metrics import Scored, stop_rate


def test_rows() -> None:
    samples = [Scored("네", stopped=True), Scored("네 네", stopped=False), Scored("네")]
    assert stop_rate.score(stop_rate.Settings(), samples)["stop_rate"].rows == ((1.0, 1.0), (0.0, 1.0), None)
