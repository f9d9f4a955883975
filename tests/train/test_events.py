"""A hook that leaves an event out does nothing; a stop says what to do next."""

import inspect
import signal

from dadeum.train.events import Hook, Stop


def test_every_event_may_be_left_out() -> None:
    hook = Hook()
    for name, event in inspect.getmembers(hook, inspect.ismethod):
        if name.startswith("on_"):
            event(*[None] * len(inspect.signature(event).parameters))
    assert hook.state() == {}


def test_a_stop_tells_the_signal_the_step_and_the_way_on() -> None:
    stop = Stop(signal.SIGTERM)
    assert stop.number == signal.SIGTERM
    assert "SIGTERM after step 12" in stop.sentence(12)
    assert "run the same command again" in stop.sentence(12)
    assert "before the first step" in stop.sentence(0)
