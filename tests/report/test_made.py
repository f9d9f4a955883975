"""What was done, what came of it, how to do it again."""

from dataclasses import replace
from pathlib import Path
from typing import TypeVar

from dadeum.report.blocks import Block, Code, Facts, Section, Table, Text
from dadeum.report.evidence import gather
from dadeum.report.made import again, exports, surroundings, what_was_done
from tests.report.made_up import run, settings, whole

Kind = TypeVar("Kind", bound=Block)


def of(section: Section, kind: type[Kind]) -> list[Kind]:
    return [block for block in section.blocks if isinstance(block, kind)]


def told(section: Section) -> dict[str, str]:
    return dict(pair for block in of(section, Facts) for pair in block.pairs)


def test_the_experiment_in_words(tmp_path: Path) -> None:
    facts = told(what_was_done(gather(whole(tmp_path))))
    assert facts["base model"] == "someone/base · 1,000 parameters"
    assert facts["adapter"] == "lora, r 4, lora_alpha 8 · trains 90 weights (9 %)"
    assert facts["training"] == "20 steps = 2 epochs of 16 samples (at most 8 at once)"
    assert facts["took"] == "5 min 23 s · 865 tokens/s · at most 1.5 GB of memory"
    assert facts["data"] == "a.txt" and facts["seed"] == "42" and facts["status"] == "finished"


def test_only_what_is_no_default_is_listed(tmp_path: Path) -> None:
    section = what_was_done(gather(whole(tmp_path)))
    assert not of(section, Table) and of(section, Text)[0].text == "All other settings are the defaults."
    place = replace(whole(tmp_path), settings=settings(train={"learning_rate": 0.5}, model={"name_or_path": "a/b"}))
    (table,) = of(what_was_done(gather(place)), Table)
    assert table.rows == (("train.learning_rate", "0.5", "0.0002"),)


def test_a_branch_that_was_pinned_is_no_setting_of_the_users(tmp_path: Path) -> None:
    commit = "c" * 40
    place = replace(
        run(tmp_path, materials={"model": {"name": "a/b", "commit": commit}}),
        settings=settings(model={"revision": commit}),
    )
    section = what_was_done(gather(place))
    assert not of(section, Table) and f"@{commit[:12]}" in told(section)["base model"]


def test_exports_with_their_proof(tmp_path: Path) -> None:
    section = exports(gather(whole(tmp_path)))
    assert section is not None
    assert of(section, Table)[0].rows == (("merged", "x/merged", "mean kl 0"),)
    assert exports(gather(run(tmp_path / "other"))) is None


def test_versions_fingerprints_warnings(tmp_path: Path) -> None:
    place = whole(tmp_path, **{"run_1.log": "x WARNING look out\n"})
    section = surroundings(gather(place))
    facts = told(section)
    assert facts["versions"] == "dadeum 0.1.0" and facts["fingerprint: training"] == "f" * 12
    assert of(section, Table)[0].rows == (("look out",),)


def test_the_command_and_the_file(tmp_path: Path) -> None:
    command, file = of(again(gather(whole(tmp_path))), Code)
    assert command.text == "dadeum reproduce 20260101-000000-abcdef" and file.text == "name: 실험\n" and file.title
    assert "config.yaml is not there" in of(again(gather(run(tmp_path / "other"))), Text)[0].text
