r"""The training text and the tokenizer of tiny-ko, from the CC0 and MIT Korean rows of the data folder.

    DADEUM_DATA=/folder/of/the/data python -m scripts.tiny_ko_data WORKSPACE [--keep-out QUESTIONS.csv ...]

Writes into the workspace's data/raw/:

    tiny_ko_train.txt       one sample a line (`\n` and `\\` escaped): reviews, questions, "question\nanswer" pairs
    tiny_ko_chat.csv        rows with question and answer, which are trained in the chat form: the same pairs, questions
                            with another wording of them, beginnings of reviews with the whole review
    tiny_ko_recall.csv      for the second part of the training: reviews whose answer is the review itself, and the pairs
    tiny_ko_recall.txt      for the second part: reviews and pairs as plain text, so that these are not forgotten
    tiny_ko_samples.txt     each trained sample once: what simpler models learn that it is held against
    tiny_ko_heldout.txt     samples that are never trained, drawn by their hash
    tiny_ko_kept_out.txt    SHA-256 of every normalised text that is kept out of training, and where it stands
    tiny_ko_tokenizer/      byte-level BPE, trained on tiny_ko_train.txt

The same files give the same bytes. A part of the reviews is joined, several to a sample, of which some come again: alone
they are so short that the model would never see a later position, nor a reason to look back and take up what it read.
For the same reason a part of them is a conversation whose answer begins with the words of its question.
"""

import argparse
import csv
import gzip
import hashlib
import os
import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from dadeum.data.keys import normalised
from dadeum.tokenizer.load import TEMPLATES

HELD_OUT = 2000
VOCABULARY = 8000
CONTEXT = 2048
SEED = "tiny-ko"
# One review in JOINED_SHARE goes into a joined sample, JOINED to a sample, of which AGAIN come a second time; one in
# BEGUN_SHARE is split into its beginning, as a question, and the whole of it, as the answer.
JOINED_SHARE, JOINED, AGAIN = 4, 5, 3
BEGUN_SHARE, BEGUN = 8, 0.6
# For the second part: one in ECHO_SHARE comes back word for word, one in PLAIN_SHARE is plain text again.
ECHO_SHARE, PLAIN_SHARE = 4, 8
END, START, STOP = "<|endoftext|>", "<|im_start|>", "<|im_end|>"
REVIEWS, PAIRS, QUESTIONS = "ko_text/nsmc_reviews.txt.gz", "ko_qa/ChatbotData.csv", "ko_cls/Question_pair_train.csv"
TEST_ROWS = "ko_qa/civil_law_qa_dataset.csv"
OWN_TEST_ROWS = Path(__file__).parents[1] / "src" / "dadeum" / "assets" / "civil_law_qa_test.csv"


@dataclass(frozen=True)
class Sample:
    """A review or a question alone, or a question with its answer."""

    text: str
    answer: str | None = None

    @property
    def whole(self) -> str:
        """What a model reads: the question's line, then the answer's."""
        return self.text if self.answer is None else f"{self.text}\n{self.answer}"


def digest(text: str) -> str:
    """SHA-256 of a text as twins are compared: NFC, without case, each run of white space one blank."""
    return hashlib.sha256(normalised(text).encode()).hexdigest()


def drawn(text: str) -> str:
    """What the draws go by: a hash that depends on the text alone."""
    return hashlib.sha256(f"{SEED}\0{normalised(text)}".encode()).hexdigest()


def escape(text: str) -> str:
    """One line, as the source `text` reads it back."""
    return text.replace("\\", "\\\\").replace("\r\n", "\n").replace("\r", "\n").replace("\n", "\\n")


def samples(data: Path) -> list[Sample]:
    """All samples of the three sources in their order, each once."""
    with gzip.open(data / REVIEWS, "rt", encoding="utf-8") as file:
        found = [Sample(line.strip()) for line in file]
    found += [Sample(row["Q"].strip(), row["A"].strip()) for row in rows(data / PAIRS)]
    found += [Sample(row[c].strip()) for row in rows(data / QUESTIONS) for c in ("question1", "question2")]
    once = {normalised(s.whole): s for s in reversed(found) if s.text}
    kept = set(map(id, once.values()))
    return [s for s in found if id(s) in kept]


def rows(path: Path) -> list[dict[str, str]]:
    """Rows of a CSV file in UTF-8, with or without BOM."""
    with path.open(encoding="utf-8-sig", newline="") as file:
        return list(csv.DictReader(file))


def held_out(everything: Sequence[Sample], count: int) -> list[Sample]:
    """The samples with the smallest hashes, in the order of these."""
    return sorted(everything, key=lambda s: drawn(s.whole))[:count]


def kept_out(held: Iterable[Sample], tests: Iterable[Path]) -> dict[str, str]:
    """Hash of each text that must not be trained, and where it stands: held-out samples, and rows that test later."""
    found: dict[str, str] = {}
    for sample in held:
        for text in (sample.whole, sample.text):
            found.setdefault(digest(text), "held-out")
    for path in tests:
        for row in rows(path):
            texts = [row["question"], row["answer"], f"{row['question']}\n{row['answer']}"]
            found.update({digest(text): path.name for text in texts})
    return found


def share(sample: Sample, of: int, at: int = 0) -> bool:
    """Whether the draw puts a review or a question into the one part in `of` at place `at`."""
    return sample.answer is None and int(drawn(sample.text)[-8:], 16) % of == at


