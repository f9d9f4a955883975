"""`dadeum predict rows.csv -o labels.csv`: what a model with a head says of each row of a file."""

from pathlib import Path
from typing import Annotated

import typer

from dadeum.cli.dispatch import verb
from dadeum.cli.lab import ModelOption
from dadeum.core.language import say
from dadeum.core.log import logger

app = verb()


@app.command(
    help=say(
        "Say labels with their probabilities, numbers, choices or scores of each row of a file (.csv, .jsonl, .txt, .parquet …). "
        "Columns are those of training; labels that the file has are not looked at.",
        "파일(.csv, .jsonl, .txt, .parquet 등)의 행마다 라벨과 확률, 수, 고른 답, 점수를 예측합니다. 열은 학습 때와 같고, "
        "파일에 든 라벨은 보지 않습니다.",
    )
)
def predict(
    file: Annotated[Path, typer.Argument(help=say("file of rows", "행이 든 파일"))],
    output: Annotated[
        Path | None,
        typer.Option(
            "--output-file",
            "-o",
            help=say(
                "file to write: .csv or .jsonl; default: lines of JSON on the screen",
                "쓸 파일: .csv, .jsonl. 기본값: 화면에 JSON 줄로",
            ),
        ),
    ] = None,
    model: ModelOption = None,
    column: Annotated[
        list[str] | None,
        typer.Option(
            "--column",
            metavar="OURS=FILE",
            help=say(
                "a column under another name, such as text=본문; again for more",
                "이름이 다른 열. 예: text=본문. 여러 번 쓸 수 있음",
            ),
        ),
    ] = None,
    batch_size: Annotated[int, typer.Option("--batch-size", min=1, help=say("rows at once", "한 번에 볼 행 수"))] = 16,
) -> None:
    """Read the file through, load the model, then write row after row."""
    import sys

    from rich.console import Console

    from dadeum.cli.view import View
    from dadeum.core.log import open_log
    from dadeum.core.workspace import Workspace
    from dadeum.generate.label_rows import survey
    from dadeum.generate.predict import check_output, predict_file
    from dadeum.run.models import columns_of, open_predictor
    from dadeum.run.store import find_model

    if output is not None:
        check_output(output, file)
    named = _columns(column or [])
    found = survey(file)
    workspace = Workspace.here()
    name, place = find_model(workspace, model, tell=lambda text: print(text, file=sys.stderr))
    open_log(workspace.root / "experiments", "inference")
    predictor = open_predictor(workspace, name, place)
    logger.info("device %s", predictor.device)
    known = {ours: theirs for ours, theirs in columns_of(workspace, place).items() if theirs in found.columns}
    # What is printed must be nothing but the rows.
    with View(Console(stderr=True, highlight=False, soft_wrap=True) if output is None else None) as view:
        cut = predict_file(predictor, file, found, output, columns=known | named, batch_size=batch_size, reporter=view)
    logger.info("%d rows, %d cut, to %s", found.rows, cut, output)
    if cut:
        note = say(
            f"{cut} rows were longer than the model's context ({predictor.context} tokens) and were cut",
            f"{cut}행이 모델의 문맥({predictor.context}토큰)보다 길어 잘렸습니다",
        )
        print(note, file=sys.stderr)
    if output is not None:
        print(say(f"{found.rows} rows in {output}", f"{output}에 {found.rows}행"))


def _columns(words: list[str]) -> dict[str, str]:
    """`ours=file` words. Raises DataError for any other."""
    from dadeum.core.errors import DataError

    for word in words:
        if not all(part.strip() for part in word.partition("=")):
            raise DataError(
                say(
                    f"--column: found '{word}', expected our name and the file's, such as text=본문",
                    f"--column: '{word}'이(가) 아니라 text=본문처럼 쓰세요",
                )
            )
    return {ours.strip(): theirs.strip() for ours, _, theirs in (word.partition("=") for word in words)}
