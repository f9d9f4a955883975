"""Samples laid out as tensors: packed in one row, or padded to a rectangle. Knows no model and no objective.

torch is imported only when a batch is made, so the data stage stays light.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    import torch

Ids = npt.NDArray[np.int32]
Weights = npt.NDArray[np.float32]


def collate(samples: Sequence[tuple[Ids, Weights]], *, packing: bool, pad_id: int) -> "dict[str, torch.Tensor]":
    """One micro-batch of `samples`, each `(ids (L,), weights (L,))`; a weight is that of the token as a TARGET.

    Packed: `input_ids` (1,T), `position_ids` (1,T) that start again at each document, `cu_seqlens` (n+1,) int32 and
    `weights` (1,T) float32. Padded on the right: `input_ids` (B,L), `attention_mask` (B,L), `weights` (B,L); padding
    weighs 0 by its place, never by its id, so a real end token that has the padding's id stays a target. The first
    token of a document has nothing before it to be predicted from: its weight is 0.
    """
    if not samples:
        raise ValueError("a batch needs at least one sample")
    for ids, weights in samples:
        if len(ids) != len(weights) or len(ids) == 0:
            raise ValueError(f"a sample has {len(ids)} ids and {len(weights)} weights")
    return _packed(samples) if packing else _padded(samples, pad_id)


def _packed(samples: Sequence[tuple[Ids, Weights]]) -> "dict[str, torch.Tensor]":
    import torch

    lengths = [len(ids) for ids, _ in samples]
    borders = np.concatenate([[0], np.cumsum(lengths)])
    weights = np.concatenate([np.asarray(w, np.float32) for _, w in samples])
    weights[borders[:-1]] = 0.0
    return {
        "input_ids": torch.from_numpy(np.concatenate([np.asarray(ids, np.int64) for ids, _ in samples]))[None],
        "position_ids": torch.from_numpy(np.concatenate([np.arange(n, dtype=np.int64) for n in lengths]))[None],
        "cu_seqlens": torch.from_numpy(borders.astype(np.int32)),
        "weights": torch.from_numpy(weights)[None],
    }


def _padded(samples: Sequence[tuple[Ids, Weights]], pad_id: int) -> "dict[str, torch.Tensor]":
    import torch

    shape = (len(samples), max(len(ids) for ids, _ in samples))
    ids_BL = np.full(shape, pad_id, np.int64)
    mask_BL = np.zeros(shape, np.int64)
    weights_BL = np.zeros(shape, np.float32)
    for row, (ids, weights) in enumerate(samples):
        ids_BL[row, : len(ids)] = ids
        mask_BL[row, : len(ids)] = 1
        weights_BL[row, 1 : len(ids)] = weights[1:]
    return {
        "input_ids": torch.from_numpy(ids_BL),
        "attention_mask": torch.from_numpy(mask_BL),
        "weights": torch.from_numpy(weights_BL),
    }
