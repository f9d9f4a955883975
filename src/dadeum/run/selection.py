"""Which runs of a list are shown, and in what order: `--where "rougeL>0.3"`, `--sort loss`."""

import re
from collections.abc import Sequence
from fnmatch import fnmatchcase
from typing import Any

from dadeum.core.errors import ConfigError
from dadeum.core.language import say
from dadeum.core.near import hint, nearest
from dadeum.plan.steps import flat
from dadeum.run.ledger import Entry

FILTER = re.compile(r"\s*([\w.\-/]+?)\s*(!=|>=|<=|==|=|>|<)\s*(.*?)\s*")


def value_of(entry: Entry, key: str) -> Any:
    """A fact, a score, or a setting by its dotted name; None where the run has none."""
    return values(entry).get(key)


def values(entry: Entry) -> dict[str, Any]:
    """Everything of a run that can be filtered or sorted by; facts stand before scores, scores before settings."""
    settings = {name[1:]: value for name, value in flat(entry.config, "").items()}
    facts = {k: v for k, v in entry.as_json().items() if k != "scores"}
    return {**settings, **entry.scores, **facts}


def _known(entries: Sequence[Entry], key: str, option: str) -> None:
    """Raises ConfigError where no run has such a thing, with the nearest name."""
    names = {name for entry in entries for name in values(entry)}
    if entries and key not in names:
        near = hint(nearest(key, names))
        raise ConfigError(
            say(
                f"{option}: found '{key}', expected a column, a metric or a setting that a run has{near}",
                f"{option}: '{key}'은(는) 어느 실행에도 없는 이름입니다. 열, 지표, 설정 이름을 쓰세요{near}",
            )
        )


def chosen(entries: Sequence[Entry], filters: Sequence[str]) -> list[Entry]:
    """The runs for which every filter holds. Raises ConfigError for one that is none, or names nothing."""
    found = list(entries)
    for text in filters:
        parsed = FILTER.fullmatch(text)
        if parsed is None:
            raise ConfigError(
                say(
                    f"--where: found '{text}', expected KEY=VALUE, or !=, <, <=, >, >= (such as rougeL>0.3)",
                    f"--where: '{text}' 대신 키=값을 쓰거나 !=, <, <=, >, >=를 쓰세요 (예: rougeL>0.3)",
                )
            )
        key, sign, wanted = parsed.groups()
        _known(entries, key, "--where")
        found = [entry for entry in found if _holds(value_of(entry, key), sign, wanted)]
    return found


def _as_number(value: Any) -> float | None:
    try:
        return None if isinstance(value, bool) else float(value)
    except (TypeError, ValueError):
        return None


def _text(value: Any) -> str:
    return (
        {None: "null", True: "true", False: "false"}[value] if value is None or isinstance(value, bool) else str(value)
    )


def _holds(value: Any, sign: str, wanted: str) -> bool:
    if sign in ("=", "==", "!="):
        left, right = _as_number(value), _as_number(wanted)
        same = left == right if left is not None and right is not None else fnmatchcase(_text(value), wanted)
        return same != (sign == "!=")
    if value is None:
        return False
    left, right = _as_number(value), _as_number(wanted)
    if left is None or right is None:  # times as text sort as times
        return bool(_order(str(value), sign, wanted))
    return bool(_order(left, sign, right))


def _order(left: Any, sign: str, right: Any) -> bool:
    return bool({">": left > right, "<": left < right, ">=": left >= right, "<=": left <= right}[sign])


def ordered(entries: Sequence[Entry], key: str | None, *, reverse: bool = False) -> list[Entry]:
    """By a key, least first, runs without it last; without a key by time, newest last."""
    if key is None:
        return list(reversed(entries)) if reverse else list(entries)
    _known(entries, key, "--sort")
    have = [entry for entry in entries if value_of(entry, key) is not None]
    numbers = all(_as_number(value_of(entry, key)) is not None for entry in have)

    def rank(entry: Entry) -> Any:
        value = value_of(entry, key)
        return _as_number(value) if numbers else _text(value)

    return sorted(have, key=rank, reverse=reverse) + [entry for entry in entries if value_of(entry, key) is None]
