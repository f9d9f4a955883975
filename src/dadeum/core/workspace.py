"""Where things lie in a workspace: the folder in which dadeum is run. Knows names, not contents."""

import re
from dataclasses import dataclass
from pathlib import Path

from dadeum.core.errors import ConfigError
from dadeum.core.language import say

NAME = re.compile(r"[^\W_][\w.\-]{0,99}")


def check_name(name: str) -> str:
    """An experiment's name is one folder's name: letters (Hangul too), digits, `.`, `_`, `-`."""
    if not NAME.fullmatch(name) or ".." in name:
        raise ConfigError(
            say(
                f"name: found '{name}', expected letters, digits, '.', '_' or '-', starting with a letter or digit",
                f"name: '{name}'은(는) 쓸 수 없습니다. 글자나 숫자로 시작하고 글자, 숫자, '.', '_', '-'만 쓰세요",
            )
        )
    return name


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
        """A path of the experiment file: relative ones start at the workspace."""
        return self.root / Path(path).expanduser()
