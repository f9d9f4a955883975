"""C1: a pickle that lies among weights is never opened, whatever it is called."""

import os
import pickle
from pathlib import Path

import pytest

from dadeum.core.errors import ModelError
from dadeum.model.load import load_for_inference, load_for_training
from dadeum.model.merge import merge
from tests.model.adapted import folders

NAMES = [
    "pytorch_model.bin", "adapter_model.bin", "model.bin", "training_args.bin", "optimizer.pt", "scheduler.pt", "rng_state.pth",
    "scaler.pt", "model.pth", "data.pkl", "pytorch_model-00001-of-00002.bin", "last.ckpt", "tokenizer.pkl", "vhead.bin",
]  # fmt: skip


class Bomb:
    """Unpickling it makes a folder."""

    def __init__(self, place: Path) -> None:
        self.place = str(place)

    def __reduce__(self) -> tuple[object, tuple[str]]:
        return os.mkdir, (self.place,)


@pytest.fixture
def sentinel(tmp_path: Path) -> Path:
    place = tmp_path / "sentinel"
    with pytest.raises(FileExistsError):  # it works: twice in the same place fails
        for _ in range(2):
            pickle.loads(pickle.dumps(Bomb(place)))
    place.rmdir()
    return place


def plant(sentinel: Path, *folders: Path) -> None:
    for folder in folders:
        (folder / "state").mkdir(exist_ok=True)
        for name in NAMES:
            (folder / name).write_bytes(pickle.dumps(Bomb(sentinel)))
            (folder / "state" / name).write_bytes(pickle.dumps(Bomb(sentinel)))


def test_pickles_beside_the_weights_are_left_alone(tmp_path: Path, sentinel: Path) -> None:
    adapter, base, _ = folders(tmp_path)
    plant(sentinel, adapter, base)
    load_for_inference(base)
    load_for_inference(adapter, base=base)
    merge(adapter, base, tmp_path / "merged")
    assert not sentinel.exists()
    assert not [f for f in (tmp_path / "merged").rglob("*") if f.name in NAMES]


@pytest.mark.parametrize("place", ["base", "adapter"])
def test_pickles_instead_of_the_weights_are_refused_by_name(place: str, tmp_path: Path, sentinel: Path) -> None:
    adapter, base, _ = folders(tmp_path)
    plant(sentinel, adapter, base)
    name = "model.safetensors" if place == "base" else "adapter_model.safetensors"
    (tmp_path / place / name).unlink()
    with pytest.raises(
        ModelError, match=r"pytorch_model\.bin.*expected " + name + "; pickled weights are never opened"
    ):
        load_for_inference(adapter, base=base)
    assert not sentinel.exists()


def test_a_pickle_that_is_called_safetensors(tmp_path: Path, sentinel: Path) -> None:
    adapter, base, _ = folders(tmp_path)
    for file in (adapter / "adapter_model.safetensors", base / "model.safetensors"):
        file.write_bytes(pickle.dumps(Bomb(sentinel)))
        with pytest.raises(ModelError, match=r"cannot be loaded|does not fit"):
            load_for_inference(adapter, base=base)
    assert not sentinel.exists()


def test_an_index_that_names_a_pickle(tmp_path: Path, sentinel: Path) -> None:
    _, base, _ = folders(tmp_path)
    plant(sentinel, base)
    (base / "model.safetensors").unlink()
    (base / "model.safetensors.index.json").write_text(
        '{"weight_map": {"lm_head.weight": "model.bin"}}', encoding="utf-8"
    )
    with pytest.raises(ModelError, match=r"found 'model\.bin', expected names of \.safetensors"):
        load_for_inference(base)
    assert not sentinel.exists()


def test_code_that_a_configuration_names_is_not_run(tmp_path: Path, sentinel: Path) -> None:
    import json

    from dadeum.config.model import ModelSettings
    from dadeum.model.adapters import ADAPTERS
    from tests.model.words import words

    _, base, _ = folders(tmp_path)
    (base / "evil.py").write_text(f"import os\nos.mkdir({str(sentinel)!r})\n", encoding="utf-8")
    config = json.loads((base / "config.json").read_text("utf-8"))
    config |= {
        "auto_map": {"AutoConfig": "evil.Config", "AutoModelForCausalLM": "evil.Model"},
        "_attn_implementation_internal": "nobody/kernel",
        "_attn_implementation": "nobody/kernel",
        "_experts_implementation_internal": "nobody/kernel",
    }
    (base / "config.json").write_text(json.dumps(config), encoding="utf-8")
    model = load_for_training(
        ModelSettings(name_or_path="x"), ADAPTERS.validate("full"), place=base, tokenizer=words(), precision="fp32",
        device="cpu", seed=0, packing=False,
    )  # fmt: skip
    assert model.config._attn_implementation == "sdpa"  # type: ignore[union-attr]
    assert not sentinel.exists()
