"""The chapters after the loss: gradients, two matrices, the rate, the update, memory, and the Trainer."""

from collections.abc import Iterator, Sequence

from dadeum.core.language import say
from dadeum.explain.chapters import Block, Chapter, Check, Curve, Pairs, Para, Sheet, Sum, exact, n, shares, size
from dadeum.explain.facts import LowRank, Taken, Update

FEW = 4  # products that are written out
# How far the Trainer's numbers may be from ours: float32, and types of a few digits.
CLOSE, ROUGH = 1e-5, 2e-2


def ending(taken: Taken) -> Iterator[Chapter]:
    """In the order of the step."""
    yield Chapter(say("Gradients", "그래디언트"), list(_gradients(taken)))
    title = say("What two matrices do to one weight", "두 행렬이 가중치 하나에 하는 일")
    yield Chapter(title, list(_low_rank(taken)))
    yield Chapter(say("The learning rate", "학습률"), list(_rate(taken)))
    yield Chapter(say("The update of one weight", "가중치 하나의 갱신"), list(_update(taken.update)))
    yield Chapter(say("Memory", "메모리"), list(_memory(taken)))
    title = say("The same step by transformers.Trainer", "transformers.Trainer로 같은 단계")
    yield Chapter(title, list(_trainer(taken)))


def _gradients(taken: Taken) -> Iterator[Block]:
    clipping = taken.clipping
    yield Para(
        say(
            "Backwards through the model: by how much would the loss change if a weight were a little greater? "
            "That is its gradient; here is the length of all gradients of each layer.",
            "모델을 거꾸로 지나며 묻습니다: 가중치가 조금 커지면 손실이 얼마나 변할까? 그것이 그래디언트입니다. 층마다 그래디언트 전체의 길이입니다.",
        )
    )
    columns = [say("layer", "층"), say("numbers", "숫자"), say("norm", "크기")]
    rows = [[one.name, f"{one.numbers:,}", n(one.norm)] for one in clipping.layers]
    yield Sheet(columns, rows, shares([one.norm for one in clipping.layers]), beside=2)
    lines = [(say("all layers", "모든 층"), say("√ of the sum of squares", "제곱합의 제곱근"), n(clipping.before))]
    if not clipping.limit:
        lines.append((say("clipping", "자르기"), "train.max_grad_norm: 0", say("none", "없음")))
    elif clipping.before > clipping.limit:
        factor = clipping.limit / (clipping.before + 1e-6)
        lines.append(
            (
                say("clipped: each gradient", "잘림: 모든 그래디언트"),
                f"× {clipping.limit:g} ÷ {n(clipping.before)}",
                f"× {n(factor)}",
            )
        )
    else:
        lines.append(
            (
                say("clipping", "자르기"),
                f"{n(clipping.before)} ≤ {clipping.limit:g}",
                say("not needed", "필요 없음"),
            )
        )
    lines.append((say("after it", "그 뒤"), "", n(clipping.after)))
    yield Sum(lines)
    if abs(clipping.exact - clipping.before) > 1e-6 * clipping.before:
        yield Para(
            say(
                f"The loop adds the squares in float32; in 64 bits they make {n(clipping.exact)}.",
                f"루프는 제곱을 float32로 더합니다. 64비트로 더하면 {n(clipping.exact)}입니다.",
            )
        )


def _low_rank(taken: Taken) -> Iterator[Block]:
    found = taken.low_rank
    if found is None:
        yield Para(taken.no_low_rank)
        return
    rows, columns = found.shape
    rank = len(found.a_after)
    yield Para(
        say(
            f"The weight {found.module} ({rows} × {columns}) stays as it was. Beside it stand B ({rows} × {rank}) and "
            f"A ({rank} × {columns}): {rank * (rows + columns):,} numbers instead of {rows * columns:,}. What counts is "
            f"W + scale · B·A; here at row {found.index[0]}, column {found.index[1]}, where this step changed most.",
            f"가중치 {found.module}({rows} × {columns})은(는) 그대로입니다. 그 옆에 B({rows} × {rank})와 A({rank} × {columns})가 있습니다. "
            f"{rows * columns:,}개 대신 {rank * (rows + columns):,}개입니다. 실제로 쓰이는 것은 W + scale · B·A입니다. "
            f"이 단계에서 가장 많이 변한 {found.index[0]}행 {found.index[1]}열을 봅니다.",
        )
    )
    if not any(found.b_before):
        yield Para(
            say(
                "B is 0 before: the adapted model is the base itself, and A learns nothing yet, for its gradient is multiplied by B.",
                "앞에서는 B가 0입니다. 어댑터를 붙인 모델이 아직 기본 모델과 같고, A의 그래디언트에는 B가 곱해지므로 A는 아직 배우지 않습니다.",
            )
        )
    before, after = say("before", "앞"), say("after", "뒤")
    lines = [
        (f"scale · B·A, {before}", _products(found, found.b_before, found.a_before), exact(found.delta_before)),
        (f"scale · B·A, {after}", _products(found, found.b_after, found.a_after), exact(found.delta_after)),
    ]
    if found.magnitude is not None:
        lines.append((say("DoRA: length", "DoRA: 길이"), f"{n(found.magnitude[0])} → {n(found.magnitude[1])}", ""))
    plus = "" if found.magnitude is None else say(" (scaled to that length)", " (그 길이로 맞춤)")
    lines += [
        (
            f"W + scale · B·A, {before}{plus}",
            f"{exact(found.base)} + ({exact(found.delta_before)})",
            exact(found.merged_before),
        ),
        (
            f"W + scale · B·A, {after}{plus}",
            f"{exact(found.base)} + ({exact(found.delta_after)})",
            exact(found.merged_after),
        ),
    ]
    yield Sum(lines)


