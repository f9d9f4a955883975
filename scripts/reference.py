"""Make docs/reference/ from the settings and the commands, in both languages; `--check` fails when it is stale."""

import contextlib
import io
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from pydantic import BaseModel

ROOT = Path(__file__).parents[1]
LANGUAGES = {"en": "", "ko": ".ko"}


def rows(model: type[BaseModel], prefix: str) -> Iterator[tuple[str, str, str, str]]:
    """Key, type, default and description of each setting, sections and members in place."""
    from dadeum.config.problems import _flatten
    from dadeum.core.family import MemberOf
    from dadeum.core.language import language
    from dadeum.core.settings import MemberSettings

    for name, field in model.model_fields.items():
        if name == "type" and issubclass(model, MemberSettings):
            continue
        key = f"{prefix}{name}"
        extra = field.json_schema_extra if isinstance(field.json_schema_extra, dict) else {}
        text = str(extra.get("ko")) if language() == "ko" else str(field.description)
        parts = list(_flatten((field.annotation, *field.metadata)))
        family = next((p.family for p in parts if isinstance(p, MemberOf)), None)
        section = next((p for p in parts if isinstance(p, type) and issubclass(p, BaseModel) and family is None), None)
        default = "" if field.is_required() else _default(field.default)
        yield key, family.package.rsplit(".", 1)[1] if family else _kind(field.annotation), default, text
        if family is not None:
            for member in family.names:
                yield from rows(family.settings(member), f"{key}[{member}].")
        elif section is not None:
            yield from rows(section, f"{key}.")


def _default(value: Any) -> str:
    if isinstance(value, BaseModel) or value == {}:
        return "{}"
    if isinstance(value, tuple):
        return "[" + ", ".join(map(str, value)) + "]"
    return (
        {None: "null", True: "true", False: "false"}.get(value, str(value))
        if isinstance(value, bool | None)
        else str(value)
    )


def _kind(annotation: Any) -> str:
    """The type in words of YAML."""
    parts = get_args(annotation)
    origin = get_origin(annotation)
    if origin is Annotated:
        return _kind(parts[0])
    if origin is Literal:
        return " \\| ".join(str(part) for part in parts)
    if origin in (Union, UnionType):
        return " \\| ".join(_kind(part) for part in parts)
    if origin is tuple:
        return say_list(_kind(parts[0]))
    if origin is dict or (isinstance(annotation, type) and issubclass(annotation, BaseModel)):
        return "mapping"
    names = {str: "text", int: "integer", float: "number", bool: "true \\| false", NoneType: "null"}
    return names.get(annotation, str(annotation))


def say_list(item: str) -> str:
    """A list of something."""
    return f"list of {item}"


def settings_page() -> str:
    """All settings as a table."""
    from dadeum.config.aliases import OLD_NAMES
    from dadeum.config.experiment import Experiment
    from dadeum.core.language import say

    lines = [
        say("# Settings of an experiment", "# 실험 파일의 설정"),
        "",
        say("Generated from the settings classes by `make docs`.", "`make docs`가 설정 클래스에서 만듭니다."),
        "",
    ]
    lines += [say("| key | type | default | meaning |", "| 키 | 형 | 기본값 | 뜻 |"), "| --- | --- | --- | --- |"]
    lines += [f"| `{key}` | {kind} | {default} | {text} |" for key, kind, default, text in rows(Experiment, "")]
    lines += [
        "",
        say("## Other names", "## 다른 이름"),
        "",
        say("| taken | meant |", "| 적은 이름 | 뜻하는 이름 |"),
        "| --- | --- |",
    ]
    lines += [f"| `{old}` | `{new}` |" for old, new in OLD_NAMES.items()]
    return "\n".join(lines) + "\n"


