"""`evaluate.judge`: an address without secrets."""

import pytest
from pydantic import ValidationError

from dadeum.config.judge import JudgeSettings


def made(url: str) -> JudgeSettings:
    return JudgeSettings.model_validate({"base_url": url, "model": "m"})


def test_addresses() -> None:
    assert made("http://127.0.0.1:8000/v1").temperature == 0.0
    assert made("https://judge.example/v1").criteria is None


@pytest.mark.parametrize(
    "url", ["http://user:canary@host/v1", "http://canary@host/v1", "http://host/v1?key=canary", "http://[canary@x"]
)
def test_an_address_that_may_hold_a_secret_is_refused_and_not_shown(url: str) -> None:
    with pytest.raises(ValidationError) as caught:
        made(url)
    assert "canary" not in caught.value.errors()[0]["msg"] and "JUDGE_API_KEY" in caught.value.errors()[0]["msg"]


@pytest.mark.parametrize("url", ["ftp://host/v1", "127.0.0.1:8000", "http://", "judge"])
def test_what_is_no_address(url: str) -> None:
    with pytest.raises(ValidationError, match=r"expected an address such as http://127\.0\.0\.1:8000/v1"):
        made(url)
