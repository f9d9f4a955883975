"""Small files, small functions, a test beside each module."""

import ast

import pytest

from tests.architecture.tree import FILES, ROOT, SOURCE, module_name, parsed, shown

MOST_LINES, MOST_IN_FUNCTION = 400, 80
DRAWERS = {"utils", "util", "helpers", "helper", "common", "misc", "tools", "shared", "base"}
# Modules whose test has another name, and which: what they do shows only in a whole training, an evaluation, a fault.
TESTED_ELSEWHERE: dict[str, str] = {
    "src/dadeum/evaluate/encoder.py": "tests/evaluate/metrics/test_bertscore.py",
    "src/dadeum/evaluate/overlap.py": "tests/evaluate/metrics/test_rouge.py",
    "src/dadeum/evaluate/result.py": "tests/evaluate/test_compare.py",
    "src/dadeum/generate/likelihood.py": "tests/faults/test_b8_logits_kept.py",
    "src/dadeum/generate/place.py": "tests/generate/test_engine.py",
    "src/dadeum/model/configuration.py": "tests/model/test_load.py",
    "src/dadeum/model/layout.py": "tests/model/test_attention.py",
    "src/dadeum/train/job.py": "tests/faults/test_b5_other_conditions.py",
    "src/dadeum/train/processes.py": "tests/faults/test_a19_no_gradient.py",
    "src/dadeum/train/smoke.py": "tests/faults/test_a1_it_stops.py",
    "src/dadeum/train/weights.py": "tests/train/test_loop.py",
    "src/dadeum/train/hooks/guard.py": "tests/faults/test_b6_not_finite.py",
    "src/dadeum/train/hooks/signals.py": "tests/faults/test_b12_signals.py",
    "src/dadeum/train/hooks/statistics.py": "tests/faults/test_a39_poisoned_result.py",
}


def test_files_are_short() -> None:
    long = {shown(f): n for f in FILES if (n := len(f.read_text(encoding="utf-8").splitlines())) > MOST_LINES}
    assert long == {}


def test_functions_are_short() -> None:
    long = {}
    for file in FILES:
        for node in ast.walk(parsed(file)):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                lines = (node.end_lineno or node.lineno) - node.lineno + 1
                if lines > MOST_IN_FUNCTION:
                    long[f"{shown(file)}:{node.lineno} {node.name}"] = lines
    assert long == {}


def test_there_are_no_drawers() -> None:
    assert [shown(f) for f in FILES if f.stem.strip("_") in DRAWERS or f.parent.name in DRAWERS] == []


def _has_code(file: ast.Module) -> bool:
    return any(isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) for node in ast.walk(file))


def test_tests_mirror_the_source() -> None:
    missing = []
    for file in FILES:
        if file.name == "__init__.py" or not _has_code(parsed(file)):
            continue
        place = file.relative_to(SOURCE)
        test = ROOT / "tests" / place.parent / f"test_{file.stem.lstrip('_')}.py"
        together = test.with_name(f"test_{file.parent.name}.py")  # all members of a family at once
        if not test.is_file() and not together.is_file() and shown(file) not in TESTED_ELSEWHERE:
            missing.append(f"{shown(file)} wants {shown(test)}")
    assert missing == []


@pytest.mark.parametrize(("source", "test"), TESTED_ELSEWHERE.items())
def test_what_is_tested_elsewhere_is_imported_there(source: str, test: str) -> None:
    module = module_name(ROOT / source)
    package, _, name = module.rpartition(".")
    imports = [node for node in ast.walk(parsed(ROOT / test)) if isinstance(node, ast.ImportFrom)]
    assert any(i.module == module or (i.module == package and name in {a.name for a in i.names}) for i in imports)


def test_every_test_of_the_mirror_has_its_module() -> None:
    """A test whose module was renamed or removed is found."""
    free = {
        "architecture",
        "assets",
        "benchmarks",
        "configs",
        "faults",
        "golden",
        "browser",
        "run",
        "scripts",
    }  # `run` also tests whole runs
    stray = []
    for test in sorted((ROOT / "tests").rglob("test_*.py")):
        place = test.relative_to(ROOT / "tests")
        if place.parts[0] in free:
            continue
        stem = test.stem.removeprefix("test_")
        folder = SOURCE / place.parent
        modules = [f.stem.lstrip("_") for f in folder.glob("*.py")] if folder.is_dir() else []
        modules.append(folder.name)  # test_formats.py of formats/: all members at once
        # test_render_fuzz.py stands beside test_render.py and belongs to render.py.
        if not any(stem == module or stem.startswith(f"{module}_") for module in modules):
            stray.append(shown(test))
    assert stray == []
