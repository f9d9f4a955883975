"""BERTScore is a cosine match, whatever texts stand beside each other; and what it must refuse."""

import unicodedata
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import torch
from transformers import BertModel

from dadeum.core.errors import ConfigError, HubError, ModelError
from dadeum.evaluate.encoder import load_encoder
from dadeum.evaluate.metrics import METRICS, Scored, bertscore
from dadeum.evaluate.statistics import total
from tests.evaluate.encoders import save_encoder

PAIRS = [
    ("계약을 해제하려면 먼저 최고해야 합니다.", "계약 해제를 하려면 상당한 기간을 정해 이행을 최고하여야 합니다."),
    ("네", "오늘은 날씨가 참 좋네요. 그러나 내일은 비가 온다고 합니다."),
    ("오늘은 날씨가 참 좋네요. 그러나 내일은 비가 온다고 합니다. 우산을 챙기세요.", "아니요"),
    ("The quick brown fox", "여우"),
    ("민법 제750조", "민법 제750조"),
    ("사과", "배와 사과와 감과 귤"),
    ("가", "나"),
]


@pytest.fixture(scope="module")
def place(material: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save_encoder(material, tmp_path_factory.mktemp("encoder") / "small-bert")


@pytest.fixture(autouse=True)
def forget() -> Iterator[None]:
    yield
    load_encoder.cache_clear()


def rows(samples: list[Scored], **settings: object) -> dict[str, list[float | None]]:
    found = bertscore.score(bertscore.Settings.model_validate(settings), samples)
    return {key.removeprefix("bertscore_"): [row and row[0] for row in value.rows] for key, value in found.items()}


def by_hand(place: Path, said: str, true: str, layer: int) -> tuple[float, float, float]:
    """Zhang et al. 2020: each token beside the most alike of the other side, one text at a time."""
    from tokenizers import Tokenizer

    model = BertModel.from_pretrained(place).eval()
    tokenizer = Tokenizer.from_file(str(place / "tokenizer.json"))
    tokenizer.no_padding()
    tokenizer.no_truncation()

    def vectors(text: str) -> torch.Tensor:
        ids = torch.tensor([tokenizer.encode(text).ids])  # with [CLS] and [SEP]
        with torch.no_grad():
            states = model(ids, output_hidden_states=True).hidden_states[layer][0, 1:-1]
        return states / states.norm(dim=-1, keepdim=True)

    alike = vectors(said) @ vectors(true).T
    precision, recall = alike.max(dim=1).values.mean().item(), alike.max(dim=0).values.mean().item()
    return precision, recall, 2 * precision * recall / (precision + recall)


@pytest.mark.parametrize("layer", [None, 1, 4])
def test_equals_a_cosine_match(place: Path, layer: int | None) -> None:
    found = rows([Scored(a, b) for a, b in PAIRS], model=str(place), layer=layer)
    expected = [by_hand(place, a, b, layer or 3) for a, b in PAIRS]
    for at, key in enumerate(("precision", "recall", "f1")):
        assert found[key] == pytest.approx([one[at] for one in expected], abs=1e-5), key
    assert found["f1"][4] == pytest.approx(1, abs=1e-5) and min(found["f1"]) < 0.8


def test_neighbours_change_nothing(place: Path) -> None:
    """torchmetrics alone mixes up pairs of unlike length in a batch of three."""
    together = rows([Scored(a, b) for a, b in PAIRS], model=str(place))["f1"]
    alone = [rows([Scored(a, b)], model=str(place))["f1"][0] for a, b in PAIRS]
    assert together == pytest.approx(alone, abs=1e-5)


def test_its_examples_hold(place: Path) -> None:
    for example in bertscore.examples():
        found = bertscore.score(bertscore.Settings(model=str(place)), example.samples)
        for key, wanted in example.want.items():
            kept = [row for row in found[key].rows if row is not None]
            value = total(METRICS.member("bertscore"), kept) if kept else None
            assert value == (None if wanted is None else pytest.approx(wanted, abs=example.tolerance)), example.english


def test_the_key_holds_weights_layer_and_rescaling(place: Path, material: Path, tmp_path: Path) -> None:
    def signature(model: Path, **settings: object) -> str:
        member = bertscore.Settings.model_validate({"model": str(model), **settings})
        return bertscore.score(member, [Scored("가", "나")])["bertscore_f1"].signature

    first = signature(place)
    assert (
        "model:small-bert@sha256-" in first
        and "|layer:3/4|" in first
        and "rescale:no" in first
        and "torchmetrics:" in first
    )
    assert "|layer:2/4|" in signature(place, layer=2)
    load_encoder.cache_clear()
    other = save_encoder(material, tmp_path / "small-bert")
    assert signature(other) == first  # the same weights in another folder
    load_encoder.cache_clear()
    save_encoder(material, other, positions=64)
    assert signature(other) != first


def test_rescaling_moves_the_baseline_to_zero_and_leaves_nothing_said_at_zero(place: Path, tmp_path: Path) -> None:
    file = tmp_path / "baseline.tsv"
    file.write_text("LAYER,P,R,F\n0,0.1,0.1,0.1\n3,0.2,0.3,0.25\n", encoding="utf-8")
    samples = [Scored(*PAIRS[0]), Scored("", "네"), Scored("네", "네")]
    plain, moved = rows(samples, model=str(place)), rows(samples, model=str(place), rescale=str(file))
    for key, base in (("precision", 0.2), ("recall", 0.3), ("f1", 0.25)):
        assert moved[key] == pytest.approx([(plain[key][0] - base) / (1 - base), 0.0, 1.0], abs=1e-5)
    named = bertscore.score(bertscore.Settings(model=str(place), rescale=str(file)), samples)["bertscore_f1"].signature
    assert "rescale:baseline.tsv-" in named
    with pytest.raises(ModelError, match="no baseline below 1 of layer 2"):
        rows(samples, model=str(place), rescale=str(file), layer=2)
    with pytest.raises(ConfigError, match=r"absent\.tsv: cannot be read"):
        bertscore.ready(bertscore.Settings(model=str(place), rescale=str(tmp_path / "absent.tsv")))


def test_long_texts_are_cut_and_told(material: Path, tmp_path: Path) -> None:
    place = save_encoder(material, tmp_path / "roberta", roberta=True, positions=40)
    samples = [Scored("네 " * 100, "네 " * 200), Scored("네", "네")]
    found = bertscore.score(bertscore.Settings(model=str(place)), samples)
    assert "|longest:38|" in found["bertscore_f1"].signature  # two places are not for tokens
    assert found["bertscore_f1"].note.startswith("2 texts are longer than the 38 tokens")
    assert np.isfinite([row[0] for row in found["bertscore_f1"].rows if row]).all()
    assert bertscore.score(bertscore.Settings(model=str(place)), samples[1:])["bertscore_f1"].note == ""


def test_it_leaves_the_random_state_alone(place: Path) -> None:
    torch.manual_seed(7)
    expected = torch.rand(3)
    torch.manual_seed(7)
    rows([Scored("가", "나")], model=str(place))
    assert torch.equal(torch.rand(3), expected)


def test_decomposed_hangul_is_composed(place: Path) -> None:
    text = "계약을 해제합니다"
    assert rows([Scored(unicodedata.normalize("NFD", text), text)], model=str(place))["f1"] == pytest.approx(
        [1], abs=1e-5
    )


def test_what_is_not_there_is_one_sentence(place: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(kind: type[Exception], match: str, **settings: object) -> None:
        with pytest.raises(kind, match=match) as caught:
            bertscore.ready(bertscore.Settings.model_validate(settings))
        assert "\n" not in str(caught.value)

    bertscore.ready(bertscore.Settings(model=str(place)))
    refused(HubError, "no such folder", model=str(tmp_path / "absent"))
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path))
    refused(HubError, "klue/roberta-base: not in the cache")
    (tmp_path / "pickled").mkdir()
    (tmp_path / "pickled" / "config.json").write_bytes((place / "config.json").read_bytes())
    (tmp_path / "pickled" / "pytorch_model.bin").write_bytes(b"x")
    refused(ModelError, "pickled weights are never opened", model=str(tmp_path / "pickled"))
    with pytest.raises(ModelError, match=r"found layer 5, but small-bert@sha256-.* has 4 layers"):
        rows([Scored("가", "나")], model=str(place), layer=5)


def test_weights_that_lack_a_tensor_are_refused(material: Path, tmp_path: Path) -> None:
    from safetensors.torch import load_file, save_file

    place = save_encoder(material, tmp_path / "torn")
    weights = load_file(place / "model.safetensors")
    lost = next(name for name in weights if "layer.2" in name and name.endswith("weight"))
    del weights[lost]
    save_file(weights, place / "model.safetensors", metadata={"format": "pt"})
    with pytest.raises(ModelError, match="1 tensors are absent"):
        rows([Scored("가", "나")], model=str(place))
