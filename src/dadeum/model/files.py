"""What a folder of weights may hold: JSON and safetensors. Nothing that runs code when it is loaded."""

from pathlib import Path
from typing import Any

from dadeum.core.artifact import read_json
from dadeum.core.errors import ArtifactError, ModelError
from dadeum.core.language import say

ADAPTER_CONFIG = "adapter_config.json"
ADAPTER_WEIGHTS = "adapter_model.safetensors"
HEAD = "head.json"
WEIGHTS = "model.safetensors"
INDEX = "model.safetensors.index.json"
PICKLES = (".bin", ".pt", ".pth", ".pkl", ".ckpt")


def is_adapter(place: Path) -> bool:
    """Whether the folder holds an adapter rather than a whole model."""
    return (place / ADAPTER_CONFIG).is_file()


def is_headed(place: Path) -> bool:
    """Whether the model has a head that says something else than the next token."""
    return (place / HEAD).is_file()


def read_object(path: Path) -> dict[str, Any]:
    """The JSON object in `path`. Raises ModelError."""
    if not path.is_file():
        raise ModelError(
            say(
                f"{path.parent}: found no {path.name}, expected the folder of a model; check the path",
                f"{path.parent}: {path.name}이(가) 없습니다. 모델 폴더여야 합니다. 경로를 확인하세요",
            )
        )
    try:
        found = read_json(path)
    except ArtifactError as error:
        raise ModelError(str(error)) from error
    if not isinstance(found, dict):
        raise ModelError(say(f"{path}: expected a JSON object", f"{path}: JSON 객체여야 합니다"))
    return found


def weight_files(place: Path) -> list[Path]:
    """The safetensors files that hold the model or the adapter in `place`.

    Raises ModelError naming what is there instead: a pickle (`*.bin`, `*.pt`, …) is never opened.
    """
    if is_adapter(place):
        names = [ADAPTER_WEIGHTS]
    elif (place / WEIGHTS).is_file():
        names = [WEIGHTS]
    elif (place / INDEX).is_file():
        names = sorted({str(name) for name in read_object(place / INDEX).get("weight_map", {}).values()})
    else:
        names = []
    for name in names:
        if Path(name).name != name or not name.endswith(".safetensors"):
            raise ModelError(
                say(
                    f"{place / INDEX}: found '{name}', expected names of .safetensors files beside it",
                    f"{place / INDEX}: '{name}'은(는) 쓸 수 없습니다. 같은 폴더의 .safetensors 파일 이름이어야 합니다",
                )
            )
    absent = [name for name in names if not (place / name).is_file()]
    if names and not absent:
        return [place / name for name in names]
    pickles = sorted(f.name for f in place.glob("*") if f.suffix in PICKLES) if place.is_dir() else []
    found = ", ".join(pickles) or say("no weights", "가중치 없음")
    wanted = ", ".join(absent) or WEIGHTS
    raise ModelError(
        say(
            f"{place}: found {found}, expected {wanted}; pickled weights are never opened, convert them to safetensors",
            f"{place}: {wanted} 파일이 있어야 하는데 {found}입니다. 피클 가중치는 열지 않습니다. safetensors로 바꾸세요",
        )
    )
