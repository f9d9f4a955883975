"""What a user calls data: a file, a folder, a pattern or a data set of the Hub; or an experiment with data of its own."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dadeum.cli.lab import open_lab
from dadeum.core.errors import ConfigError, HubError, ModelError
from dadeum.core.language import say
from dadeum.core.workspace import Workspace

if TYPE_CHECKING:
    from dadeum.config.purpose import Purpose
    from dadeum.core.progress import Reporter
    from dadeum.data.findings import Report
    from dadeum.data.measure import Measure
    from dadeum.run.stages import Lab

HUB_ID = re.compile(r"[^/.~][^/]*/[^/]+")


def source_of(path: str, told: str = "--dataset-path") -> dict[str, Any]:
    """The source that reads the file, the files of a folder or a pattern, or the data set of the Hub.

    Raises ConfigError, which names the option `told`, for what no source reads.
    """
    from dadeum.data.files import PATTERN, find, gather
    from dadeum.data.sources import kind_of, suffixes

    workspace = Workspace.here()
    place = find(workspace, path)
    kinds = {kind_of(Path(path))}
    if (place is not None and place.is_dir()) or (place is None and PATTERN.search(path)):
        kinds = {kind_of(file) for file in gather(workspace, path, suffixes())}
    elif place is None and Path(path).suffix == "" and HUB_ID.fullmatch(path):
        return {"type": "hub", "name": path}
    found = sorted(kind for kind in kinds if kind)
    if len(found) > 1:
        raise ConfigError(
            say(
                f"{told}: '{path}' holds files of several kinds ({', '.join(found)}); choose with a pattern such as '*.{found[0]}'",
                f"{told}: '{path}'에 여러 종류({', '.join(found)})의 파일이 있습니다. '*.{found[0]}' 같은 패턴으로 고르세요",
            )
        )
    if found:
        return {"type": found[0], "path": path}
    known = ", ".join(suffixes())
    raise ConfigError(
        say(
            f"{told}: found '{path}', expected a file ({known}; also .gz, .zst), a folder or pattern of such, or a Hub id",
            f"{told}: '{path}' 대신 파일({known}, .gz와 .zst도 됨), 그런 파일의 폴더나 패턴, 또는 Hub 이름을 쓰세요",
        )
    )


@dataclass(frozen=True)
class Dataset:
    """Data that is looked at, under the settings of an experiment or the standard ones."""

    name: str
    lab: "Lab"
    experiment: bool  # else the model's settings stand for nothing

    @property
    def purpose(self) -> "Purpose | None":
        """What the rows are for; None where nobody said so."""
        named = self.experiment or "train" in self.lab.loaded.raw
        if not named:
            return None
        from dadeum.run.purpose import purpose_of

        return purpose_of(self.lab.experiment)


def open_dataset(text: str, overrides: Sequence[str] | None) -> Dataset:
    """What FILE|EXPERIMENT means: a YAML file or a name in configs/, else data. Raises ConfigError and DataError."""
    from dadeum.data.files import PATTERN, find, locate
    from dadeum.data.sources import kind_of

    workspace = Workspace.here()
    yaml = text.lower().endswith((".yaml", ".yml"))
    named = not text.startswith(".") and any(
        (workspace.configs / f"{text}{suffix}").is_file() for suffix in (".yaml", ".yml")
    )
    there = find(workspace, text) is not None
    pattern = not there and PATTERN.search(text) is not None
    hub = not there and not pattern and Path(text).suffix == "" and HUB_ID.fullmatch(text) is not None
    if not yaml and not named and not (there or pattern or hub) and kind_of(Path(text)):
        locate(workspace, text)  # says what is missing, and which name is near
    if yaml or named or not (there or pattern or hub):
        lab = open_lab(text, overrides)
        return Dataset(lab.experiment.name, lab, experiment=True)
    # No model takes part: its place is filled, so that settings can be changed as in an experiment.
    base = {"name": "check", "model": {"name_or_path": "."}, "data": {"sources": [source_of(text, "FILE")]}}
    return Dataset(text, open_lab(None, overrides, base=base), experiment=False)


def check_dataset(dataset: Dataset, tokenizer: str | None, reporter: "Reporter") -> "Report":
    """Look at all rows; what the experiment has on the Hub is fetched first, but no weights."""
    import tempfile

    from dadeum.data.check import Check
    from dadeum.data.findings import report
    from dadeum.data.step import download

    lab = dataset.lab
    data = lab.experiment.data
    download(data, lab.workspace, reporter)
    measure, trouble = _measure(dataset, tokenizer)
    with tempfile.TemporaryFile("w+", encoding="utf-8") as spool:
        check = Check(data, dataset.purpose, lab.workspace, reporter, spool, measure)
        if trouble is not None:
            check.trouble("tokenizer", trouble)
        check.read()
        return report(check)


def _measure(dataset: Dataset, tokenizer: str | None) -> "tuple[Measure | None, str | None]":
    """With which tokenizer tokens are counted; and why a run would have none."""
    from dadeum.core.hub import fetch_model
    from dadeum.data.measure import Measure
    from dadeum.data.render import Renderer
    from dadeum.run.inputs import places
    from dadeum.run.models import open_tokenizer
    from dadeum.run.store import find_model
    from dadeum.tokenizer.load import load_tokenizer

    lab = dataset.lab
    settings, workspace = lab.experiment, lab.workspace
    template = settings.tokenizer.chat_template
    if template is not None and workspace.at(template).is_file():
        template = str(workspace.at(template))
    if tokenizer is not None:
        shown, place = find_model(workspace, tokenizer, weights=False)
        made, _, _ = open_tokenizer(workspace, place, chat_template=template)
    elif dataset.experiment:
        named = settings.tokenizer if settings.tokenizer.name_or_path is not None else settings.model
        shown = str(named.name_or_path)
        try:
            found = places(settings, workspace).tokenizer or fetch_model(shown, named.revision, weights=False)
            made = load_tokenizer(found, chat_template=template, new_tokens=tuple(settings.tokenizer.new_tokens))
        except (HubError, ModelError) as error:
            return None, str(error)
    else:
        return None, None
    return Measure(Renderer(made, kwargs=settings.data.chat_template_kwargs), shown), None
