"""A workspace of its own, without what the machine's environment says."""

from collections.abc import Callable
from pathlib import Path

import pytest

from dadeum.config.load import Loaded, load
from dadeum.core.errors import ConfigError

Read = Callable[..., Loaded]
Told = Callable[..., list[str]]


@pytest.fixture
def lab(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The workspace; its name has a space and Hangul."""
    for name in ("MODEL_ID", "DATASET", "HF_TOKEN", "WANDB_API_KEY", "HUGGING_FACE_HUB_TOKEN"):
        monkeypatch.delenv(name, raising=False)
    folder = tmp_path / "내 실험"
    folder.mkdir()
    return folder


@pytest.fixture
def read(lab: Path) -> Read:
    """Read an experiment's text with overrides."""

    def read(text: str, *overrides: str, name: str = "a.yaml") -> Loaded:
        (lab / name).parent.mkdir(parents=True, exist_ok=True)
        (lab / name).write_text(text, encoding="utf-8")
        return load(lab / name, overrides, root=lab)

    return read


@pytest.fixture
def told(read: Read) -> Told:
    """The lines of the ConfigError that reading raises."""

    def told(text: str, *overrides: str, name: str = "a.yaml") -> list[str]:
        with pytest.raises(ConfigError) as caught:
            read(text, *overrides, name=name)
        assert caught.value.exit_code == 2
        return str(caught.value).splitlines()

    return told
