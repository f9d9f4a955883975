"""Filters during a check: those that judge each row as it is read; those that wait for all rows or the parts are only named."""

from collections import Counter
from collections.abc import Callable, Iterable
from typing import Any

from dadeum.core.errors import DataError
from dadeum.core.settings import MemberSettings
from dadeum.core.workspace import Workspace
from dadeum.data.cells import FaultyRow
from dadeum.data.filters import FILTERS, Drop, Mask, Seen, Sieve, Tools
from dadeum.data.formats import Conversation
from dadeum.data.render import Refusal, Renderer
from dadeum.data.sources import Part
from dadeum.data.turns import unweighed


class NoTokens(Exception):
    """A filter counts tokens, and there is no tokenizer."""


class Early:
    """The filters up to the first that cannot work yet, in their order."""

    def __init__(self, filters: Iterable[MemberSettings], workspace: Workspace, renderer: Renderer | None) -> None:
        """Raises what a filter's `build` raises."""
        of_row, of_text = _counters(renderer)
        tools = Tools(workspace, of_row, of_text, lambda rows: {})
        self.works: list[tuple[str, Sieve]] = []
        self.waiting: list[str] = []  # types of those that are not at work
        for settings in filters:
            sieve = FILTERS.of(settings).build(settings, tools)
            if sieve.when == "read" and not self.waiting:
                self.works.append((settings.type, sieve))
            else:
                self.waiting.append(settings.type)
        self.dropped: Counter[str] = Counter()
        self.masked: Counter[str] = Counter()

    def __call__(self, row: Conversation, where: str, part: Part | None, number: int) -> Conversation | None:
        """What the filters leave of the row; None where one drops it. Raises DataError where one does not fit the rows."""
        for place, (kind, sieve) in enumerate(self.works):
            try:
                verdict = sieve.judge(Seen(row, where, part, number))
            except NoTokens:
                self.waiting = [name for name, _ in self.works[place:]] + self.waiting
                del self.works[place:]
                break
            if isinstance(verdict, Drop):
                self.dropped[kind] += 1
                return None
            if isinstance(verdict, Mask):
                self.masked[kind] += 1
                row = verdict.conversation
        return row


def _counters(renderer: Renderer | None) -> tuple[Callable[[Conversation], int], Callable[[str], int]]:
    """Tokens of a row as the chat template writes it, and of a text."""

    def at_work() -> Any:
        if renderer is None:
            raise NoTokens
        return renderer

    def of_row(row: Conversation) -> int:
        made = at_work()
        if row.text is not None:
            return len(made.plain(row.text).input_ids)
        try:
            return max(len(sample.input_ids) for sample in made.samples(unweighed(row.messages), "all"))
        except Refusal:
            raise
        except DataError as error:
            raise FaultyRow("not rendered", str(error)) from None

    def of_text(text: str) -> int:
        return len(at_work().tokenizer.encode(text, add_special_tokens=False))

    return of_row, of_text
