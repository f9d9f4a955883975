"""From `argv` to one verb: help, version and completion from a static table, everything else imported late."""

import os
import sys
from collections.abc import Sequence

from dadeum.cli.table import FILES_AFTER, RUNS_AFTER, VERBS
from dadeum.core.language import say

BASH = """_dadeum() { local IFS=$'\\n'; COMPREPLY=($(dadeum --complete "${COMP_WORDS[@]:1:COMP_CWORD}")); }
complete -o default -F _dadeum dadeum"""
ZSH = """#compdef dadeum
_dadeum() { compadd -- ${(f)"$(dadeum --complete "${(@)words[2,CURRENT]}")"} || _files; }
compdef _dadeum dadeum"""
FISH = """complete -c dadeum -a '(dadeum --complete (commandline -opc)[2..] (commandline -ct))'"""
SCRIPTS = {"bash": BASH, "zsh": ZSH, "fish": FISH}


def help_text() -> str:
    """What `dadeum --help` prints."""
    rows = [f"  {verb:<12}{say(english, korean)}" for verb, (english, korean, _) in VERBS.items()]
    head = say(
        "dadeum: one YAML says what to do to a language model; dadeum does it and proves what came of it.",
        "dadeum(다듬): YAML 하나로 언어 모델을 다듬고, 그 결과를 수치로 보입니다.",
    )
    usage = say(
        "Usage: dadeum VERB [ARGUMENTS]   (dadeum VERB --help tells more)",
        "사용법: dadeum 동사 [인자]   (자세히: dadeum 동사 --help)",
    )
    start = say(
        "A beginning: dadeum init my-lab && cd my-lab && dadeum run configs/first.yaml",
        "시작하기: dadeum init my-lab && cd my-lab && dadeum run configs/first.yaml",
    )
    return "\n".join([head, "", usage, "", *rows, "", start])


def complete(words: Sequence[str]) -> list[str]:
    """Candidates for the last of `words`."""
    last = words[-1] if words else ""
    if len(words) < 2:
        found = [*VERBS, "--help", "--version"]
    else:
        found = list(VERBS.get(words[0], ("", "", ()))[2]) if len(words) == 2 else []
        if words[0] in FILES_AFTER and os.path.isdir("configs"):
            found += [f"configs/{name}" for name in sorted(os.listdir("configs")) if name.endswith(".yaml")]
        if words[0] in RUNS_AFTER and (words[0] != "runs" or len(words) > 2):
            found += _runs()
        found.append("--help")
    return [word for word in found if word.startswith(last)]


def _runs() -> list[str]:
    """Experiments that have runs, and the runs' ids."""
    found: list[str] = []
    for experiment in sorted(os.listdir("experiments")) if os.path.isdir("experiments") else ():
        folder = os.path.join("experiments", experiment)
        inside = sorted(os.listdir(folder)) if os.path.isdir(folder) else []
        names = [name for name in inside if os.path.isfile(os.path.join(folder, name, "manifest.json"))]
        found += [experiment, *(name for name in names if name[0] != ".")] if names else []
    return found


def _ready_console() -> None:
    """A console that cannot show a character shows a substitute; it never stops the program."""
    for stream in (sys.stdout, sys.stderr):
        reconfigure = getattr(stream, "reconfigure", None)
        if reconfigure is not None:
            reconfigure(errors="replace")


def main(argv: Sequence[str] | None = None) -> None:
    """Entry of the `dadeum` command; leaves by SystemExit."""
    words = list(sys.argv[1:] if argv is None else argv)
    _ready_console()
    if not words or words[0] in ("--help", "-h", "help"):
        print(help_text())
        raise SystemExit(0)
    if words[0] == "--version":
        from dadeum import __version__

        print(f"dadeum {__version__}")
        raise SystemExit(0)
    if words[0] == "--complete":
        print("\n".join(complete(words[1:])))
        raise SystemExit(0)
    if words[0] not in VERBS:
        import difflib

        near = difflib.get_close_matches(words[0], VERBS, n=1)
        hint = (
            say(f"did you mean '{near[0]}'?", f"'{near[0]}'을(를) 뜻하셨나요?")
            if near
            else say("`dadeum --help` lists the verbs", "`dadeum --help`에 동사 목록이 있습니다")
        )
        print(
            say(f"error: unknown verb '{words[0]}'; {hint}", f"오류: '{words[0]}'은(는) 모르는 동사입니다. {hint}"),
            file=sys.stderr,
        )
        raise SystemExit(2)
    from dadeum.cli.dispatch import dispatch

    raise SystemExit(dispatch(words[0], words[1:]))
