"""Answers that are compared, from the file to the merged model; and what cannot be compared, before anything is made."""

import json
from pathlib import Path

import pytest

from dadeum.core.artifact import read_json
from dadeum.train.objectives._reference import FOLDER
from tests.run.lab import NAME, cli, fine, runs_of

PAIRS = "data.sources=[{type: jsonl, path: pairs.jsonl}]"
RATED = "data.sources=[{type: jsonl, path: rated.jsonl}]"
COUNT = 60


@pytest.fixture
def workspace(written: Path) -> Path:
    """With pairs, and with ratings of which every third is bad."""
    pairs = [{"prompt": f"{n}번은?", "chosen": f"{n}의 답은 {n * 7}", "rejected": f"모름 {n}"} for n in range(COUNT)]
    rated = [{"prompt": f"{n}번은?", "completion": f"{n}의 답", "label": n % 3 > 0} for n in range(COUNT)]
    for name, rows in (("pairs", pairs), ("rated", rated)):
        text = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
        (written / f"{name}.jsonl").write_text(text, encoding="utf-8")
    return written


@pytest.mark.parametrize(
    ("source", "objective", "adapter", "computed"),
    [(PAIRS, "dpo", "lora", False), (RATED, "kto", "full", True)],
)
def test_a_whole_run(source: str, objective: str, adapter: str, computed: bool, workspace: Path) -> None:
    changes = (source, f"train.objective={objective}", f"adapter={adapter}")
    fine(workspace, "run", NAME, *changes)
    (run,) = runs_of(workspace)
    assert (run.checkpoints / FOLDER).is_dir() == computed
    scores = read_json(run.evidence / "evaluation" / "finetuned_model_evaluation.json")
    # References are chosen answers, and good ones.
    references = [sample["reference"] for sample in scores["samples"]]
    assert references and all("의 답" in reference for reference in references)
    assert source == PAIRS or all(int(reference.partition("의")[0]) % 3 for reference in references)
    told = fine(workspace, "plan", NAME, *changes).out
    assert "train 48, validation 6, test 6" in told and "6 (6 an epoch" in told
    shown = fine(workspace, "data", "show", NAME, *changes, "--row", "1").out
    assert ("모름 1" in shown) == (objective == "dpo")


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ((PAIRS, "train.objective={type: dpo, reference: adapter_off}", "adapter=full"), "adapter_off does not go with adapter 'full'"),
        ((PAIRS, "train.objective=reward"), "'reward' needs scores, but head 'causal_lm' gives tokens"),
        ((PAIRS, "train.objective={type: dpo, loss_type: ipo, label_smoothing: 0.1}"), "label_smoothing 0.1 does nothing under loss_type ipo"),
        ((RATED, "train.objective=orpo"), "train.objective=orpo needs pairs of a chosen and a rejected answer"),
        (("train.objective=kto",), "train.objective=kto needs answers rated true or false"),
        ((PAIRS, "train.objective=dpo", "data.preference=chosen"), "data.preference=chosen leaves nothing to compare"),
        ((PAIRS,), "set train.objective=dpo (or orpo, simpo, cpo), or data.preference=chosen"),
    ],
)  # fmt: skip
def test_what_cannot_be_compared_is_one_sentence(changes: tuple[str, ...], said: str, workspace: Path) -> None:
    found = cli(workspace, "run", NAME, *changes)
    assert found.code == 2 and len(found.errors) == 1, found
    assert said in found.err.replace("\n", " ")
    assert not (workspace / "checkpoints").exists() or not runs_of(workspace)


def test_a_pair_of_one_answer_is_named(workspace: Path) -> None:
    with (workspace / "pairs.jsonl").open("a", encoding="utf-8") as file:
        file.write(json.dumps({"prompt": "q", "chosen": "같은 답", "rejected": "같은 답"}, ensure_ascii=False) + "\n")
    for words in (("run", NAME), ("data", "check", NAME)):
        found = cli(workspace, *words, PAIRS, "train.objective=dpo")
        assert found.code == (2 if words[0] == "run" else 1)
        assert "pairs.jsonl:61" in found.out + found.err
        assert "the chosen and the rejected answer are the same" in (found.out + found.err).replace("\n", " ")
