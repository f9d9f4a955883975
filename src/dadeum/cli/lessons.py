"""The five lessons: each does the real thing by the functions of the verbs, shows it, and leaves its file."""

import textwrap
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from rich.cells import cell_len
from rich.text import Text

from dadeum.cli.lesson_words import ORDER, Named, spoken, tries
from dadeum.core.language import say
from dadeum.run import lesson as keeping
from dadeum.run.stages import Lab

if TYPE_CHECKING:
    from dadeum.cli.view import View

QUESTION = ("When does inheritance begin?", "상속은 언제 시작됩니까?")
TABLE, CONVERSATIONS = "model_comparison_results.csv", "processed_conversations.json"
PAGE = "explain.html"


@dataclass(frozen=True)
class Lesson:
    """What a lesson is given: the experiment, the screen, and a second model to compare with, where one was named."""

    lab: Lab
    view: "View"
    instruct: str | None = None


def teach(name: str, given: Lesson) -> None:
    """One lesson from its sentences to the things to try."""
    view, workspace = given.view, given.lab.workspace
    title, sentences = spoken(name)
    number = ORDER.index(name) + 1
    view.console.print()
    view.console.print(Text(f"{number}/{len(ORDER)}  {title}", style="bold reverse"))
    for sentence in sentences:
        for line in _wrapped(sentence, min(view.console.width, 100) - 2):
            view.console.print(Text(f"  {line}"))
    view.console.print()
    written = LESSONS[name](given)
    keeping.note_done(workspace, name)
    view.note("")
    for path in written:
        shown = path.relative_to(workspace.root) if path.is_relative_to(workspace.root) else path
        view.note(say(f"written: {shown}", f"저장: {shown}"))
    view.note(say("Try:", "해 보세요:"))
    for command, what in tries(name, named(given.lab)):
        view.console.print(Text(f"    {command}", style="cyan"))
        view.console.print(Text(f"      {what}", style="dim"))


def _wrapped(text: str, width: int) -> list[str]:
    """Broken at blanks; Hangul is two cells wide."""
    lines = [""]
    for word in text.split():
        longer = f"{lines[-1]} {word}".strip()
        if cell_len(longer) > width and lines[-1]:
            lines.append(word)
        else:
            lines[-1] = longer
    return [part for line in lines for part in textwrap.wrap(line, width) or [""]] if width < 20 else lines


def named(lab: Lab) -> Named:
    """What the commands to try are about."""
    experiment = lab.experiment
    source = experiment.data.sources[0]
    data = getattr(source, "path", None) or getattr(source, "name", "")
    return Named(str(experiment.model.name_or_path), str(data), experiment.name, QUESTION[1])


def _compare(given: Lesson) -> list[Path]:
    from dadeum.cli.outcome import show_comparison
    from dadeum.run.comparison import compare_named
    from dadeum.run.execute import execute

    view, lab = given.view, given.lab
    if given.instruct is not None:
        questions = lab.workspace.experiments(lab.experiment.name) / "questions.txt"
        _write_questions(given, questions)
        with view:
            folder = compare_named(
                [str(lab.experiment.model.name_or_path), given.instruct],
                questions=questions,
                out=None,
                max_new_tokens=lab.experiment.evaluate.max_new_tokens,
                reporter=view,
            )
    else:
        with view:
            run = execute(lab, view, ["compare"]).run
        assert run is not None
        folder = run.evaluation
    show_comparison(view, folder)
    return [keeping.keep(lab.workspace, TABLE, folder / TABLE)]


def _write_questions(given: Lesson, path: Path) -> None:
    """The questions of the test rows, as many as are scored."""
    from dadeum.core.artifact import write_text
    from dadeum.evaluate.rows import read_rows
    from dadeum.evaluate.step import TEST
    from dadeum.run.execute import execute
    from dadeum.run.works import folder_of

    with given.view:
        plan = execute(given.lab, given.view, ["format"]).plan
    rows = read_rows(folder_of(given.lab, plan, "format") / TEST, given.lab.experiment.evaluate.limit)
    write_text(path, "".join(" ".join(row.asked.split()) + "\n" for row in rows if row.asked.strip()))


def _special_tokens(given: Lesson) -> list[Path]:
    from dadeum.cli.token_view import show_analysis, show_cut
    from dadeum.core.artifact import write_text
    from dadeum.data.special import CSV, HEADER, Analysis
    from dadeum.generate.questions import csv_text
    from dadeum.run.models import open_tokenizer
    from dadeum.run.store import find_model
    from dadeum.tokenizer.special import count, cut

    workspace, settings = given.lab.workspace, given.lab.experiment
    model = settings.tokenizer.name_or_path or settings.model.name_or_path
    name, place = find_model(workspace, model, tell=given.view.warn, weights=False)
    tokenizer, contract, declared = open_tokenizer(workspace, place, chat_template=settings.tokenizer.chat_template)
    analysis = Analysis(tokenizer, contract, declared)
    show_analysis(given.view.console, name, analysis)
    text = say(*QUESTION)
    pieces = cut(tokenizer, text)
    given.view.console.print()
    show_cut(given.view.console, text, pieces, count(pieces, text))
    file = keeping.place_of(workspace, CSV)
    write_text(file, csv_text(HEADER, [row.cells() for row in analysis.rows]))
    keeping.ours(workspace, CSV, file)
    return [file]


def _preprocess(given: Lesson) -> list[Path]:
    from dadeum.cli.outcome import show_data
    from dadeum.cli.paint import show_exhibit
    from dadeum.data.exhibit import Cabinet
    from dadeum.run.execute import execute
    from dadeum.run.purpose import purpose_of
    from dadeum.run.works import folder_of

    view, lab = given.view, given.lab
    with view:
        outcome = execute(lab, view, ["format"])
    show_data(view, lab, outcome, "format")
    folders = [folder_of(lab, outcome.plan, name) for name in ("preprocess", "format")]
    cabinet = Cabinet(lab.experiment.name, lab.experiment.data, purpose_of(lab.experiment), folders[0], folders[1])
    show_exhibit(view.console, cabinet.choose("train", 1), ids=False)
    return [keeping.keep(lab.workspace, CONVERSATIONS, folders[0] / CONVERSATIONS)]


def _explain(given: Lesson) -> list[Path]:
    from dadeum.cli.explain_view import show_explanation
    from dadeum.core.artifact import write_text
    from dadeum.explain.page import page
    from dadeum.run.explaining import explain

    with given.view:
        found = explain(given.lab, given.view)
    show_explanation(given.view.console, found)
    file = keeping.place_of(given.lab.workspace, PAGE)
    write_text(file, page(found))
    keeping.ours(given.lab.workspace, PAGE, file)
    return [file]


def _train(given: Lesson) -> list[Path]:
    from dadeum.cli.outcome import show_training
    from dadeum.run.execute import execute

    with given.view:
        outcome = execute(given.lab, given.view, ["train", "export"])
    if "train" not in outcome.done and outcome.run is not None:
        text = say(f"this was trained before: {outcome.run.name}", f"이미 학습한 것입니다: {outcome.run.name}")
        given.view.note(text)
    show_training(given.view, given.lab, outcome)
    out = given.lab.experiment.output_dir
    return [given.lab.workspace.at(out)] if out is not None else []


LESSONS: dict[str, Callable[[Lesson], list[Path]]] = {
    "compare": _compare,
    "special-tokens": _special_tokens,
    "preprocess": _preprocess,
    "explain": _explain,
    "train": _train,
}
