"""Rows per second and peak memory from a file of conversations to ids and masks: dadeum, TRL, axolotl, LLaMA-Factory.

Two sets: 118,230 single questions (the Korean chat set ten times over) and 100,000 conversations of three to five turns
made of the same; no two rows are equal, so nobody gains by remembering. Every tool reads the same JSONL of messages with
the tokenizer of Qwen2.5, masks what is not the assistant's, and may use two workers; each starts with an empty cache in a
process of its own, in turn. Counted is the time from reading the file to the finished data set, its modules and the
tokenizer loaded before. Peak memory is that of the process and its children, shared pages shared out (PSS).

    python benchmarks/data.py --install ENVS            # each peer into an environment of its own, below the folder ENVS
    python benchmarks/data.py --envs ENVS [--rounds 3] [--check] [--to docs/results/data_speed.md]
"""

import argparse
import contextlib
import csv
import json
import os
import platform
import random
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

PEERS = {
    "trl": ("trl",),
    "axolotl": ("axolotl",),
    "llamafactory": ("llamafactory", "torch==2.11.*", "torchaudio==2.11.*"),
}
SETS = {"single": 118_230, "multi": 100_000}
TOKENIZER, TEMPLATE = "tokenizers/qwen2.5-0.5b-instruct", "chat_templates/trl/qwen2_5_training.jinja"
Messages = list[dict[str, str]]


def single(data: Path, count: int) -> Iterator[Messages]:
    """The chat set ten times; a number makes each question its own."""
    with (data / "ko_qa/ChatbotData.csv").open(encoding="utf-8", newline="") as file:
        rows = [(row["Q"], row["A"]) for row in csv.DictReader(file)]
    for number in range(count):
        question, answer = rows[number % len(rows)]
        yield turn(question if number < len(rows) else f"{question} {number // len(rows)}", answer)


def multi(data: Path, count: int) -> Iterator[Messages]:
    """Three to five turns of the chat set in a row."""
    with (data / "ko_qa/ChatbotData.csv").open(encoding="utf-8", newline="") as file:
        rows = [(row["Q"], row["A"]) for row in csv.DictReader(file)]
    draw = random.Random(42)
    for _ in range(count):
        yield [message for _ in range(draw.randint(3, 5)) for message in turn(*draw.choice(rows))]


def turn(question: str, answer: str) -> Messages:
    return [{"role": "user", "content": question}, {"role": "assistant", "content": answer}]


def write(rows: Iterator[Messages], path: Path) -> int:
    """The rows as JSONL; how many."""
    count = 0
    with path.open("w", encoding="utf-8", newline="\n") as file:
        for messages in rows:
            file.write(json.dumps({"messages": messages}, ensure_ascii=False) + "\n")
            count += 1
    return count


def model(data: Path, folder: Path) -> Path:
    """A model of a few thousand weights under the real tokenizer: the peers want one."""
    from transformers import AutoTokenizer, LlamaConfig, LlamaForCausalLM

    tokenizer = AutoTokenizer.from_pretrained(data / TOKENIZER)
    config = LlamaConfig(
        vocab_size=len(tokenizer), hidden_size=8, intermediate_size=8, num_hidden_layers=1, num_attention_heads=1
    )
    LlamaForCausalLM(config).save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder


def side_dadeum(rows: Path, place: Path, out: Path) -> None:
    """The stages preprocess and format, in an empty workspace."""
    import pyarrow.ipc
    import tokenizers
    import transformers

    from dadeum.config.data import DataSettings
    from dadeum.config.purpose import SFT
    from dadeum.core.progress import Silent
    from dadeum.core.workspace import Workspace
    from dadeum.data import format as _format
    from dadeum.data import prepare as _prepare
    from dadeum.data import step
    from dadeum.data.bench import Bench, at_bench
    from dadeum.data.samples import Samples

    del pyarrow, tokenizers, transformers, _format, _prepare
    work = Workspace(out.parent)
    data = DataSettings.model_validate(
        {"sources": [{"type": "jsonl", "path": str(rows)}], "split": {"validation": 0, "test": 0}}
    )
    with at_bench(Bench(data, SFT, place, None, work), last=False) as bench:
        bench.renderer.text(turn("가", "나"))  # loaded, as the peers have theirs
    begun = time.perf_counter()
    common: dict[str, Any] = {
        "tokenizer_place": place,
        "chat_template": None,
        "purpose": SFT,
        "workspace": work,
        "reporter": Silent(),
    }
    preprocessed = step.preprocess(data, fingerprint="0" * 64, **common)
    formatted = step.format_(data, preprocessed=preprocessed, fingerprint="1" * 64, **common)
    seconds = time.perf_counter() - begun
    samples = Samples.open(formatted / "train.arrow")
    told = {"seconds": seconds, "rows": len(samples), "tokens": int(samples.lengths.sum())}
    out.write_text(json.dumps({**told, "folder": str(formatted)}), encoding="utf-8")


