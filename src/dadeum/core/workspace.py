"""Where things lie in a workspace: the folder in which dadeum is run. Knows names, not contents."""

import re
from dataclasses import dataclass
from pathlib import Path

from dadeum.core.errors import ConfigError
from dadeum.core.language import say

NAME = re.compile(r"[^\W_][\w.\-]{0,99}")
NAME_BYTES = 200  # file systems take 255 bytes a name; Hangul has 3 a letter
DEVICE = re.compile(r"(con|prn|aux|nul|com\d|lpt\d)(\..*)?", re.IGNORECASE)  # no file names on Windows


def check_name(name: str) -> str:
    """An experiment's name is one folder's name: letters (Hangul too), digits, `.`, `_`, `-`."""
    if len(name.encode(errors="replace")) > NAME_BYTES:
        raise ConfigError(
            say(
                f"name: found {len(name)} letters, expected fewer (at most {NAME_BYTES} bytes in UTF-8)",
                f"name: {len(name)}자는 너무 깁니다. UTF-8로 {NAME_BYTES}바이트 이하여야 합니다",
            )
        )
    if not NAME.fullmatch(name) or ".." in name or name.endswith(".") or DEVICE.fullmatch(name):
        raise ConfigError(
            say(
                f"name: found '{name}', expected letters, digits, '.', '_' or '-', starting with a letter or digit",
                f"name: '{name}'은(는) 쓸 수 없습니다. 글자나 숫자로 시작하고 글자, 숫자, '.', '_', '-'만 쓰세요",
            )
        )
    return name


FOLDERS = (
    "configs",
    "data/raw",
    "data/processed",
    "checkpoints",
    "experiments",
    "scripts",
    "notebooks",
    "docs",
    "tests",
)


@dataclass(frozen=True)
class Workspace:
    """The folders of one workspace."""

    root: Path

    @classmethod
    def here(cls) -> "Workspace":
        """The current directory."""
        return cls(Path.cwd())

    @property
    def configs(self) -> Path:
        """Experiments."""
        return self.root / "configs"

    @property
    def raw(self) -> Path:
        """Originals, never changed."""
        return self.root / "data" / "raw"

    @property
    def processed(self) -> Path:
        """What dadeum makes of the originals, by fingerprint."""
        return self.root / "data" / "processed"

    def checkpoints(self, experiment: str) -> Path:
        """Weights of one experiment, a folder a run."""
        return self.root / "checkpoints" / check_name(experiment)

    def experiments(self, experiment: str) -> Path:
        """Evidence of one experiment, a folder a run."""
        return self.root / "experiments" / check_name(experiment)

    def at(self, path: str) -> Path:
        """A path of the experiment file: relative ones start at the workspace. Raises ConfigError for no path at all."""
        if "\0" in path:
            raise ConfigError(
                say(
                    "a path holds a NUL character, expected a file or folder",
                    "경로에 NUL 문자가 있습니다. 파일이나 폴더를 쓰세요",
                )
            )
        try:
            return self.root / Path(path).expanduser()
        except RuntimeError:  # `~somebody` who is not known here
            return self.root / path
