"""`dadeum chat`: a conversation in the terminal."""

import sys
from typing import TYPE_CHECKING

from dadeum.cli.answering import Seed, Temperature, Tokens, TopP, opened
from dadeum.cli.dispatch import verb
from dadeum.cli.lab import ModelOption
from dadeum.core.errors import DadeumError
from dadeum.core.language import say
from dadeum.core.log import logger

if TYPE_CHECKING:
    from dadeum.generate.chat import Chat

app = verb()


@app.command(
    help=say(
        "Talk with a model: /help /reset /save /system /exit.", "모델과 대화합니다: /help /reset /save /system /exit."
    )
)
def chat(
    model: ModelOption = None,
    max_new_tokens: Tokens = 256,
    temperature: Temperature = 0.0,
    top_p: TopP = 1.0,
    seed: Seed = 0,
) -> None:
    """Read lines until /exit or the end of the input."""
    from dadeum.generate.chat import Chat, command, help_text

    engine = opened(model)
    talk = Chat(engine, max_new_tokens=max_new_tokens, temperature=temperature, top_p=top_p, seed=seed)
    terminal = sys.stdin.isatty()
    if terminal:
        print(
            say(f"{engine.name} on {engine.device}. {help_text()}", f"{engine.name} ({engine.device}). {help_text()}")
        )
    while (line := _read(terminal)) is not None:
        if not line.strip():
            continue
        asked = command(line)
        if asked is None:
            _answer(talk, line)
        elif asked.kind == "exit":
            break
        else:
            try:
                print(talk.do(asked))
            except DadeumError as error:
                print(f"{say('error', '오류')}: {error}", file=sys.stderr)


def _read(terminal: bool) -> str | None:
    try:
        return input(say("you> ", "나> ") if terminal else "")
    except (EOFError, KeyboardInterrupt):
        if terminal:
            print()
        return None


def _answer(talk: "Chat", line: str) -> None:
    logger.info("user: %s", line)
    pieces = talk.say(line)
    try:
        for piece in pieces:
            sys.stdout.write(piece)
            sys.stdout.flush()
    except KeyboardInterrupt:
        # The first Ctrl-C stops the answer, not the conversation.
        pieces.close()  # type: ignore[attr-defined]
    except DadeumError as error:
        print(f"{say('error', '오류')}: {error}", file=sys.stderr)
    print()
    if talk.last is not None:
        logger.info("assistant: %s", talk.last.text)
    if talk.forgotten:
        print(
            say(
                f"(the oldest {talk.forgotten} turns no longer fit the context)",
                f"(오래된 대화 {talk.forgotten}번은 문맥에 들어가지 않아 뺐습니다)",
            ),
            file=sys.stderr,
        )
