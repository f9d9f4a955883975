"""`dadeum ask "…"`: one question, one answer."""

import sys
from typing import Annotated, Any

import typer

from dadeum.cli.answering import Seed, Temperature, Tokens, TopP, opened
from dadeum.cli.dispatch import verb
from dadeum.cli.lab import ModelOption
from dadeum.core.errors import DataError
from dadeum.core.language import say
from dadeum.core.log import logger

app = verb()


@app.command(
    help=say(
        "Ask a model one question; the answer is written as it is made.",
        "모델에 질문 하나를 합니다. 답은 만들어지는 대로 나옵니다.",
    )
)
def ask(
    question: Annotated[str, typer.Argument(help=say("the question", "질문"))],
    model: ModelOption = None,
    max_new_tokens: Tokens = 256,
    temperature: Temperature = 0.0,
    top_p: TopP = 1.0,
    seed: Seed = 0,
    raw: Annotated[
        bool,
        typer.Option(
            "--raw",
            help=say(
                "continue the text as it stands, without a chat template (for base models)",
                "대화 템플릿 없이 글을 그대로 이어 쓰기 (기본 모델용)",
            ),
        ),
    ] = False,
) -> None:
    """Print one answer."""
    # Where the locale is no UTF-8, the words of the command line come in pieces.
    question = question.encode(errors="surrogateescape").decode(errors="replace")
    if not question.strip():
        raise DataError(say("the question is empty, expected some text", "질문이 비어 있습니다"))
    engine = opened(model)
    decoding: dict[str, Any] = {
        "max_new_tokens": max_new_tokens,
        "temperature": temperature,
        "top_p": top_p,
        "seed": seed,
    }
    stream = (
        engine.continuation(question, **decoding)
        if raw
        else engine.stream(engine.contract.messages(question), **decoding)
    )
    logger.info("question: %s", question)
    try:
        for piece in stream:
            sys.stdout.write(piece)
            sys.stdout.flush()
    finally:
        stream.close()
        print()
    if stream.reply is not None:
        logger.info("answer: %s", stream.reply.text)
        if stream.reply.cut:
            print(
                say(
                    f"(cut at {max_new_tokens} tokens; --max-new-tokens gives more)",
                    f"({max_new_tokens}토큰에서 잘림. --max-new-tokens로 늘리세요)",
                ),
                file=sys.stderr,
            )
