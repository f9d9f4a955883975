"""`dadeum bench`: how fast a model answers."""

from pathlib import Path
from typing import Annotated

import typer

from dadeum.cli.answering import Tokens, opened
from dadeum.cli.dispatch import verb
from dadeum.cli.lab import ModelOption
from dadeum.core.language import say
from dadeum.core.log import logger

app = verb()
QUESTIONS = ("안녕하세요?", "대한민국의 수도는 어디인가요?", "계약을 해제하면 어떻게 되나요?", "오늘 기분이 어때?")


@app.command(
    help=say(
        "Measure tokens per second, the time to the first token, and memory.",
        "초당 토큰, 첫 토큰까지의 시간, 메모리를 잽니다.",
    )
)
def bench(
    model: ModelOption = None,
    questions: Annotated[
        Path | None,
        typer.Option(
            "--questions-file",
            help=say("file of questions; default: four built in", "질문 파일. 기본값: 내장 질문 네 개"),
        ),
    ] = None,
    max_new_tokens: Tokens = 64,
    batch_size: Annotated[
        int, typer.Option("--batch-size", min=1, help=say("questions at once", "한 번에 답할 질문 수"))
    ] = 8,
) -> None:
    """Print one line a figure."""
    from dadeum.cli.view import View
    from dadeum.generate.bench import bench as measure
    from dadeum.generate.questions import read_questions

    asked = [q.question for q in read_questions(questions)] if questions else list(QUESTIONS)
    engine = opened(model)
    with View() as view:
        found = measure(
            engine,
            [engine.contract.messages(q) for q in asked],
            max_new_tokens=max_new_tokens,
            batch_size=batch_size,
            reporter=view,
        )
    logger.info("%s", found)
    view.facts({key.replace("_", " "): value for key, value in found.items()})
