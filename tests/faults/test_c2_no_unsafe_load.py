"""C2: no line of the house can unpickle, evaluate text or start a shell; and while models load, nothing unpickles."""

import ast
import json
import subprocess
import sys
from pathlib import Path

import pytest

import dadeum
from tests.model.adapted import folders

SOURCE = Path(dadeum.__file__).parent
MODULES = {"pickle", "_pickle", "cPickle", "dill", "cloudpickle", "joblib", "marshal", "shelve", "jsonpickle", "hickle"}
BUILTINS = {"eval", "exec", "compile", "__import__"}
CALLS = {
    "torch.load", "torch.save", "torch.jit.load", "torch.hub.load", "os.system", "os.popen", "subprocess.getoutput",
    "subprocess.getstatusoutput", "yaml.load", "yaml.unsafe_load", "pandas.read_pickle", "runpy.run_path", "runpy.run_module",
}  # fmt: skip
ACCELERATE = {"save_state", "load_state"}


def dotted(node: ast.expr) -> str:
    if isinstance(node, ast.Attribute):
        return f"{dotted(node.value)}.{node.attr}"
    return node.id if isinstance(node, ast.Name) else ""


def unsafe(tree: ast.AST) -> list[str]:
    """What in this code could run what it reads."""
    found = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found += [alias.name for alias in node.names if alias.name.split(".")[0] in MODULES]
        elif isinstance(node, ast.ImportFrom) and node.module:
            names = [f"{node.module}.{alias.name}" for alias in node.names]
            found += [name for name in names if node.module.split(".")[0] in MODULES or name in CALLS]
        elif isinstance(node, ast.Call):
            name = dotted(node.func)
            if name in BUILTINS | CALLS or name.rsplit(".", 1)[-1] in ACCELERATE:
                found.append(name)
            for keyword in node.keywords:
                off = isinstance(keyword.value, ast.Constant) and keyword.value.value in (False, None)
                if keyword.arg in ("shell", "allow_pickle") and not off:
                    found.append(f"{keyword.arg}=")
                if keyword.arg in ("weights_only", "use_safetensors", "safe_serialization") and off:
                    found.append(f"{keyword.arg}=False")
    return found


BAD = [
    "import pickle", "import pickle as p", "from pickle import loads", "import joblib", "import torch\ntorch.load('x')",
    "from torch import load", "eval('1')", "exec('1')", "subprocess.run('x', shell=True)", "subprocess.run('x', shell=flag)",
    "os.system('x')", "numpy.load('x', allow_pickle=True)", "model.from_pretrained(x, use_safetensors=False)",
    "accelerator.load_state(x)", "import marshal",
]  # fmt: skip


@pytest.mark.parametrize("code", BAD)
def test_the_gate_closes(code: str) -> None:
    assert unsafe(ast.parse(code))


def test_the_gate_opens_for_what_is_harmless() -> None:
    assert not unsafe(ast.parse("model.eval()\nre.compile('x')\nsubprocess.run(['x'], shell=False)\njson.load(f)"))


def test_nothing_unsafe_in_the_source() -> None:
    files = sorted(SOURCE.rglob("*.py"))
    assert len(files) > 40
    found = {
        str(file.relative_to(SOURCE)): what for file in files if (what := unsafe(ast.parse(file.read_text("utf-8"))))
    }
    assert not found


WATCHED = """
import json, sys
from pathlib import Path
def watch(event, arguments):
    if event in ("pickle.find_class", "marshal.load") and sys._getframe(1).f_code.co_filename.find("importlib") < 0:
        raise RuntimeError(f"{event} {arguments}")
from dadeum.model.load import load_for_inference
from dadeum.model.merge import merge
from dadeum.model.save import save_model
sys.addaudithook(watch)
adapter, base, out = map(Path, json.loads(sys.argv[1]))
save_model(load_for_inference(base), out / "whole")
save_model(load_for_inference(adapter, base=base), out / "adapter")
merge(adapter, base, out / "merged")
import pickle, collections
try:
    pickle.loads(pickle.dumps(collections.OrderedDict(a=1)))
except RuntimeError as error:
    print("watched", error)
"""


def test_no_pickle_is_opened_while_models_load_save_and_merge(tmp_path: Path) -> None:
    adapter, base, _ = folders(tmp_path)
    asked = json.dumps([str(adapter), str(base), str(tmp_path / "out")])
    done = subprocess.run(
        [sys.executable, "-c", WATCHED, asked], capture_output=True, text=True, check=False, encoding="utf-8"
    )
    assert done.returncode == 0, done.stderr[-2000:]
    assert "watched pickle.find_class ('collections', 'OrderedDict')" in done.stdout
    assert (tmp_path / "out" / "merged" / "model.safetensors").is_file()
