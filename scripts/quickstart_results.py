"""What the quickstart is worth: its figures, a control on shuffled answers, real questions, and every answer as it was read.

    python -m scripts.quickstart_results WORKSPACE [--to PAGE]

Runs in WORKSPACE what is not done there yet: the quickstart; the same experiment with the training answers moved to
questions on other articles; both compared on the test rows; base and tuned model compared on the 58 questions of
`civil_law_qa_dataset.csv` (where DADEUM_DATA is set). Then writes the page. How each answer was judged stands beside it in
`quickstart_read.csv` (question, answer, verdict, note), written by a person; an answer that is not in it counts as unread.
"""

import argparse
import csv
import os
import random
import subprocess
import sys
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from dadeum.config.yaml import read_yaml
from dadeum.core.artifact import read_json, write_text
from scripts.tiny_ko_data import TEST_ROWS, rows

PAGE = Path(__file__).parents[1] / "docs" / "results" / "quickstart.md"
SEED = 42
TRAIN, SHUFFLED = "data/raw/civil_law_qa.csv", "data/raw/civil_law_qa_shuffled.csv"
EXPERIMENT = """# The control: the quickstart with every answer moved to a question on another article.
name: quickstart-shuffled
extends: quickstart.yaml
data:
  sources:
    - {type: csv, path: data/raw/civil_law_qa_shuffled.csv}
    - {type: csv, path: data/raw/civil_law_qa_test.csv, part: test}
"""
SUBJECT, OFF, BROKEN, UNREAD = "on the subject", "off the subject", "not readable", "unread"
METRICS = ("bits_per_byte", "rouge1", "rouge2", "rougeL_char", "chrf")


def shuffle(found: Sequence[Mapping[str, str]], seed: int = SEED) -> list[dict[str, str]]:
    """The rows with each answer at a question whose article is another one; every answer stays, once.

    Raises ValueError where one article has more than half of the rows.
    """
    if 2 * max(Counter(row["article"] for row in found).values()) > len(found):
        raise ValueError("one article has more than half of the rows")
    draw = random.Random(seed)
    order = list(range(len(found)))
    draw.shuffle(order)
    article = [row["article"] for row in found]
    for at in range(len(order)):
        while article[at] == article[order[at]]:
            other = draw.randrange(len(order))
            if article[at] != article[order[other]] and article[other] != article[order[at]]:
                order[at], order[other] = order[other], order[at]
    return [{**row, "answer": found[order[at]]["answer"]} for at, row in enumerate(found)]


def dadeum(workspace: Path, *arguments: str) -> None:
    """A verb in the workspace. Raises CalledProcessError."""
    subprocess.run([sys.executable, "-m", "dadeum", *arguments], cwd=workspace, check=True)


def work(workspace: Path, data: Path | None) -> dict[str, Path]:
    """Run what is not done; the folders of the three comparisons."""
    dadeum(workspace.parent, "quickstart", str(workspace.resolve()))
    made = shuffle(rows(workspace / TRAIN))
    with (workspace / SHUFFLED).open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, list(made[0]), lineterminator="\n")
        writer.writeheader()
        writer.writerows(made)
    (workspace / "configs" / "quickstart-shuffled.yaml").write_text(EXPERIMENT, encoding="utf-8")
    dadeum(workspace, "run", "configs/quickstart-shuffled.yaml")
    places = {"base": max((workspace / "experiments" / "quickstart").glob("*/evaluation"))}
    asked = {"shuffled": ["quickstart-shuffled", "quickstart"]}
    if data:
        asked["real"] = ["checkpoints/tiny-ko", "quickstart", "--questions", str(data / TEST_ROWS)]
    for name, models in asked.items():
        places[name] = workspace / "experiments" / "comparisons" / name
        if not (places[name] / "comparison.json").is_file():
            # As long as in the run's own evaluation.
            tokens = str(read_yaml(workspace / "configs" / "quickstart.yaml").value["evaluate"]["max_new_tokens"])
            place = str(places[name].relative_to(workspace))
            dadeum(workspace, "compare", *models, "--max-new-tokens", tokens, "-o", place)
    return places


def interval(metric: Mapping[str, Any], model: str) -> str:
    """The difference of a model from the first one, with its interval."""
    d = metric["differences"][model]
    return f"{d['difference']:+.3f} [{d['low']:+.3f}, {d['high']:+.3f}]"


