"""`dadeum doctor`: is this machine ready?"""

import importlib.metadata
import os
import platform
import shutil
import subprocess
import sys
from pathlib import Path

import typer

from dadeum.cli.dispatch import verb
from dadeum.core.language import say

app = verb()
GIB = 1024**3


def _nvidia() -> str:
    """Names of the NVIDIA GPUs that the driver shows; empty where there is none."""
    program = shutil.which("nvidia-smi")
    if program is None:
        return ""
    try:
        done = subprocess.run(
            [program, "--query-gpu=name,memory.total", "--format=csv,noheader"],
            capture_output=True,
            text=True,
            encoding="utf-8",
            timeout=10,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return "; ".join(done.stdout.strip().splitlines()) if done.returncode == 0 else ""


def _torch(gpu: str) -> tuple[bool, str]:
    import torch

    build = f"torch {torch.__version__}"
    if torch.cuda.is_available():
        return True, f"{build}, {torch.cuda.get_device_name(0)}"
    if gpu:
        return False, say(
            f"{build} cannot use the GPU ({gpu}): this build is for {'CPU' if torch.version.cuda is None else 'CUDA ' + torch.version.cuda}; install a CUDA build that fits the driver",
            f"{build}: GPU({gpu})를 쓸 수 없는 빌드입니다. 드라이버에 맞는 CUDA 빌드를 설치하세요",
        )
    return True, build + say(", CPU only (no GPU found)", ", CPU 전용 (GPU 없음)")


def _memory() -> tuple[bool, str]:
    import psutil  # type: ignore[import-untyped]

    free = psutil.virtual_memory().available
    return free > 2 * GIB, f"{free / GIB:.1f} GiB" + say(" free", " 사용 가능")


def _libraries() -> list[tuple[str, bool, str]]:
    """What decides results, and whatever is older than dadeum takes: some of those versions have known holes."""
    from packaging.requirements import Requirement

    rows = []
    for need in map(Requirement, importlib.metadata.requires("dadeum") or []):
        if need.marker is not None or not _installed(need.name):
            continue
        found = importlib.metadata.version(need.name)
        fits = need.specifier.contains(found, prereleases=True)
        wish = f"{need.name}{need.specifier}"
        told = say(f'{found}, expected {need.specifier}: pip install "{wish}"', f'{found}: pip install "{wish}"')
        if not fits or need.name in ("transformers", "peft", "accelerate", "datasets"):
            rows.append((need.name, fits, found if fits else told))
    return rows


def _extras() -> list[tuple[str, bool, str]]:
    """The extras of dadeum, each with the command that installs what is missing."""
    from packaging.requirements import Requirement

    missing: dict[str, list[str]] = {}
    for text in importlib.metadata.requires("dadeum") or []:
        need = Requirement(text)
        for extra in importlib.metadata.metadata("dadeum").get_all("Provides-Extra") or []:
            if (
                need.marker is not None
                and need.marker.evaluate({"extra": extra})
                and not need.marker.evaluate({"extra": ""})
            ):
                missing.setdefault(extra, [])
                if not _installed(need.name):
                    missing[extra].append(need.name)
    rows = []
    for extra, absent in missing.items():
        how = f'pip install "dadeum[{extra}]"'
        text = (
            say(f"not installed ({', '.join(absent)}): {how}", f"설치 안 됨 ({', '.join(absent)}): {how}")
            if absent
            else say("installed", "설치됨")
        )
        rows.append((say(f"extra: {extra}", f"추가: {extra}"), True, text))
    return rows


def _secrets_file(path: Path) -> list[tuple[str, bool | None, str]]:
    """Whether others on this machine can read the secrets; no reason to stop, so None and not False."""
    if not path.is_file():
        return []
    mode = path.stat().st_mode & 0o777
    told = say(
        f"mode {mode:o}: others can read your secrets: chmod 600 .env",
        f"권한 {mode:o}: 다른 사용자가 읽을 수 있습니다: chmod 600 .env",
    )
    return [
        (
            ".env",
            True if not mode & 0o077 else None,
            say("only yours", "나만 읽을 수 있음") if not mode & 0o077 else told,
        )
    ]


def _installed(name: str) -> bool:
    try:
        importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return False
    return True


@app.command(
    help=say(
        "Check Python, torch and the GPU, memory, disk, extras and tokens.",
        "파이썬, torch와 GPU, 메모리, 디스크, 추가 패키지, 토큰을 점검합니다.",
    )
)
def doctor() -> None:
    """One line a check; exit code 1 when one of them fails."""
    checks: list[tuple[str, bool | None, str]] = []
    version = platform.python_version()
    checks.append(
        (
            "Python",
            sys.version_info >= (3, 11),
            version
            if sys.version_info >= (3, 11)
            else say(f"{version}, expected 3.11 or newer", f"{version} (3.11 이상 필요)"),
        )
    )
    gpu = _nvidia()
    checks.append(("torch", *_torch(gpu)))
    checks.extend(_libraries())
    checks.append((say("memory", "메모리"), *_memory()))
    free = shutil.disk_usage(Path.cwd()).free
    checks.append((say("disk here", "디스크"), free > 5 * GIB, f"{free / GIB:.1f} GiB" + say(" free", " 사용 가능")))
    checks.extend(_extras())
    from dadeum.config.load import read_environment

    read_environment(Path.cwd())
    token = bool(os.environ.get("HF_TOKEN"))
    checks.append(
        (
            "HF_TOKEN",
            True,
            say("present", "있음")
            if token
            else say("absent (needed only for gated models)", "없음 (승인이 필요한 모델에만 필요)"),
        )
    )
    checks.extend(_secrets_file(Path.cwd() / ".env"))
    for name, good, text in checks:
        print(f" {'!' if good is None else '✓' if good else '✗'} {name:<24}{text}")
    if any(good is False for _, good, _ in checks):
        raise typer.Exit(1)
