"""One training a seed: which is the result, what is done again, and what stands beside it."""

from pathlib import Path

import pytest
from ruamel.yaml import YAML as Reader

from dadeum.core.artifact import read_json
from dadeum.core.workspace import Workspace
from dadeum.evaluate.step import FILES, TUNED
from dadeum.run.ledger import find_run
from dadeum.run.seeds import scores_by_seed
from dadeum.run.store import PUBLISHED, find_model
from tests.run.lab import NAME, YAML, cli, fine, lab_of, make_workspace, runs_of

SEEDS = "seeds=[7, 8]"


@pytest.fixture(scope="module")
def seeded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = make_workspace(tmp_path_factory.mktemp("seeds") / "w")
    quick = YAML.replace("save_steps: 2", "max_steps: 2").replace("rouge_char, ", "")
    (root / "configs" / f"{NAME}.yaml").write_text(quick + "seeds: [7, 8]\n", encoding="utf-8")
    fine(root, "run", NAME)
    return root


def seed_of(run: object) -> int:
    return int(Reader(typ="safe").load((run.evidence / "config.yaml").read_text(encoding="utf-8"))["train"]["seed"])  # type: ignore[attr-defined]


def test_each_seed_is_trained_and_scored_on_the_same_rows(seeded: Path) -> None:
    found = {seed_of(run): run for run in runs_of(seeded)}
    assert set(found) == {7, 8}
    results = [read_json(run.evaluation / FILES[TUNED]) for run in found.values()]
    assert len({r["environment"]["questions_sha256"] for r in results}) == 1
    assert len({r["metrics"]["perplexity"]["value"] for r in results}) == 2
    assert not (found[8].evaluation / "comparison.json").exists() and not (found[8].checkpoints / "merged").exists()
    lab = lab_of(seeded)
    assert scores_by_seed(lab, found[7]) == {seed: run.evaluation / FILES[TUNED] for seed, run in found.items()}


def test_the_first_seeds_is_the_result(seeded: Path) -> None:
    main = next(run for run in runs_of(seeded) if seed_of(run) == 7)
    assert find_model(Workspace(seeded), None)[1] == find_model(Workspace(seeded), NAME)[1] == main.final
    assert read_json(seeded / "checkpoints" / NAME / PUBLISHED)["run"] == main.name
    assert (main.checkpoints / "merged").is_dir()


def test_reports_and_what_else_asks_for_a_run_mean_the_first_seeds(seeded: Path) -> None:
    """Though others were trained after or before it; each is still found by its own name."""
    first, other = (next(run for run in runs_of(seeded) if seed_of(run) == seed) for seed in (7, 8))
    for text in (None, NAME, first.name):
        assert find_run(Workspace(seeded), text) == first
    assert find_run(Workspace(seeded), NAME, finished=True) == first
    assert find_run(Workspace(seeded), other.name) == other
    record = other.evidence / "manifest.json"
    whole = record.read_bytes()
    record.write_bytes(b"{")
    assert find_run(Workspace(seeded), other.name) == other and find_run(Workspace(seeded), None) in (first, other)
    record.write_bytes(whole)


def test_the_comparison_shows_how_far_the_seeds_spread(seeded: Path) -> None:
    main = next(run for run in runs_of(seeded) if seed_of(run) == 7)
    told = read_json(main.evaluation / "comparison.json")["seeds"]
    values = {
        str(seed_of(r)): read_json(r.evaluation / FILES[TUNED])["metrics"]["chrf"]["value"] for r in runs_of(seeded)
    }
    assert told["seeds"] == [7, 8] and told["metrics"]["chrf"]["values"] == values


def test_nothing_is_done_twice_and_what_is_gone_is_made_again(seeded: Path) -> None:
    assert "▶" not in fine(seeded, "run", NAME).out
    other = next(run for run in runs_of(seeded) if seed_of(run) == 8)
    (other.evaluation / FILES[TUNED]).unlink()
    said = fine(seeded, "run", NAME).out
    assert "▶ seed 8: eval tuned" in said and "▶ seed 8: train" not in said and "▶ train" not in said
    assert len(runs_of(seeded)) == 2


@pytest.mark.parametrize("seeds", ["[1]", "[1, 1]", "[1, -2]", "3"])
def test_seeds_that_cannot_be_meant(seeded: Path, seeds: str) -> None:
    said = cli(seeded, "plan", NAME, "--no-data", f"seeds={seeds}")
    assert said.code == 2 and len(said.errors) == 1 and "seeds" in said.errors[0]
