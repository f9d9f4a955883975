"""What tiny-ko is held against: a character n-gram model with interpolated Kneser-Ney smoothing, and xz.

Both are charged as the model is: every character and the end of each text costs bits, the end adds no bytes.
"""

import lzma
import math
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence

BEGIN, END = "\x02", "\x03"
CODE_POINTS = 0x110000
HARDEST = 9 | lzma.PRESET_EXTREME


class CharacterModel:
    """Kneser and Ney (1995) as Chen and Goodman (1998) interpolate it, with one discount an order, n1 / (n1 + 2 n2).

    Below the highest order a gram counts the different characters before it. Under the lowest lies a uniform draw of
    the known characters and one unknown, which costs a uniform draw of all code points besides.
    """

    def __init__(self, texts: Iterable[str], order: int = 5) -> None:
        """Count the grams of `texts`, each with its beginning and its end."""
        self.order = order
        highest: Counter[str] = Counter()
        for text in texts:
            padded = BEGIN * (order - 1) + text + END
            highest.update(padded[at : at + order] for at in range(len(text) + 1))
        self.counts: list[Counter[str]] = [highest]
        for _ in range(order - 1):
            self.counts.insert(0, Counter(gram[1:] for gram in self.counts[0]))
        self.known = set(self.counts[0])
        self.discounts = [_discount(counts) for counts in self.counts]
        self.totals = [_totals(counts) for counts in self.counts]

    def probability(self, character: str, history: str) -> float:
        """P(character | the last characters of `history`); of an unknown character, that of any unknown one."""
        found = 1 / (len(self.known) + 1)
        for place in range(self.order):
            context = history[len(history) - place :]
            total, kinds = self.totals[place].get(context, (0, 0))
            if not total:
                break
            discount = self.discounts[place]
            seen = max(self.counts[place].get(context + character, 0) - discount, 0)
            found = (seen + discount * kinds * found) / total
        return found

    def bits(self, text: str) -> float:
        """Bits of a text and of its end."""
        padded = BEGIN * (self.order - 1) + text + END
        cost = 0.0
        for at in range(self.order - 1, len(padded)):
            cost -= math.log2(self.probability(padded[at], padded[at - self.order + 1 : at]))
            cost += 0 if padded[at] in self.known else math.log2(CODE_POINTS)
        return cost

    def bits_per_byte(self, texts: Sequence[str]) -> float:
        """Bits of all `texts` over their UTF-8 bytes."""
        return sum(map(self.bits, texts)) / size(texts)


def _discount(counts: Counter[str]) -> float:
    once, twice = (sum(count == times for count in counts.values()) for times in (1, 2))
    return once / (once + 2 * twice) if once else 0.5


def _totals(counts: Counter[str]) -> dict[str, tuple[int, int]]:
    """Of each context: how often anything follows it, and how many different characters do."""
    total: defaultdict[str, int] = defaultdict(int)
    kinds: defaultdict[str, int] = defaultdict(int)
    for gram, count in counts.items():
        total[gram[:-1]] += count
        kinds[gram[:-1]] += 1
    return {context: (count, kinds[context]) for context, count in total.items()}


def size(texts: Iterable[str]) -> int:
    """UTF-8 bytes; ends of texts have none."""
    return sum(len(text.encode()) for text in texts)


def packed(texts: Iterable[str]) -> int:
    """Bytes of `xz -9e` of the texts, one after the other with a line end each."""
    return len(lzma.compress("".join(f"{text}\n" for text in texts).encode(), preset=HARDEST))


def xz_bits_per_byte(trained: Sequence[str], held: Sequence[str]) -> tuple[float, float]:
    """Of the held-out texts after the training text (what they add to the file), and alone."""
    after = packed([*trained, *held]) - packed(trained)
    return 8 * after / size(held), 8 * packed(held) / size(held)
