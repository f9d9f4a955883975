"""Painted samples in a terminal: by colour, and where there are no colours by marks."""

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from rich.console import Console
from rich.padding import Padding
from rich.text import Text

from dadeum.core.language import say
from dadeum.tokenizer.readable import alone, visible

if TYPE_CHECKING:
    from dadeum.data.exhibit import Exhibit, Shown
    from dadeum.data.show import Group

# Colour says whether a token is trained, the line under it that it is special.
TRAINED, PLAIN, SPECIAL, TRAINED_SPECIAL, CUT = "green", "", "cyan underline", "bold green underline", "red strike"

WIDTH, BETWEEN = 110, "  "  # of a list of tokens that is not for a screen; between two tokens


@dataclass(frozen=True)
class Marks:
    """What stands around trained, special and cut tokens where colours are not to be had."""

    trained: tuple[str, str]
    special: tuple[str, str]
    cut: tuple[str, str]

    @classmethod
    def absent_from(cls, texts: Sequence[str]) -> "Marks":
        """Marks that stand in none of the texts, so that no row can feign them."""
        depth = 1
        while True:
            made = cls(
                ("{" * depth + "+", "+" + "}" * depth),
                ("«" * depth, "»" * depth),
                ("[" * depth + "-", "-" + "]" * depth),
            )
            if not any(mark in text for text in texts for mark in (*made.trained, *made.special, *made.cut)):
                return made
            depth += 1


def show_exhibit(console: Console, exhibit: "Exhibit", *, ids: bool = True) -> None:
    """The legend, then each row: its place, counts, text, and its tokens with their ids."""
    plain = console.no_color or console.color_system is None
    texts = [sample.text(cut=True) for shown in exhibit.shown for sample in shown.samples]
    pen = _Pen(console, Marks.absent_from(texts) if plain else None)
    console.print()
    for key, value in exhibit.facts.items():
        pen.line(Text.assemble((f"{key}: ", "dim"), value))
    for note in exhibit.notes:
        pen.line(Text(note, style="yellow"))
    pen.line(pen.legend(exhibit.target))
    for number, shown in enumerate(exhibit.shown, 1):
        _row(pen, shown, f"{number}/{len(exhibit.shown)}", exhibit.target, ids=ids)


def _row(pen: "_Pen", shown: "Shown", number: str, target: str, *, ids: bool) -> None:
    from dadeum.data.show import plain_text

    for sample in shown.samples:
        pen.console.print()
        row = say(f"row {shown.row['source_row']}", f"{shown.row['source_row']}번 행")
        which = say(f", sample {sample.number} of {sample.of}", f", 샘플 {sample.number}/{sample.of}")
        about = f"({row}, {shown.why}{which if sample.of > 1 else ''})"
        pen.line(Text.assemble((f"{number}  ", "dim"), (visible(shown.row["where"]), "bold"), (f"  {about}", "dim")))
        pen.line(Text(sample.told(target, "{:,}".format), style="dim"))
        if sample.labels:
            pen.line(Text.assemble((say("label: ", "라벨: "), "dim"), visible(sample.labels)))
        if sample.dropped:
            pen.line(Text(say(f"dropped: {sample.dropped}", f"빠짐: {sample.dropped}"), style="yellow"))
        pen.console.print()
        if not sample.groups:
            pen.block(Text(visible(plain_text(shown.row)), style="dim"))
            continue
        pen.block(pen.text(sample.groups))
        if ids:
            pen.console.print()
            pen.block(pen.list(sample.groups))


class _Pen:
    """Writes groups in colours, or with marks."""

    def __init__(self, console: Console, marks: Marks | None) -> None:
        self.console, self.marks = console, marks

    def line(self, text: Text) -> None:
        """A line of our own; a terminal breaks it."""
        self.console.print(text)

    def block(self, text: Text) -> None:
        """A text of the row, set in; where it is not for a screen its lines stay as they are."""
        if self.console.is_terminal:
            self.console.print(Padding(text, (0, 2)), soft_wrap=False)
        else:
            self.console.print(text, soft_wrap=True)

    def legend(self, target: str) -> Text:
        """What each look means."""
        said = {
            TRAINED: target,
            TRAINED_SPECIAL: say(f"{target} special token", f"{target}하는 특수 토큰"),
            PLAIN: say(f"not {target}", f"{target} 안 함"),
            SPECIAL: say("special token", "특수 토큰"),
            CUT: say("cut, never seen", "잘려서 모델이 못 봄"),
        }
        if self.marks is None:
            return Text("  ·  ").join(Text(word, style=style) for style, word in said.items())
        (t, t_), (s, s_), (c, c_) = self.marks.trained, self.marks.special, self.marks.cut
        return Text(
            f"{t}{said[TRAINED]}{t_}  ·  {said[PLAIN]}  ·  {s}{say('special token', '특수 토큰')}{s_}  ·  {c}{said[CUT]}{c_}"
        )

    def text(self, groups: Sequence["Group"]) -> Text:
        """The text of the groups."""
        if self.marks is None:
            return Text().join(Text(_lines(group), style=_style(group)) for group in groups)
        text = Text()
        for around, run in self._runs(groups):
            text.append("".join([around[0], *(self._marked(group, _lines(group)) for group in run), around[1]]))
        return text

    def list(self, groups: Sequence["Group"]) -> Text:
        """The groups one by one with their ids, never broken inside one."""
        if self.marks is None:
            chips = [Text.assemble((_word(g), _style(g)), (f" {_ids(g)}", "dim")) for g in groups]
        else:
            chips = []
            for around, run in self._runs(groups):
                words = [f"{self._marked(group, _word(group))} {_ids(group)}" for group in run]
                words[0], words[-1] = around[0] + words[0], words[-1] + around[1]
                chips += map(Text, words)
        width = self.console.width - 4 if self.console.is_terminal else WIDTH
        lines: list[list[Text]] = [[]]
        used = 0
        for chip in chips:
            if used and used + chip.cell_len > width:
                lines.append([])
                used = 0
            lines[-1].append(chip)
            used += chip.cell_len + len(BETWEEN)
        return Text("\n").join(Text(BETWEEN).join(line) for line in lines)

    def _marked(self, group: "Group", text: str) -> str:
        return text if self.marks is None or not group.special else self.marks.special[0] + text + self.marks.special[1]

    def _runs(self, groups: Sequence["Group"]) -> Iterator[tuple[tuple[str, str], Sequence["Group"]]]:
        """Groups one after the other that are alike trained and cut, and the marks around them."""
        assert self.marks is not None
        for (trained, cut), run in itertools.groupby(groups, lambda g: (g.trained, g.cut)):
            yield self.marks.trained if trained else self.marks.cut if cut else ("", ""), tuple(run)


def _lines(group: "Group") -> str:
    """For the text: line ends are shown, and break the line."""
    return visible(group.text).replace("\n", "⏎\n")


def _word(group: "Group") -> str:
    """For the list of tokens: blanks and line ends are shown, and break nothing."""
    return alone(group.text) or visible(group.text).replace("\n", "⏎").replace(" ", "␣")


def _style(group: "Group") -> str:
    if group.cut:
        return CUT
    if group.trained:
        return TRAINED_SPECIAL if group.special else TRAINED
    return SPECIAL if group.special else PLAIN


def _ids(group: "Group") -> str:
    return " ".join(str(token.id) for token in group.tokens)
