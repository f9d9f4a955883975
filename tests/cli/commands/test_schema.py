"""`dadeum schema`."""

import json
from pathlib import Path

from tests.run.lab import cli, fine


def test_it_is_a_schema(tmp_path: Path) -> None:
    schema = json.loads(fine(tmp_path, "schema").out)
    assert schema["title"] == "dadeum experiment" and {"model", "data", "train", "adapter"} <= set(schema["properties"])
    assert "learning_rate" in schema["$defs"]["TrainSettings"]["properties"]


def test_it_takes_no_words(tmp_path: Path) -> None:
    said = cli(tmp_path, "schema", "more")
    assert said.code == 2 and len(said.errors) == 1
