"""The tools of one process, and who has them next."""

import os
from pathlib import Path
from typing import Any

import pytest

from dadeum.config.purpose import SFT
from dadeum.core.errors import DataError
from dadeum.data import bench as tools
from dadeum.data.bench import Bench, at_bench
from dadeum.data.cells import FaultyRow
from dadeum.data.formats import Conversation
from tests.data.small import Data


def bench(data: Data, template: str | None = None, **keys: Any) -> Bench:
    chosen = data.settings({"type": "jsonl", "path": "a.jsonl"}, **keys)
    return Bench(chosen, SFT, data.tokenizer, template, data.workspace)


@pytest.fixture
def data(tmp_path: Path) -> Data:
    return Data(tmp_path)


def test_the_next_stage_finds_the_tools_of_the_last(data: Data) -> None:
    with at_bench(bench(data), last=False) as first:
        assert first.renderer.text([{"role": "user", "content": "가"}]) == "<|im_start|>user\n가<|im_end|>\n"
    with at_bench(bench(data), last=True) as second:
        assert second is first
    with at_bench(bench(data), last=True) as third:
        assert third is not first


def test_other_settings_and_other_files_make_other_tools(data: Data) -> None:
    with at_bench(bench(data), last=False) as first:
        pass
    with at_bench(bench(data, max_length=9), last=False) as second:
        assert second is not first and second.data.max_length == 9
    os.utime(data.tokenizer / "tokenizer.json", (1, 1))
    with at_bench(bench(data, max_length=9), last=False) as third:
        assert third is not second


def test_an_error_leaves_nothing(data: Data) -> None:
    with pytest.raises(DataError), at_bench(bench(data), last=False):
        raise DataError("no")
    assert tools._last is None


def test_a_row_that_the_template_refuses_is_faulty(tmp_path: Path) -> None:
    template = "{% for m in messages %}{% if 'x' in m.content %}{{ raise_exception('no x') }}{% endif %}{{ m.content }}{% endfor %}"
    made = bench(Data(tmp_path, template))
    talk = ({"role": "user", "content": "가"}, {"role": "assistant", "content": "나"})
    assert made.text(Conversation(talk)) == "가나"
    assert made.text(Conversation(text="글")) == "글"
    with pytest.raises(FaultyRow, match="no x") as error:
        made.text(Conversation((talk[0], {"role": "assistant", "content": "x"})))
    assert error.value.kind == "not rendered"


def test_a_template_is_a_name_or_a_file_of_the_workspace(data: Data) -> None:
    (data.root / "own.jinja").write_text("{{ messages[0].content }}!", encoding="utf-8")
    for template, expected in (("own.jinja", "가!"), ("chatml", "<|im_start|>user\n가<|im_end|>\n")):
        assert bench(data, template).renderer.text([{"role": "user", "content": "가"}]) == expected
