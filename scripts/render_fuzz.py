"""Random conversations through every chat template of the data folder, against the text that transformers renders.

    DADEUM_DATA=/folder/of/the/data python -m scripts.render_fuzz [--rows 2000] [--workers 2]

Writes docs/results/render_fuzz.md. `scripts/render_oracle.py` says what is compared.
"""

import argparse
import os
import random
import re
import sys
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from functools import cache, partial
from pathlib import Path
from typing import Any

from dadeum.core.errors import DataError
from dadeum.data.render import Renderer
from scripts.render_oracle import PARTS, Oracle, Talk, answers, compare
from scripts.template_table import CONTROL, ENDS, templates

PAGE = Path(__file__).parents[1] / "docs" / "results" / "render_fuzz.md"


@cache
def _learned() -> str:
    """A byte-level BPE of a few hundred tokens, which loses nothing."""
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers

    made = Tokenizer(models.BPE())
    made.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    made.decoder = decoders.ByteLevel()
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    trainer = trainers.BpeTrainer(vocab_size=500, initial_alphabet=alphabet, show_progress=False)
    made.train_from_iterator([" ".join(PARTS), "assistant user system tool " * 3] * 3, trainer)
    return str(made.to_str())


def small(template: str) -> Any:
    """A tokenizer with the template and its control tokens."""
    from tokenizers import AddedToken, Tokenizer
    from transformers import PreTrainedTokenizerFast

    made = Tokenizer.from_str(_learned())
    eos = next((e for e in ENDS if e in template), "</s>")
    names = [*dict.fromkeys(CONTROL.findall(template)), eos, "<s>"]
    made.add_special_tokens([AddedToken(n, special=True, normalized=False) for n in names])
    tokenizer = PreTrainedTokenizerFast(tokenizer_object=made, eos_token=eos, bos_token="<s>")
    tokenizer.chat_template = template
    return tokenizer


@dataclass
class Outcome:
    """Of one template: conversations that were trained rightly and that were refused, and what went wrong."""

    name: str
    refusal: str = ""
    cure: str = ""
    trained: int = 0
    turns: int = 0
    sought: int = 0  # the template looks for control tokens in what is said
    refused: Counter[str] = field(default_factory=Counter)  # by kind of row and reason
    wrong: list[str] = field(default_factory=list)

    @property
    def admitted(self) -> bool:
        """Whether a question and its answer can be trained, perhaps with the cure."""
        return not self.refusal or bool(self.cure)


def fuzz(item: tuple[str, str], rows: int) -> Outcome:
    """One template against so many conversations."""
    name, template = item
    tokenizer = small(template)
    outcome, renderer = _renderer(tokenizer, name)
    oracle = Oracle(tokenizer, renderer.kwargs)
    rng = random.Random(name)
    talks = [Talk.drawn(rng, oracle.names) for _ in range(rows)]
    for talk, made in zip(talks, renderer.samples_batch([t.row() for t in talks], "assistant"), strict=True):
        if isinstance(made, DataError):
            outcome.refused[f"{_kind(talk)}: {_reason(made)}"] += 1
            continue
        try:
            outcome.sought += compare(oracle, talk, made)
        except Exception as error:  # also what the template says to transformers
            outcome.wrong.append(f"{type(error).__name__} {error}: {talk.row()}")
            continue
        outcome.trained += 1
        outcome.turns += len(answers(talk.row()))
    return outcome


def _renderer(tokenizer: Any, name: str) -> tuple[Outcome, Renderer]:
    """As it is, with the variable that the refusal names, or with an empty list of tools."""
    first = Renderer(tokenizer, template_name=name)
    refusal = _refusal(first)
    if refusal is None:
        return Outcome(name), first
    named = re.search(r"\{(\w+): (true|false)\}", refusal)
    cure: dict[str, Any] = {named[1]: named[2] == "true"} if named else {"tools": []}
    second = Renderer(tokenizer, template_name=name, kwargs=cure)
    if _refusal(second) is not None:
        return Outcome(name, refusal), first
    shown = ", ".join(f"{key}: {str(value).lower()}" for key, value in cure.items())
    return Outcome(name, refusal, shown), second


