"""Weights & Biases: its server with WANDB_API_KEY (environment or `.env`), without a key files for `wandb sync`."""

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

from dadeum.core.errors import ConfigError
from dadeum.core.language import say
from dadeum.core.settings import MemberSettings, setting
from dadeum.track.addresses import check as check_address
from dadeum.track.session import Point, Session, Status, Told

EXTRA, PACKAGE = "wandb", "wandb"
FOLDER = "wandb"
SERVER = "https://api.wandb.ai"


class Settings(MemberSettings):
    """Where the runs of this experiment are kept; a server of one's own by WANDB_BASE_URL."""

    type: Literal["wandb"] = "wandb"
    project: str | None = setting(
        None,
        "Its project; by default of the experiment's name.",
        "그쪽 프로젝트. 기본값은 실험 이름.",
        min_length=1,
        max_length=128,
    )
    entity: str | None = setting(None, "User or team there.", "그쪽 사용자나 팀.", min_length=1)
    mode: Literal["auto", "online", "offline"] = setting(
        "auto",
        "`offline` keeps files in `wandb/`, for `wandb sync`; `auto` is online where there is a key.",
        "`offline`은 `wandb/`에 파일로 두고 `wandb sync`로 보냅니다. `auto`는 키가 있으면 online.",
    )


def _online(settings: Settings) -> bool:
    asked = os.environ.get("WANDB_MODE", "online") if settings.mode == "auto" else settings.mode
    return asked == "online" and bool(os.environ.get("WANDB_API_KEY"))


def _server() -> str:
    return os.environ.get("WANDB_BASE_URL") or SERVER


def check(settings: Settings) -> None:
    """Online needs a key; it is never stored, so it is nowhere else."""
    check_address("WANDB_BASE_URL", _server(), ("http", "https"), "WANDB_API_KEY")
    if settings.mode == "online" and not os.environ.get("WANDB_API_KEY"):
        raise ConfigError(
            say(
                "track: wandb: mode: found 'online' without a key; put WANDB_API_KEY into the environment or .env, or use mode: offline",
                "track: wandb: mode: 'online'인데 키가 없습니다. WANDB_API_KEY를 환경 변수나 .env에 두거나 mode: offline을 쓰세요",
            )
        )


def place(settings: Settings) -> str:
    """The server, or the folder."""
    return _server() if _online(settings) else f"{FOLDER}/"


def server(settings: Settings) -> str | None:
    """Asked before the package is: a first `init` that fails online waits for minutes, and so does what falls back from it."""
    return _server() if _online(settings) else None


def quiet() -> dict[str, str]:
    """No error reports, no pictures of the machine, no lines on the screen."""
    return {
        "WANDB_ERROR_REPORTING": "false",
        "WANDB_SILENT": "true",
        "WANDB_CONSOLE": "off",
        "WANDB_DISABLE_GIT": "true",
        "WANDB_DISABLE_CODE": "true",
        "WANDB__DISABLE_STATS": "true",
        "WANDB__DISABLE_META": "true",
        "WANDB_DIR": "",
    }


def open(settings: Settings, told: Told, memory: dict[str, Any]) -> Session:
    """The run has a number of our own making, so that going on is the same as beginning."""
    import wandb

    folder = told.workspace / FOLDER
    folder.mkdir(mode=0o700, exist_ok=True)
    number, online = told.identity[:16], _online(settings)
    options = wandb.Settings(
        mode="online" if online else "offline",
        root_dir=str(told.workspace),
        silent=True,
        console="off",
        init_timeout=20,
        disable_git=True,
        disable_code=True,
        save_code=False,
        disable_job_creation=True,
        x_disable_stats=True,
        x_disable_meta=True,
        x_save_requirements=False,
        host="dadeum",
        program="dadeum",
    )
    run = wandb.init(
        id=number,
        resume="allow",
        name=told.run,
        project=settings.project or told.experiment,
        entity=settings.entity,
        group=told.experiment,
        config={"dadeum": dict(told.tags)},
        settings=options,
    )
    return _Run(run, fresh=not (online and memory.get("run") == number), number=number)


class _Run(Session):
    """Its package writes by itself when it likes: what it took is known to be safe only after `finish`."""

    def __init__(self, run: Any, *, fresh: bool, number: str) -> None:
        super().__init__(memory={"run": number}, fresh=fresh, lasting=False)
        self.run = run

    def params(self, values: Mapping[str, str]) -> None:
        """As its config, by dotted key."""
        self.run.config.update(dict(values), allow_val_change=True)

    def metrics(self, points: Sequence[Point]) -> None:
        """Its steps only grow: those that the server has already are left out."""
        for point in points:
            if point.step >= self.run.step:
                self.run.log({**point.values, "time": point.time}, step=point.step)

    def artifact(self, path: Path, name: str) -> None:
        """Among the files of the run."""
        self.run.save(str(path), base_path=str(path).removesuffix(name), policy="now")

    def close(self, status: Status, tags: Mapping[str, str], ended: float) -> None:
        """Waits until everything is away."""
        self.run.summary.update({"status": status, **tags})
        self.run.finish(exit_code=0 if status in ("finished", "waiting") else 1)
