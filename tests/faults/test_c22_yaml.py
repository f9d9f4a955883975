"""C22: a hostile experiment file is refused after a bounded number of steps, and executes nothing."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml.composer import Composer
from ruamel.yaml.reader import Reader
from ruamel.yaml.scanner import Scanner

from dadeum.config import yaml
from dadeum.config.load import load
from dadeum.core.errors import ConfigError

HEAD = "name: x\nmodel: {name_or_path: m}\n"
LAUGHS = "a0: &a0 [x, x, x, x, x, x, x, x, x]\n" + "".join(
    f"a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 9)}]\n" for i in range(1, 12)
)
MAPPINGS = "b0: &b0 {k: v}\n" + "".join(f"b{i}: &b{i} {{l: *b{i - 1}, r: *b{i - 1}}}\n" for i in range(1, 60))
BOMBS = {
    "billion laughs": LAUGHS,
    "doubling mappings": MAPPINGS,
    "itself": "a: &a [*a, *a, *a]",
    "100,000 brackets": "a: " + "[" * 100_000,
    "100,000 closed brackets": "a: " + "[" * 100_000 + "]" * 100_000,
    "100,000 braces": "a: " + "{a: " * 50_000,
    "100,000 dashes": "- " * 100_000,
    "100,000 questions": "? " * 100_000,
    "600 indents": "\n".join(" " * i + "a:" for i in range(600)),
    "tags": "!!x " * 50_000 + "a",
    "large": "a: " + "x" * 2_000_000,
    "large number": "train: {seed: " + "9" * 200_000 + "}",
    "exponent": "train: {learning_rate: 1e999999999}",
}
CALLS = [
    "!!python/object/apply:os.system ['touch {}']",
    "!!python/object/apply:subprocess.check_output [['touch', '{}']]",
    "!!python/object/new:os.system ['touch {}']",
    "!!python/object:os.system {{command: 'touch {}'}}",
    "!!python/name:os.system ''",
    "!!python/module:os ''",
    "!python/object/apply:os.system ['touch {}']",
    "!<tag:yaml.org,2002:python/object/apply:os.system> ['touch {}']",
]


STEPS = [
    (Scanner, "fetch_more_tokens"),
    (Reader, "peek"),
    (Reader, "forward"),
    (Composer, "compose_node"),
    (yaml._Reader, "value"),
]


def refused(text: str, folder: Path) -> str:
    """What is said, after no more steps than a file may have letters and nodes."""
    (folder / "a.yaml").write_text(text, encoding="utf-8")
    steps = 0

    def counted(step: Callable[..., Any]) -> Callable[..., Any]:
        def run(*words: Any, **more: Any) -> Any:
            nonlocal steps
            steps += 1
            return step(*words, **more)

        return run

    with pytest.MonkeyPatch.context() as patched:
        for owner, name in STEPS:
            patched.setattr(owner, name, counted(getattr(owner, name)))
        with pytest.raises(ConfigError) as caught:
            load(folder / "a.yaml", root=folder)
    assert steps < 1.1 * (yaml.MAX_BYTES + yaml.MAX_NODES)
    return str(caught.value)


@pytest.mark.parametrize("name", BOMBS)
def test_bombs_are_refused_soon(name: str, tmp_path: Path) -> None:
    assert len(refused(HEAD + BOMBS[name] if not name.endswith("dashes") else BOMBS[name], tmp_path)) < 5000


@pytest.mark.parametrize("call", CALLS)
def test_nothing_is_executed(call: str, tmp_path: Path) -> None:
    sentinel = tmp_path / "sentinel"
    told = refused(f"{HEAD}data: {{sources: {call.format(sentinel)}}}\n", tmp_path)
    assert "a.yaml:3: data.sources: found tag" in told
    assert not sentinel.exists()
    with pytest.raises(ConfigError, match="found tag"):
        load(None, [f"data.sources={call.format(sentinel)}"], root=tmp_path)
    assert not sentinel.exists()


def test_files_that_extend_each_other_without_end_are_bounded(tmp_path: Path) -> None:
    (tmp_path / "f0.yaml").write_text(HEAD, encoding="utf-8")
    for i in range(1, 40):
        (tmp_path / f"f{i}.yaml").write_text(f"extends: [f{i - 1}.yaml, f{i - 1}.yaml]\n", encoding="utf-8")
    (tmp_path / "a.yaml").write_text("", encoding="utf-8")
    assert "f" in refused("extends: f39.yaml\n", tmp_path)
    assert "more than 50 files" in refused("extends: f39.yaml\n", tmp_path)
