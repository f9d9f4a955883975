"""Adding an adapter touches one file: a throwaway member is found, described, checked, trained with, saved and told."""

import importlib
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file

from dadeum.config.experiment import Experiment
from dadeum.config.schema import json_schema
from dadeum.core.family import MemberOf
from dadeum.core.progress import Silent
from dadeum.model import adapters
from dadeum.model.count import count_parameters
from dadeum.train.step import train
from scripts.reference import rows
from tests.architecture import test_families
from tests.model.tiny import SHAPES, tiny
from tests.train.support import make_formatted, make_job

NAME = "only_norms"
MEMBER = '''"""`only_norms`: the norms of the model are trained, and the layers that `also` names."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Literal

from dadeum.core.settings import Many, MemberSettings, setting

if TYPE_CHECKING:
    from torch import nn

freezes_base = False


class Settings(MemberSettings):
    """Norms."""

    type: Literal["only_norms"] = "only_norms"
    also: Many[str] = setting((), "Further layers.", "다른 층.")


def mergeable(settings: Settings) -> bool:
    """There is nothing to merge."""
    return False


def apply(settings: Settings, model: "nn.Module", new_tokens: Sequence[int] = ()) -> "nn.Module":
    """Norms are trainable."""
    for name, parameter in model.named_parameters():
        parameter.requires_grad_("norm" in name or any(part in name for part in settings.also))
    return model
'''


@pytest.fixture
def member(tmp_path: Path) -> Iterator[None]:
    """The file, in a second folder of the family."""
    (tmp_path / "more").mkdir()
    (tmp_path / "more" / f"{NAME}.py").write_text(MEMBER, encoding="utf-8")
    adapters.__path__.append(str(tmp_path / "more"))
    field = next(m for m in Experiment.model_fields["adapter"].metadata if isinstance(m, MemberOf))
    families = [adapters.ADAPTERS, test_families.FAMILIES[adapters.__name__], field.family]
    for family in families:
        family.__dict__.pop("names", None)
    importlib.invalidate_caches()
    yield
    adapters.__path__.remove(str(tmp_path / "more"))
    sys.modules.pop(f"{adapters.__name__}.{NAME}", None)
    vars(adapters).pop(NAME, None)
    for family in families:
        family.__dict__.pop("names", None)


@pytest.mark.usefixtures("member")
def test_one_file_is_an_adapter(tmp_path: Path) -> None:
    package = adapters.__name__
    test_families.test_settings_carry_the_files_name(package, NAME)
    test_families.test_a_member_has_what_the_contract_asks_for(package, NAME)
    field = MemberOf(package)
    assert NAME in field.family.names and field.family.validate(NAME).type == NAME
    settings = field.family.validate({"type": NAME, "also": ["embed"]})
    total, trained = count_parameters(SHAPES["llama"], settings)
    assert trained is not None and 0 < trained < total
    whole: Any = tiny("llama")
    assert total == sum(p.numel() for p in whole.parameters())
    job = make_job(tmp_path, make_formatted(tmp_path), adapter={"type": NAME}, max_steps=2, save_steps=1.0)
    train(job, Silent())
    steps = [load_file(job.checkpoints / place / "model.safetensors") for place in ("step-000001", "final")]
    moved = {name for name in steps[0] if not torch.equal(steps[0][name], steps[1][name])}
    assert moved and all("norm" in name for name in moved)
    assert f"adapters/{NAME}" in json.dumps(json_schema()), "editors know it"
    assert f"adapter[{NAME}].also" in {key for key, *_ in rows(Experiment, "")}, "so does the reference"
