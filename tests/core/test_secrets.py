"""dadeum.core.secrets: what is one, and that it is taken out."""

import json
from urllib.parse import quote

import pytest

from dadeum.core import secrets
from dadeum.core.secrets import found_in, is_secret, is_secret_variable, learn, redact, redacted

CANARY = "canary-0123456789"
VARIABLES = [
    "HF_TOKEN", "HUGGING_FACE_HUB_TOKEN", "WANDB_API_KEY", "OPENAI_API_KEY", "JUDGE_API_KEY", "AWS_ACCESS_KEY_ID",
    "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "MLFLOW_TRACKING_PASSWORD", "MLFLOW_TRACKING_TOKEN", "GITHUB_TOKEN",
    "DB_PASSWORD", "CLIENT_SECRET", "TOKEN",
]  # fmt: skip


@pytest.fixture(autouse=True)
def forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(secrets, "_learnt", {})


@pytest.mark.parametrize("name", VARIABLES)
def test_values_become_the_name_of_their_variable(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(name, CANARY)
    once = redact(f"url https://user:{CANARY}@host/ and {CANARY}")
    assert once == f"url https://user:<{name}>@host/ and <{name}>"
    assert redact(once) == once


@pytest.mark.parametrize("value", ["", "a", "12345"])
def test_too_short_to_be_looked_for(value: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_TOKEN", value)
    assert redact("use_cls_token a 12345") == "use_cls_token a 12345"


@pytest.mark.parametrize(
    "name",
    [
        "PATH",
        "HOME",
        "PWD",
        "TOKENIZERS_PARALLELISM",
        "HF_TOKEN_PATH",
        "SSH_AUTH_SOCK",
        "BOS_TOKEN",
        "LANG",
        "MODEL_ID",
    ],
)
def test_other_variables_are_no_secrets(name: str) -> None:
    assert not is_secret_variable(name)


@pytest.mark.parametrize(
    "key",
    [
        "api_key",
        "apiKey",
        "hf_token",
        "password",
        "db-password",
        "access_token",
        "client_secret",
        "private_key",
        "Authorization",
    ],
)
def test_keys_that_name_a_secret(key: str) -> None:
    assert is_secret(key)
    assert redacted({"a": [{key: "xyz"}]}) == {"a": [{key: "<redacted>"}]}
    assert "xyzxyz" not in redact(f'{{"{key}": "xyzxyz"}} {key}=xyzxyz')


@pytest.mark.parametrize(
    "key",
    ["use_cls_token", "add_special_tokens", "bos_token", "pad_token_id", "max_new_tokens", "trained_tokens", "tokens", "tokens_per_second",
     "token", "key", "tokenizer", "secretary", "author", "keys", "new_tokens", "eos_token"],
)  # fmt: skip
def test_words_of_models_are_none(key: str) -> None:
    assert not is_secret(key)
    assert redacted({key: "something"}) == {key: "something"} and redact(f"{key}: something") == f"{key}: something"


def test_switches_are_no_secrets() -> None:
    assert redacted({"use_auth_token": True, "api_key": None, "n": 1}) == {
        "use_auth_token": True,
        "api_key": None,
        "n": 1,
    }


@pytest.mark.parametrize(
    "text",
    [
        "http://user:canary-pass@proxy:8080/", "postgresql+psycopg2://me:canary-pass@db/x", "https://canary_pass_0123456789@host/",
        "Authorization: Bearer canary-pass", "hf_canarypassABCDEFGHIJ0123", "sk-canary-pass-0123456789abc",
        "/v1?api_key=canary-pass&x=1",
    ],
)  # fmt: skip
def test_what_looks_like_one_is_taken_out(text: str) -> None:
    said = redact(f"server said: {text} (401)")
    assert "canary" not in said and said.startswith("server said: ") and said.endswith("(401)")
    assert redact(said) == said


@pytest.mark.parametrize(
    "text",
    [
        "git@github.com:a/b",
        "ssh://git@github.com/a",
        "https://huggingface.co/a/b@main",
        "hf_hub_download",
        "제3조: 민법",
        "a: b",
    ],
)
def test_what_does_not_stays(text: str) -> None:
    assert redact(text) == text


def test_passwords_of_proxies_and_of_env_files(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "http://user:canary-proxy@127.0.0.1:9")
    learn({"MY_SECRET": "canary-file", "PLAIN": "word-of-all-days"})
    assert (
        redact("a canary-proxy, a canary-file, a word-of-all-days")
        == "a <HTTPS_PROXY>, a <MY_SECRET>, a word-of-all-days"
    )


def test_other_spellings_of_a_value(monkeypatch: pytest.MonkeyPatch) -> None:
    value = 'can/ary "비밀" 0+1'
    monkeypatch.setenv("HF_TOKEN", value)
    for spelling in (value, quote(value, safe=""), quote(value), value.encode("unicode_escape").decode()):
        assert redact(f"<{spelling}>") == "<<HF_TOKEN>>"
    assert json.loads(json.dumps(redacted({"text": [value, 1]}))) == {"text": ["<HF_TOKEN>", 1]}


def test_what_a_setting_holds(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_TOKEN", CANARY)
    monkeypatch.setenv("DB_PASSWORD", "quick")
    assert found_in(f"{CANARY}/x") == "HF_TOKEN"
    assert found_in("http://a:b@c/") == "URL"
    assert found_in("Write as in http://a:b@c/, please") is None  # prose of a prompt
    assert found_in("quickstart") is None
