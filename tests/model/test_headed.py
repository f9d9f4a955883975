"""A body with heads: the same numbers packed, padded on either side, in a batch and alone, for every family of models."""

from pathlib import Path
from typing import Any

import pytest
import torch

from dadeum.core.errors import ModelError
from dadeum.model.adapters import ADAPTERS
from dadeum.model.headed import (
    Headed,
    below_head,
    check_output_free,
    head_outputs,
    headed_of,
    of_units,
    padding_of,
    split_targets,
    without_output,
)  # fmt: skip
from dadeum.model.heads import HEADS
from dadeum.model.load import load_for_training
from dadeum.model.packing import unwrap, use_packing
from dadeum.model.save import save_model
from scripts.head_cases import padded
from tests.model.tiny import SHAPES, documents, packed, tiny
from tests.model.words import words

LABELS = [
    {"head": "last", "kind": "class", "size": 3, "names": ["a", "b", "c"]},
    {"head": "mean", "kind": "numbers", "size": 2, "names": None},
    {"head": "learnt", "kind": "numbers", "size": 1, "names": None},
]
MULTI = {
    "type": "multi",
    "heads": {
        "last": {"type": "sequence_classification"},
        "mean": {"type": "regression", "pooling": "mean", "hidden_sizes": [5]},
        "learnt": {"type": "regression", "pooling": "attention"},
    },
}
TAGGED = [{"head": "token_classification", "kind": "words", "size": 2, "names": ["O", "B"]}]


def headed(shape: str = "llama", settings: Any = MULTI, labels: Any = LABELS) -> Headed:
    core = without_output(tiny(shape))
    torch.manual_seed(0)
    return Headed(core, HEADS.validate(settings), labels).eval()


def alone(model: Headed, docs: list[torch.Tensor]) -> dict[str, torch.Tensor]:
    said = [head_outputs(model, {"input_ids": d[None], "attention_mask": torch.ones_like(d[None])}).heads for d in docs]
    return {name: torch.cat([one[name] for one in said]) for name in said[0]}


@pytest.mark.parametrize("shape", SHAPES)
def test_padding_packing_and_company_change_nothing(shape: str) -> None:
    """faults A18: right and left padding, all in one packed row, and each alone; also with the id that a text ends with."""
    docs, model = documents(), headed(shape)
    tagger = headed(shape, "token_classification", TAGGED)
    rows = [doc.numpy() for doc in docs]
    with torch.no_grad():
        for one in (model, tagger):
            expected = alone(one, docs)
            for left in (False, True):
                for pad in (0, int(docs[0][-1])):
                    found = head_outputs(one, padded(rows, pad, left=left)).heads
                    for name in expected:
                        torch.testing.assert_close(found[name], expected[name], rtol=0, atol=1e-6)
            use_packing(one)
            found = head_outputs(one, packed(docs)).heads
            for name in expected:
                torch.testing.assert_close(found[name], expected[name], rtol=0, atol=1e-6)
    assert expected["token_classification"].shape == (sum(map(len, docs)), 2)


def test_virtual_tokens_do_not_shift_the_text() -> None:
    """Prompt tuning puts tokens before the text, which neither the mean nor the words may count."""
    docs = documents()
    for settings, labels in ((MULTI, LABELS), ("token_classification", TAGGED)):
        made = ADAPTERS.validate({"type": "prompt_tuning", "num_virtual_tokens": 4})
        adapted = ADAPTERS.of(made).apply(made, without_output(tiny("llama")))
        model = Headed(adapted, HEADS.validate(settings), labels).eval()
        with torch.no_grad():
            expected = alone(model, docs)
            found = head_outputs(model, padded([doc.numpy() for doc in docs])).heads
            for name in expected:
                assert expected[name].shape == found[name].shape
                torch.testing.assert_close(found[name], expected[name], rtol=0, atol=1e-6)


def test_the_output_layer_is_gone_and_nothing_is_tied() -> None:
    for shape in ("llama", "llama3", "gpt2"):
        core = tiny(shape)
        before = sum(p.numel() for p in core.parameters())
        tied = core.get_output_embeddings().weight is core.get_input_embeddings().weight
        rows = core.get_input_embeddings().weight.numel()
        without_output(core)
        assert sum(p.numel() for p in core.parameters()) == before - (0 if tied else rows)
        assert core.get_output_embeddings() is None
        assert core.config.get_text_config().tie_word_embeddings is False


