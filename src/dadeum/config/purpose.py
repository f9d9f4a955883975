"""What a training makes of rows: the word between the objective, the head, and the data stage, which knows neither."""

from typing import Literal, NamedTuple

# messages: answers to learn; plain: every token of a text; pair: a better and a worse answer; rated: an answer and whether it is
# good; labels: a text or two sentences, and what is to be said of them; words: a label for each word; choices: one of some answers.
Takes = Literal["messages", "plain", "pair", "rated", "labels", "words", "choices"]
# class: one of some names; classes: any of them; numbers: a score or several.
TargetKind = Literal["class", "classes", "numbers"]


class Target(NamedTuple):
    """What one head wants to know of a row.

    `column` None: the only column of labels that the rows have. `names`: the classes in their order, empty where the data
    say which there are. `size`: how many numbers; 0 where the data say so.
    """

    head: str
    kind: TargetKind
    column: str | None = None
    names: tuple[str, ...] = ()
    size: int = 0


class Purpose(NamedTuple):
    """`objective` as users write it, what it takes of rows, and the targets where that is labels."""

    objective: str
    takes: Takes
    targets: tuple[Target, ...] = ()

    @property
    def pretrain(self) -> bool:
        """Whether the rows are plain text."""
        return self.takes == "plain"

    @property
    def talks(self) -> bool:
        """Whether rows are conversations that a template renders."""
        return self.takes in ("messages", "pair", "rated")


SFT = Purpose("sft", "messages")
PRETRAIN = Purpose("pretrain", "plain")
