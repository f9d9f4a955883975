"""`full`: every weight is trained, or all but those that are frozen; there is no adapter."""

import re
from collections.abc import Sequence
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Any, Literal

from dadeum.core.errors import ModelError
from dadeum.core.language import say
from dadeum.core.near import hint, nearest
from dadeum.core.settings import Many, MemberSettings, setting

if TYPE_CHECKING:
    from torch import nn

freezes_base = False


class Settings(MemberSettings):
    """Train every weight that is not frozen."""

    type: Literal["full"] = "full"
    freeze_layers: int = setting(
        0,
        "So many decoder layers, from the first on, are not trained.",
        "앞에서부터 이만큼의 디코더 층은 학습하지 않습니다.",
        ge=0,
    )
    freeze: Many[str] = setting(
        (),
        "Modules or parameters that are not trained: names such as `embed_tokens`, or patterns such as `*.mlp.*`.",
        "학습하지 않을 모듈이나 파라미터. `embed_tokens` 같은 이름 또는 `*.mlp.*` 같은 패턴.",
    )


def mergeable(settings: Settings) -> bool:
    """There is nothing to merge."""
    return False


def apply(settings: Settings, model: "nn.Module", new_tokens: Sequence[int] = ()) -> "nn.Module":
    """The same model with every parameter trainable but the frozen ones and parts that text does not pass through."""
    from dadeum.model.towers import towers

    model.requires_grad_(True)
    for name in towers(model):
        model.get_submodule(name).requires_grad_(False)
    if settings.freeze_layers:
        for layer in _layers(model, settings.freeze_layers):
            layer.requires_grad_(False)
    for pattern in settings.freeze:
        _freeze(pattern, model)
    if not any(p.requires_grad for p in model.parameters()):
        raise ModelError(
            say(
                "adapter.freeze: found patterns that freeze every weight, expected some to train; leave one out",
                "adapter.freeze: 모든 가중치를 고정해 학습할 것이 없습니다. 하나를 빼세요",
            )
        )
    return model


def _layers(model: Any, count: int) -> list["nn.Module"]:
    """The first decoder layers."""
    from torch import nn

    total = getattr(model.config.get_text_config(), "num_hidden_layers", 0)
    decoder = model.get_decoder() if hasattr(model, "get_decoder") else model
    lists = [m for m in decoder.modules() if isinstance(m, nn.ModuleList) and len(m) == total > 0]
    if not lists or count > total:
        raise ModelError(
            say(
                f"adapter.freeze_layers: found {count}, but this model has {len(lists) and total} decoder layers; take at most that",
                f"adapter.freeze_layers: {count}인데 이 모델의 디코더 층은 {len(lists) and total}개입니다. 그 이하로 하세요",
            )
        )
    return list(lists[0])[:count]


def _freeze(pattern: str, model: "nn.Module") -> None:
    """Raises ModelError where nothing goes by that name."""
    hits = [p for name, p in model.named_parameters(remove_duplicate=False) if _means(pattern, name)]
    if not hits:
        parts = {part for name, _ in model.named_parameters() for part in name.split(".") if not part.isdigit()}
        near = hint(nearest(re.sub(r"[*?\[\]]|^\.|\.$", "", pattern).rsplit(".", 1)[-1], sorted(parts)))
        raise ModelError(
            say(
                f"adapter.freeze: found '{pattern}', which no parameter of this model is called{near}",
                f"adapter.freeze: '{pattern}'에 맞는 파라미터가 이 모델에 없습니다{near}",
            )
        )
    for parameter in hits:
        parameter.requires_grad_(False)


def _means(pattern: str, name: str) -> bool:
    """A name means what lies at or below it, wherever it stands; a pattern the whole name."""
    if any(sign in pattern for sign in "*?["):
        return fnmatchcase(name, pattern)
    return f".{pattern}." in f".{name}."