def metrics_page() -> str:
    """Every key that a metric makes, with its direction and unit."""
    from dadeum.core.language import say
    from dadeum.evaluate.metrics import METRICS, arrow

    of = {
        "answer": say("generated answers", "생성한 답"),
        "loss": say("the likelihood of the references", "기준 답의 가능도"),
        "labels": say("what a head says", "헤드가 말한 것"),
    }
    lines = [
        say("# Metrics", "# 지표"),
        "",
        say(
            "Generated from the metrics by `make docs`; `dadeum eval --self-test` shows each at work. "
            "↑ higher is better, ↓ lower, · neither. Floor: the value of answers paired with other rows' references stands beside it.",
            "`make docs`가 지표에서 만듭니다. `dadeum eval --self-test`로 하나씩 볼 수 있습니다. "
            "↑ 높을수록 나음, ↓ 낮을수록 나음, · 방향 없음. 바닥: 답을 다른 행의 기준 답과 짝지은 값을 옆에 보입니다.",
        ),
        "",
        say(
            "| metric | key | better | unit | of | floor | meaning |",
            "| 지표 | 키 | 방향 | 단위 | 재는 것 | 바닥 | 뜻 |",
        ),
        "| --- | --- | --- | --- | --- | --- | --- |",
    ]
    for name in METRICS.names:
        member = METRICS.member(name)
        for key, meaning in member.keys.items():
            floor = say("yes", "예") if member.floored else ""
            way, unit = arrow(member.higher_is_better), member.unit
            lines.append(f"| `{name}` | `{key}` | {way} | {unit} | {of[member.needs]} | {floor} | {say(*meaning)} |")
    return "\n".join(lines) + "\n"


def commands_page() -> str:
    """The help of every verb, as it is printed."""
    from dadeum.cli.app import help_text
    from dadeum.cli.dispatch import dispatch
    from dadeum.cli.table import VERBS
    from dadeum.core.language import say

    lines = [
        say("# Commands", "# 명령"),
        "",
        say("Generated from the help texts by `make docs`.", "`make docs`가 도움말에서 만듭니다."),
        "",
        "```",
        help_text(),
        "```",
    ]
    for verb, (_, _, words) in VERBS.items():
        for extra in [[], *([[w] for w in words] if verb in ("data", "export", "runs", "track") else [])]:
            out = io.StringIO()
            with contextlib.redirect_stdout(out):
                dispatch(verb, [*extra, "--help"])
            lines += ["", f"## dadeum {' '.join([verb, *extra])}", "", "```", out.getvalue().strip(), "```"]
    return "\n".join(line.rstrip() for line in "\n".join(lines).splitlines()) + "\n"


def schema_page() -> str:
    """The JSON Schema that editors use."""
    import json

    from dadeum.config.schema import json_schema

    return json.dumps(json_schema(), ensure_ascii=False, indent=1) + "\n"


PAGES = {"settings": settings_page, "commands": commands_page, "metrics": metrics_page, "schema": schema_page}


def targets() -> Iterator[tuple[str, str, Path]]:
    """Page, language and file of everything that is generated."""
    for language, suffix in LANGUAGES.items():
        for page in ("settings", "commands", "metrics"):
            yield page, language, ROOT / "docs" / "reference" / f"{page}{suffix}.md"
    yield "schema", "en", ROOT / "configs" / "schema.json"


def made(page: str, language: str) -> str:
    """A page, made in a process of its own: the language of help texts is settled when they are imported."""
    environment = {
        **os.environ,
        "DADEUM_LANG": language,
        "COLUMNS": "100",
        "TERM": "dumb",
        "PYTHONIOENCODING": "utf-8",
    }
    command = [sys.executable, __file__, "--page", page]
    return subprocess.run(command, env=environment, capture_output=True, text=True, encoding="utf-8", check=True).stdout


def main() -> None:
    """Write the pages, or with `--check` compare them; `--page NAME` prints one in the language of DADEUM_LANG."""
    if "--page" in sys.argv:
        sys.stdout.write(PAGES[sys.argv[-1]]())
        return
    stale = []
    for page, language, path in targets():
        text = made(page, language)
        if "--check" not in sys.argv:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8", newline="\n")
        elif not path.is_file() or path.read_text(encoding="utf-8") != text:
            stale.append(path.relative_to(ROOT).as_posix())
    if stale:
        raise SystemExit(f"stale: {', '.join(stale)}; run `make docs`")


if __name__ == "__main__":
    main()
