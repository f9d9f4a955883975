"""How likely a model finds texts: one sum a document, without keeping logits."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch

from dadeum.core.progress import Reporter, Silent
from dadeum.data.batch import collate
from dadeum.data.render import Sample
from dadeum.model.configuration import rotation_limit
from dadeum.model.nll import token_nll
from dadeum.model.packing import unwrap

# Elements of the logits of one batch where a model cannot leave any out: 512 MB of float32.
LOGITS = 1 << 27


@dataclass(frozen=True)
class Loss:
    """Nats over `tokens` tokens (an answer's end token too) and `bytes` UTF-8 bytes of its NFC text (the end token has none)."""

    nll: float
    tokens: int
    bytes: int


def losses(
    model: Any, documents: Sequence[Sequence[Sample]], *, batch_size: int, reporter: Reporter | None = None
) -> list[Loss]:
    """Summed NLL of the weighted tokens of each document, which may lie in several samples; the same for any batch size."""
    flat = [(owner, sample) for owner, pieces in enumerate(documents) for sample in pieces]
    order = sorted(range(len(flat)), key=lambda i: -len(flat[i][1].input_ids))
    nll, tokens = np.zeros(len(documents)), np.zeros(len(documents), np.int64)
    table = model.get_input_embeddings().weight
    limit = rotation_limit(unwrap(model).config)
    report = reporter or Silent()
    start = 0
    while start < len(order):
        longest = len(flat[order[start]][1].input_ids)
        alone = limit is not None and longest > limit  # shorter ones beside it would be rotated otherwise
        count = 1 if alone else max(1, min(batch_size, LOGITS // (longest * table.shape[0])))
        rows = [flat[i] for i in order[start : start + count]]
        batch = collate([(s.input_ids, s.weights) for _, s in rows], packing=False, pad_id=0)
        with torch.inference_mode():
            found = token_nll(model, {key: value.to(table.device) for key, value in batch.items()})
        owners = np.array([owner for owner, _ in rows])[found.document.cpu().numpy()]
        np.add.at(nll, owners, found.nll.double().cpu().numpy())
        np.add.at(tokens, owners, 1)
        start += count
        report.advance(min(start, len(order)))
    sizes = [sum(sample.answer_bytes for sample in pieces) for pieces in documents]
    return [Loss(float(n), int(t), int(b)) for n, t, b in zip(nll, tokens, sizes, strict=True)]
