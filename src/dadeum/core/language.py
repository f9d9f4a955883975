"""The two languages of what users read.

Every sentence stands in both languages where it is said: `say("no such file", "그런 파일이 없습니다")`.
"""

import os


def language() -> str:
    """`ko` or `en`: from `DADEUM_LANG`, else from the locale variables; English when neither says."""
    for name in ("DADEUM_LANG", "LC_ALL", "LC_MESSAGES", "LANG"):
        value = os.environ.get(name, "")
        if value:
            return "ko" if value.lower().startswith("ko") else "en"
    return "en"


def say(english: str, korean: str) -> str:
    """Return the sentence in the reader's language."""
    return korean if language() == "ko" else english
