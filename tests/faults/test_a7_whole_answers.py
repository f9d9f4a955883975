"""A7: what judges whole answers goes through the same normalisation, in partial windows and two processes too."""

from pathlib import Path
from typing import Any

import pytest

from dadeum.core.progress import Silent
from dadeum.train.job import TrainJob
from dadeum.train.objectives import OBJECTIVES
from dadeum.train.step import train
from tests.train import children
from tests.train.judged import make_judged, pair_units, rated_units
from tests.train.support import closeness, make_job, trained

STEPS = 6
SETTINGS: list[tuple[dict[str, Any], str]] = [
    ({"type": "dpo", "beta": 0.3, "rpo_alpha": 0.5}, "full"),
    ({"type": "orpo", "beta": 0.5}, "lora"),
    ({"type": "simpo", "beta": 2.0}, "full"),
    ({"type": "kto", "beta": 0.3, "undesirable_weight": 1.5}, "lora"),
]


@pytest.fixture(scope="module")
def judged(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Eleven units in steps of eight: each second step is a partial window."""
    return {
        "pair": make_judged(tmp_path_factory.mktemp("pair"), pair_units(11), []),
        "rated": make_judged(tmp_path_factory.mktemp("rated"), rated_units(11), []),
    }


def same(ours: TrainJob, theirs: TrainJob) -> bool:
    """Loss and gradient norm of all steps."""
    a, b = (trained(job, "loss", "grad_norm") for job in (ours, theirs))
    assert len(a) == len(b) == STEPS
    measured = [closeness([x[i] for x in a], [y[i] for y in b]) for i in (1, 2)]
    return all(worst <= 1e-5 and drift <= 2e-6 for worst, drift in measured)


@pytest.mark.parametrize(("objective", "adapter"), SETTINGS, ids=[settings["type"] for settings, _ in SETTINGS])
def test_every_cut_and_two_processes(
    objective: dict[str, Any], adapter: str, judged: dict[str, Path], tmp_path: Path
) -> None:
    place = judged[str(OBJECTIVES.member(objective["type"]).takes)]
    common: dict[str, Any] = {"objective": objective, "adapter": adapter, "max_steps": STEPS}
    whole, *cuts = (
        make_job(tmp_path, place, f"{size}{packing}", per_device_train_batch_size=size, packing=packing, **common)
        for size, packing in ((8, True), (4, True), (1, True), (2, False))
    )
    train(whole, Silent())
    for job in cuts:
        train(job, Silent())
        assert same(job, whole), job.checkpoints.name
    if adapter == "lora":
        two = make_job(tmp_path, place, "two", per_device_train_batch_size=2, **common)
        codes = children.wait(children.together(two, tmp_path))
        assert codes == [0, 0], [children.said(tmp_path / f"said-{rank}.json") for rank in (0, 1)]
        assert same(two, whole)
