"""A model that reads text, for metrics that compare what it makes of two texts. Safetensors and JSON only."""

import functools
import hashlib
import importlib.metadata
import math
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from transformers import AutoModel
from transformers.utils import logging as transformers_logging

from dadeum.core.errors import ModelError
from dadeum.core.hub import commit_of, fetch_model
from dadeum.core.language import say
from dadeum.generate.reply import seeded
from dadeum.model.configuration import first_line, read_config, refuse_quantized
from dadeum.model.files import weight_files
from dadeum.model.save import without_bars
from dadeum.tokenizer.load import load_tokenizer

UNUSED = "pooler."  # weights that no layer's output needs
USUAL = 3 / 4  # of the way up, as bert-score's own table has it for most models
AT_ONCE = 2


@dataclass(frozen=True)
class Encoder:
    """A model in float32 with its tokenizer; `name` holds where it is from and which weights these are."""

    name: str
    model: Any
    tokenizer: Any
    layers: int
    longest: int
    ends: tuple[int, int]
    device: torch.device

    def ids(self, text: str) -> list[int]:
        """Tokens without the two at the ends, however many."""
        plain = unicodedata.normalize("NFC", text).strip()
        found: list[int] = self.tokenizer(plain, add_special_tokens=False)["input_ids"]
        return found

    def layer(self, wanted: int | None) -> int:
        """The layer that is compared. Raises ModelError where there is no such layer."""
        if wanted is not None and wanted > self.layers:
            raise ModelError(
                say(
                    f"evaluate.metrics: bertscore: found layer {wanted}, but {self.name} has {self.layers} layers",
                    f"evaluate.metrics: bertscore: layer가 {wanted}인데 {self.name}의 층은 {self.layers}개입니다",
                )
            )
        return wanted or math.ceil(USUAL * self.layers)


@functools.lru_cache(maxsize=1)
def load_encoder(name: str, revision: str) -> Encoder:
    """The model `name`, a folder or Hub id, on the GPU where there is one. Raises ModelError, HubError."""
    place = fetch_model(name, revision, weights=True)
    config = read_config(place)
    refuse_quantized(config, place)
    files = weight_files(place)
    tokenizer = load_tokenizer(place)
    ends = _ends(tokenizer, place)
    before = transformers_logging.get_verbosity()
    transformers_logging.set_verbosity_error()  # heads of its pretraining are left out, of course
    try:
        with without_bars(), seeded(0):
            model, info = AutoModel.from_pretrained(
                place,
                config=config,
                dtype=torch.float32,
                use_safetensors=True,
                local_files_only=True,
                trust_remote_code=False,
                output_loading_info=True,
            )
    except torch.OutOfMemoryError:
        raise
    except Exception as error:
        raise ModelError(
            say(
                f"{place}: the model cannot be loaded: {first_line(error)}",
                f"{place}: 모델을 읽을 수 없습니다: {first_line(error)}",
            )
        ) from error
    finally:
        transformers_logging.set_verbosity(before)
    _complete(place, info)
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    return Encoder(
        name=_named(name, place, files),
        model=model.to(device).eval(),
        tokenizer=tokenizer,
        layers=int(config.num_hidden_layers),
        longest=_longest(model, tokenizer),
        ends=ends,
        device=device,
    )


