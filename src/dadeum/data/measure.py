"""Tokens of rows before they are formatted: lengths as the template makes them, and what Korean costs."""

from array import array
from collections.abc import Sequence
from functools import cached_property
from typing import Any

import numpy as np

from dadeum.config.purpose import Purpose
from dadeum.core.errors import DadeumError, DataError
from dadeum.core.language import say
from dadeum.data.cells import FaultyRow
from dadeum.data.formats import Conversation
from dadeum.data.labelled import Texts, bare
from dadeum.data.lengths import Ints, Lengths
from dadeum.data.render import Refusal, Renderer, Sample, TrainOn
from dadeum.data.shape import trained_tokens

LOOKED_AT = 500  # at most twice as many rows, spread over all, on which Korean is counted
SPREAD = 2654435769  # 2**32 by the golden ratio: multiples of it, cut to 32 bits, lie evenly
LONGEST = 4000  # characters of each
FIRST, LAST = 0xAC00, 0xD7A3  # 가 to 힣


def spoken(row: Conversation) -> list[str]:
    """The texts of a row: its messages, or the one or two texts that it is."""
    if row.text is None:
        return [message.get("content") or "" for message in row.messages]
    return [row.text] if row.second is None else [row.text, row.second]


def korean(tokenizer: Any, text: str) -> tuple[int, int]:
    """Hangul syllables of a text, and the tokens that hold one or a part of one."""
    letters = np.frombuffer(text.encode("utf-32-le", errors="replace"), "<u4")
    before = np.zeros(len(letters) + 1, np.int64)
    before[1:] = np.cumsum((letters >= FIRST) & (letters <= LAST))
    found = tokenizer.backend_tokenizer.encode(text, add_special_tokens=False)
    spans = np.array(found.offsets, np.int64).reshape(-1, 2)
    return int(before[-1]), int((before[spans[:, 1]] > before[spans[:, 0]]).sum())


class Measure:
    """Counts the tokens of rows."""

    def __init__(self, renderer: Renderer, name: str) -> None:
        self.renderer, self.name = renderer, name
        self.lengths, self.trained = Lengths(), Lengths()
        self._rows = array("q")  # of each sample its row's number among the kept
        self.kept = 0
        self.characters = 0
        self._plain = False  # texts alone: the template cannot be used
        self._looked: list[tuple[int, int, int]] = []  # what was drawn, Hangul syllables, tokens that hold some
        self._below, self._seen = 2**32, 0
        self.refusal = self._refusal()

    def _refusal(self) -> str | None:
        """Why no conversation can be trained under this tokenizer and its template."""
        try:
            refusal = self.renderer.refusal
        except DadeumError as error:
            return str(error)
        return None if refusal is None else str(refusal)

    def see(self, rows: Sequence[Conversation], purpose: Purpose, train_on: TrainOn) -> list[DataError | None]:
        """Some rows; of each that cannot be rendered the reason."""
        faults: list[DataError | None] = []
        for row, made in zip(rows, self._samples(rows, purpose, train_on), strict=True):
            if isinstance(made, DataError):
                faults.append(made)
                continue
            trained = [trained_tokens(sample) for sample in made]
            if not all(trained) and not purpose.targets:
                said = say("no token of it would be trained", "학습할 토큰이 없습니다")
                faults.append(FaultyRow("nothing trained", said))
                continue
            for sample, targets in zip(made, trained, strict=True):
                self.lengths.add(len(sample.input_ids))
                self.trained.add(targets)
                self._rows.append(self.kept)
            self.kept += 1
            texts = spoken(row)
            self.characters += sum(map(len, texts)) + sum(len(m.get("content") or "") for m in row.rejected)
            self._look(" ".join(texts))
            faults.append(None)
        return faults

    def _samples(
        self, rows: Sequence[Conversation], purpose: Purpose, train_on: TrainOn
    ) -> list[list[Sample] | DataError]:
        if purpose.targets:
            return bare(purpose.takes, self._texts, [row._asdict() for row in rows])
        compares = purpose.takes in ("pair", "rated")
        rule: TrainOn = "all" if purpose.pretrain else "last_assistant" if compares else train_on
        talks = [[talk for talk in (row.messages, row.rejected) if talk] for row in rows]
        whole = [row.text is None and self.refusal is None for row in rows]
        said = (talk for of_row, use in zip(talks, whole, strict=True) if use for talk in of_row)
        rendered = iter(self.renderer.samples_batch(said, rule))
        found: list[list[Sample] | DataError] = []
        for row, of_row, use in zip(rows, talks, whole, strict=True):
            if not use:
                found.append([self.renderer.plain("\n".join(spoken(row)))])
                continue
            made = [next(rendered) for _ in of_row]
            wrong = next((one for one in made if isinstance(one, DataError)), None)
            found.append(wrong or [sample for one in made if not isinstance(one, DataError) for sample in one])
        refusal = next((made for made in found if isinstance(made, Refusal)), None)
        if refusal is None or self.refusal is not None:
            return found
        self.refusal = str(refusal)
        return self._samples(rows, purpose, train_on)

    @cached_property
    def _texts(self) -> Texts:
        return Texts(self.renderer.tokenizer)

    def _look(self, text: str) -> None:
        """Count Korean in some rows, whatever their order: when there are too many of these, half of them go."""
        drawn = self._seen * SPREAD % 2**32
        self._seen += 1
        if drawn >= self._below:
            return
        self._looked.append((drawn, *korean(self.renderer.tokenizer, text[:LONGEST])))
        if len(self._looked) == 2 * LOOKED_AT:
            self._below //= 2
            self._looked = [found for found in self._looked if found[0] < self._below]

    @property
    def rows(self) -> Ints:
        """Of each sample its row's number."""
        return np.array(self._rows, np.int64)

    def facts(self) -> dict[str, Any]:
        """Lengths, trained tokens, what a Korean letter costs."""
        hangul, tokens = sum(found[1] for found in self._looked), sum(found[2] for found in self._looked)
        total = int(self.lengths.values.sum())
        return {
            "tokenizer": self.name,
            "with_template": self.refusal is None,
            "lengths": self.lengths.facts(),
            "trained_tokens": int(self.trained.values.sum()),
            "characters_per_token": round(self.characters / total, 4) if total else None,
            "tokens_per_hangul": round(tokens / hangul, 4) if hangul else None,
            "hangul_counted": hangul,
            "hangul_rows": len(self._looked),
        }