def _refusal(renderer: Renderer) -> str | None:
    """Why a question and its answer cannot be trained."""
    plain = [{"role": "user", "content": "가"}, {"role": "assistant", "content": "나"}]
    try:
        made = renderer.samples_batch([plain], "assistant")[0]
    except DataError as error:  # a variable that the template does not read
        made = error
    return str(made) if isinstance(made, DataError) else None


def _kind(talk: Talk) -> str:
    return "tools" if talk.tools else "system" if talk.system else "other"


def _reason(error: DataError) -> str:
    """The sentence without its cure and what differs from row to row."""
    said = re.sub(r"message \d+", "a message", str(error)).split(";")[0]
    return re.sub(r"^the chat template of \S+ ", "", said)


def all_outcomes(data: Path, rows: int, workers: int, only: str = "") -> list[Outcome]:
    """Every template whose name holds `only`."""
    items = [item for item in templates(data).items() if only in item[0]]
    if workers < 2:
        return [fuzz(item, rows) for item in items]
    with ProcessPoolExecutor(workers) as pool:
        return list(pool.map(partial(fuzz, rows=rows), items))


def page(outcomes: Sequence[Outcome], rows: int) -> str:
    """The page."""
    refused = [o for o in outcomes if not o.admitted]
    turns, trained = sum(o.turns for o in outcomes), sum(o.trained for o in outcomes)
    lines = [
        "# Random conversations through every chat template",
        "",
        f"Made by `DADEUM_DATA=… python -m scripts.render_fuzz --rows {rows}`; a smaller run is in the default tests "
        "(`tests/data/test_render_fuzz_templates.py`).",
        "",
        f"{len(outcomes)} real templates, {rows:,} conversations each (one to three questions; Hangul, jamo in parts, emoji, blanks, the "
        "tokenizer's own control tokens as text, 40 % with a system message, 20 % with a call of a tool and its result). "
        f"{trained:,} conversations with {turns:,} trained turns were compared with what `apply_chat_template` of transformers "
        f"writes: **{sum(len(o.wrong) for o in outcomes)} differ**.",
        "",
        "Compared are: the trained text with the answer as the template renders it and its end token; the text of the whole "
        "sample; and its control tokens with those that the template writes around plain words, so that none comes from what is said.",
        "",
        f"Refused: {len(refused)} of {len(outcomes)} templates ({len(refused) / len(outcomes):.1%}). "
        "*With*: the `data.chat_template_kwargs` that cure a refusal. *Sought*: conversations in which the template looks for its "
        "control tokens inside what is said, and would cut there; dadeum lets it see none, and trains the whole text.",
        "",
        "## Templates that are refused",
        "",
        "| template | why | `chat_template_kwargs` that cure it |",
        "| --- | --- | --- |",
    ]
    lines += [
        f"| {o.name} | {_cell(_reason(DataError(o.refusal)))} | {(o.cure and f'`{o.cure}`') or 'none was found'} |"
        for o in outcomes
        if o.refusal
    ]
    lines += ["", "## All", "", "| template | with | trained | refused | sought |", "| --- | --- | --- | --- | --- |"]
    for o in outcomes:
        why = "; ".join(f"{count:,} {reason}" for reason, count in o.refused.most_common())
        why = f"{sum(o.refused.values()):,}: see above" if not o.admitted and not o.trained else why
        lines.append(f"| {o.name} | {o.cure and f'`{o.cure}`'} | {o.trained:,} | {_cell(why)} | {o.sought or ''} |")
    return "\n".join(lines) + "\n"


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


def main() -> int:
    """Write the page; what differs is printed."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=2000)
    parser.add_argument("--workers", type=int, default=1)
    asked = parser.parse_args()
    place = os.environ.get("DADEUM_DATA")
    if not place:
        print("set DADEUM_DATA to the folder of the real data", file=sys.stderr)
        return 2
    outcomes = all_outcomes(Path(place), asked.rows, asked.workers)
    for outcome in outcomes:
        for wrong in outcome.wrong[:3]:
            print(f"{outcome.name}: {wrong}", file=sys.stderr)
    PAGE.write_text(page(outcomes, asked.rows), encoding="utf-8")
    return 1 if any(outcome.wrong for outcome in outcomes) else 0


if __name__ == "__main__":
    sys.exit(main())
