"""May prompts share a batch? Asked of the model itself, once, before the first batch.

Most models leave padding on the left out of sight by mask and positions, and rows apart. Some do not: RWKV reads padding
into its state, RoFormer counts its positions. Their answers would depend on their neighbours, so each is made alone.
"""

from typing import Any

import torch
from transformers import GenerationConfig

# Largest difference of a logit beside a longer prompt and alone, relative to the largest; packing's check has the same.
EXACT, SHORT_TYPES = 1e-3, 5e-2
PROMPTS = ((3, 6), (5, 11))  # first id and length
NEW = 4


def ignores_neighbours(model: Any) -> bool:
    """Whether the model's next tokens after a short prompt are the same beside a longer one as alone."""
    weight = model.get_input_embeddings().weight
    short, long = (
        torch.tensor([(first + 7 * i) % weight.shape[0] for i in range(length)], device=weight.device)
        for first, length in PROMPTS
    )
    pad = len(long) - len(short)
    ids_BL = torch.stack([torch.cat([short[:1].expand(pad), short]), long])
    mask_BL = torch.ones_like(ids_BL)
    mask_BL[0, :pad] = 0
    alone, beside = _logits(model, short[None], torch.ones_like(short)[None]), _logits(model, ids_BL, mask_BL)
    bound = EXACT if weight.dtype in (torch.float32, torch.float64) else SHORT_TYPES
    for one, other in zip(alone, beside, strict=False):  # alone, the row may end earlier
        if not float((one - other).abs().max()) <= bound * float(one.abs().max()):  # NaN is no likeness
            return False
        if int(one.argmax()) != int(other.argmax()):
            break  # two equally likely tokens: from here on they read different texts
    return True


def _logits(model: Any, ids_BL: torch.Tensor, mask_BL: torch.Tensor) -> list[torch.Tensor]:
    """Logits (V,) of the first row, for each new token."""
    config = GenerationConfig(
        max_new_tokens=NEW, do_sample=False, pad_token_id=0, output_logits=True, return_dict_in_generate=True
    )
    with torch.inference_mode():
        made = model.generate(input_ids=ids_BL, attention_mask=mask_BL, generation_config=config)
    return [step[0].double() for step in made.logits]
