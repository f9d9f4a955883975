"""Self-Instruct's tasks hold input and output one level deeper."""

from typing import Any

import pytest

from dadeum.data.cells import FaultyRow
from dadeum.data.kinds import Recogniser


def convert(instances: Any) -> list[str]:
    row = {"id": "seed_task_0", "instruction": "옮겨라", "instances": instances, "is_classification": False}
    how, kind = Recogniser()("f", list(row))
    assert kind == "alpaca"
    return [m["content"] for m in how(row).messages]


def test_the_one_instance_is_the_row() -> None:
    assert convert([{"input": "hi", "output": "안녕"}]) == ["옮겨라\n\nhi", "안녕"]
    assert convert([{"input": "", "output": "안녕"}]) == ["옮겨라", "안녕"]


@pytest.mark.parametrize("instances", [[], [{"output": "a"}, {"output": "b"}], ["a"]])
def test_several_instances_are_several_rows(instances: Any) -> None:
    with pytest.raises(FaultyRow, match=f"holds {len(instances)} of"):
        convert(instances)


def test_a_blank_output_is_named() -> None:
    with pytest.raises(FaultyRow, match="column 'output' is blank: no answer"):
        convert([{"input": "x", "output": ""}])
