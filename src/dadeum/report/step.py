"""The stage `report`: a run's evidence becomes one page, HTML or Markdown. Heavy things are imported when it is drawn.

make(place) -> Document      write_html, write_markdown: into a file, whole or not at all
"""

import os
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from dadeum.core.artifact import write_text
from dadeum.core.errors import ArtifactError
from dadeum.core.language import say

if TYPE_CHECKING:
    from dadeum.report.blocks import Document, Section
    from dadeum.report.evidence import Evidence, Place

CODE_VERSION = 1  # raise it when pages come out otherwise
REPORT = "report.html"
SUFFIXES = {".html": "html", ".htm": "html", ".md": "md", ".markdown": "md"}


def make(place: "Place", *, status: str | None = None) -> "Document":
    """Everything of the run that can be read, in reading order.

    `status` is what the run is about to be, where it is still under way. Raises ArtifactError where the folder holds no run.
    """
    from dadeum.report.blocks import Document, Verdict
    from dadeum.report.evidence import gather, guarded
    from dadeum.report.verdict import verdict

    found = gather(place)
    if status is not None:
        found.record = {**found.record, "status": status}
    lost = Verdict("open", (say("What came of it cannot be told.", "무엇이 나왔는지 말할 수 없습니다."),))
    judged = guarded(found, say("verdict", "판정"), lambda: verdict(found)) or lost
    sections = [made for title, build in _sections(found) if (made := guarded(found, title, build)) is not None]
    name = place.experiment
    return Document(
        title=say(f"What {name} has learnt", f"{name}: 무엇을 배웠나"),
        lead=say(f"Run {place.run} of the experiment {name}", f"실험 {name}의 실행 {place.run}"),
        verdict=judged,
        sections=tuple(sections),
        damaged=tuple(dict.fromkeys(found.damaged)),
    )


def _sections(found: "Evidence") -> "list[tuple[str, Callable[[], Section | None]]]":
    from dadeum.report.beside import beside
    from dadeum.report.made import again, exports, surroundings, what_was_done
    from dadeum.report.material import material, painted
    from dadeum.report.scores import categories, elsewhere, judged, labels, scores
    from dadeum.report.training import training

    builders: list[tuple[str, Callable[[Evidence], Section | None]]] = [
        (say("what was done", "한 일"), what_was_done),
        (say("the data", "데이터"), material),
        (say("a painted sample", "색칠한 샘플"), painted),
        (say("the training", "학습"), training),
        (say("the scores", "점수"), scores),
        (say("by category", "분류별"), categories),
        (say("labels", "라벨"), labels),
        (say("answers side by side", "나란히 본 답"), beside),
        (say("elsewhere", "다른 글에서"), elsewhere),
        (say("the judge", "판정 모델"), judged),
        (say("exports", "내보낸 것"), exports),
        (say("surroundings", "환경"), surroundings),
        (say("do it again", "다시 하기"), again),
    ]
    return [(title, lambda build=build: build(found)) for title, build in builders]  # type: ignore[misc]


def write(report: "Document", path: Path) -> Path:
    """Into a file of HTML or Markdown, by its suffix. Raises ArtifactError where the path is not to be written."""
    kind = check(path)
    try:
        if kind == "html":
            from dadeum.report.html import page

            write_text(path, page(report))
        else:
            from dadeum.report.markdown import markdown

            folder = f"{path.stem}_pictures"
            text, pictures = markdown(report, folder)
            for name, svg in pictures.items():
                write_text(path.parent / folder / name, svg)
            write_text(path, text)
    except OSError as error:
        raise ArtifactError(
            say(
                f"{path}: cannot be written ({error.strerror or error}); choose another file",
                f"{path}: 쓸 수 없습니다 ({error.strerror or error}). 다른 파일을 쓰세요",
            )
        ) from None
    return path


def check(path: Path) -> str:
    """`html` or `md`. Raises ArtifactError, before anything is made, for other names and for folders."""
    kind = SUFFIXES.get(path.suffix.lower())
    if kind is None:
        raise ArtifactError(
            say(
                f"{path}: found '{path.suffix or path.name}', expected a file that ends with .html or .md",
                f"{path}: '{path.suffix or path.name}' 대신 .html이나 .md로 끝나는 파일을 쓰세요",
            )
        )
    if os.path.isdir(path):
        raise ArtifactError(
            say(f"{path}: is a folder, expected a file or a new name", f"{path}: 폴더입니다. 파일이나 새 이름을 쓰세요")
        )
    return kind
