"""`dadeum batch questions.txt -o results.md`: a file of questions, a file of answers."""

from pathlib import Path
from typing import Annotated

import typer

from dadeum.cli.answering import Seed, Temperature, Tokens, TopP, opened
from dadeum.cli.dispatch import verb
from dadeum.cli.lab import ModelOption
from dadeum.core.language import say
from dadeum.core.log import logger

app = verb()


@app.command(
    help=say(
        "Answer a file of questions (.txt one a line, .csv, .jsonl) into .md, .jsonl or .csv.",
        "질문 파일(.txt 한 줄에 하나, .csv, .jsonl)에 모두 답해 .md, .jsonl, .csv로 씁니다.",
    )
)
def batch(
    questions: Annotated[Path, typer.Argument(help=say("file of questions", "질문 파일"))],
    output: Annotated[
        Path,
        typer.Option(
            "--output-file", "-o", help=say("file of answers: .md, .jsonl or .csv", "답 파일: .md, .jsonl, .csv")
        ),
    ],
    model: ModelOption = None,
    max_new_tokens: Tokens = 256,
    batch_size: Annotated[
        int, typer.Option("--batch-size", min=1, help=say("questions at once", "한 번에 답할 질문 수"))
    ] = 16,
    temperature: Temperature = 0.0,
    top_p: TopP = 1.0,
    seed: Seed = 0,
) -> None:
    """Answer them all, then write the file at once."""
    from dadeum.cli.view import View
    from dadeum.generate.batch import Answering, answer_file
    from dadeum.generate.questions import check_output, read_questions

    check_output(output)
    read_questions(questions)
    engine = opened(model)
    how = Answering(max_new_tokens, batch_size, temperature, top_p, seed)
    with View() as view:
        replies = answer_file(engine, questions, output, how, view)
    cut = sum(reply.cut for reply in replies)
    logger.info("%d answers, %d cut, to %s", len(replies), cut, output)
    print(
        say(
            f"{len(replies)} answers in {output}, {cut} cut at {max_new_tokens} tokens",
            f"{output}에 답 {len(replies)}개, {max_new_tokens}토큰에서 잘린 것 {cut}개",
        )
    )
