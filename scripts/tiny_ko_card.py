"""The card of tiny-ko: held-out bits per byte beside simpler models, and samples that nobody picked.

    python -m scripts.tiny_ko_card WORKSPACE [--model FOLDER]

Reads the workspace's data/raw/ as scripts/tiny_ko_data.py wrote it, and writes README.md into the model's folder
(default: the embedded model).
"""

import argparse
import sys
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from dadeum.core.artifact import read_json, write_text
from dadeum.core.workspace import Workspace
from dadeum.data.sources import Row, text
from dadeum.evaluate.metrics import bits_per_byte
from scripts.character_model import CharacterModel, size, xz_bits_per_byte
from scripts.tiny_ko_data import rows

MODEL = Path(__file__).parents[1] / "src" / "dadeum" / "assets" / "tiny-ko"
SAMPLES, BEGINNING, NEW_TOKENS = 20, 12, 40
TEMPERATURE, TOP_P, SEED = 0.8, 0.95, 0
ORDER = 5


@dataclass(frozen=True)
class Figures:
    """What the card says in numbers; bits per byte on the held-out texts."""

    model: float
    characters: float
    xz_after: float
    xz_alone: float

    @property
    def ahead(self) -> list[str]:
        """What needs no more bits than the model."""
        others = {f"the {ORDER}-gram character model": self.characters, "xz": min(self.xz_after, self.xz_alone)}
        return [name for name, value in others.items() if not self.model < value]


def lines(path: Path) -> list[str]:
    """The samples of a text file, in NFC."""
    settings = text.Settings(path=str(path.resolve()))
    found = text.read(settings, text.files(settings, Workspace(path.parent)))
    return [unicodedata.normalize("NFC", row.values["text"]) for row in found if isinstance(row, Row)]


def model_bits_per_byte(folder: Path, held: Sequence[str]) -> float:
    """dadeum's own measure on plain text: every token and the end of each text, over the bytes of the text."""
    from dadeum.generate.engine import Engine

    found = Engine.open(folder).text_loss(held, batch_size=64)
    sums = np.array([sum(loss.nll for loss in found), float(sum(loss.bytes for loss in found))])
    return float(bits_per_byte.combine(sums))


def measure(folder: Path, samples: Sequence[str], held: Sequence[str]) -> Figures:
    """The model and what it is held against, on the same held-out texts and from the same samples."""
    characters = CharacterModel(samples, ORDER).bits_per_byte(held)
    after, alone = xz_bits_per_byte(samples, held)
    return Figures(model_bits_per_byte(folder, held), characters, after, alone)


def generate(folder: Path, beginnings: Sequence[str]) -> list[str]:
    """A continuation of each text, drawn under one seed."""
    import torch

    from dadeum.data.tokens import Encoder
    from dadeum.generate.engine import Engine
    from dadeum.generate.reply import seeded

    engine = Engine.open(folder)
    encoder = Encoder(engine.tokenizer)
    config = engine.decoding(NEW_TOKENS, TEMPERATURE, TOP_P)
    made: list[str] = []
    with seeded(SEED):
        for beginning in beginnings:
            ids = encoder.natural(beginning)
            row = torch.tensor([ids])
            new = engine.generate(row, torch.ones_like(row), config)[0, len(ids) :].tolist()
            made.append(engine.reply(len(ids), new, 0.0).text)
    return made


def shown(written: str) -> str:
    """One line of a table."""
    return written.replace("\n", " ⏎ ").replace("|", "\\|").replace("`", "'").strip()


def beginning_of(held: str) -> str:
    """The first characters of a held-out text, up to the end of its first line."""
    return held[:BEGINNING].split("\n")[0].rstrip()


