"""`dadeum eval --self-test`: the examples of each metric, what they must give and what they give."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from dadeum.core.language import say

if TYPE_CHECKING:
    from dadeum.cli.view import View
    from dadeum.evaluate.self_test import Shown


def show_self_test(view: "View", names: Sequence[str]) -> int:
    """Show the metrics of these names, or all; 1 where one gives something else than its examples say."""
    from dadeum.evaluate.self_test import Skipped, self_test

    shown: list[Shown] = []
    skipped: list[Skipped] = []
    held: list[Shown] = []
    for one in self_test(names):
        if isinstance(one, Skipped):
            skipped.append(one)
            continue
        if held and one.metric != held[0].metric:
            _table(view, held)
            held = []
        held.append(one)
        shown.append(one)
    if held:
        _table(view, held)
    for left in skipped:
        view.warn(say(f"{left.metric}: skipped: {left.reason}", f"{left.metric}: 건너뜀: {left.reason}"))
    wrong = [one for one in shown if not one.ok]
    view.note(
        say(
            f"{len(shown) - len(wrong)} of {len(shown)} values are as worked by hand; metrics skipped: {len(skipped)}",
            f"값 {len(shown)}개 중 {len(shown) - len(wrong)}개가 손으로 구한 값과 같습니다. 건너뛴 지표: {len(skipped)}개",
        )
    )
    return 1 if wrong else 0


def _table(view: "View", rows: Sequence["Shown"]) -> None:
    """One metric: its keys with their signatures, then its cases."""
    from dadeum.evaluate.metrics import METRICS, arrow

    member = METRICS.member(rows[0].metric)
    columns = [say("case", "예"), say("key", "키"), say("by hand", "손으로"), say("found", "나온 값"), ""]
    cells = []
    before = ""
    for one in rows:
        mark = "✓" if one.ok else say("✗ wrong", "✗ 틀림")
        cells.append([one.case if one.case != before else "", one.key, _number(one.expected), _number(one.found), mark])
        before = one.case
    view.table(f"{rows[0].metric} {arrow(member.higher_is_better)} ({member.unit or '≥ 1'})", columns, cells)
    signatures = {one.key: one.signature for one in reversed(rows) if one.signature}
    for key in member.keys:
        view.note(f"{key}: {say(*member.keys[key])}")
        view.note(f"  {signatures.get(key, '')}")
    view.note("")


def _number(value: float | None) -> str:
    return say("none", "없음") if value is None else f"{value:.4g}"
