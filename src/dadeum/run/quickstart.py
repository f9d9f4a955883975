"""The quickstart's folder: a small Korean model, questions on the Civil Act, one experiment. Touches no file of the user's."""

from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path

from dadeum.core.errors import ArtifactError
from dadeum.core.language import say
from dadeum.core.workspace import FOLDERS

MODEL = "tiny-ko"
EXPERIMENT = "configs/quickstart.yaml"
# Where each asset lies in the workspace.
PLACES = {
    "quickstart.yaml": EXPERIMENT,
    "civil_law_qa.csv": "data/raw/civil_law_qa.csv",
    "civil_law_qa_test.csv": "data/raw/civil_law_qa_test.csv",
}


def _wanted(folder: Path) -> dict[Path, Traversable]:
    assets = files("dadeum") / "assets"
    found = {folder / place: assets / name for name, place in PLACES.items()}
    found |= {folder / "checkpoints" / MODEL / f.name: f for f in (assets / MODEL).iterdir() if f.is_file()}
    return found


def lay_out(folder: Path, *, whole: bool = True) -> list[Path]:
    """Put the assets into `folder`, which may hold other files; returns what was written.

    Not `whole`: model and data only, without the experiment and the empty folders of a workspace.

    Raises ArtifactError before anything is written where a file of ours would take the place of another one.
    """
    if folder.exists() and not folder.is_dir():
        raise ArtifactError(
            say(
                f"{folder}: is a file, expected a folder or a new name",
                f"{folder}: 파일입니다. 폴더나 새 이름을 쓰세요",
            )
        )
    wanted = {p: asset for p, asset in _wanted(folder).items() if whole or p != folder / EXPERIMENT}
    for place, asset in wanted.items():
        if place.exists() and place.read_bytes() != asset.read_bytes():
            raise ArtifactError(
                say(
                    f"{place}: is there already and is not the quickstart's; choose another folder: dadeum quickstart DIR",
                    f"{place}: 이미 있는 파일이며 quickstart의 것이 아닙니다. 다른 폴더를 쓰세요: dadeum quickstart 폴더",
                )
            )
    for name in FOLDERS if whole else ():
        (folder / name).mkdir(parents=True, exist_ok=True)
    written = []
    for place, asset in wanted.items():
        if not place.exists():
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_bytes(asset.read_bytes())
            written.append(place)
    return written
