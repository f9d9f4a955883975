"""The guides name commands, options, settings and files that there are, and the same ones in both languages."""

import re

import pytest

from dadeum.cli.table import VERBS
from dadeum.config.aliases import OLD_NAMES
from dadeum.config.overlay import override
from dadeum.config.yaml import Document
from tests.architecture.test_docs import FENCE, PATH, exists, table, text_of
from tests.architecture.tree import ROOT

SYSTEMS = sorted(f.stem for f in (ROOT / "docs/guides").glob("?-*.md") if not f.stem.endswith(".ko"))
GUIDES = [*SYSTEMS, "choosing", "evaluate", "metrics", "explain", "tracking", "runs"]
PAGES = [f"docs/guides/{name}{language}.md" for name in GUIDES for language in ("", ".ko")]
CODE = re.compile(r"`([^`\n]+)`")
CHOOSES = ("lesson", "completion")  # their words are arguments, not verbs of their own
# What stands in the column "here", or outside of tables, is ours.
OURS = re.compile(r"\bdadeum ([a-z]+)([^`|]*)")


def ours(page: str) -> list[tuple[str, str]]:
    """(verb, words after it) of each of our commands on the page."""
    return [(found[1], found[2]) for code in CODE.findall(text_of(page)) if (found := OURS.search(code))]


def test_there_is_a_guide_for_each_system_in_both_languages() -> None:
    assert [name[0] for name in SYSTEMS] == list("abcde")
    assert all((ROOT / page).is_file() for page in PAGES)
    index = text_of("docs/guides/README.md")
    assert [page for page in PAGES if f"]({page.rpartition('/')[2]})" not in index] == []
    assert all("(docs/guides/README.md)" in text_of(page) for page in ("README.md", "README.ko.md"))


@pytest.mark.parametrize("page", [*PAGES, "docs/guides/README.md"])
def test_paths_exist(page: str) -> None:
    paths = [p for p in PATH.findall(text_of(page)) if "*" not in p]
    assert paths and [p for p in paths if not exists(p)] == []


@pytest.mark.parametrize("page", PAGES)
def test_commands_and_their_options_exist(page: str) -> None:
    reference = text_of("docs/reference/commands.md")
    commands = ours(page)
    assert commands
    for verb, words in commands:
        assert verb in VERBS, verb
        parts = [verb, *(w for w in words.split()[:1] if w in VERBS[verb][2] and verb not in CHOOSES)]
        heading = re.escape(f"## dadeum {' '.join(parts)}")
        found = re.search(rf"^{heading}\n(.*?)(?=^## |\Z)", reference, re.MULTILINE | re.DOTALL)
        assert found, (verb, words)
        options = [
            f"--{w[2:].replace('_', '-')}" if w.startswith("--") else w for w in words.split() if w.startswith("-")
        ]
        assert [o for o in options if not re.search(rf"(?<![\w-]){re.escape(o)}(?![\w-])", found[1])] == [], (
            verb,
            words,
        )


@pytest.mark.parametrize("page", PAGES)
def test_settings_exist(page: str) -> None:
    """`data.max_length=256` and `data.train_on: assistant`, wherever they stand."""
    settings = text_of("docs/reference/settings.md")
    for code in CODE.findall(text_of(page)):
        for key, _ in re.findall(r"\b((?:model|tokenizer|adapter|data|train|evaluate)(?:\.\w+)+)(=|: )", code):
            plain = OLD_NAMES.get(key, re.sub(r"\.\d+\.", ".", key))
            last, first = plain.rpartition(".")[2], plain.partition(".")[0]
            assert re.search(rf"`{first}\.[^`]*\b{last}`", settings), key
            override(Document(value={"data": {"sources": [{}]}}), f"{key}=1")


@pytest.mark.parametrize("name", GUIDES)
def test_both_languages_say_the_same(name: str) -> None:
    english, korean = (text_of(f"docs/guides/{name}{language}.md") for language in ("", ".ko"))
    for found in (
        lambda t: [len(h) for h in re.findall(r"^(#+) ", FENCE.sub("", t), re.MULTILINE)],
        lambda t: FENCE.findall(t),
        lambda t: len(table(t)),
        lambda t: sorted(verb for code in CODE.findall(t) for verb, _ in OURS.findall(code)),
        lambda t: sorted(PATH.findall(t)),
        lambda t: len(re.findall(r"^- ", t, re.MULTILINE)),
    ):
        assert found(english) == found(korean)