class Memory(threading.Thread):
    """The largest memory of a process and all its children, looked at twenty times a second."""

    def __init__(self, pid: int) -> None:
        super().__init__(daemon=True)
        self.pid, self.peak, self.over = pid, 0, threading.Event()

    def run(self) -> None:
        """Look until `over` is set; who the children are, twice a second."""
        import psutil

        root, family, looks = psutil.Process(self.pid), [], 0
        while not self.over.wait(0.05):
            if looks % 10 == 0:
                with contextlib.suppress(psutil.Error):
                    family = [root, *root.children(recursive=True)]
            looks += 1
            total = 0
            for process in family:
                with contextlib.suppress(psutil.Error):
                    total += process.memory_full_info().pss
            self.peak = max(self.peak, total)


def measure(side: str, rows: Path, place: Path, envs: Path | None, keep: Path | None) -> dict[str, Any]:
    """One run of one tool in a folder of its own."""
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "out.json"
        peer = Path(__file__).parent / "peers" / f"of_{side}.py"
        if side == "dadeum":
            command = [sys.executable, __file__, "--side", str(rows), str(place), str(out)]
        else:
            assert envs is not None
            command = [str(envs / side / "bin" / "python"), str(peer), str(rows), str(place), str(out)]
        environment = {
            **{k: v for k, v in os.environ.items() if k not in ("TOKENIZERS_PARALLELISM", "OMP_NUM_THREADS")},
            "RAYON_NUM_THREADS": "2",
            "HF_HOME": folder,
            "HF_HUB_OFFLINE": "1",
            "AXOLOTL_DO_NOT_TRACK": "1",
            "DO_NOT_TRACK": "1",
            "HF_DATASETS_CACHE": folder,
        }
        begun = time.perf_counter()
        process = subprocess.Popen(
            command,
            cwd=folder,
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            encoding="utf-8",
        )
        memory = Memory(process.pid)
        memory.start()
        said, _ = process.communicate()
        memory.over.set()
        wall = time.perf_counter() - begun
        if process.returncode or not out.is_file():
            raise SystemExit(f"{side} failed:\n{said[-6000:]}")
        found: dict[str, Any] = json.loads(out.read_text(encoding="utf-8"))
        if keep is not None and "folder" in found:
            Path(found["folder"]).rename(keep)
        return {**found, "wall": wall, "peak": memory.peak}


def compared(data: Path, formatted: Path, rows: Path) -> dict[str, int]:
    """Of every row: ids and mask against transformers' apply_chat_template with a template that marks the answers."""
    from transformers import AutoTokenizer

    from dadeum.data.samples import Samples

    tokenizer = AutoTokenizer.from_pretrained(data / TOKENIZER)
    tokenizer.chat_template = (data / TEMPLATE).read_text(encoding="utf-8")
    (line_break,) = tokenizer.encode("\n")
    samples = Samples.open(formatted / "train.arrow")
    found = {"rows": len(samples), "equal": 0, "ids differ": 0, "masks differ": 0}
    with rows.open(encoding="utf-8") as file:
        lines = file.readlines()
    for sample in samples:
        messages = json.loads(lines[sample.source_row])["messages"]
        whole = tokenizer.apply_chat_template(
            messages, tokenize=True, return_dict=True, return_assistant_tokens_mask=True
        )
        ids, size = whole["input_ids"], len(sample.input_ids)
        ours = [int(w > 0) for w in sample.weights] + [0] * (len(ids) - size)
        # A sample ends with its end token; the template writes a line break after it. That template also marks the line
        # breaks around an answer, the one before it being the prompt's.
        wrong = [i for i, mark in enumerate(whole["assistant_masks"]) if ours[i] != mark and ids[i] != line_break]
        if ids[:size] != sample.input_ids.tolist() or len(ids) > size + 1:
            found["ids differ"] += 1
        elif wrong:
            found["masks differ"] += 1
        else:
            found["equal"] += 1
    return found


