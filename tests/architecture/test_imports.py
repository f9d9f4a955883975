"""Imports go down only; what must be light is light."""

import json
import os
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from tests.architecture.tree import FAMILIES, FILES, MEMBERS, ROOT, SOURCE, module_name, shown

BIN = Path(sys.executable).parent
HEAVY = {"torch", "transformers", "datasets", "pandas", "numpy"}
FOR_HELP = HEAVY | {"pydantic", "pydantic_core", "typer", "rich", "ruamel"}
# Runs dadeum as `python -m dadeum` does, and then prints which packages are there.
AS_PROGRAM = """
import json, runpy, sys
sys.argv = ["dadeum", *sys.argv[1:]]
try:
    runpy.run_module("dadeum", run_name="__main__")
except SystemExit as left:
    assert left.code == 0, left.code
print(json.dumps(sorted({name.partition(".")[0] for name in sys.modules})), file=sys.stderr)
"""
AS_MODULES = """
import importlib, json, sys
seen = {}
for name in json.loads(sys.argv[1]):
    importlib.import_module(name)
    for heavy in ("torch", "transformers", "datasets", "pandas", "numpy"):
        if heavy in sys.modules:
            seen.setdefault(heavy, name)
print(json.dumps(seen))
"""
AS_CONFIG = """
import json, sys
from pathlib import Path
from dadeum.config.load import load
from dadeum.config.schema import json_schema
from dadeum.core.errors import ConfigError
root = Path(sys.argv[1])
(root / "a.yaml").write_text(
    "name: x\\nmodel: {name_or_path: m}\\nadapter: lora\\ndata: {sources: [{type: csv, path: a.csv}]}\\n", encoding="utf-8"
)
load(root / "a.yaml", root=root)
json_schema()
try:
    load(root / "a.yaml", ["train.sedd=1"], root=root)
except ConfigError:
    pass
else:
    raise SystemExit("taken")
print(json.dumps(sorted({name.partition(".")[0] for name in sys.modules})))
"""


def python(program: str, *words: str) -> "subprocess.CompletedProcess[str]":
    environment = {**os.environ, "PYTHONIOENCODING": "utf-8"}
    return subprocess.run(
        [sys.executable, "-c", program, *words],
        env=environment,
        capture_output=True,
        text=True,
        encoding="utf-8",
        check=True,
    )


def test_the_layers_hold() -> None:
    done = subprocess.run(
        [str(BIN / "lint-imports"), "--no-cache"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        encoding="utf-8",
        check=False,
    )
    assert done.returncode == 0, done.stdout


def test_every_package_has_its_layer() -> None:
    contract = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["importlinter"][
        "contracts"
    ][0]
    layers = {name.strip() for layer in contract["layers"] for name in layer.split("|")}
    packages = {f"dadeum.{f.parent.name}" for f in SOURCE.glob("*/__init__.py")}
    assert packages == layers


@pytest.mark.parametrize("words", [["--help"], ["--version"], ["--complete", ""]])
def test_help_version_and_completion_import_next_to_nothing(words: list[str]) -> None:
    done = python(AS_PROGRAM, *words)
    assert done.stdout
    assert FOR_HELP & set(json.loads(done.stderr)) == set()


def _seconds(*command: str) -> float:
    """Processor time of a child, the least of three."""
    times = []
    for _ in range(3):
        child = subprocess.Popen([sys.executable, *command], stdout=subprocess.DEVNULL)
        _, status, used = os.wait4(child.pid, 0)
        child.returncode = os.waitstatus_to_exitcode(status)
        assert child.returncode == 0
        times.append(used.ru_utime + used.ru_stime)
    return min(times)


@pytest.mark.parametrize("words", [["--help"], ["--complete", ""]])
def test_they_take_a_moment(words: list[str]) -> None:
    assert _seconds("-m", "dadeum", *words) - _seconds("-c", "pass") <= 0.15


def light() -> list[str]:
    """Modules whose top must be light: core, config, plan, cli, every `__init__`, every member of a family."""
    places = {"core", "config", "plan", "cli"}
    near = [f for f in FILES if f.name == "__init__.py" or f.relative_to(SOURCE).parts[0] in places]
    # A verb's file is imported only when that verb is meant.
    names = [module_name(f) for f in near if f.parent.name != "commands"]
    return sorted({*names, *(f"{package}.{name}" for package, name in MEMBERS)} - {"dadeum.__main__"})


def test_light_modules_import_nothing_heavy() -> None:
    names = light()
    assert len(names) > 60
    assert json.loads(python(AS_MODULES, json.dumps(names)).stdout) == {}


def test_an_experiment_is_read_without_anything_heavy(tmp_path: Path) -> None:
    assert HEAVY & set(json.loads(python(AS_CONFIG, str(tmp_path)).stdout)) == set()


def test_packages_define_contracts_and_re_export_nothing() -> None:
    """A package's `__init__` outside the families holds its docstring only (and the version at the top)."""
    import ast

    from tests.architecture.tree import parsed

    rest = [f for f in FILES if f.name == "__init__.py" and module_name(f) not in FAMILIES and f.parent != SOURCE]
    assert [shown(f) for f in rest if any(isinstance(n, ast.Import | ast.ImportFrom) for n in parsed(f).body)] == []
    assert [shown(f) for f in FILES if ast.get_docstring(parsed(f)) is None] == []
