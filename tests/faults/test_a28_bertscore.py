"""A28: BERTScore is high for unrelated text without a word of it, and gives an empty answer 0.77 recall."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from dadeum.evaluate.encoder import load_encoder
from dadeum.evaluate.metrics import Scored, bertscore
from tests.evaluate.encoders import save_encoder
from tests.evaluate.support import evaluated, rows_in
from tests.generate.support import opened, save_small

NOTHING = ["", " ", "\n\t", "\u3000", "\u200b", "\x00"]


@pytest.fixture(scope="module")
def place(material: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    yield save_encoder(material, tmp_path_factory.mktemp("encoder") / "small")
    load_encoder.cache_clear()


def rows(place: Path, samples: list[Scored]) -> dict[str, list[float | None]]:
    found = bertscore.score(bertscore.Settings(model=str(place)), samples)
    return {key: [row and row[0] for row in value.rows] for key, value in found.items()}


def test_nothing_said_is_zero(place: Path) -> None:
    for values in rows(place, [Scored(said, "계약을 해제합니다") for said in NOTHING]).values():
        assert values == [0.0] * len(NOTHING)


def test_one_character_is_said(place: Path) -> None:
    found = rows(place, [Scored("네", "네"), Scored("네", "계약을 해제합니다"), Scored(".", "네")])["bertscore_f1"]
    assert found[0] == pytest.approx(1, abs=1e-5) and 0 < abs(found[1] or 0) < 1 and abs(found[2] or 0) < 1


def test_a_blank_reference_has_no_value(place: Path) -> None:
    assert rows(place, [Scored("네", " "), Scored("네", None)])["bertscore_f1"] == [None, None]


def test_the_key_holds_model_weights_layer_and_rescaling(place: Path) -> None:
    for value in bertscore.score(bertscore.Settings(model=str(place), layer=2), [Scored("네", "네")]).values():
        for part in ("model:small@sha256-", "layer:2/4", "rescale:no", "empty:0"):
            assert part in value.signature


def test_the_floor_of_unrelated_answers_stands_beside_it_and_a_lost_model_costs_no_other_score(
    place: Path, tmp_path: Path
) -> None:
    engine, asked = opened(save_small(tmp_path)), rows_in(tmp_path)
    found = evaluated(engine, asked, metrics=[{"type": "bertscore", "model": str(place)}, "chrf"])
    assert 0 < found.metrics["bertscore_f1"]["floor"] <= 1
    lost = evaluated(engine, asked, metrics=[{"type": "bertscore", "model": str(tmp_path / "absent")}, "chrf"])
    assert lost.metrics == {"chrf": found.metrics["chrf"]}
    assert [note for note in lost.notes if "bertscore: is left out" in note and "absent: no such folder" in note]