def page(
    found: dict[str, dict[str, list[dict[str, Any]]]], checks: dict[str, dict[str, int]], versions: str, asked: str
) -> str:
    """The result as Markdown; `asked` is how it was called."""
    lines = [
        "# Speed and memory of the data path",
        "",
        f"`python benchmarks/data.py {asked}`",
        "",
        f"{platform.machine()}, {os.cpu_count()} processors; {versions}. Two workers each, empty caches, in turn.",
        "Seconds: from reading the file to the finished data set, modules and tokenizer loaded before; whole: the command with its start.",
        "Memory: of the process and its children (PSS).",
    ]
    for name, sides in found.items():
        first = sides["dadeum"][0]
        lines += [
            "",
            f"## {first['rows']:,} rows, {name}",
            "",
            "| tool | rows/s | tokens/s | seconds | whole | peak MiB | dadeum's rows/s to its | its memory to dadeum's |",
            "| --- | --- | --- | --- | --- | --- | --- | --- |",
        ]
        middle = {side: {key: statistics.median(r[key] for r in runs) for key in KEYS} for side, runs in sides.items()}
        for side, mid in sorted(middle.items(), key=lambda item: item[1]["seconds"]):
            ours = middle["dadeum"]
            ratio = statistics.median(
                theirs["seconds"] / own["seconds"] for theirs, own in zip(sides[side], sides["dadeum"], strict=True)
            )
            lines.append(
                f"| {side} | {mid['rows'] / mid['seconds']:,.0f} | {mid['tokens'] / mid['seconds']:,.0f} | {mid['seconds']:.1f} "
                f"| {mid['wall']:.1f} | {mid['peak'] / 2**20:,.0f} | {ratio:.2f} | {mid['peak'] / ours['peak']:.2f} |"
            )
        if name in checks:
            told = ", ".join(f"{count:,} {what}" for what, count in checks[name].items())
            lines += [
                "",
                f"Ids and masks against `apply_chat_template` with a marked template, but for the line breaks around an answer, which that template marks too: {told}.",
            ]
    return "\n".join([*lines, ""])


KEYS = ("rows", "tokens", "seconds", "wall", "peak")


def versions(envs: Path | None, peers: list[str]) -> str:
    """The tools' own versions."""
    from importlib.metadata import version

    told = [f"dadeum {version('dadeum')}", f"tokenizers {version('tokenizers')}"]
    for peer in peers:
        assert envs is not None
        ask = f"from importlib.metadata import version; print(version('{PEERS[peer][0]}'))"
        said = subprocess.run(
            [str(envs / peer / "bin/python"), "-c", ask], capture_output=True, text=True, encoding="utf-8", check=True
        )
        told.append(f"{peer} {said.stdout.strip()}")
    return ", ".join(told)


def install(envs: Path) -> None:
    """Each peer's newest version, in an environment of its own; LLaMA-Factory does not start with every torch."""
    for name, packages in PEERS.items():
        subprocess.run([sys.executable, "-m", "venv", str(envs / name)], check=True)
        subprocess.run([str(envs / name / "bin/python"), "-m", "pip", "install", "-q", *packages], check=True)


def main() -> None:
    """Measure, install, or be one side."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--install", type=Path, metavar="ENVS")
    parser.add_argument("--envs", type=Path)
    parser.add_argument("--peers", nargs="*", choices=list(PEERS), default=list(PEERS))
    parser.add_argument("--sets", nargs="*", choices=list(SETS), default=list(SETS))
    parser.add_argument("--rows", type=int, help="rows of each set; 5000000 shows that memory has a bound")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--check", action="store_true", help="hold every row against apply_chat_template")
    parser.add_argument("--to", type=Path)
    parser.add_argument("--side", nargs=3, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.install:
        return install(given.install)
    if given.side:
        return side_dadeum(*map(Path, given.side))
    data = Path(os.environ.get("DADEUM_DATA", ""))
    if not (data / TOKENIZER).is_dir():
        raise SystemExit("DADEUM_DATA: expected the folder of real material")
    sides = ["dadeum", *(given.peers if given.envs else [])]
    found: dict[str, dict[str, list[dict[str, Any]]]] = {}
    checks: dict[str, dict[str, int]] = {}
    with tempfile.TemporaryDirectory() as folder:
        place = model(data, Path(folder) / "model")
        for name in given.sets:
            rows = Path(folder) / f"{name}.jsonl"
            write({"single": single, "multi": multi}[name](data, given.rows or SETS[name]), rows)
            found[name] = {side: [] for side in sides}
            for turn_ in range(given.rounds):
                for side in sides if turn_ % 2 == 0 else sides[::-1]:
                    keep = Path(folder) / f"formatted-{name}"
                    first = given.check and side == "dadeum" and not keep.exists()
                    found[name][side].append(measure(side, rows, place, given.envs, keep if first else None))
                    print(name, side, found[name][side][-1], file=sys.stderr, flush=True)
            if given.check:
                checks[name] = compared(data, Path(folder) / f"formatted-{name}", rows)
    words = ["ENVS" if word == str(given.envs) else word for word in sys.argv[1:]]
    text = page(found, checks, versions(given.envs, sides[1:]), " ".join(words))
    print(text)
    if given.to:
        given.to.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
