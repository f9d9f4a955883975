"""Secrets: the one place that knows what is one, by its name, its value and its looks, and takes it out of what is told.

Whatever dadeum logs, prints, records or sends passes `redact` (a text) or `redacted` (settings). Bytes of models,
tokenizers and data never do. Settings hold no secret: `found_in` finds one that was written into a file after all.
"""

import os
import re
from collections.abc import Iterable, Mapping
from functools import lru_cache
from itertools import pairwise
from typing import Any
from urllib.parse import quote

LEAST = 6  # characters of a value that is looked for; shorter ones stand in too many words
SURE = 12  # characters of a value that cannot be in a setting by chance
HIDDEN = "<redacted>"
_ALONE = {
    "password",
    "passwd",
    "passphrase",
    "secret",
    "secrets",
    "credential",
    "credentials",
    "apikey",
    "authorization",
}
_PAIRS = {(a, "key") for a in ("api", "access", "private", "secret", "auth", "account", "signing")}
# `hf_token` is a secret; `cls_token`, `bos_token` and `max_new_tokens` are words of models.
_OWNERS = {
    *("hf", "hub", "huggingface", "face", "api", "access", "auth", "refresh", "bearer", "session", "security"),
    *(
        "tracking",
        "wandb",
        "mlflow",
        "openai",
        "judge",
        "github",
        "gh",
        "gitlab",
        "bot",
        "personal",
        "private",
        "secret",
    ),
}
_OF_MODELS = {
    *("bos", "eos", "pad", "unk", "cls", "sep", "mask", "special", "stop", "start", "end", "image", "audio", "video"),
    *("new", "max", "min", "num", "per", "additional", "prompt", "chat", "next", "last", "first"),
}
_PLACES = {"path", "file", "dir", "folder", "sock", "socket", "url", "uri", "host", "name"}
_WORD = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+")
_USERINFO = re.compile(r"(?P<scheme>\b[A-Za-z][\w+.-]*://)(?P<info>[^\s/@<>\"']*:[^\s/@<>\"']+|[\w.~%-]{16,})@")
_LOOKS = re.compile(
    r"\b(?:hf_[A-Za-z0-9]{16,}|sk-[\w-]{16,}|gh[pousr]_[A-Za-z0-9]{20,}|github_pat_\w{20,}|glpat-[\w-]{16,}"
    r"|xox[abprs]-[\w-]{10,}|A[KS]IA[A-Z0-9]{16})\b"
)
_HEADER = re.compile(r"\b(?P<kind>[Bb]earer|[Bb]asic)\s+(?!<)[A-Za-z0-9+/=._~-]{8,}")
_PAIR = re.compile(
    r"(?<![\w.-])(?P<key>[\w.-]*(?i:key|token|pass|secret|credential|authorization)[\w.-]*)(?P<is>[\"']?[ \t]*[:=][ \t]*[\"']?)(?P<value>[^\s\"',;&<>()\[\]{}\x80-\U0010ffff]{6,})"
)
_learnt: dict[str, str] = {}


@lru_cache(maxsize=4096)
def _words(name: str) -> tuple[str, ...]:
    return tuple(word.lower() for word in _WORD.findall(name))


@lru_cache(maxsize=4096)
def is_secret(key: str) -> bool:
    """Whether a key of a mapping names a secret: `api_key`, `hf_token`, `password`; not `use_cls_token` or `max_new_tokens`."""
    words = _words(key)
    if not words or words[-1] in _PLACES:
        return False
    pairs = set(pairwise(words))
    owned = any(second == "token" and first in _OWNERS for first, second in pairs)
    return bool(_ALONE & set(words)) or bool(_PAIRS & pairs) or owned


@lru_cache(maxsize=4096)
def is_secret_variable(name: str) -> bool:
    """Whether a variable of the environment names a secret; there, any `…_TOKEN` and any `…_KEY` does."""
    words = _words(name)
    if is_secret(name):
        return True
    ends = bool(words) and words[-1] in ("token", "key", "pass", "pat")
    return ends and not (len(words) > 1 and words[-2] in _OF_MODELS)


def learn(variables: Mapping[str, str]) -> None:
    """Remember the variables of `.env`; which of them are secrets is asked when something is told."""
    _learnt.update({name: value for name, value in variables.items() if value})


def _passwords(value: str) -> Iterable[str]:
    """What stands before the `@` of URLs in a variable such as HTTPS_PROXY."""
    for found in _USERINFO.finditer(value):
        name, _, password = found["info"].partition(":")
        yield password or name


def known() -> dict[str, str]:
    """Every secret value that this process can know: the name of the variable by the value."""
    found: dict[str, str] = {}
    for variables in (_learnt, os.environ):
        for name, value in variables.items():
            if "://" in value:
                for password in _passwords(value):
                    found.setdefault(password, name)
            if is_secret_variable(name):
                found.setdefault(value, name)
                for line in value.splitlines()[1:-1]:  # of a key in PEM, each line
                    found.setdefault(line, name)
    return {value: name for value, name in found.items() if len(value) >= LEAST}


def _spellings(value: str) -> set[str]:
    """The value as texts hold it: plain, in a URL, in JSON."""
    return {value, quote(value, safe=""), quote(value), value.encode("unicode_escape").decode("ascii")}


def redact(text: str) -> str:
    """The text without secrets: known values become the name of their variable, what looks like one `<redacted>`."""
    values = known()
    for value in sorted(values, key=len, reverse=True):
        for spelling in _spellings(value):
            if spelling in text:
                text = text.replace(spelling, f"<{values[value]}>")
    if "://" in text:
        text = _USERINFO.sub(rf"\g<scheme>{HIDDEN}@", text)
    text = _HEADER.sub(rf"\g<kind> {HIDDEN}", _LOOKS.sub(HIDDEN, text))
    return _PAIR.sub(lambda m: f"{m['key']}{m['is']}{HIDDEN}" if is_secret(m["key"]) else m[0], text)


def redacted(value: Any, key: str = "") -> Any:
    """Settings, records, messages: the same value with no secret in any text, whatever it is nested in."""
    if isinstance(value, str):
        return HIDDEN if value and is_secret(key) else redact(value)
    if isinstance(value, Mapping):
        return {name: redacted(item, str(name)) for name, item in value.items()}
    if isinstance(value, list | tuple):
        return [redacted(item, key) for item in value]
    return value


def found_in(text: str) -> str | None:
    """What secret a setting holds: the name of a variable, or `URL` for a password in an address; None for none."""
    for value, name in known().items():
        if len(value) >= SURE and value in text:
            return name
    return "URL" if not re.search(r"\s", text.strip()) and _USERINFO.search(text) else None
