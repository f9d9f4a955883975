"""No compiled code is fetched from the Hub, whoever imports PEFT or bitsandbytes first."""

import subprocess
import sys
from pathlib import Path

PROGRAM = """
import sys
from dadeum.model.adapters import ADAPTERS
ADAPTERS.validate("lora")
import peft.import_utils, bitsandbytes
print(sys.modules["kernels"])
"""


def test_the_package_is_hidden_before_peft_is_imported(tmp_path: Path) -> None:
    """Faults C2: a `kernels` that is installed is never imported, and nobody is told to install it."""
    (tmp_path / "kernels.py").write_text("raise SystemExit('code of the Hub was run')", encoding="utf-8")
    program = f"import sys; sys.path.insert(0, {str(tmp_path)!r}){PROGRAM}"
    found = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert (found.returncode, found.stdout.strip()) == (0, "None"), found.stderr
    assert "kernels" not in found.stderr


def test_here_too() -> None:
    from dadeum.model import load

    assert load and sys.modules["kernels"] is None
