"""How a base is held beside what its own folder says: quantised, grown by rows, untied. It travels with the adapter.

`dadeum_model.json` lies beside the adapter's weights, so that the model is used on the base that it was trained on.
"""

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from pydantic import ValidationError
from torch import nn

from dadeum.config.model import QuantizationSettings
from dadeum.core.artifact import write_json
from dadeum.core.errors import ModelError
from dadeum.core.language import say
from dadeum.model.files import read_object

FILE = "dadeum_model.json"
VERSION = 1
MARK = "_dadeum_form"


@dataclass(frozen=True)
class Form:
    """`dtype` is the type that the weights had when they were quantised, `rows` those of the embedding (None: the base's)."""

    quantization: QuantizationSettings | None = None
    dtype: str | None = None
    rows: int | None = None
    untied: bool = False

    def save(self, folder: Path) -> None:
        """Write it, where there is anything to say."""
        if self != Form():
            held = self.quantization.model_dump(mode="json") if self.quantization else None
            write_json(folder / FILE, {"version": VERSION, **asdict(self), "quantization": held})

    @classmethod
    def load(cls, folder: Path) -> "Form":
        """Read it; the plain form where the folder has none. Raises ModelError for one that is damaged or of a later dadeum."""
        if not (folder / FILE).is_file():
            return cls()
        value = read_object(folder / FILE)
        try:
            if value.pop("version") != VERSION:
                raise ValueError
            held = value.pop("quantization")
            made = cls(QuantizationSettings.model_validate(held) if held is not None else None, **value)
            if not (isinstance(made.rows, int | None) and isinstance(made.untied, bool)):
                raise TypeError
        except (KeyError, TypeError, ValueError, ValidationError):
            raise ModelError(
                say(
                    f"{folder / FILE}: not a note on the base that this dadeum can read; take the folder as it was saved",
                    f"{folder / FILE}: 이 버전의 dadeum이 읽을 수 없습니다. 저장된 그대로의 폴더를 쓰세요",
                )
            ) from None
        return made


def remember(core: nn.Module, form: Form) -> None:
    """Note it on the base inside a model, where saving finds it."""
    setattr(core, MARK, form)


def form_of(core: Any) -> Form:
    """What was noted."""
    found: Form = getattr(core, MARK, Form())
    return found


def untie(model: Any) -> bool:
    """Give an output layer that shares the embedding's weights its own copy; whether there was one."""
    inside, outside = model.get_input_embeddings(), model.get_output_embeddings()
    if outside is None or outside.weight is not inside.weight:
        return False
    outside.weight = nn.Parameter(outside.weight.detach().clone(), requires_grad=outside.weight.requires_grad)
    model.config.get_text_config().tie_word_embeddings = False
    model.config.tie_word_embeddings = False
    return True
