"""A judge over a local server: what counts, what is asked again, and what a judge that fails costs (only its own numbers)."""

import json
import threading
from pathlib import Path
from typing import Any

import pytest

from dadeum.config.evaluate import EvaluateSettings
from dadeum.core.errors import MissingExtra
from dadeum.core.progress import Silent
from dadeum.evaluate.judge import FILE, judge, ready
from dadeum.evaluate.result import EvaluationResult
from dadeum.evaluate.step import compare_models
from tests.evaluate.judge_server import Judge, judging
from tests.evaluate.support import settings

ROWS = 8
CANARY = "canary-key-0123456789"


class Heard(Silent):
    def __init__(self) -> None:
        self.warned: list[str] = []

    def warn(self, text: str) -> None:
        self.warned.append(text)


@pytest.fixture(autouse=True)
def no_key(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("JUDGE_API_KEY", "OPENAI_API_KEY"):
        monkeypatch.delenv(name, raising=False)
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.delenv(name, raising=False)


def column(name: str, answers: list[str | None]) -> tuple[str, EvaluationResult]:
    samples = [
        {"question": f"물음 {i}", "reference": f"기준 {i}", "prediction": answer, "statistics": {}, "prompt": ""}
        for i, answer in enumerate(answers)
    ]
    environment = {"template_sha256": "t", "tokenizer_sha256": "k", "questions_sha256": "q"}
    return name, EvaluationResult(name, "d", {}, samples, environment)


BASE = column("base", [f"나쁜 답 {i}" for i in range(ROWS)])
TUNED = column("tuned", [f"좋은 답 {i}" for i in range(ROWS)])


def chosen(server: Judge, **more: Any) -> EvaluateSettings:
    return settings(judge={"base_url": server.url, "model": "j", "timeout": 20.0, "retries": 0, **more})


def good(one: str, two: str) -> str:
    """Chooses the good answer wherever it stands."""
    return 'Because. {"better": "%s"}' % ("1" if "좋은" in one else "2")


def test_what_is_said_of_both_orders_is_a_win(tmp_path: Path) -> None:
    with judging(Judge(good)) as server:
        found = judge([BASE, TUNED], chosen(server), tmp_path, Silent())
    assert found is not None and found["first"] == "base"
    one = found["models"]["tuned"]
    assert (one["n"], one["wins"], one["ties"], one["losses"]) == (ROWS, ROWS, 0, 0)
    assert (one["win_rate"], one["interval"], one["consistent"], one["chose_first"]) == (1.0, [1.0, 1.0], 1.0, 0.5)
    assert len(server.asked) == 2 * ROWS and {a["temperature"] for a in server.asked} == {0.0}
    assert found["signature"].startswith("judge|model:j|prompt:") and len(found["prompt_sha256"]) == 64
    assert server.headers[0]["authorization"] == "Bearer none"


def test_one_that_goes_by_the_place_ties_and_is_found_out(tmp_path: Path) -> None:
    with judging(Judge(lambda one, two: '{"better": "1"}')) as server:
        found = judge([BASE, TUNED], chosen(server), tmp_path, Silent())
    assert found is not None
    one = found["models"]["tuned"]
    assert (one["wins"], one["ties"], one["losses"], one["win_rate"]) == (0, ROWS, 0, 0.5)
    assert (one["consistent"], one["chose_first"]) == (0.0, 1.0)


def test_some_won_some_lost_and_each_further_model_against_the_first(tmp_path: Path) -> None:
    mixed = column("mixed", [f"{'좋은' if i % 4 == 0 else '못난'} 답 {i}" for i in range(ROWS)])

    def say(one: str, two: str) -> str:
        worth = [("좋은" in text) * 2 + ("나쁜" in text) for text in (one, two)]
        return json.dumps({"better": "tie" if worth[0] == worth[1] else str(1 + (worth[1] > worth[0]))})

    with judging(Judge(say)) as server:
        found = judge([BASE, TUNED, mixed], chosen(server), tmp_path, Silent())
    assert found is not None
    one = found["models"]["mixed"]
    assert (one["wins"], one["losses"], one["win_rate"]) == (2, 6, 0.25) and found["models"]["tuned"]["wins"] == ROWS
    assert one["interval"][0] < 0.25 < one["interval"][1] and one["rows"]["0"] == 1.0 and one["rows"]["1"] == 0.0


def test_what_was_answered_is_not_asked_again(tmp_path: Path) -> None:
    with judging(Judge(good)) as server:
        first = judge([BASE, TUNED], chosen(server), tmp_path, Silent())
        lines = (tmp_path / FILE).read_text(encoding="utf-8").splitlines()
        assert len(lines) == 2 * ROWS and json.loads(lines[0])["raw"].startswith("Because")
        # Stopped in the middle of a line: that one is asked again, the others are not.
        (tmp_path / FILE).write_text("\n".join([*lines[:-1], lines[-1][:20]]), encoding="utf-8")
        assert judge([BASE, TUNED], chosen(server), tmp_path, Silent()) == first
        assert len(server.asked) == 2 * ROWS + 1
        judge([BASE, TUNED], chosen(server, criteria="짧을수록 좋다"), tmp_path, Silent())
        assert len(server.asked) == 4 * ROWS + 1  # another question


def test_replies_that_name_nobody_are_counted_and_their_rows_left_out(tmp_path: Path) -> None:
    def say(one: str, two: str) -> str:
        return "둘 다 훌륭합니다" if "답 3" in one + two else good(one, two)

    with judging(Judge(say)) as server:
        found = judge([BASE, TUNED], chosen(server), tmp_path, Silent())
    assert found is not None
    one = found["models"]["tuned"]
    assert (one["n"], one["wins"], one["malformed"]) == (ROWS - 1, ROWS - 1, 2)


def test_nothing_but_nonsense_is_one_warning(tmp_path: Path) -> None:
    heard = Heard()
    with judging(Judge(lambda one, two: "🙂")) as server:
        assert judge([BASE, TUNED], chosen(server), tmp_path, heard) is None
    assert len(heard.warned) == 1 and "none of 16 answers names the better one" in heard.warned[0]


@pytest.mark.parametrize(
    ("server", "told"),
    [
        (Judge(status=500), "500 InternalServerError"),
        (Judge(status=429), "429 RateLimitError"),
        (Judge(status=401), "401 AuthenticationError"),
        (Judge(body=b"<html>"), "questions got no answer"),
        (Judge(body=b'{"choices": []}'), "questions got no answer"),
        (Judge(hangs=threading.Event()), "APITimeoutError"),
    ],
)
def test_a_judge_that_fails_is_one_warning_and_soon_left_alone(server: Judge, told: str, tmp_path: Path) -> None:
    heard = Heard()
    with judging(server):
        more = {"timeout": 0.2 if server.hangs else 20.0, "concurrency": 1}
        assert judge([BASE, TUNED], chosen(server, **more), tmp_path, heard) is None
    assert len(heard.warned) == 1 and told in heard.warned[0] and "16 of 16 questions" in heard.warned[0]
    assert len(server.asked) == 3 and not (tmp_path / FILE).exists()


def test_a_question_that_got_no_answer_is_asked_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("openai._base_client.BaseClient._calculate_retry_timeout", lambda *_: 0.0)
    with judging(Judge(status=500)) as server:
        judge([BASE, TUNED], chosen(server, retries=2, concurrency=1), tmp_path, Heard())
    assert len(server.asked) == 9


def test_a_judge_that_goes_away_leaves_what_it_said(tmp_path: Path) -> None:
    heard, server = Heard(), Judge(good)

    def say(one: str, two: str) -> str:
        server.status = 500 if len(server.asked) >= 10 else 200
        return good(one, two)

    server.say = say
    with judging(server):
        found = judge([BASE, TUNED], chosen(server, concurrency=1), tmp_path, heard)
    assert found is not None and found["models"]["tuned"]["n"] == 5
    assert len(heard.warned) == 1 and "6 of 16 questions got no answer" in heard.warned[0]


def test_the_other_scores_stay(tmp_path: Path) -> None:
    environment = {"targets_sha256": "t", "decoding": {}}
    files = {}
    for name, one in (BASE, TUNED):
        one.environment.update(environment)
        files[name] = one.write(tmp_path / f"{name}.json")
    heard = Heard()
    with judging(Judge(status=500)) as server:
        written = compare_models(files, out=tmp_path / "out", settings=chosen(server), reporter=heard)
    found = json.loads(written[-1].read_text(encoding="utf-8"))
    assert found["judge"] is None and len(heard.warned) == 1
    with judging(Judge(good)) as server:
        compare_models(files, out=tmp_path / "out", settings=chosen(server), reporter=heard)
    found = json.loads(written[-1].read_text(encoding="utf-8"))
    assert found["judge"]["models"]["tuned"]["win_rate"] == 1.0
    for name in ("comparison.md", "comparison.html"):
        assert "Judge j" in (tmp_path / "out" / name).read_text(encoding="utf-8")


def test_the_key_comes_from_the_environment_and_is_kept_nowhere(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "another")
    monkeypatch.setenv("JUDGE_API_KEY", CANARY)
    with judging(Judge(lambda one, two: f'{CANARY} {{"better": "1"}}')) as server:
        found = judge([BASE, TUNED], chosen(server), tmp_path, Silent())
    assert server.headers[0]["authorization"] == f"Bearer {CANARY}"
    assert CANARY not in (tmp_path / FILE).read_text(encoding="utf-8") + json.dumps(found)


def test_at_most_so_many_rows_and_none_without_answers(tmp_path: Path) -> None:
    some = column("some", [None if i % 2 else f"좋은 답 {i}" for i in range(ROWS)])
    with judging(Judge(good)) as server:
        found = judge([BASE, some], chosen(server, max_rows=3), tmp_path, Silent())
        assert found is not None and set(found["models"]["some"]["rows"]) == {"0", "2", "4"}
        nothing = column("nothing", [None] * ROWS)
        assert judge([BASE, nothing], chosen(server), tmp_path, Silent()) is None
    assert judge([BASE, TUNED], settings(), tmp_path / "none", Silent()) is None and not (tmp_path / "none").exists()


def test_without_the_package(monkeypatch: pytest.MonkeyPatch) -> None:
    ready(None)
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    ready(None)
    with pytest.raises(MissingExtra, match=r'pip install "dadeum\[judge\]"'):
        ready(chosen(Judge(url="http://127.0.0.1:1/v1")).judge)
