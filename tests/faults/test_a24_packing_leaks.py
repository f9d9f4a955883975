"""A24: samples packed in one row must not see each other; laid in one row without care they do (the control)."""

from typing import Any

import torch

from dadeum.model.nll import token_nll
from dadeum.model.packing import unwrap
from tests.model.tiny import documents, packed, tiny


def losses(model: Any, docs: list[torch.Tensor]) -> torch.Tensor:
    return token_nll(model, packed(docs)).nll.detach()


def test_the_loss_of_a_document_is_the_same_beside_any_other() -> None:
    for shape in ("llama", "qwen2", "gemma", "gemma2", "gemma3", "gpt2"):
        model = tiny(shape)
        first, second, third = documents((9, 14, 30))
        alone = losses(model, [second])
        assert torch.equal(losses(model, [first, second])[8:], losses(model, [first.flip(0), second])[8:])
        assert torch.allclose(losses(model, [third, second, first])[29:42], alone, atol=1e-5)
        with torch.no_grad():
            careless = unwrap(model)(input_ids=torch.cat([first, second])[None], use_cache=False).logits[0, 9:-1]
        leaking = torch.nn.functional.cross_entropy(careless, second[1:], reduction="none")
        assert (leaking - alone).abs().max() > 1e-2, "the control must leak"
