"""Models that also see or hear (Gemma 3 4B and larger): which of their parts text does not pass through."""

from typing import Any


def towers(model: Any) -> list[str]:
    """Names of the topmost modules with weights that lie outside the text model and its output layer; none in a text model.

    Training on text gives them no gradient, so nothing in them is trained.
    """
    config = getattr(model, "config", None)
    if config is None or config.get_text_config() is config:
        return []
    within = {
        id(m)
        for part in (model.get_decoder(), model.get_output_embeddings())
        if part is not None
        for m in part.modules()
    }
    found: list[str] = []
    for name, module in model.named_modules():
        if any(name.startswith(f"{other}.") for other in found) or next(module.parameters(), None) is None:
            continue
        if not any(id(part) in within for part in module.modules()):
            found.append(name)
    return found
