"""The JSON Schema of the experiment file, for editors (`# yaml-language-server: $schema=…`)."""

from typing import Any

from dadeum.config.aliases import OLD_NAMES
from dadeum.config.experiment import Experiment


def json_schema() -> dict[str, Any]:
    """The schema of all sections and of every member that is installed."""
    schema = Experiment.model_json_schema()
    schema["$schema"] = "https://json-schema.org/draft/2020-12/schema"
    schema["title"] = "dadeum experiment"
    schema["properties"]["extends"] = {
        "anyOf": [{"type": "string"}, {"type": "array", "items": {"type": "string"}}],
        "description": "A file, or several, that this one is laid over; later keys win.",
    }
    schema["required"] = ["name"]
    sections = {"train": "TrainSettings", "data": "DataSettings"}
    for old, new in OLD_NAMES.items():
        section, _, key = old.partition(".")
        if section in sections:
            schema["$defs"][sections[section]]["properties"][key] = {"description": f"Older name of `{new}`."}
    return schema
