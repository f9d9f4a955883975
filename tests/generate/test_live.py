"""An answer in pieces: the same answer, stopped when asked, with errors of the thread in the reader's hands."""

import threading

import pytest

from dadeum.generate.engine import Engine
from tests.generate.support import opened, save_small, user


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Engine:
    return opened(save_small(tmp_path_factory.mktemp("small")))


def test_a_stream_is_the_reply_and_can_be_stopped(engine: Engine) -> None:
    whole = engine.replies([user("질문")], max_new_tokens=30)[0]
    stream = engine.stream(user("질문"), max_new_tokens=30)
    assert "".join(stream) == whole.text
    assert stream.reply is not None and stream.reply.ids == whole.ids
    assert stream.first_token is not None


def test_reading_may_be_stopped(engine: Engine) -> None:
    stopped = engine.stream(user("질문"), max_new_tokens=200)
    while not next(stopped):
        pass
    stopped.close()
    assert stopped.reply is not None
    assert 0 < stopped.reply.new_tokens < 200


def test_an_error_in_the_thread_reaches_the_reader(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engine.model, "forward", lambda *a, **k: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        list(engine.stream(user("hi"), max_new_tokens=3))


def test_nothing_runs_on_after_a_stream_was_dropped(engine: Engine) -> None:
    for action in ("never begun", "begun"):
        stream = engine.stream(user("hi"), max_new_tokens=200)
        if action == "begun":
            next(stream)
        stream.close()
        assert not [t for t in threading.enumerate() if t.name == "dadeum-generate"]
