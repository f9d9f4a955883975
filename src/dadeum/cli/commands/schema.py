"""`dadeum schema`: the JSON Schema of the experiment file."""

import json

from dadeum.cli.dispatch import verb
from dadeum.core.language import say

app = verb()


@app.command(help=say("Print the JSON Schema of the experiment file.", "실험 파일의 JSON Schema를 출력합니다."))
def schema() -> None:
    """Print the schema."""
    from dadeum.config.schema import json_schema

    print(json.dumps(json_schema(), ensure_ascii=False, indent=2))
