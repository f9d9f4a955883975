"""A word-level tokenizer made on the spot."""

from tokenizers import Tokenizer, models, pre_tokenizers
from transformers import PreTrainedTokenizerFast


def words(size: int = 97, *, pad: str | None = None) -> PreTrainedTokenizerFast:
    """A tokenizer of `size` ids: <unk> 0, <s> 1, </s> 2, then words; `pad` is the padding token."""
    names = ["<unk>", "<s>", "</s>", *(f"w{i}" for i in range(3, size))]
    inner = Tokenizer(models.WordLevel({name: i for i, name in enumerate(names)}, unk_token="<unk>"))
    inner.pre_tokenizer = pre_tokenizers.Whitespace()
    return PreTrainedTokenizerFast(
        tokenizer_object=inner, bos_token="<s>", eos_token="</s>", unk_token="<unk>", pad_token=pad
    )
