"""What works on rows: the renderer, and what makes conversations and samples with it; the next stage finds it loaded."""

import contextlib
from collections.abc import Iterable, Iterator, Mapping
from functools import cached_property
from pathlib import Path
from typing import Any

from dadeum.config.data import DataSettings
from dadeum.config.purpose import Purpose
from dadeum.core.errors import DataError
from dadeum.core.workspace import Workspace
from dadeum.data.cells import FaultyRow
from dadeum.data.formats import Conversation
from dadeum.data.labelled import Texts
from dadeum.data.labels import Labels
from dadeum.data.maker import Maker
from dadeum.data.render import Refusal, Renderer
from dadeum.data.shape import Shaper
from dadeum.data.survey import survey
from dadeum.tokenizer.load import load_tokenizer


class Bench:
    """The tools of the data stages under some settings."""

    def __init__(
        self,
        data: DataSettings,
        purpose: Purpose,
        tokenizer_place: Path,
        chat_template: str | None,
        workspace: Workspace,
        new_tokens: tuple[str, ...] = (),
    ) -> None:
        self.data, self.purpose, self.workspace = data, purpose, workspace
        self._place, self._template, self._new_tokens = tokenizer_place, chat_template, new_tokens
        self.labels: Labels | None = None  # what all rows tell of the heads, before samples are made
        # Which of them are the same: the tokenizer's files may change between two stages.
        stamps = sorted((file.name, file.stat().st_mtime_ns) for file in tokenizer_place.glob("*") if file.is_file())
        self.made_of = (data, purpose, str(tokenizer_place), stamps, chat_template, new_tokens, workspace.root)

    @cached_property
    def renderer(self) -> Renderer:
        """The one renderer. Raises ModelError."""
        template = self._template
        if template is not None and self.workspace.at(template).is_file():
            template = str(self.workspace.at(template))
        tokenizer = load_tokenizer(self._place, chat_template=template, new_tokens=self._new_tokens)
        return Renderer(tokenizer, kwargs=self.data.chat_template_kwargs)

    @cached_property
    def maker(self) -> Maker:
        """What makes conversations. Raises DataError where `data.prompt` or `data.columns` is wrong."""
        return Maker.of(self.data, self.purpose, self.workspace, self.text)

    @cached_property
    def shaper(self) -> Shaper:
        """What makes samples."""
        return Shaper(self.data, self.purpose, self.renderer, self.labels)

    def survey(self, rows: Iterable[Mapping[str, Any]]) -> Labels | None:
        """What all rows tell of the heads, to be known before samples are made. Raises DataError where that is not enough."""
        if self.purpose.targets:
            self.labels = survey(self.purpose, rows, Texts(self.renderer.tokenizer).separator)
        return self.labels

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


_last: Bench | None = None


@contextlib.contextmanager
def at_bench(wanted: Bench, *, last: bool) -> Iterator[Bench]:
    """The bench of the stage before where it is the same, else `wanted`. After the last stage, or an error, it is cleared."""
    global _last
    bench = _last if _last is not None and _last.made_of == wanted.made_of else wanted
    _last = None
    yield bench
    if not last:
        _last = bench
