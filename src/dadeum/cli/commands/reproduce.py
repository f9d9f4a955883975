"""`dadeum reproduce RUN`: the run again, and whether the same came of it."""

from typing import TYPE_CHECKING, Annotated

import typer

from dadeum.cli.dispatch import verb
from dadeum.core.language import say
from dadeum.core.workspace import Workspace

if TYPE_CHECKING:
    from dadeum.cli.view import View
    from dadeum.run.reproduce import Reproduction

app = verb()
MOST = 12


@app.command(
    help=say(
        "Run a finished run again from its own record, and hold losses, scores and weights against each other. "
        "Ends with 0 when they are the same, with 1 when not.",
        "끝난 실행을 그 기록대로 다시 해 손실, 점수, 가중치를 견줍니다. 같으면 0, 다르면 1로 끝납니다.",
    )
)
def reproduce(
    run: Annotated[
        str | None,
        typer.Argument(
            metavar="[RUN]",
            help=say(
                "a run's id or the beginning of one, or an experiment; default: the newest finished run",
                "실행 이름이나 그 앞부분, 또는 실험. 기본값: 가장 최근에 끝난 실행",
            ),
        ),
    ] = None,
    anyway: Annotated[
        bool,
        typer.Option(
            "--anyway",
            help=say("go on where only versions, device or threads differ", "버전, 장치, 스레드 수만 다르면 계속하기"),
        ),
    ] = False,
    tolerance: Annotated[
        float,
        typer.Option(
            min=0.0,
            help=say(
                "largest relative difference of losses and scores that counts as equal",
                "손실과 점수가 같다고 볼 가장 큰 상대 차이",
            ),
        ),
    ] = 1e-4,
) -> int:
    """Do it again, compare, say so."""
    from dadeum.cli.view import View
    from dadeum.run.ledger import find_run
    from dadeum.run.reproduce import reproduce as again

    workspace = Workspace.here()
    found = find_run(workspace, run, finished=True)
    with View() as view:
        done = again(workspace, found, view, anyway=anyway, tolerance=tolerance)
    _show(view, workspace, done)
    return 1 if done.found.verdict == "different" else 0


def _show(view: "View", workspace: Workspace, done: "Reproduction") -> None:
    from dadeum.run.reproduce import RECORD

    found = done.found
    same, other = say("the same", "같음"), say("different", "다름")
    view.table(
        say(f"{done.run.name} against {done.of.name}", f"{done.run.name}과(와) {done.of.name}"),
        ["", say("then", "그때"), say("now", "지금"), ""],
        [
            [say("first loss", "처음 손실"), *(_exact(found.losses[k][0]) for k in ("then", "now")), ""],
            [say("last loss", "마지막 손실"), *(_exact(found.losses[k][1]) for k in ("then", "now")), ""],
            *([n, _exact(a), _exact(b), same if a == b else other] for n, (a, b) in list(found.scores.items())[:MOST]),
        ],
    )
    facts: dict[str, object] = {
        say("logged steps", "기록된 단계"): found.steps,
        say("losses, rates, gradient norms", "손실, 학습률, 기울기 크기"): say("bit for bit the same", "비트까지 같음")
        if found.first is None
        else say(f"differ from step {found.first}", f"{found.first}단계부터 다름"),
        **{name: f"SHA-256: {same if equal else other}" for name, equal in found.weights.items()},
    }
    if found.answers is not None:
        facts[say("answers word for word", "그대로 같은 답")] = f"{found.answers[0]}/{found.answers[1]}"
    view.facts(facts)
    largest = f"{found.largest:.3g}" if found.largest >= 0 else "∞"
    texts = {
        "identical": say("identical", "똑같습니다"),
        "equal within": say(
            f"equal within {largest} (relative; tolerance {found.tolerance:g})",
            f"{largest} 안에서 같습니다 (상대 차이, 허용 {found.tolerance:g})",
        ),
        "different": say(
            f"different since step {found.beyond}; largest relative difference {largest}",
            f"{found.beyond}단계부터 다릅니다. 가장 큰 상대 차이 {largest}",
        )
        if found.beyond is not None
        else say(
            f"the losses are equal within {found.tolerance:g}, the scores are not: {largest}",
            f"손실은 {found.tolerance:g} 안에서 같지만 점수가 다릅니다: {largest}",
        ),
    }
    view.note("")
    view.note(say(f"Verdict: {texts[found.verdict]}", f"판정: {texts[found.verdict]}"))
    view.note((done.run.evidence / RECORD).relative_to(workspace.root).as_posix())


def _exact(value: float | None) -> str:
    return "–" if value is None else repr(value)
