"""What a report is made of, whatever it is written as: sections of facts, tables, figures, samples. Holds no data of its own."""

from dataclasses import dataclass, field
from typing import Literal

How = Literal["left", "right", "rest"]
# In a legend: the number of a line's look as it is; of a filled block, of a dot with its marker, with this added.
BLOCK, DOT, REST = 100, 200, -1


@dataclass(frozen=True)
class Text:
    """A paragraph; `note` wants attention, `hint` stands beside something."""

    text: str
    look: Literal["", "note", "hint"] = ""


@dataclass(frozen=True)
class Facts:
    """Names and values."""

    pairs: tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class Table:
    """Columns are names and how they stand; `title` says what it shows."""

    columns: tuple[tuple[str, How], ...]
    rows: tuple[tuple[str, ...], ...]
    title: str = ""


@dataclass(frozen=True)
class Figure:
    """A picture: `svg` as it stands in a page, `name` for ids and files, `legend` by the look of each part."""

    name: str
    title: str
    svg: str
    legend: tuple[tuple[int, str], ...] = ()


@dataclass(frozen=True)
class Side:
    """One row's texts side by side: the first are what was asked, the rest are answers."""

    title: str
    asked: tuple[tuple[str, str], ...]
    answers: tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class Code:
    """A command or a file, word for word; with a `title` it is folded."""

    text: str
    title: str = ""
    kind: str = ""


@dataclass(frozen=True)
class Page:
    """A piece of a page that only a page can show (painted tokens), as HTML that was escaped where it was made."""

    html: str


@dataclass(frozen=True)
class Link:
    """To a file beside the report; nothing outside is ever linked."""

    text: str
    target: str


Block = Text | Facts | Table | Figure | Side | Code | Page | Link


@dataclass(frozen=True)
class Section:
    """A heading and what stands below it; `kept` in a page for docs/."""

    title: str
    blocks: tuple[Block, ...]
    kept: bool = True


@dataclass(frozen=True)
class Verdict:
    """Did it get better? `mark` is what the sentences come to."""

    mark: Literal["yes", "no", "open"]
    sentences: tuple[str, ...]


@dataclass(frozen=True)
class Document:
    """The whole report."""

    title: str
    lead: str
    verdict: Verdict
    sections: tuple[Section, ...] = field(default=())
    damaged: tuple[str, ...] = ()