def table(place: Path, base: str, tuned: str) -> tuple[list[str], Mapping[str, Any]]:
    """The rows of METRICS for two models of a comparison, and its bits per byte."""
    found = {metric["name"]: metric for metric in read_json(place / "comparison.json")["metrics"]}
    lines = [f"| metric | n | {base} | {tuned} | difference [95 %] |", "| --- | --- | --- | --- | --- |"]
    for name in METRICS:
        metric = found[name]
        sign = "↑" if metric["higher_is_better"] else "↓"
        floors = metric["floors"]
        cells = [
            f"{metric['values'][m]:.3f}" + (f" (floor {floors[m]:.3f})" if m in floors else "") for m in (base, tuned)
        ]
        lines.append(f"| {name} {sign} | {metric['n']} | {' | '.join(cells)} | {interval(metric, tuned)} |")
    return lines, found["bits_per_byte"]


def verdicts(path: Path) -> dict[tuple[str, str], tuple[str, str]]:
    """Verdict and note for each question and answer that somebody read. Raises ValueError for a verdict that is none."""
    found = {}
    for row in rows(path) if path.is_file() else ():
        if row["verdict"] not in (SUBJECT, OFF, BROKEN):
            raise ValueError(f"{path}: verdict {row['verdict']!r}, expected {SUBJECT}, {OFF} or {BROKEN}")
        found[row["question"], row["answer"]] = (row["verdict"], row["note"])
    return found


def shown(text: str) -> str:
    """One cell of a table."""
    return text.replace("\n", " ⏎ ").replace("|", "\\|")


def page(places: Mapping[str, Path], judged: Mapping[tuple[str, str], tuple[str, str]], seconds: float) -> str:
    """The text of the page."""
    base, about = table(places["base"], "base", "tuned")
    shuffled, control = table(places["shuffled"], "quickstart-shuffled", "quickstart")
    drop = 1 - about["values"]["tuned"] / about["values"]["base"]
    samples = read_json(places["base"] / "finetuned_model_evaluation.json")["samples"]
    read = [judged.get((s["question"], s["prediction"]), (UNREAD, "")) for s in samples]
    count = Counter(verdict for verdict, _ in read)
    lines = [
        "# Quickstart",
        "",
        "`dadeum quickstart`: tiny-ko (6.4 M parameters) fine-tuned on questions about the Korean Civil Act, and asked about articles",
        f"that training never cites. Training took {seconds:.0f} s on this machine. Made by `python -m scripts.quickstart_results`; not legal advice.",
        "",
        f"On {about['n']} unseen questions the tuned model needs **{drop:.0%} fewer bits a byte** than the base under the same prompts.",
        "",
        *base,
        "",
        "A floor is what the model's answers score against the references of other questions: a score at its floor says that the form of an answer",
        "was learnt and not which law applies. Intervals: paired bootstrap over the test rows.",
        "",
        "## Control: the same training with shuffled answers",
        "",
        f"Each answer stood at a question on another article (seed {SEED}). Difference: the true model from this one, {interval(control, 'quickstart')} bits a byte.",
        "",
        *shuffled,
    ]
    if "real" in places:
        real, _ = table(places["real"], "tiny-ko", "quickstart")
        heading = "## Questions of a real user file (`civil_law_qa_dataset.csv`)"
        lines += ["", heading, "", "Another author, other laws too (tenancy, criminal law), longer answers.", "", *real]
    lines += [
        "",
        "## Every answer, read",
        "",
        f"Verdicts: {', '.join(f'{name} {count[name]}' for name in (SUBJECT, OFF, BROKEN, UNREAD) if count[name])} of {len(samples)}.",
        f"*{SUBJECT}*: readable Korean that answers about what was asked, whether or not the law is right. What is said of the law is mostly",
        "wrong: a model of this size cannot know articles that it never saw.",
        "",
        "| question | answer | verdict | note |",
        "| --- | --- | --- | --- |",
        *(
            f"| {shown(s['question'])} | {shown(s['prediction'])} | {verdict} | {shown(note)} |"
            for s, (verdict, note) in zip(samples, read, strict=True)
        ),
    ]
    return "\n".join(lines) + "\n"


def main(arguments: Sequence[str] | None = None) -> int:
    """The command. Returns its exit code: 1 where an answer of the run was not read."""
    parser = argparse.ArgumentParser(description="What the quickstart is worth.")
    parser.add_argument("workspace", type=Path, help="where the quickstart ran, or is to run")
    parser.add_argument("--to", type=Path, default=PAGE, help="the page")
    given = parser.parse_args(arguments)
    data = os.environ.get("DADEUM_DATA")
    places = work(given.workspace, Path(data) if data else None)
    seconds = float(read_json(places["base"].parent / "training_stats.json")["seconds"])
    written = page(places, verdicts(given.to.with_name("quickstart_read.csv")), seconds)
    write_text(given.to, written)
    print(given.to)
    return 1 if f"| {UNREAD} |" in written else 0


if __name__ == "__main__":
    sys.exit(main())
