"""Nothing that is loaded is executed (C2), and no file depends on the machine's encoding (B15)."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.architecture.tree import FILES, ROOT, parsed, shown

EVERYWHERE = [*FILES, *sorted((ROOT / "scripts").glob("*.py")), *sorted((ROOT / "benchmarks").glob("*.py"))]
MODULES = {"pickle", "cPickle", "dill", "cloudpickle", "joblib", "marshal", "shelve"}
CALLS = {
    "eval", "exec", "compile", "__import__", "os.system", "os.popen", "torch.load", "torch.save", "yaml.load", "yaml.unsafe_load",
    "pickle.load", "pickle.loads", "numpy.load", "np.load", "pd.read_pickle", "tempfile.mktemp", "input.__globals__",
}  # fmt: skip
SUBPROCESS = {"run", "Popen", "call", "check_call", "check_output"}
TEXT = {"read_text", "write_text"}
MODES = {"r", "w", "a", "x", "r+", "w+", "a+", "rt", "wt"}
# Opens no text, or (ours, in core.artifact) always writes UTF-8.
NOT_TEXT = {"os.open", "webbrowser.open", "tarfile.open", "zipfile.open", "write_text", "artifact.write_text"}


def name_of(node: ast.AST) -> str:
    """`a.b.c` of a chain of names, or the last attribute behind a `.` of anything else."""
    if isinstance(node, ast.Name):
        return node.id
    if isinstance(node, ast.Attribute):
        return f"{name_of(node.value)}.{node.attr}"
    return ""


def keyword(call: ast.Call, name: str) -> ast.expr | None:
    return next((k.value for k in call.keywords if k.arg == name), None)


def constant(node: ast.expr | None) -> object:
    return node.value if isinstance(node, ast.Constant) else None


def _open_fault(call: ast.Call, builtin: bool) -> bool:
    given = call.args[1:] if builtin else call.args
    mode = constant(keyword(call, "mode") or (given[0] if given else None))
    return "b" not in str(mode or "r") and keyword(call, "encoding") is None


def encoding_faults(tree: ast.Module) -> Iterator[tuple[int, str]]:
    """Calls that read or write text in an encoding that nobody named."""
    for call in (n for n in ast.walk(tree) if isinstance(n, ast.Call)):
        name, last = name_of(call.func), name_of(call.func).rpartition(".")[2]
        if name in NOT_TEXT:
            continue
        if name == "open" and _open_fault(call, True):
            yield call.lineno, name
        # `Thing.open(path)` of ours takes no mode; a file is opened as `path.open()` or `path.open("w")`.
        first = constant(call.args[0]) if call.args else "r"
        if isinstance(call.func, ast.Attribute) and last == "open" and first in MODES and _open_fault(call, False):
            yield call.lineno, name
        if last in TEXT and keyword(call, "encoding") is None and not any(k.arg is None for k in call.keywords):
            yield call.lineno, name
        text = keyword(call, "text") or keyword(call, "universal_newlines")
        if (
            name.startswith("subprocess.")
            and last in SUBPROCESS
            and constant(text) is True
            and keyword(call, "encoding") is None
        ):
            yield call.lineno, name
        if (
            name in ("logging.FileHandler", "tempfile.NamedTemporaryFile", "io.TextIOWrapper")
            and keyword(call, "encoding") is None
        ) and (name != "tempfile.NamedTemporaryFile" or "b" not in str(constant(keyword(call, "mode")) or "w+b")):
            yield call.lineno, name


def danger(tree: ast.Module) -> Iterator[tuple[int, str]]:
    """Whatever executes what it reads, or goes through a shell."""
    asked = [
        n
        for n in ast.walk(tree)
        if isinstance(n, ast.If) and "trust" in ast.unparse(n.test) and "not" not in ast.unparse(n.test)
    ]
    allowed = {id(inner) for branch in asked for line in branch.body for inner in ast.walk(line)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Import | ast.ImportFrom):
            names = [a.name for a in node.names] if isinstance(node, ast.Import) else [node.module or ""]
            yield from ((node.lineno, name) for name in names if name.partition(".")[0] in MODULES)
            if isinstance(node, ast.ImportFrom):
                yield from (
                    (node.lineno, f"{node.module}.{a.name}") for a in node.names if f"{node.module}.{a.name}" in CALLS
                )
        if isinstance(node, ast.Call):
            if name_of(node.func) in CALLS:
                yield node.lineno, name_of(node.func)
            if constant(keyword(node, "shell")) not in (None, False):
                yield node.lineno, "shell=True"
            if constant(keyword(node, "weights_only")) is False:
                yield node.lineno, "weights_only=False"
            if constant(keyword(node, "trust_remote_code")) is True and id(node) not in allowed:
                yield node.lineno, "trust_remote_code=True"
            if name_of(node.func).endswith("YAML") and constant(keyword(node, "typ")) != "safe":
                yield node.lineno, "YAML without typ='safe'"


@pytest.mark.parametrize("file", EVERYWHERE, ids=shown)
def test_text_is_utf8_everywhere(file: Path) -> None:
    assert list(encoding_faults(parsed(file))) == []


@pytest.mark.parametrize("file", EVERYWHERE, ids=shown)
def test_nothing_executes_what_it_reads(file: Path) -> None:
    assert list(danger(parsed(file))) == []


@pytest.mark.parametrize(
    "code",
    [
        "open(p)", "open(p, 'w')", "open(p, mode='a')", "p.open()", "p.open('w')", "p.open('r', newline='')", "p.read_text()", "p.write_text('x')",
        "subprocess.run(c, text=True)", "subprocess.Popen(c, universal_newlines=True)", "logging.FileHandler(p)", "io.TextIOWrapper(b)",
        "tempfile.NamedTemporaryFile('w', mode='w')",
    ],
)  # fmt: skip
def test_the_lint_sees_encodings_that_are_left_out(code: str) -> None:
    assert list(encoding_faults(ast.parse(code)))


@pytest.mark.parametrize(
    "code",
    ["open(p, 'rb')", "open(p, encoding='utf-8')", "p.open('wb')", "p.open('w', encoding='utf-8')", "Samples.open(p)", "os.open(p, 0)", "p.read_bytes()", "subprocess.run(c)", "subprocess.run(c, text=True, encoding='utf-8')"],
)  # fmt: skip
def test_the_lint_leaves_what_is_right(code: str) -> None:
    assert not list(encoding_faults(ast.parse(code)))


@pytest.mark.parametrize(
    "code",
    [
        "import pickle", "from pickle import loads", "import dill as d", "eval(x)", "exec(x)", "torch.load(p)", "torch.save(x, p)", "from torch import load",
        "subprocess.run(c, shell=True)", "os.system(c)", "yaml.load(t)", "YAML().load(t)", "ruamel.yaml.YAML(typ='unsafe')", "f(trust_remote_code=True)",
        "np.load(p)", "g(weights_only=False)",
        "if not trusted:\n    f(trust_remote_code=True)", "if trusted:\n    pass\nelse:\n    f(trust_remote_code=True)",
    ],
)  # fmt: skip
def test_the_lint_sees_danger(code: str) -> None:
    assert list(danger(ast.parse(code)))


def test_the_lint_leaves_what_is_harmless() -> None:
    code = "model.eval()\nre.compile(x)\nsafetensors.torch.save_file(a, b)\nYAML(typ='safe', pure=True).load(t)\nsubprocess.run(['a'], shell=False)\nif trusted:\n    f(trust_remote_code=True)"
    assert not list(danger(ast.parse(code)))
