"""How the training went: loss, learning rate, gradient norm, throughput, memory, and what the objective showed."""

from dadeum.core.language import say
from dadeum.report import pictures
from dadeum.report.blocks import Block, Facts, Figure, Section, Text
from dadeum.report.curves import Curve, Curves
from dadeum.report.evidence import Evidence, mapping
from dadeum.report.pictures import Line
from dadeum.report.words import score, size

MOST_OTHERS = 6
GB = 1e9


def training(found: Evidence) -> Section:
    """The curves of `metrics.jsonl` and what they come to."""
    title, curves = say("Training", "학습"), found.curves
    if curves is None or not curves.by_name:
        why = say(
            "No curves: metrics.jsonl is not there, or holds no measurement.",
            "곡선이 없습니다: metrics.jsonl이 없거나 측정값이 없습니다.",
        )
        return Section(title, (Text(why, "note"),))
    blocks: list[Block] = [Facts(tuple(_facts(found, curves)))]
    if curves.of("validation_loss") is None:
        blocks.append(Text(_no_validation(found), "hint"))
    if all(curve.count < 2 for curve in curves.by_name.values()):
        told = say(
            "Each was measured once, so there is no curve; a smaller train.logging_steps writes more lines.",
            "한 번씩만 재어서 곡선이 없습니다. train.logging_steps를 줄이면 더 자주 적습니다.",
        )
        return Section(title, (*blocks, Text(told, "hint")))
    blocks += _figures(curves)
    return Section(title, tuple(blocks))


def _no_validation(found: Evidence) -> str:
    parts = mapping(mapping(found.statistics).get("parts"))
    if mapping(parts.get("validation")).get("rows"):
        return say("No validation loss: it was not measured yet.", "검증 손실이 없습니다: 아직 재지 않았습니다.")
    return say(
        "No validation loss: the data have no validation part.",
        "검증 손실이 없습니다: 데이터에 검증 부분이 없습니다.",
    )


def _facts(found: Evidence, curves: Curves) -> list[tuple[str, str]]:
    facts = []
    loss, checked = curves.of("loss"), curves.of("validation_loss")
    if loss is not None:
        facts.append((say("loss", "손실"), f"{score(loss.first[1])} → {score(loss.last[1])}"))
    if checked is not None:
        step, value = checked.lowest
        told = score(checked.last[1])
        if step != checked.last[0]:
            told += say(
                f"; best {score(value)} at step {step:,.0f}, and higher since: it began to learn by heart",
                f". 가장 좋을 때 {score(value)}({step:,.0f}단계), 그 뒤로 높아짐: 외우기 시작했습니다",
            )
        elif checked.count > 1:
            told += say(", the best so far", ", 지금까지 가장 좋음")
        facts.append((say("validation loss", "검증 손실"), told))
    norm = curves.of("grad_norm")
    if norm is not None:
        step, value = norm.highest
        facts.append(
            (
                say("gradient norm", "기울기 크기"),
                say(f"at most {score(value)}, at step {step:,.0f}", f"최대 {score(value)} ({step:,.0f}단계)"),
            )
        )
    memory = curves.of("memory_bytes")
    if memory is not None:
        facts.append(
            (say("memory", "메모리"), say(f"at most {size(memory.highest[1])}", f"최대 {size(memory.highest[1])}"))
        )
    left_out = (found.stats or {}).get("steps_left_out")
    if left_out:
        facts.append(
            (
                say("steps left out", "뺀 단계"),
                say(f"{left_out:,}, their gradients were not finite", f"{left_out:,}. 기울기가 유한하지 않음"),
            )
        )
    return facts


def _figures(curves: Curves) -> list[Figure]:
    found = []
    losses = [
        Line(label, curve, look)
        for look, (name, label) in enumerate(
            (("loss", say("training", "학습")), ("validation_loss", say("validation", "검증")))
        )
        if (curve := curves.of(name)) is not None
    ]
    if any(line.curve.count > 1 for line in losses):
        found.append(pictures.curves("loss", say("Loss", "손실"), losses))
    for name, title, look, steep in (
        ("learning_rate", say("Learning rate", "학습률"), 2, False),
        ("grad_norm", say("Gradient norm, before clipping", "기울기 크기(자르기 전)"), 3, True),
        ("tokens_per_second", say("Tokens per second", "초당 토큰"), 4, False),
    ):
        curve = curves.of(name)
        if curve is not None and curve.count > 1:
            found.append(pictures.curves(name, title, [Line(title, curve, look)], steep=steep, zero=not steep))
    memory = curves.of("memory_bytes")
    if memory is not None and memory.count > 1:
        found.append(
            pictures.curves(
                "memory",
                say("Memory, the most so far", "메모리(그때까지 최대)"),
                [Line("", _in(memory), 5)],
                unit="GB",
                steep=False,
                zero=True,
            )
        )
    for number, name in enumerate(curves.others[:MOST_OTHERS]):
        curve = curves.of(name)
        if curve is None or curve.count < 2:
            continue
        found.append(pictures.curves(f"other{number}", name, [Line(name, curve, number % 6)]))
    return found


def _in(bytes_: Curve) -> Curve:
    """The same curve in gigabytes."""
    made = Curve()
    for x, y in bytes_.points():
        made.add(x, y / GB)
    return made