def join(trained: Sequence[Sample]) -> list[str]:
    """The texts in a drawn order; of the reviews and questions a share is joined, several to a text, some of them twice."""
    order = sorted(trained, key=lambda s: drawn(s.whole))
    chosen = [s.text for s in order if share(s, JOINED_SHARE)]
    alone = [s.whole for s in order if not share(s, JOINED_SHARE) and not share(s, BEGUN_SHARE, 1)]
    parts = [chosen[at : at + JOINED] for at in range(0, len(chosen), JOINED)]
    return alone + ["\n".join(part + sorted(part, key=lambda t: drawn(f"again {t}"))[:AGAIN]) for part in parts]


def beginning(text: str) -> str:
    """The first words of a text, about BEGUN of them."""
    words = text.split(" ")
    return " ".join(words[: max(1, round(len(words) * BEGUN))])


def chats(data: Path, trained: Sequence[Sample]) -> list[tuple[str, str]]:
    """Questions and answers for the chat form; both sides of a pair of questions must be trained themselves."""
    found = [(s.text, s.answer) for s in trained if s.answer is not None]
    known = {normalised(s.text) for s in trained}
    for row in rows(data / QUESTIONS):
        one, other = row["question1"].strip(), row["question2"].strip()
        # Label 0 marks two wordings of one question.
        if row["is_duplicate"] == "0" and normalised(one) in known and normalised(other) in known:
            found.append((one, other))
    return found + [(beginning(s.text), s.text) for s in trained if share(s, BEGUN_SHARE, 1)]


def make_tokenizer(texts: Iterable[str], folder: Path, size: int = VOCABULARY) -> None:
    """Byte-level BPE with single digits, as SmolLM2's; saved for `AutoTokenizer` with the ChatML template.

    Every text begins with END, so that its first token is predicted too and bits per byte leave nothing out.
    """
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, processors, trainers
    from transformers import PreTrainedTokenizerFast

    backend: Any = Tokenizer(models.BPE())
    backend.pre_tokenizer = pre_tokenizers.Sequence(
        [pre_tokenizers.Digits(individual_digits=True), pre_tokenizers.ByteLevel(add_prefix_space=False)]
    )
    backend.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=size,
        special_tokens=[END, START, STOP],
        initial_alphabet=sorted(pre_tokenizers.ByteLevel.alphabet()),
        show_progress=False,
    )
    backend.train_from_iterator(texts, trainer)
    backend.post_processor = processors.TemplateProcessing(
        single=f"{END} $A", pair=f"{END} $A {END} $B", special_tokens=[(END, backend.token_to_id(END))]
    )
    tokenizer = PreTrainedTokenizerFast(
        tokenizer_object=backend,
        bos_token=END,
        eos_token=END,
        pad_token=END,
        unk_token=END,
        additional_special_tokens=[START, STOP],
        model_max_length=CONTEXT,
        clean_up_tokenization_spaces=False,
    )
    tokenizer.chat_template = "{{- bos_token }}" + (TEMPLATES / "chatml.jinja").read_text(encoding="utf-8")
    tokenizer.save_pretrained(str(folder))


def write_lines(path: Path, lines: Iterable[str]) -> None:
    """Each with a line end, in UTF-8."""
    path.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8", newline="\n")


def write_rows(path: Path, conversations: Iterable[tuple[str, str]]) -> None:
    """Questions and answers, as CSV in UTF-8."""
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(("question", "answer"))
        writer.writerows(conversations)


def make(data: Path, raw: Path, tests: Sequence[Path], *, count: int = HELD_OUT, size: int = VOCABULARY) -> None:
    """Write all files into `raw`."""
    raw.mkdir(parents=True, exist_ok=True)
    everything = samples(data)
    held = held_out(everything, count)
    out = kept_out(held, [data / TEST_ROWS, OWN_TEST_ROWS, *tests])
    trained = [s for s in everything if digest(s.whole) not in out and digest(s.text) not in out]
    texts, conversations = join(trained), chats(data, trained)
    write_lines(raw / "tiny_ko_train.txt", map(escape, texts))
    write_lines(raw / "tiny_ko_samples.txt", (escape(s.whole) for s in trained))
    write_lines(raw / "tiny_ko_heldout.txt", (escape(s.whole) for s in held))
    write_lines(raw / "tiny_ko_kept_out.txt", (f"{key}\t{place}" for key, place in sorted(out.items())))
    pairs = [s for s in trained if s.answer is not None]
    write_rows(raw / "tiny_ko_chat.csv", conversations)
    echoed = [(s.text, s.text) for s in trained if share(s, ECHO_SHARE, 2)]
    write_rows(raw / "tiny_ko_recall.csv", [*echoed, *((s.text, str(s.answer)) for s in pairs)])
    plain = [s for s in trained if share(s, PLAIN_SHARE, 3)]
    write_lines(raw / "tiny_ko_recall.txt", (escape(s.whole) for s in [*plain, *pairs]))
    make_tokenizer((*texts, *(answer for _, answer in conversations)), raw / "tiny_ko_tokenizer", size)
    print(
        f"{len(everything)} samples; trained {len(trained)} in {len(texts)} texts and {len(conversations)} conversations; held out {len(held)}"
    )


def main(arguments: Sequence[str] | None = None) -> int:
    """The command. Returns its exit code."""
    parser = argparse.ArgumentParser(description="Training text and tokenizer of tiny-ko.")
    parser.add_argument("workspace", type=Path, help="folder whose data/raw/ is written")
    parser.add_argument("--keep-out", type=Path, action="append", default=[], help="more CSV files of test rows")
    given = parser.parse_args(arguments)
    data = Path(os.environ.get("DADEUM_DATA", ""))
    if not (data / REVIEWS).is_file():
        print("DADEUM_DATA: expected the folder of the data", file=sys.stderr)
        return 2
    make(data, given.workspace / "data" / "raw", given.keep_out)
    return 0


if __name__ == "__main__":
    sys.exit(main())
