"""Numbers as people read them."""

from dadeum.core.language import say


def count(value: object) -> str:
    """`12,345`; what is no number as it is."""
    return f"{value:,}" if isinstance(value, int) and not isinstance(value, bool) else str(value)


def score(value: float | None) -> str:
    """Four digits."""
    return "–" if value is None else f"{value:.4g}"


def signed(value: float) -> str:
    """Three digits with a sign that is as wide as a plus."""
    return f"{value:+.3g}".replace("-", "−")


def between(low: float, high: float, *, signs: bool = False) -> str:
    """`[0.1, 0.2]`."""
    each = signed if signs else score
    return f"[{each(low)}, {each(high)}]"


def share(value: float) -> str:
    """`65 %`; small ones with a digit more."""
    percent = 100 * value
    return f"{percent:.0f} %" if percent >= 10 or percent in (0, int(percent)) else f"{percent:.2g} %"


def size(value: float) -> str:
    """Bytes as `1.5 GB`."""
    for unit, name in ((1e9, "GB"), (1e6, "MB"), (1e3, "kB")):
        if value >= unit:
            return f"{value / unit:.1f} {name}"
    return f"{value:.0f} B"


def duration(seconds: float) -> str:
    """`5 min 23 s`."""
    whole = round(seconds)
    hours, minutes, rest = whole // 3600, whole % 3600 // 60, whole % 60
    if hours:
        return say(f"{hours:,} h {minutes} min", f"{hours:,}시간 {minutes}분")
    if minutes:
        return say(f"{minutes} min {rest} s", f"{minutes}분 {rest}초")
    return say(f"{seconds:.1f} s", f"{seconds:.1f}초")


def setting(value: object) -> str:
    """A value of a settings file, as YAML has it."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(map(setting, value)) + "]"
    if isinstance(value, dict):
        rest = {key: one for key, one in value.items() if key != "type"}
        if "type" in value and not rest:
            return str(value["type"])
        return "{" + ", ".join(f"{key}: {setting(one)}" for key, one in value.items()) + "}"
    return f"{value:g}" if isinstance(value, float) else str(value)
