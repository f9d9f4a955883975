"""Small random encoders with a real Korean tokenizer."""

import shutil
from pathlib import Path

import torch
from transformers import BertConfig, BertModel, RobertaConfig, RobertaModel

LAYERS = 4


def save_encoder(material: Path, place: Path, *, roberta: bool = False, positions: int = 128) -> Path:
    """A model of four layers, seeded, in `place`."""
    torch.manual_seed(0)
    sizes = {
        "vocab_size": 32000, "hidden_size": 32, "num_hidden_layers": LAYERS, "num_attention_heads": 4, "intermediate_size": 64,
        "max_position_embeddings": positions, "pad_token_id": 1,
    }  # fmt: skip
    model = RobertaModel(RobertaConfig(**sizes)) if roberta else BertModel(BertConfig(**sizes))
    for parameter in model.parameters():  # the first values of BERT are so small that all tokens look alike
        if parameter.dim() == 2:
            torch.nn.init.normal_(parameter, std=0.3)
    model.save_pretrained(place)
    for name in ("tokenizer.json", "tokenizer_config.json", "special_tokens_map.json"):
        shutil.copy(material / "tokenizers" / "klue-roberta-type" / name, place / name)
    return place