def test_heads_are_found_inside_and_bodies_below() -> None:
    model = headed()
    wrapped = torch.nn.Module()
    wrapped.module = model
    assert headed_of(wrapped) is model and headed_of(tiny("llama")) is None
    assert below_head(model) is model.module and unwrap(wrapped) is model.module
    assert model.takes == "labels" and model.config.model_type == "llama"


def test_heads_are_float32_whatever_the_body_is() -> None:
    core = without_output(tiny("llama", torch.bfloat16))
    model = Headed(core, HEADS.validate("regression"), [{"head": "regression", "kind": "numbers", "size": 1}])
    said = head_outputs(model, padded([d.numpy() for d in documents()]))
    assert {p.dtype for p in model.heads.parameters()} == {torch.float32}
    assert said.heads["regression"].dtype == torch.float32 and torch.equal(said.scores, said.heads["regression"][:, 0])


def test_targets_are_split_by_head_and_choices_made_rows() -> None:
    model = headed()
    row = torch.arange(8.0)
    found = split_targets(model, row)
    assert [(outlet.head, targets.tolist()) for _, outlet, targets in found] == [
        ("last", [[0], [4]]), ("mean", [[1, 2], [5, 6]]), ("learnt", [[3], [7]]),
    ]  # fmt: skip
    scores = torch.tensor([[1.0], [2.0], [3.0], [4.0], [5.0]])
    rows = of_units(scores, torch.tensor([0, 2, 5]))
    assert rows.tolist() == [[1, 2, -float("inf")], [3, 4, 5]]


def load(place: Path, adapter: Any, seed: int = 0, **more: Any) -> Any:
    from dadeum.config.model import ModelSettings

    return load_for_training(
        ModelSettings(name_or_path=str(place)), ADAPTERS.validate(adapter), place=place, tokenizer=words(),
        precision="fp32", device="cpu", seed=seed, head=HEADS.validate(MULTI), labels=LABELS, **more,
    )  # fmt: skip


def test_the_head_is_seeded_and_trained(tmp_path: Path) -> None:
    save_model(tiny("llama3"), tmp_path)
    one, same, other = (load(tmp_path, "lora", seed) for seed in (0, 0, 1))
    assert all(torch.equal(a, b) for a, b in zip(one.heads.parameters(), same.heads.parameters(), strict=True))
    assert not torch.equal(one.heads[0].score.weight, other.heads[0].score.weight)
    assert all(p.requires_grad for p in one.heads.parameters()) and one.training
    whole = load(tmp_path, "full")
    assert all(p.requires_grad for p in whole.parameters())


def test_an_adapter_on_the_layer_that_is_gone_is_refused(tmp_path: Path) -> None:
    """faults A14: it would be saved and never trained."""
    save_model(tiny("llama"), tmp_path)
    with pytest.raises(ModelError, match=r"adapter.modules_to_save: found 'lm_head', the layer that the head takes"):
        load(tmp_path, {"type": "lora", "modules_to_save": ["lm_head"]})
    with pytest.raises(ModelError, match=r"adapter.target_modules: found 'lm_head'"):
        load(tmp_path, {"type": "lora", "target_modules": ["lm_head"]})
    check_output_free(headed().module, "full")


class Known:
    """A tokenizer with these special tokens that ends a text with `end`."""

    def __init__(self, end: int, **ids: int | None) -> None:
        self.ids = [5, end]
        for name in ("pad", "unk", "eos", "bos"):
            setattr(self, f"{name}_token_id", ids.get(name))
            setattr(self, f"{name}_token", f"<{name}>" if ids.get(name) is not None else None)

    def __call__(self, text: str) -> dict[str, list[int]]:
        return {"input_ids": self.ids}


def test_no_text_ends_with_the_padding() -> None:
    """transformers' classes take the last token that is no padding: it must be the text's own."""
    assert padding_of(Known(9, pad=0, eos=2)) == ("<pad>", 0)
    assert padding_of(Known(9, eos=2)) == ("<eos>", 2)
    assert padding_of(Known(2, pad=2, eos=2, unk=1)) == ("<unk>", 1)
    assert padding_of(Known(2, eos=2)) == (None, None)
    assert padding_of(Known(9, pad=2, eos=2, unk=1), ends=(2,)) == ("<unk>", 1)
    mute = Known(2, eos=2)
    mute.ids = []  # it makes no token of the probe
    assert padding_of(mute) == ("<eos>", 2)
