"""Addresses of trackers: whether they are right, and whether anybody answers there. Nothing else of the network is known here."""

import urllib.error
import urllib.request
from urllib.parse import urlsplit

from dadeum.core.errors import ConfigError
from dadeum.core.language import say
from dadeum.core.near import hint, nearest

ANSWER = 5.0  # seconds


def wrong(key: str, address: str, schemes: tuple[str, ...], variables: str) -> str | None:
    """What is wrong with an address, or None. What it holds is not repeated where that may be a password."""
    try:
        parts = urlsplit(address)
        held, host = parts.username is not None or parts.password is not None, parts.hostname
        _ = parts.port
    except ValueError as error:
        return say(f"{key}: no address ({error})", f"{key}: 주소가 아닙니다 ({error})")
    if held:
        return say(
            f"{key}: found a name or password in the address, expected none; put them into {variables}, in the environment or .env",
            f"{key}: 주소에 이름이나 비밀번호가 있습니다. 환경 변수나 .env의 {variables}에 두세요",
        )
    listed = ", ".join(f"{scheme}://" for scheme in schemes)
    if parts.scheme not in schemes:
        near = hint(nearest(parts.scheme, schemes)) if parts.scheme else ""
        return say(
            f"{key}: found '{address}', expected an address that begins with one of {listed}{near}",
            f"{key}: '{address}' 대신 {listed} 가운데 하나로 시작하는 주소를 쓰세요{near}",
        )
    if parts.scheme in ("http", "https") and not host:
        return say(
            f"{key}: found '{address}', expected a host: {parts.scheme}://HOST:PORT",
            f"{key}: '{address}'에 호스트가 없습니다. {parts.scheme}://호스트:포트로 쓰세요",
        )
    return None


def check(key: str, address: str, schemes: tuple[str, ...], variables: str) -> None:
    """Raises ConfigError for what `wrong` finds."""
    fault = wrong(key, address, schemes, variables)
    if fault is not None:
        raise ConfigError(fault)


def silence(address: str) -> str | None:
    """Why nobody can be talked to at an HTTP address, or None: any answer that is no fault of the server is one."""
    try:
        with urllib.request.urlopen(urllib.request.Request(address, method="GET"), timeout=ANSWER):
            return None
    except urllib.error.HTTPError as error:
        return None if error.code < 500 else say(f"answers {error.code}", f"{error.code}(으)로 답합니다")
    except TimeoutError:
        return say(f"no answer within {ANSWER:g} s", f"{ANSWER:g}초 안에 답이 없습니다")
    except OSError as error:  # refused, unknown host, reset; URLError is one too
        reason = getattr(error, "reason", error)
        if isinstance(reason, TimeoutError):
            return say(f"no answer within {ANSWER:g} s", f"{ANSWER:g}초 안에 답이 없습니다")
        return say(f"cannot be reached ({reason})", f"연결할 수 없습니다 ({reason})")
    except ValueError as error:
        return str(error)
    except Exception as error:  # a server that speaks no HTTP
        return f"{type(error).__name__}: {error}"
