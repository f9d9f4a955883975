"""Did it get better? One or two sentences: by what, how sure, at what cost elsewhere."""

from collections.abc import Sequence
from typing import Any

from dadeum.core.language import say
from dadeum.evaluate.comparison_page import verdict as kind_of
from dadeum.evaluate.defaults import FEW
from dadeum.report.blocks import Verdict
from dadeum.report.evidence import Evidence
from dadeum.report.words import between, score, signed

Metric = dict[str, Any]
# What an answer is worth says more than how likely the reference was: of several the first here is named.
FIRST = ("rougeL", "korquad_f1", "f1", "accuracy", "chrf", "rougeL_char")


def verdict(found: Evidence) -> Verdict:
    """What the numbers of the run come to."""
    if found.comparison is None or not found.comparison.get("metrics"):
        return Verdict("no" if found.status == "failed" else "open", (_unmeasured(found),))
    rows = ranked(found.comparison)
    if not rows:
        return Verdict("open", (_unmeasured(found),))
    main = _main(rows)
    sides = [kind_of(metric, found.comparison["models"][-1]) for metric, _ in rows]
    better, worse = sides.count("better"), sides.count("worse")
    own = kind_of(main[0], found.comparison["models"][-1])
    n: int = main[1].get("n") or main[0]["n"]
    few = n < FEW
    mark = "open" if few else {"better": "yes", "worse": "no"}.get(own, "open")
    said = [_main_sentence(found, *main, own), _few(n) if few else "", _others(len(rows), better, worse)]
    said += _elsewhere(found.comparison)
    return Verdict(mark, tuple(one for one in said if one))  # type: ignore[arg-type]


def ranked(comparison: dict[str, Any]) -> list[tuple[Metric, dict[str, Any]]]:
    """The metrics in which the last model was held against the first, with the difference; those with a better way."""
    last = comparison["models"][-1]
    held = [(m, m["differences"].get(last)) for m in comparison["metrics"]]
    return [(m, found) for m, found in held if found and m["higher_is_better"] is not None]


def _main(rows: Sequence[tuple[Metric, dict[str, Any]]]) -> tuple[Metric, dict[str, Any]]:
    for name in FIRST:
        for row in rows:
            if row[0]["name"].split("/")[-1] == name:
                return row
    return rows[0]


def _main_sentence(found: Evidence, metric: Metric, difference: dict[str, Any], own: str) -> str:
    assert found.comparison is not None
    first, last = found.comparison["models"][0], found.comparison["models"][-1]
    before, after = score(metric["values"][first]), score(metric["values"][last])
    name, moved = metric["name"], signed(difference["difference"])
    interval = between(difference["low"], difference["high"], signs=True)
    n = difference.get("n", metric["n"])
    against = (
        say("the base", "기본 모델")
        if not found.headed
        else say("guessing from the label counts", "라벨 비율로만 맞힌 것")
    )
    none = say(f"No clear difference from {against}", f"{against}과 차이가 분명하지 않습니다")
    word = {
        "better": say(f"Better than {against}", f"{against}보다 나아졌습니다"),
        "worse": say(f"Worse than {against}", f"{against}보다 나빠졌습니다"),
    }.get(own, none)
    return say(
        f"{word}: {name} went from {before} to {after} ({moved}, 95 % interval {interval} over {n:,} test rows).",
        f"{word}: {name} {before} → {after}(차이 {moved}, 95 % 구간 {interval}, 시험 {n:,}행).",
    )


def _few(n: int) -> str:
    return say(f"But {n} test rows are too few to be sure of it.", f"다만 시험 행이 {n}개뿐이라 믿기에는 적습니다.")


def _others(count: int, better: int, worse: int) -> str:
    if count < 2:
        return ""
    unclear = count - better - worse
    rest = [
        say(f"{worse} clearly worse", f"{worse}개는 분명히 못합니다")
        if worse
        else say("none is clearly worse", "분명히 못한 것은 없습니다")
    ]
    if unclear:
        rest.insert(0, say(f"{unclear} unclear", f"{unclear}개는 불분명하고"))
    return say(
        f"{better} of {count} metrics are clearly better, {', '.join(rest)}.",
        f"지표 {count}개 가운데 {better}개는 분명히 낫고 {' '.join(rest)}.",
    )


def _elsewhere(comparison: dict[str, Any]) -> list[str]:
    """What it cost on other text."""
    rows = [row for row in comparison.get("tasks") or [] if isinstance(row, dict)]
    lost = [row for row in rows if row.get("verdict") == "worse"]
    if not rows:
        return []
    if not lost:
        return [say("Elsewhere nothing was clearly lost.", "다른 글에서 분명히 나빠진 것은 없습니다.")]
    told = ", ".join(f"{row['task']} {row['metric']} {score(row['base'])} → {score(row['tuned'])}" for row in lost[:3])
    return [say(f"The cost elsewhere: {told}.", f"다른 글에서 잃은 것: {told}.")]


def _unmeasured(found: Evidence) -> str:
    """Why nothing is said of the result."""
    name, reason = found.place.experiment, str(found.record.get("reason") or "").strip()
    why = f": {reason}" if reason else "."
    if found.status == "failed":
        return say(f"This run failed{why}", f"이 실행은 실패했습니다{why}")
    if found.status == "stopped":
        return say(f"This run was stopped{why}", f"이 실행은 멈췄습니다{why}")
    if not found.trained:
        return say("This run has not ended yet.", "이 실행은 아직 끝나지 않았습니다.")
    if found.comparison is None and any("comparison.json" in told for told in found.damaged):
        return say(
            f"Trained and measured, but the comparison is damaged: `dadeum run {name}` makes it again.",
            f"학습하고 쟀지만 비교 파일이 손상되었습니다. `dadeum run {name}` 명령이 다시 만듭니다.",
        )
    if found.comparison is not None or found.without_questions:
        return say(
            "Trained; nothing tells whether it got better, since there was nothing to measure on.",
            "학습했습니다. 잴 것이 없어서 나아졌는지는 알 수 없습니다.",
        )
    return say(
        f"Trained, and not measured: `dadeum run {name}` scores base and tuned model and holds them against each other.",
        f"학습했고 아직 재지 않았습니다. `dadeum run {name}` 명령이 기본 모델과 학습한 모델을 채점하고 비교합니다.",
    )