def card(figures: Figures, facts: dict[str, Any], pairs: Sequence[tuple[str, str]], note: str = "") -> str:
    """The text of the card; `note` says what is peculiar to this training."""
    note = f"\n{note}\n" if note else ""
    verdict = (
        f"**The model does not beat {' or '.join(figures.ahead)}: it was trained too briefly.**"
        if figures.ahead
        else "The model needs fewer bits than both."
    )
    table = "\n".join(f"| {n} | {shown(begun)} | {shown(made)} |" for n, (begun, made) in enumerate(pairs, 1))
    return f"""# tiny-ko

A small Korean base model that dadeum trained from fresh weights. It is here so that `dadeum quickstart` works offline;
it writes film reviews and small talk, knows no facts, and must not be relied on for anything.

| | |
| --- | --- |
| architecture | Llama, {facts["layers"]} layers, hidden {facts["hidden"]}, {facts["heads"]} heads ({facts["kv_heads"]} of keys and values), context {facts["context"]:,} |
| parameters | {facts["parameters"]:,}, the embedding tied; stored in bfloat16 |
| tokenizer | byte-level BPE of {facts["vocabulary"]:,} tokens, single digits; ChatML template |
| trained on | {facts["tokens"]:,} tokens in {facts["steps"]:,} steps ({facts["epochs"]:.2f} passes), {facts["minutes"]:.0f} minutes on {facts["device"]} |
| validation loss | {facts["loss"]:.4f} nats a token |
| licence | Apache-2.0, as dadeum |
{note}
## Data

| source | licence | what was taken |
| --- | --- | --- |
| NSMC film reviews (e9t/nsmc) | CC0 1.0 | reviews: most of them one a text; a quarter five to a text, three of which come again; an eighth as a conversation, the review's beginning its question |
| ChatbotData (songys/Chatbot_data) | MIT | questions with answers, as two lines and again as a conversation |
| Question_pair (songys/Question_pair) | MIT | questions, as the reviews; two wordings of one question as a conversation |

The training has three parts (`configs/tiny-ko-*.yaml`). The second goes on with conversations in which a quarter of the reviews are said back word
for word, with the pairs, and with plain reviews: from it the model has its one skill, to look back and take up what it read. The third takes the
texts of the first again while the rate goes to zero.

{facts["texts"]:,} texts of {facts["bytes"]:,} bytes, and {facts["chats"]:,} conversations. Kept out of training by the hash of the normalised text:
the {facts["held"]:,} held-out texts below and their questions, and the questions and answers of the Korean civil-law rows
that test later, the project's own and `civil_law_qa_dataset.csv` ({facts["kept_out"]:,} hashes in all, `tiny_ko_kept_out.txt`).

## Held-out bits per byte

Over {facts["held"]:,} texts of {facts["held_bytes"]:,} bytes that were drawn by their hash. Every text's end is charged to all. The simpler models
learn the same samples, each once (`tiny_ko_samples.txt`).

| | bits per byte |
| --- | --- |
| tiny-ko (`dadeum`'s `bits_per_byte` on plain text) | {figures.model:.4f} |
| {ORDER}-gram character model, interpolated Kneser-Ney | {figures.characters:.4f} |
| `xz -9e` of the samples and the held-out text, less that of the samples | {figures.xz_after:.4f} |
| `xz -9e` of the held-out text alone | {figures.xz_alone:.4f} |

{verdict}

## Samples

The beginnings of the first {len(pairs)} held-out texts, continued once each (temperature {TEMPERATURE}, top_p {TOP_P}, seed {SEED}); none was picked.

| | beginning | continuation |
| --- | --- | --- |
{table}

## Make it again

```sh
export DADEUM_DATA=/folder/of/the/data OMP_NUM_THREADS=1
python -m scripts.tiny_ko_data tiny-ko
cp configs/tiny-ko-*.yaml tiny-ko/
(cd tiny-ko && for part in base recall settle; do dadeum train tiny-ko-$part.yaml || break; done)   # the same line resumes
python -m scripts.tiny_ko_pack tiny-ko
python -m scripts.tiny_ko_card tiny-ko
```
"""


def gather(
    folder: Path, raw: Path, statistics: dict[str, Any], trained: Sequence[str], held: Sequence[str]
) -> dict[str, Any]:
    """What else the card says, from the model's files, the data and the training's statistics."""
    config = read_json(folder / "config.json")
    with (raw / "tiny_ko_kept_out.txt").open(encoding="utf-8") as file:
        kept_out = sum(1 for _ in file)
    return {
        "layers": config["num_hidden_layers"],
        "hidden": config["hidden_size"],
        "heads": config["num_attention_heads"],
        "kv_heads": config["num_key_value_heads"],
        "context": config["max_position_embeddings"],
        "vocabulary": config["vocab_size"],
        "parameters": statistics["parameters"],
        "tokens": statistics["tokens"],
        "steps": statistics["optimizer_steps"],
        "epochs": statistics["epochs"],
        "minutes": statistics["seconds"] / 60,
        "device": statistics["device"],
        "loss": statistics["final_validation_loss"],
        "texts": len(trained),
        "bytes": size(trained),
        "chats": len(rows(raw / "tiny_ko_chat.csv")),
        "held": len(held),
        "held_bytes": size(held),
        "kept_out": kept_out,
    }


def main(arguments: Sequence[str] | None = None) -> int:
    """The command. Returns its exit code: 1 where the model does not beat both."""
    parser = argparse.ArgumentParser(description="The card of tiny-ko.")
    parser.add_argument("workspace", type=Path, help="where scripts/tiny_ko_data.py wrote")
    parser.add_argument("--model", type=Path, default=MODEL, help="folder of the packed model")
    parser.add_argument("--note", default="", help="what the card says of this training besides")
    given = parser.parse_args(arguments)
    raw = given.workspace / "data" / "raw"
    samples, held = lines(raw / "tiny_ko_samples.txt"), lines(raw / "tiny_ko_heldout.txt")
    trained = lines(raw / "tiny_ko_train.txt")
    figures = measure(given.model, samples, held)
    begun = [beginning_of(sample) for sample in held[:SAMPLES]]
    facts = gather(given.model, raw, read_json(given.model / "training_stats.json"), trained, held)
    write_text(
        given.model / "README.md",
        card(figures, facts, list(zip(begun, generate(given.model, begun), strict=True)), given.note),
    )
    print(figures)
    return 1 if figures.ahead else 0


if __name__ == "__main__":
    sys.exit(main())
