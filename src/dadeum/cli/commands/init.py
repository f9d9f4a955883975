"""`dadeum init [DIR]`: a workspace with a commented experiment."""

from pathlib import Path
from typing import Annotated

import typer

from dadeum.cli.dispatch import verb
from dadeum.core.artifact import write_text
from dadeum.core.errors import ArtifactError
from dadeum.core.language import say
from dadeum.core.workspace import FOLDERS

app = verb()
IGNORED = "data/\ncheckpoints/\nexperiments/\n.env\n.venv/\n__pycache__/\n"
EXPERIMENT = """\
# yaml-language-server: $schema=schema.json
# {hello}
name: first
model:
  name_or_path: {model}     # {model_note}
tokenizer:
  chat_template: plain      # {template_note}
adapter: {{type: lora, r: 16, lora_alpha: 32}}   # {adapter_note}
data:
  sources:
    - {{type: csv, path: data/raw/questions.csv}}   # {data_note}
  split: {{validation: 0.1, test: 0.1}}
  max_length: 512
train:
  num_train_epochs: 3
  total_train_batch_size: 16   # {batch_note}
  learning_rate: 2.0e-4
evaluate:
  max_new_tokens: 128
"""


def _experiment() -> str:
    return EXPERIMENT.format(
        hello=say(
            "What to do to a model. Run it: dadeum run configs/first.yaml",
            "모델에 할 일을 적습니다. 실행: dadeum run configs/first.yaml",
        ),
        model="HuggingFaceTB/SmolLM2-135M",
        model_note=say("Hub id or a folder", "Hub 이름 또는 폴더"),
        template_note=say(
            "for a base model; leave it out for an instruct model", "기본 모델용. 지시 모델이면 이 두 줄을 지우세요"
        ),
        adapter_note=say("or full: every weight", "또는 full: 모든 가중치"),
        data_note=say("columns question, answer (or 질문, 답변)", "열 이름: 질문, 답변 (또는 question, answer)"),
        batch_note=say("the memory's share is found by itself", "메모리에 맞는 크기는 스스로 찾습니다"),
    )


@app.command(
    help=say(
        "Make a workspace: folders, a commented experiment, its schema for editors.",
        "작업 폴더를 만듭니다: 하위 폴더, 설명이 달린 실험 파일, 편집기용 스키마.",
    )
)
def init(
    folder: Annotated[
        Path, typer.Argument(metavar="DIR", help=say("where; default: here", "위치. 기본값: 현재 폴더"))
    ] = Path("."),
) -> None:
    """Make what is missing; touch nothing that is there."""
    import json

    from dadeum.config.schema import json_schema

    if folder.exists() and not folder.is_dir():
        raise ArtifactError(
            say(
                f"{folder}: is a file, expected a folder or a new name",
                f"{folder}: 파일입니다. 폴더나 새 이름을 쓰세요",
            )
        )
    parts = [folder / part for name in FOLDERS for part in (*Path(name).parents, Path(name))]
    blocked = next((part for part in parts if part.exists() and not part.is_dir()), None)
    if blocked is not None:
        raise ArtifactError(
            say(
                f"{blocked}: is a file, expected a folder; move it away",
                f"{blocked}: 파일입니다. 폴더여야 하니 옮기세요",
            )
        )
    for name in FOLDERS:
        (folder / name).mkdir(parents=True, exist_ok=True)
    texts = {
        "configs/first.yaml": _experiment(),
        "configs/schema.json": json.dumps(json_schema(), ensure_ascii=False, indent=1) + "\n",
        ".gitignore": IGNORED,
        ".env.example": "HF_TOKEN=\nWANDB_API_KEY=\n# MODEL_ID=\n# DATASET=\n",
    }
    for name, text in texts.items():
        if (folder / name).exists():
            print(say(f"kept     {name}", f"그대로   {name}"))
        else:
            write_text(folder / name, text)
            print(say(f"made     {name}", f"만듦     {name}"))
    print(
        say(
            "Next: put your questions into data/raw/questions.csv, then dadeum plan configs/first.yaml",
            "다음: 질문과 답을 data/raw/questions.csv에 넣고 dadeum plan configs/first.yaml",
        )
    )
