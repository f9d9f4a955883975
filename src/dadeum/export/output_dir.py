"""`output_dir:`, a plain copy of the result for other tools. A folder of the user's is never emptied or written over."""

import shutil
from pathlib import Path

from dadeum.core.artifact import MANIFEST, Manifest, damage, read_manifest, writing
from dadeum.core.errors import ArtifactError
from dadeum.core.fingerprint import fingerprint, sha256_file
from dadeum.core.language import say

KIND = "output_dir"
DEPLOYMENT = "deployment_model"
EVALUATION = "evaluation"
STATS = "training_stats.json"


def copy_result(
    out: Path, *, final: Path, merged: Path | None, evaluation: Path | None, stats: Path | None = None
) -> Path:
    """Copy weights, tokenizer, statistics, the merged model and the scores to `out`, whole or not at all.

    A former copy that is as dadeum left it is replaced. Raises ArtifactError where `out` holds anything else, is a
    link, or lies in what is copied.
    """
    check_ours(out, KIND)
    for place in (final, merged, evaluation):
        if place is not None and (
            out.resolve().is_relative_to(place.resolve()) or place.resolve().is_relative_to(out.resolve())
        ):
            raise ArtifactError(
                say(
                    f"{out}: holds or lies in {place}; choose another output_dir",
                    f"{out}: {place}와(과) 겹칩니다. 다른 output_dir을 쓰세요",
                )
            )
    files = {name: file for file in _plain_files(final) if (name := file.name) != MANIFEST}
    if merged is not None:
        files |= {f"{DEPLOYMENT}/{f.name}": f for f in _plain_files(merged) if f.name != MANIFEST}
    if stats is not None:
        files[STATS] = stats
    if evaluation is not None:
        files |= {f"{EVALUATION}/{f.name}": f for f in _plain_files(evaluation) if f.suffix in (".json", ".csv", ".md")}
    made_from = {name: sha256_file(file) for name, file in files.items()}
    try:
        with writing(out, kind=KIND, fingerprint=fingerprint(made_from), made_from=made_from) as folder:
            for name, file in files.items():
                (folder / name).parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(file, folder / name, follow_symlinks=False)
    except OSError as error:
        raise ArtifactError(
            say(f"{out}: cannot be written ({error.strerror})", f"{out}: 쓸 수 없습니다 ({error.strerror})")
        ) from error
    return out


def check_ours(folder: Path, kind: str) -> None:
    """Raises ArtifactError unless `folder` is absent, empty, or an artifact of this kind that nobody has touched."""
    if folder.is_symlink():
        raise ArtifactError(
            say(
                f"{folder}: is a link, expected a folder; name the folder itself",
                f"{folder}: 링크입니다. 폴더 자체를 지정하세요",
            )
        )
    if not folder.exists():
        return
    if not folder.is_dir():
        raise ArtifactError(say(f"{folder}: is a file, expected a folder", f"{folder}: 파일입니다. 폴더여야 합니다"))
    if not any(folder.iterdir()):
        return
    foreign = _foreign(folder, read_manifest(folder), kind)
    if foreign:
        raise ArtifactError(
            say(
                f"{folder}: holds '{foreign}', which dadeum did not write; choose another folder, or move it away",
                f"{folder}: dadeum이 쓰지 않은 '{foreign}'이(가) 있습니다. 다른 폴더를 고르거나 옮기세요",
            )
        )


def _foreign(folder: Path, manifest: Manifest | None, kind: str) -> str | None:
    """The first thing in a folder that is not ours as we left it."""
    there = sorted(f for f in folder.rglob("*") if f.is_symlink() or not f.is_dir())
    if manifest is None or manifest.kind != kind:
        return there[0].relative_to(folder).as_posix() if there else next(folder.iterdir()).name
    for file in there:
        name = file.relative_to(folder).as_posix()
        if file.is_symlink() or (name != MANIFEST and name not in manifest.files):
            return name
    return damage(folder, manifest)


def _plain_files(folder: Path) -> list[Path]:
    """Files directly in a folder of ours. Raises ArtifactError for a link: it may point anywhere."""
    found = sorted(f for f in folder.iterdir() if not f.name.startswith(".") and (f.is_symlink() or f.is_file()))
    for file in found:
        if file.is_symlink():
            raise ArtifactError(
                say(f"{file}: is a link; links are not copied", f"{file}: 링크입니다. 링크는 복사하지 않습니다")
            )
    return found
