"""Filters during a check: those that can work do, the others are named."""

from pathlib import Path
from typing import Any

import pytest

from dadeum.config.data import DataSettings
from dadeum.core.workspace import Workspace
from dadeum.data.early import Early
from dadeum.data.formats import Conversation
from dadeum.data.render import Renderer
from dadeum.tokenizer.load import load_tokenizer
from tests.data.checks import check, kinds, small_measure
from tests.data.small import Data, csv, make_tokenizer

LENGTH = {"type": "length", "max_characters": 12}
TOKENS = {"type": "length", "max_tokens": 60}


def _early(root: Path, *filters: Any, renderer: Renderer | None = None) -> Early:
    sources = [{"type": "csv", "path": "rows.csv"}]
    data = DataSettings.model_validate({"sources": sources, "filters": filters})
    return Early(data.filters, Workspace(root), renderer)


def _talk(answer: str) -> Conversation:
    return Conversation(({"role": "user", "content": "질문"}, {"role": "assistant", "content": answer}))


def test_rows_are_dropped_and_masked_in_order(tmp_path: Path) -> None:
    early = _early(tmp_path, LENGTH, {"type": "regex", "pattern": "비밀"}, {"type": "duplicates"}, LENGTH)
    assert early(_talk("답"), "rows.csv:2", None, 0) == _talk("답")
    assert early(_talk("긴 답 " * 9), "rows.csv:3", None, 1) is None
    assert early(_talk("비밀"), "rows.csv:4", None, 2) is None
    assert early.dropped == {"length": 1, "regex": 1} and early.waiting == ["duplicates", "length"]


def test_tokens_need_a_tokenizer(tmp_path: Path) -> None:
    without = _early(tmp_path, LENGTH | {"max_tokens": 9}, {"type": "regex", "pattern": "비밀"})
    assert without(_talk("비밀"), "rows.csv:2", None, 0) == _talk("비밀") and without.waiting == ["length", "regex"]
    renderer = Renderer(load_tokenizer(make_tokenizer(tmp_path / "t")))
    counted = _early(tmp_path, TOKENS, renderer=renderer)
    assert counted(_talk("답"), "rows.csv:2", None, 0) is not None
    assert counted(_talk("아주 긴 답 " * 30), "rows.csv:3", None, 1) is None


def test_the_check_counts_what_is_left(tmp_path: Path) -> None:
    data = Data(tmp_path)
    name = data.write("rows.csv", csv(40) + f"길다,{'아주 긴 답 ' * 40}\n")
    measure = small_measure(tmp_path / "t")
    assert "overlong" in kinds(check(tmp_path, name, max_length=128, measure=measure))
    found = check(tmp_path, name, max_length=128, measure=small_measure(tmp_path / "t"), filters=[TOKENS])
    report = data.report(data.settings({"type": "csv", "path": name}, max_length=128, filters=[TOKENS]))
    assert found.trainable and found.facts["rows"]["filtered"] == 1 and found.facts["parts"] == report["parts"]
    assert found.facts["filters"] == {"dropped": {"length": 1}, "masked": {}, "not_applied": []}


@pytest.mark.parametrize(
    "filters", [[{"type": "length", "max_characters": 1}], [{"type": "length", "min_tokens": 999}]]
)
def test_filters_that_leave_nothing_stop(tmp_path: Path, filters: list[Any]) -> None:
    (tmp_path / "rows.csv").write_text(csv(20), encoding="utf-8")
    found = check(tmp_path, "rows.csv", filters=filters, measure=small_measure(tmp_path / "t"))
    assert kinds(found) == ["filters"] and found.facts["rows"]["filtered"] == 20


def test_filters_that_wait_are_told(tmp_path: Path) -> None:
    (tmp_path / "rows.csv").write_text(csv(20), encoding="utf-8")
    found = check(tmp_path, "rows.csv", filters=[{"type": "duplicates"}, {"type": "length", "max_characters": 1}])
    assert found.trainable and kinds(found, "note") == ["filters"]
    assert "duplicates, length" in found.findings[-1].text


def test_a_filter_that_cannot_be_built(tmp_path: Path) -> None:
    (tmp_path / "rows.csv").write_text(csv(20), encoding="utf-8")
    gone = {"type": "contamination", "file": "gone.jsonl"}
    found = check(tmp_path, "rows.csv", filters=[gone])
    assert kinds(found) == ["settings"] and "gone.jsonl" in found.findings[0].text
