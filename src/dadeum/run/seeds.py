"""The same training with other seeds: what no interval over test rows can show."""

from collections.abc import Callable
from pathlib import Path

from dadeum.core.progress import Reporter
from dadeum.evaluate.step import FILES, TUNED
from dadeum.run.stages import Lab, make_plan
from dadeum.run.store import Run


class Beside:
    """The board of a training with a further seed: the steps of the list are the first seed's, these stand below them."""

    def __init__(self, board: Reporter, seed: int) -> None:
        self.board, self.seed = board, seed
        self.start, self.advance = board.start, board.advance
        self.note, self.warn = board.note, board.warn

    def mark(self, name: str, state: str, text: str = "") -> None:
        """Under the name of the seed; what waits is not listed."""
        mark = getattr(self.board, "mark", None)
        if mark is not None and state not in ("waiting", "fresh"):
            mark(f"seed {self.seed}: {name}", state, text)


def train_others(lab: Lab, board: Reporter, walk: Callable[[Lab, Beside], object]) -> list[Path]:
    """Train and score the experiment with each further seed by `walk`; returns the scores' files."""
    for seed, other in lab.others.items():
        walk(other, Beside(board, seed))
    for run in _runs(lab).values():
        run.note(beside=True)  # it may have been a result of its own
    return list(_scores(lab).values())


def scores_by_seed(lab: Lab, run: Run) -> dict[int, Path]:
    """The tuned model's scores for each seed, the run's own first; of one seed alone nothing."""
    others = _scores(lab)
    return {lab.experiment.train.seed: run.evaluation / FILES[TUNED], **others} if others else {}


def _scores(lab: Lab) -> dict[int, Path]:
    return {seed: run.evaluation / FILES[TUNED] for seed, run in _runs(lab).items()}


def _runs(lab: Lab) -> dict[int, Run]:
    found = {seed: make_plan(other).run for seed, other in lab.others.items()}
    return {seed: run for seed, run in found.items() if run is not None}
