"""docs/results/data.md: every fault of its table has tests that are there, one of them at least among the quick ones."""

import ast
import re

import pytest

from tests.architecture.test_docs import table, text_of
from tests.architecture.tree import ROOT

PAGE = "docs/results/data.md"
FAULTS = (
    *("A1", "A2", "A3", "A4", "A5", "A8", "A9", "A10", "A11", "A12", "A23", "A24", "A29", "A36", "A37", "A41"),
    *("B14", "B15", "B16", "B17", "C5", "C6", "C24"),
)
TEST = re.compile(r"`(tests/[\w/]+\.py)::(test_\w+)`")
ROWS = {row[0]: row for row in table(text_of(PAGE))}


def test_every_fault_has_its_row_and_no_other() -> None:
    assert list(ROWS) == list(FAULTS)
    assert all(len(row) == 4 and all(row) for row in ROWS.values())


@pytest.mark.parametrize("fault", FAULTS)
def test_its_tests_are_there(fault: str) -> None:
    named = TEST.findall(ROWS[fault][3])
    assert named and TEST.sub("", ROWS[fault][3]).strip() == ""
    quick = 0
    for file, name in named:
        tree = ast.parse((ROOT / file).read_text(encoding="utf-8"))
        (found,) = [node for node in tree.body if isinstance(node, ast.FunctionDef) and node.name == name]
        quick += "slow" not in " ".join(ast.unparse(mark) for mark in found.decorator_list)
    assert quick
