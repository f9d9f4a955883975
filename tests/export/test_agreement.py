"""A merged model is held against the quantised base with its adapter: measured, told, refused past the bound."""

from pathlib import Path
from typing import Any

import pytest

from dadeum.config.model import QuantizationSettings
from dadeum.core.errors import ModelError
from dadeum.export import agreement as module
from dadeum.export.agreement import agreement
from dadeum.export.step import export
from dadeum.export.targets import Source, merged
from dadeum.model.form import Form
from tests.generate.support import save_adapter, save_small
from tests.train.support import Told, write_part


@pytest.fixture(scope="module")
def tuned(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """An adapter that notes a base of 4 bits, and that base."""
    root = tmp_path_factory.mktemp("tuned")
    base = save_small(root / "base")
    adapter = save_adapter(root / "final", base)
    Form(QuantizationSettings(), "float32").save(adapter)
    return adapter, base


def test_the_export_says_how_much_they_agree(tuned: tuple[Path, Path], tmp_path: Path) -> None:
    """Faults A15: exactly the adapter on the base in full, and how far that is from what was trained."""
    told = Told()
    report = export(merged.Settings(), final=tuned[0], base=tuned[1], out=tmp_path / "merged", reporter=told)
    assert report["max_logit_difference"] <= 1e-4, "on the base in full"
    assert report["agreement_on"] == "probe prompts" and report["agreement_tokens"] > 20
    assert 0 < report["agreement_same_likeliest_token"] < 1
    assert report["agreement_mean_kl"] > 1e-4 and report["agreement_max_log_probability_difference"] > 1e-2
    (note,) = [n for n in told.notes if "agree on" in n]
    assert f"{report['agreement_same_likeliest_token']:.1%} of the likeliest tokens" in note


def rows(folder: Path, **parts: list[tuple[list[int], list[float]]]) -> Path:
    folder.mkdir()
    for part, found in parts.items():
        write_part(folder / f"{part}.arrow", found)
    return folder


def test_rows_of_the_run_are_taken_up_to_a_limit(tuned: tuple[Path, Path], tmp_path: Path) -> None:
    long: tuple[list[int], list[float]] = (list(range(3, 60)), [1.0] * 57)
    formatted = rows(tmp_path / "rows", test=[], validation=[long] * 20)
    source = Source(tuned[0], tuned[1], formatted=formatted)
    found = agreement(source, tuned[1], Told())
    assert found["agreement_on"] == "validation rows" and found["agreement_tokens"] == module.TOKENS


def test_past_the_bound_it_is_not_kept(
    tuned: tuple[Path, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "KL_BOUND", 1e-4)
    settings: Any = merged.Settings()
    with pytest.raises(
        ModelError, match=r"differs from the quantised model .* train with model\.quantization\.bits: 8"
    ):
        export(settings, final=tuned[0], base=tuned[1], out=tmp_path / "merged", reporter=Told())
    assert not (tmp_path / "merged").exists()
