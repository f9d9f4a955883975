"""dadeum.core.faults: killed for real, where it is said and when."""

import signal
import subprocess
import sys

import pytest

from dadeum.core import faults

PROGRAM = """
from dadeum.core import faults
for i in range(4):
    print(i, flush=True)
    faults.point("a")
    faults.point("b")
"""


@pytest.mark.parametrize(("wanted", "printed"), [("a", "0"), ("b:3", "0 1 2")])
def test_killed_at_the_named_point(wanted: str, printed: str) -> None:
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM],
        env={"DADEUM_FAULT_POINT": wanted},
        capture_output=True,
        text=True,
        encoding="utf-8",
        check=False,
    )
    assert done.returncode == -signal.SIGKILL
    assert done.stdout.split() == printed.split()


@pytest.mark.parametrize("wanted", ["", "c", "aa", "a:0"])
def test_other_points_do_nothing(wanted: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DADEUM_FAULT_POINT", wanted)
    faults.point("a")
