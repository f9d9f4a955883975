"""The transformers configuration of a model: read from a folder, or made from the experiment file. No weights."""

import inspect
import re
from collections.abc import Collection
from pathlib import Path
from typing import Any

from transformers import CONFIG_MAPPING, AutoConfig, PreTrainedConfig, PreTrainedTokenizerFast

from dadeum.config.model import ModelSettings
from dadeum.core.errors import ModelError
from dadeum.core.language import say
from dadeum.core.near import hint, nearest
from dadeum.model.files import read_object


def first_line(error: BaseException) -> str:
    """What an error of a library says, in one line: its first, and the next where that one only announces it."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return " ".join(lines[: 2 if lines[0].endswith(":") else 1]) if lines else type(error).__name__


def without_code(values: dict[str, Any]) -> dict[str, Any]:
    """The configuration without keys that name code to run: `auto_map`, and all private ones, at any depth."""
    return {
        key: without_code(value) if isinstance(value, dict) else value
        for key, value in values.items()
        if key != "auto_map" and not key.startswith("_")
    }


def read_config(place: Path, *, trusted: bool = False) -> PreTrainedConfig:
    """The configuration in `place`. Without `trusted`, code that it names is neither loaded nor looked for."""
    values = read_object(place / "config.json")
    if trusted and "auto_map" in values:
        return AutoConfig.from_pretrained(place, trust_remote_code=True, local_files_only=True)
    kind = values.get("model_type")
    where = f"{place / 'config.json'}"
    _known_type(where, kind, remote="auto_map" in values)
    try:
        return CONFIG_MAPPING[kind].from_dict(without_code(values))
    except Exception as error:
        raise ModelError(
            say(
                f"{where}: transformers cannot make a '{kind}' model's configuration of it: {first_line(error)}",
                f"{where}: transformers가 '{kind}' 모델의 설정으로 읽지 못합니다 ({first_line(error)})",
            )
        ) from error


def refuse_quantized(config: PreTrainedConfig, place: Path | None) -> None:
    """Raises ModelError for a base that is stored quantised: adapters would be trained and merged on rounded weights."""
    if getattr(config, "quantization_config", None):
        raise ModelError(
            say(
                f"{place}: found quantised weights, expected 16 or 32 bits; take the model that they were made from",
                f"{place}: 양자화된 가중치입니다. 16비트나 32비트여야 합니다. 양자화하기 전의 모델을 쓰세요",
            )
        )


def _known_type(where: str, kind: Any, *, remote: bool = False) -> None:
    if isinstance(kind, str) and kind in CONFIG_MAPPING:
        return
    if kind is None:
        raise ModelError(
            say(
                f"{where}: found no 'model_type', expected one such as 'llama'",
                f"{where}: 'model_type'이 없습니다. 예: 'llama'",
            )
        )
    if remote:
        raise ModelError(
            say(
                f"{where}: a model of type '{kind}' brings its own code; if you trust its author, set model.trust_remote_code to true",
                f"{where}: '{kind}' 모델은 자체 코드를 씁니다. 만든 이를 믿는다면 model.trust_remote_code를 true로 하세요",
            )
        )
    near = hint(nearest(str(kind), CONFIG_MAPPING.keys()))
    raise ModelError(
        say(
            f"{where}: found model_type '{kind}', expected one of transformers{near}",
            f"{where}: model_type '{kind}'은(는) transformers에 없습니다{near}",
        )
    )


def made_config(values: dict[str, Any]) -> PreTrainedConfig:
    """A configuration from `model.config` of an experiment. Raises ModelError on an unknown key or an unfit value."""
    where = "model.config"
    kind = values.get("model_type")
    _known_type(where, kind)
    taken = _keys(CONFIG_MAPPING[kind])
    for key in values:
        if key not in taken:
            near = hint(nearest(key, taken))
            raise ModelError(
                say(
                    f"{where}.{key}: unknown key of a '{kind}' configuration{near}",
                    f"{where}.{key}: '{kind}' 설정에 없는 키입니다{near}",
                )
            )
    try:
        return AutoConfig.for_model(**values)
    except Exception as error:
        raise ModelError(
            say(
                f"{where}: transformers cannot make a '{kind}' model's configuration of it: {first_line(error)}",
                f"{where}: transformers가 '{kind}' 모델의 설정으로 쓰지 못합니다 ({first_line(error)})",
            )
        ) from error


def _keys(kind: type[PreTrainedConfig]) -> set[str]:
    """What users may write for a configuration class: its own fields and their general names, nothing private."""
    own = set(inspect.signature(kind).parameters) | set(inspect.signature(PreTrainedConfig).parameters)
    own |= set(getattr(kind, "attribute_map", {})) | {"model_type", "tie_word_embeddings"}
    own |= _older_names(kind) | _rotation_names(kind)
    return {key for key in own if not key.startswith("_") and key not in ("kwargs", "args", "self")}


def _older_names(kind: type[PreTrainedConfig]) -> set[str]:
    """Names that stand in published `config.json` files and that the class reads only from its keyword arguments.

    `rotary_pct` of GPT-NeoX, `partial_rotary_factor` of Phi-3, `sliding_window_pattern` of Gemma 3: no signature has them.
    """
    try:
        return set(re.findall(r'kwargs\.(?:get|pop)\(\s*"(\w+)"', inspect.getsource(kind)))
    except (OSError, TypeError):  # a class without its source
        return set()


def _rotation_names(kind: type[PreTrainedConfig]) -> set[str]:
    """`rope_scaling` and `rope_theta` where the class has rotations and heeds them: GPT-NeoX has its own name for the base."""
    if "rope_parameters" not in inspect.signature(kind).parameters:
        return set()
    probe = 12345.0
    try:
        heeds = str(probe) in str(kind(rope_theta=probe).rope_parameters)
    except Exception:  # the class wants more than this: its own errors come when the real values are given
        heeds = True
    return {"rope_scaling", "rope_theta"} if heeds else {"rope_scaling"}


def fresh_config(model: ModelSettings, place: Path | None, tokenizer: PreTrainedTokenizerFast) -> PreTrainedConfig:
    """The configuration of `init: random`: vocabulary and special ids are the tokenizer's."""
    if model.config is not None:
        config = made_config(model.config)
    elif place is not None:
        config = read_config(place, trusted=model.trust_remote_code)
        refuse_quantized(config, place)
    else:
        raise ModelError(
            say(
                "model: 'init: random' needs 'config' or 'name_or_path'",
                "model: 'init: random'에는 'config' 또는 'name_or_path'가 필요합니다",
            )
        )
    text = config.get_text_config()
    rows = highest_id(tokenizer) + 1
    given = (model.config or {}).get("vocab_size")
    text.vocab_size = rows if given is None else given
    check_vocabulary(text.vocab_size, tokenizer)
    for name in ("bos_token_id", "eos_token_id"):
        setattr(text, name, getattr(tokenizer, name))
    # A padding id that is also an end or start would keep that token's embedding at zero.
    pad = tokenizer.pad_token_id
    text.pad_token_id = None if pad in (tokenizer.bos_token_id, tokenizer.eos_token_id) else pad
    return config