def bert_scores(
    encoder: Encoder, pairs: Sequence[tuple[str, str]], layer: int
) -> tuple[list[tuple[float, float, float]], int]:
    """(precision, recall, F1) of each (said, true) by torchmetrics, and how many texts were cut. What holds no token has 0.

    In twos: of three or more texts torchmetrics 1.9 mixes up which belong together (it undoes its sorting by length with
    the permutation that sorted, which is right only where that is its own inverse, as any of two is).
    """
    from torchmetrics.functional.text.bert import bert_score

    room = encoder.longest - len(encoder.ends)
    tokens = [tuple(encoder.ids(text) for text in pair) for pair in pairs]
    cut = sum(len(ids) > room for pair in tokens for ids in pair)
    found = [(0.0, 0.0, 0.0)] * len(pairs)
    places = [place for place, pair in enumerate(tokens) if all(pair)]

    def forward(model: Any, batch: dict[str, Any]) -> Any:
        made = model(input_ids=batch["input_ids"], attention_mask=batch["attention_mask"], output_hidden_states=True)
        return made.hidden_states[layer]

    for begin in range(0, len(places), AT_ONCE):
        some = places[begin : begin + AT_ONCE]
        with seeded(0):  # a DataLoader draws a number, though nothing here is random
            of_both = bert_score(
                *([" ".join(map(str, tokens[place][side][:room])) for place in some] for side in (0, 1)),
                model=encoder.model,
                user_tokenizer=functools.partial(_batch, encoder),
                user_forward_fn=forward,
                device=encoder.device,
            )
        columns = [of_both[key].reshape(-1).tolist() for key in ("precision", "recall", "f1")]
        for place, scores in zip(some, zip(*columns, strict=True), strict=True):
            found[place] = scores
    return found, cut


def version() -> str:
    """What matched the tokens, as signatures name it."""
    return f"torchmetrics:{importlib.metadata.version('torchmetrics')}"


def _batch(encoder: Encoder, texts: Sequence[str], **_: Any) -> dict[str, torch.Tensor]:
    """Token numbers as tensors, each text between its ends: torchmetrics leaves the first and the last out."""
    whole = [[encoder.ends[0], *map(int, text.split()), encoder.ends[1]] for text in texts]
    width = max(map(len, whole))
    pad = encoder.tokenizer.pad_token_id or 0
    return {
        "input_ids": torch.tensor([ids + [pad] * (width - len(ids)) for ids in whole]),
        "attention_mask": torch.tensor([[1] * len(ids) + [0] * (width - len(ids)) for ids in whole]),
    }


def _ends(tokenizer: Any, place: Path) -> tuple[int, int]:
    first = tokenizer.cls_token_id if tokenizer.cls_token_id is not None else tokenizer.bos_token_id
    last = tokenizer.sep_token_id if tokenizer.sep_token_id is not None else tokenizer.eos_token_id
    if first is None or last is None:
        raise ModelError(
            say(
                f"{place}: its tokenizer has no token that begins a text, or none that ends one; take an encoder such as BERT",
                f"{place}: 토크나이저에 글의 처음이나 끝 토큰이 없습니다. BERT 같은 인코더를 쓰세요",
            )
        )
    return first, last


def _complete(place: Path, info: dict[str, Any]) -> None:
    """Raises ModelError for weights that are absent, and so were drawn at random."""
    absent = sorted(str(name) for kind in ("missing_keys", "mismatched_keys") for name in info.get(kind, ()))
    absent = [name for name in absent if UNUSED not in name]
    if absent:
        shown = ", ".join(absent[:5]) + (" …" if len(absent) > 5 else "")
        raise ModelError(
            say(
                f"{place}: {len(absent)} tensors are absent and would be random: {shown}; take a complete model",
                f"{place}: 텐서 {len(absent)}개가 없어 무작위가 됩니다: {shown}. 온전한 모델을 쓰세요",
            )
        )


def _longest(model: Any, tokenizer: Any) -> int:
    """Tokens that the model has places for. RoBERTa counts its places from behind the padding's."""
    places = getattr(getattr(model, "embeddings", None), "position_embeddings", None)
    if places is not None and hasattr(places, "num_embeddings"):
        found = places.num_embeddings - (places.padding_idx + 1 if places.padding_idx is not None else 0)
    else:
        found = getattr(model.config, "max_position_embeddings", 512)
    return int(min(found, tokenizer.model_max_length))


def _named(name: str, place: Path, files: Sequence[Path]) -> str:
    """Hub id and commit; of a folder its name and a hash of its weights, so that the key is the same on any machine."""
    commit = commit_of(place)
    if commit is not None:
        return f"{name}@{commit}"
    sha = hashlib.sha256()
    for file in files:
        with file.open("rb") as opened:
            sha.update(hashlib.file_digest(opened, "sha256").digest())
    return f"{place.resolve().name}@sha256-{sha.hexdigest()[:12]}"
