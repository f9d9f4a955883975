"""A18: a head must pool the text's own last token, on whichever side the padding is, also where the padding is the end token."""

from pathlib import Path

import pytest
import torch

from dadeum.model.head_files import own_class
from dadeum.model.headed import Headed, head_outputs, without_output
from dadeum.model.heads import HEADS
from dadeum.model.save import save_model
from scripts.head_cases import padded
from tests.model.tiny import documents, tiny

END = 2
NAME = "sequence_classification"


@pytest.mark.parametrize("pooling", ["last", "mean", "attention"])
@pytest.mark.parametrize("shape", ["llama", "qwen2", "gpt2", "gemma3", "gpt_neox"])
def test_alone_and_in_a_batch_on_both_sides(shape: str, pooling: str, tmp_path: Path) -> None:
    torch.manual_seed(0)
    head = HEADS.validate({"type": NAME, "pooling": pooling})
    labels = [{"head": NAME, "kind": "class", "size": 3, "names": ["a", "b", "c"]}]
    model = Headed(without_output(tiny(shape)), head, labels).eval()
    model.padding = ("<end>", END)
    # Some texts hold the padding's id, and one ends with it.
    rows = [*(doc.numpy() for doc in documents()), torch.tensor([5, END, 9]).numpy(), torch.tensor([5, 9, END]).numpy()]
    with torch.no_grad():
        alone = torch.cat([head_outputs(model, padded([row])).heads[NAME] for row in rows])
        for left in (False, True):
            together = head_outputs(model, padded(rows, END, left=left)).heads[NAME]
            torch.testing.assert_close(together, alone, rtol=0, atol=1e-6)
        if pooling == "last":
            save_model(model, tmp_path)
            theirs = own_class(model).from_pretrained(tmp_path).eval()
            # By its rule no text may end with the padding: the last one is left out.
            logits = theirs(**padded(rows[:-1], END)).logits
            torch.testing.assert_close(logits, alone[:-1], rtol=0, atol=1e-6)