def rotation_limit(config: PreTrainedConfig) -> int | None:
    """Sequence length past which `longrope` (Phi-3 128k) or `dynamic` rotations change for every row of a forward pass.

    A shorter sequence that shares a pass with a longer one is then rotated otherwise than alone. None: they never change.
    """
    found = getattr(config.get_text_config(), "rope_parameters", None) or {}
    limits = []
    for one in (found, *(value for value in found.values() if isinstance(value, dict))):
        kind = str(one.get("rope_type") or "")
        if kind == "longrope":
            limits.append(one.get("original_max_position_embeddings"))
        elif "dynamic" in kind:
            limits.append(getattr(config.get_text_config(), "max_position_embeddings", None))
    return min((int(limit) for limit in limits if limit), default=None)


def highest_id(tokenizer: PreTrainedTokenizerFast) -> int:
    """The largest id that the tokenizer can give, added tokens and padding included."""
    return int(max(tokenizer.get_vocab().values()))


def check_vocabulary(rows: int, tokenizer: PreTrainedTokenizerFast, new: Collection[int] = ()) -> None:
    """Raises ModelError where the tokenizer gives ids, but for `new` ones, that the embedding of `rows` rows has no row for."""
    highest = max((i for i in tokenizer.get_vocab().values() if i not in new), default=0)
    if highest >= rows:
        raise ModelError(
            say(
                f"tokenizer: its largest id is {highest}, but the model's embedding has {rows} rows; "
                "take the tokenizer that belongs to the model",
                f"tokenizer: 가장 큰 id는 {highest}인데 모델의 임베딩은 {rows}행입니다. 모델에 맞는 토크나이저를 쓰세요",
            )
        )
