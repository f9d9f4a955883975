"""Trained tiny models with heads, by case, for the session of one file."""

from pathlib import Path

from dadeum.core.progress import Silent
from dadeum.generate.predictor import Predictor
from dadeum.train.step import train
from scripts.head_cases import CASES, head_job, make_base, make_formatted


def trained(root: Path, *names: str, steps: int = 4) -> dict[str, Path]:
    """`final/` of each case, whole models that need no base."""
    base = make_base(root)
    found = {}
    for name in names:
        formatted = make_formatted(root / name, base, CASES[name])
        job = head_job(root / name, base, CASES[name], formatted, adapter="full", max_steps=steps)
        found[name] = train(job, Silent()).final
    return found


def opened(places: dict[str, Path]) -> dict[str, Predictor]:
    """What answers."""
    return {name: Predictor.open(place, device="cpu") for name, place in places.items()}