def _products(found: LowRank, b: Sequence[float], a: Sequence[float]) -> str:
    written = " + ".join(f"({n(x)})·({n(y)})" for x, y in list(zip(b, a, strict=True))[:FEW])
    rest = len(a) - FEW
    more = say(f" + {rest} more", f" + 나머지 {rest}개") if rest > 0 else ""
    return f"{found.scale:g} × [{written}{more}]"


def _rate(taken: Taken) -> Iterator[Block]:
    rates = taken.rates
    yield Para(
        say(
            f"{n(rates.now)} in step {taken.step}, {n(rates.peak)} at most. Schedule: {rates.kind}, "
            f"{rates.warmup_steps} of {rates.steps} steps of warm-up.",
            f"{taken.step}단계에서 {n(rates.now)}, 가장 클 때 {n(rates.peak)}. 일정: {rates.kind}, "
            f"{rates.steps}단계 가운데 {rates.warmup_steps}단계가 워밍업입니다.",
        )
    )
    yield Curve(rates.curve, (taken.step, rates.now))


def _update(update: Update) -> Iterator[Block]:
    place = f"{update.name}[{', '.join(map(str, update.index))}]"
    yield Para(
        say(
            f"{place}: of all weights the one with the greatest gradient.",
            f"{place}: 그래디언트가 가장 큰 가중치입니다.",
        )
    )
    if update.by_hand is None:
        yield Pairs(
            [
                (say("before", "앞"), exact(update.before)),
                (say("gradient", "그래디언트"), exact(update.gradient)),
                (say("after", "뒤"), exact(update.after)),
            ]
        )
        yield Para(
            say(
                f"{update.optimizer} is not worked by hand here; only AdamW is.",
                f"{update.optimizer}은(는) 손으로 계산하지 않습니다. AdamW만 합니다.",
            )
        )
        return
    b1, b2 = update.betas
    t = update.step
    yield Sum(
        [
            (say("gradient g, clipped", "잘린 그래디언트 g"), "", exact(update.gradient)),
            (
                say("m: mean of gradients", "m: 그래디언트의 평균"),
                f"{b1:g} × {exact(update.m_before)} + {1 - b1:g} × g",
                exact(update.m_by_hand),
            ),
            (
                say("v: mean of squares", "v: 제곱의 평균"),
                f"{b2:g} × {exact(update.v_before)} + {1 - b2:g} × g²",
                exact(update.v_by_hand),
            ),
            (say(f"m̂: corrected in step {t}", f"m̂: {t}번째 보정"), f"m ÷ (1 − {b1:g}^{t})", exact(update.m_hat)),
            (say("v̂: likewise", "v̂: 마찬가지로"), f"v ÷ (1 − {b2:g}^{t})", exact(update.v_hat)),
            (
                say("weight decay", "가중치 감쇠"),
                f"{exact(update.before)} × (1 − {n(update.rate)} × {update.decay:g})",
                exact(update.decayed),
            ),
            (
                say("the move", "움직임"),
                f"{n(update.rate)} × m̂ ÷ (√v̂ + {update.epsilon:g})",
                exact(update.moved),
            ),
            (
                say("the new weight, by hand", "새 가중치, 손으로"),
                f"{exact(update.decayed)} − ({exact(update.moved)})",
                exact(update.by_hand),
            ),
        ]
    )
    difference = update.difference or 0.0
    yield Check(
        say(
            f"torch's AdamW made {exact(update.after)}, by hand it is {exact(update.by_hand)}; they differ by {difference:.1e}.",
            f"torch의 AdamW는 {exact(update.after)}, 손으로는 {exact(update.by_hand)}. 차이 {difference:.1e}.",
        ),
        difference <= 1e-7 * max(1.0, abs(update.after)),
    )


