"""What a process needs to work on rows: the renderer, and what makes conversations and samples with it.

The caller has one, and so has each hand of its crew (`crew.py`), made of the same few settings.
"""

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from dadeum.config.data import DataSettings
from dadeum.core.errors import DataError
from dadeum.core.workspace import Workspace
from dadeum.data import shape
from dadeum.data.cells import FaultyRow
from dadeum.data.crew import Crew
from dadeum.data.formats import Conversation
from dadeum.data.maker import Chunk, Made, Maker
from dadeum.data.render import Refusal, Renderer
from dadeum.data.shape import Shaped, Shaper
from dadeum.tokenizer.load import load_tokenizer


@dataclass(frozen=True)
class Settings:
    """What a bench is made of; plain values, so that another process can be told."""

    data: dict[str, Any]
    objective: str
    tokenizer_place: str
    chat_template: str | None
    workspace: str
    stamp: int = 0  # of the tokenizer's files: they may change between two stages

    @classmethod
    def of(
        cls, data: DataSettings, objective: str, tokenizer_place: Path, chat_template: str | None, workspace: Workspace
    ) -> "Settings":
        """Those of a stage."""
        stamp = sum(f.stat().st_mtime_ns for f in tokenizer_place.glob("*") if f.is_file())
        said = data.model_dump(mode="json")
        return cls(said, objective, str(tokenizer_place), chat_template, str(workspace.root), stamp)


class Bench:
    """The tools of one process."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.data = DataSettings.model_validate(settings.data)
        self.workspace = Workspace(Path(settings.workspace))

    @cached_property
    def renderer(self) -> Renderer:
        """The one renderer. Raises ModelError."""
        template = self.settings.chat_template
        if template is not None and self.workspace.at(template).is_file():
            template = str(self.workspace.at(template))
        tokenizer = load_tokenizer(self.settings.tokenizer_place, chat_template=template)
        return Renderer(tokenizer, kwargs=self.data.chat_template_kwargs)

    @cached_property
    def maker(self) -> Maker:
        """What makes conversations. Raises DataError where `data.prompt` or `data.columns` is wrong."""
        return Maker.of(self.data, self.settings.objective, self.workspace, self.text)

    @cached_property
    def shaper(self) -> Shaper:
        """What makes samples."""
        return Shaper(self.data, self.settings.objective, self.renderer)

    def text(self, conversation: Conversation) -> str:
        """What the template makes of a row. Raises FaultyRow."""
        if conversation.text is not None:
            return conversation.text
        try:
            return self.renderer.text(conversation.messages)
        except Refusal:
            raise
        except DataError as error:
            raise FaultyRow("not rendered", str(error)) from None

    def rows(self, chunk: Chunk) -> Made:
        """Rows to conversations."""
        return self.maker(chunk)

    def samples(self, chunk: shape.Chunk) -> Shaped:
        """Conversations to samples."""
        return self.shaper(chunk)


# The last caller's: its renderer and its crew are there for the next stage.
_last: tuple[Bench, Crew] | None = None


@contextlib.contextmanager
def at_bench(settings: Settings, *, last: bool) -> Iterator[tuple[Bench, Crew]]:
    """The bench and the crew for a stage, those of the stage before where its settings were the same.

    After the last stage, and after an error, the crew goes home.
    """
    global _last
    before, _last = _last, None
    if before is not None and before[0].settings != settings:
        before[1].stop()
        before = None
    bench, crew = before or (Bench(settings), Crew(settings))
    try:
        yield bench, crew
        if not last:
            _last = bench, crew
    finally:
        if _last is None:
            crew.stop()
