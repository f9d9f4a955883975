"""What ask, chat, batch and bench share: their options, their log, the model that they open."""

import sys
from typing import TYPE_CHECKING, Annotated

import typer

from dadeum.core.language import say
from dadeum.core.log import logger, open_log
from dadeum.core.workspace import Workspace

if TYPE_CHECKING:
    from dadeum.generate.engine import Engine

Tokens = Annotated[
    int, typer.Option("--max-new-tokens", min=1, help=say("longest answer in tokens", "답의 최대 토큰 수"))
]
Temperature = Annotated[
    float, typer.Option(min=0.0, max=10.0, help=say("0: always the likeliest token", "0이면 항상 가장 그럴듯한 토큰"))
]
TopP = Annotated[
    float,
    typer.Option(
        "--top-p", min=0.01, max=1.0, help=say("share of the probability that is drawn from", "뽑을 확률의 몫")
    ),
]
Seed = Annotated[int, typer.Option(help=say("seed of the draws", "뽑기의 난수 씨앗"))]


def opened(model: str | None) -> "Engine":
    """The engine of MODEL, with the log of this use open in the experiments folder of its workspace."""
    from dadeum.run.models import open_engine
    from dadeum.run.store import find_model

    workspace = Workspace.here()
    found = find_model(workspace, model, tell=lambda text: print(text, file=sys.stderr))  # before anything is written
    open_log(workspace.root / "experiments", "inference")
    engine = open_engine(workspace, *found)
    logger.info("device %s, template %s", engine.device, engine.contract.template_name)
    return engine
