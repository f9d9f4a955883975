"""The source tree as the tests of this folder see it."""

import ast
import importlib
import pkgutil
from functools import cache
from pathlib import Path

from dadeum.core.family import Family

ROOT = Path(__file__).parents[2]
SOURCE = ROOT / "src" / "dadeum"
FILES = sorted(SOURCE.rglob("*.py"))


@cache
def parsed(path: Path) -> ast.Module:
    """The syntax tree of a file."""
    return ast.parse(path.read_text(encoding="utf-8"), filename=str(path))


def shown(path: Path) -> str:
    """A path as messages show it."""
    return path.relative_to(ROOT).as_posix()


def module_name(path: Path) -> str:
    """`src/dadeum/core/lock.py` as `dadeum.core.lock`."""
    parts = path.relative_to(SOURCE.parent).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def families() -> dict[str, Family]:
    """Every family of the tree, by the name of its package."""
    found = {}
    for package in pkgutil.walk_packages([str(SOURCE)], "dadeum."):
        if package.ispkg:
            module = importlib.import_module(package.name)
            for value in vars(module).values():
                if isinstance(value, Family) and value.package == package.name:
                    found[package.name] = value
    return found


FAMILIES = families()
MEMBERS = [(package, name) for package, family in FAMILIES.items() for name in family.names]
