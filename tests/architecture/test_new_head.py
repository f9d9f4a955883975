"""Adding a head touches one file: a throwaway member is found, described, trained, saved, loaded again and asked."""

import importlib
import json
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch

from dadeum.config.experiment import Experiment
from dadeum.config.schema import json_schema
from dadeum.core.family import MemberOf
from dadeum.core.progress import Silent
from dadeum.data.labels import Head
from dadeum.generate.predictor import Predictor
from dadeum.model import heads
from dadeum.model.heads import HEADS
from dadeum.train.step import train
from scripts.head_cases import Case, entries, head_job, make_base, make_formatted
from scripts.reference import rows
from tests.architecture import test_families

NAME = "ranks"
MEMBER = '''"""`ranks`: classes in an order; how many of them a text is past."""

from typing import TYPE_CHECKING, Any, Literal

from dadeum.config.purpose import Takes, Target
from dadeum.core.settings import setting
from dadeum.model.heads import Gives, Outlet
from dadeum.model.heads._settings import Pooled

if TYPE_CHECKING:
    from torch import Tensor, nn

takes: Takes = "labels"
gives: Gives = "labels"
objective = "head"


class Settings(Pooled):
    """Ranks."""

    type: Literal["ranks"] = "ranks"
    step: float = setting(1.0, "Distance of two ranks.", "두 단계의 거리.", gt=0)


def targets(settings: Settings) -> tuple[Target, ...]:
    """A class."""
    return (Target(settings.type, "class"),)


def build(settings: Settings, width: int, outlet: Outlet) -> "nn.Module":
    """A number for each class."""
    from dadeum.model.heads._layers import Top

    return Top(settings, width, outlet.size, settings.pooling, bias=True)


def weigh(settings: Settings, outlet: Outlet, targets: "Tensor") -> float:
    """Rows."""
    return float((targets >= 0).sum())


def total(settings: Settings, outlet: Outlet, out: "Tensor", targets: "Tensor") -> "Tensor":
    """Each number is above zero where the text is past its rank."""
    import torch
    from torch.nn.functional import softplus

    known = targets[:, 0] >= 0
    past = torch.arange(outlet.size, device=out.device) < targets[known]
    return softplus(torch.where(past, -out[known], out[known]) * settings.step).sum()


def says(settings: Settings, outlet: Outlet, out: "Tensor") -> dict[str, Any]:
    """The rank."""
    return {"rank": int((out > 0).sum()) * settings.step}
'''


@pytest.fixture
def member(tmp_path: Path) -> Iterator[None]:
    """The file, in a second folder of the family."""
    (tmp_path / "more").mkdir()
    (tmp_path / "more" / f"{NAME}.py").write_text(MEMBER, encoding="utf-8")
    heads.__path__.append(str(tmp_path / "more"))
    field = next(m for m in Experiment.model_fields["head"].metadata if isinstance(m, MemberOf))
    families = [HEADS, test_families.FAMILIES[heads.__name__], field.family]
    for family in families:
        family.__dict__.pop("names", None)
    importlib.invalidate_caches()
    yield
    heads.__path__.remove(str(tmp_path / "more"))
    sys.modules.pop(f"{heads.__name__}.{NAME}", None)
    vars(heads).pop(NAME, None)
    for family in families:
        family.__dict__.pop("names", None)


@pytest.mark.usefixtures("member")
def test_one_file_is_a_head(tmp_path: Path) -> None:
    package = heads.__name__
    test_families.test_settings_carry_the_files_name(package, NAME)
    test_families.test_a_member_has_what_the_contract_asks_for(package, NAME)
    assert f"heads/{NAME}" in json.dumps(json_schema()), "editors know it"
    assert f"head[{NAME}].step" in {key for key, *_ in rows(Experiment, "")}, "so does the reference"
    # Its labels are those of a class, which the rows of this case have.
    case = Case({"type": NAME, "step": 0.5}, (Head(NAME, "class", "label", ("a", "b", "c"), 3),))
    base = make_base(tmp_path)
    formatted = make_formatted(tmp_path, base, case)
    job = head_job(tmp_path, base, case, formatted, max_steps=40)
    assert json.loads(train(job, Silent()).final.joinpath("head.json").read_text("utf-8"))["head"]["step"] == 0.5
    predictor = Predictor.open(job.final, base=base)
    right = 0
    for entry in entries(case, 24):
        with torch.no_grad():
            (said,) = predictor.outputs([[ids for ids, _ in entry.sequences]])
        right += predictor.says(said) == {NAME: {"rank": float(entry.targets[0]) * 0.5}}
    assert right >= 20, "it learnt the ranks"