def _memory(taken: Taken) -> Iterator[Block]:
    memory = taken.memory
    yield Para(say("Counted from the tensors that are there:", "있는 텐서를 센 것:"))
    frozen = memory.weights - memory.trained
    parts = [
        *([(say("weights, frozen", "가중치, 고정"), frozen)] if frozen else []),
        (say("weights, trained", "가중치, 학습"), memory.trained),
        (say("gradients", "그래디언트"), memory.gradients),
        (say("optimizer: m and v", "옵티마이저: m과 v"), memory.optimizer),
        (
            say(
                f"kept for the way back ({memory.kept_tensors} tensors)",
                f"역전파용 중간값(텐서 {memory.kept_tensors}개)",
            ),
            memory.kept,
        ),
    ]
    counts = [count for _, count in parts]
    yield Sheet([say("what", "무엇"), say("memory", "메모리")], [[k, size(v)] for k, v in parts], shares(counts))
    told = {
        "cuda": say("Measured: what torch holds on the GPU.", "잰 것: torch가 GPU에 잡은 메모리."),
        "rss": say(
            "Measured: what the whole process holds (resident memory, libraries too). Freed memory often stays with the process, so "
            "this only roughly follows the counts.",
            "잰 것: 프로세스 전체가 쓰는 메모리(라이브러리 포함). 해제한 메모리가 프로세스에 남기도 해서 위의 수를 대강만 따릅니다.",
        ),
    }[memory.how]
    yield Para(told)
    names = {
        "start": say("before the step", "단계 앞"),
        "forward": say("after the forward pass", "순전파 뒤"),
        "backward": say("after the backward pass", "역전파 뒤"),
        "update": say("after the update", "갱신 뒤"),
    }
    rows = [[names[moment], size(count)] for moment, count in memory.measured]
    yield Sheet([say("when", "언제"), say("memory", "메모리")], rows, shares([c for _, c in memory.measured]))


def _trainer(taken: Taken) -> Iterator[Block]:
    same = taken.trainer
    if same.why:
        yield Para(say(f"No numbers of the Trainer: {same.why}.", f"Trainer의 수는 없습니다: {same.why}."))
    else:
        yield Para(
            say(
                f"transformers {same.version} did the step again, from the same weights and moments, on the same rows ({same.layout}), "
                "with its own loss, averaging, clipping, schedule and optimizer.",
                f"transformers {same.version}이 같은 가중치와 모멘트에서 같은 행으로({same.layout}) 이 단계를 다시 했습니다. "
                "손실, 평균, 자르기, 일정, 옵티마이저는 Trainer의 것입니다.",
            )
        )
        columns = ["", "dadeum", "Trainer", say("difference", "차이")]
        rows = [[one.name, exact(one.ours), exact(one.theirs), f"{one.difference:.1e}"] for one in same.sides]
        yield Sheet(columns, rows, stacked=True)
        allowed = CLOSE if taken.precision == "fp32" else ROUGH
        far = [one for one in same.sides if one.difference > allowed * max(1.0, abs(one.ours))]
        yield Check(
            say(
                f"Of all {same.weights:,} trained weights none differs by more than {same.worst:.1e} after the step.",
                f"학습한 가중치 {same.weights:,}개 모두 이 단계 뒤의 차이가 {same.worst:.1e} 이하입니다.",
            ),
            not far,
        )
        if same.worst > allowed:
            yield Para(
                say(
                    "AdamW divides by the size of the gradient: where that is as small as its epsilon, the last digits decide how "
                    "far a weight moves, and these are summed in another order there.",
                    "AdamW는 그래디언트의 크기로 나눕니다. 그 크기가 epsilon만큼 작으면 끝자리 반올림이 움직임을 정하는데, 더하는 순서가 서로 다릅니다.",
                )
            )
    for note in same.notes:
        yield Para(note)
    yield Para(
        say(
            "Where to change it, with the file and line as they are installed here:",
            "바꾸려면 여기입니다. 여기 설치된 파일과 줄입니다:",
        )
    )
    nothing = say("no such place", "그런 곳 없음")
    places = [
        [
            one.what,
            f"{one.ours}\n{one.ours_at}" if one.ours else nothing,
            f"{one.theirs}\n{one.theirs_at}" if one.theirs else nothing,
        ]
        for one in taken.places
    ]
    yield Sheet(
        [say("to change", "바꿀 것"), "dadeum", "transformers"], places, words=frozenset({0, 1, 2}), stacked=True
    )
