"""What the explanation says, chapter by chapter: sentences, tables and sums, which the terminal and the page each draw."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from dadeum.core.language import say
from dadeum.explain.facts import Explanation, Taken
from dadeum.tokenizer.readable import visible

if TYPE_CHECKING:
    from dadeum.data.exhibit import Exhibit


@dataclass(frozen=True)
class Para:
    """A paragraph."""

    text: str


@dataclass(frozen=True)
class Check:
    """Two numbers held against each other."""

    text: str
    good: bool


@dataclass(frozen=True)
class Pairs:
    """Names and values."""

    pairs: Sequence[tuple[str, str]]


@dataclass(frozen=True)
class Quote:
    """Text of the row, letter by letter; `who` says it."""

    text: str
    who: str = ""


@dataclass(frozen=True)
class Paint:
    """The painted sample."""

    painted: "Exhibit"


@dataclass(frozen=True)
class Sheet:
    """A table. `bars`: shares of 1, beside the column `beside`; `words`: columns that hold no numbers. Where there is little
    room the last column of `pieces`, or the first of a `stacked` one, has a line of its own."""

    columns: Sequence[str]
    rows: Sequence[Sequence[str]]
    bars: Sequence[float] = ()
    words: frozenset[int] = frozenset({0})
    pieces: frozenset[int] = frozenset()  # columns with pieces of text
    beside: int = 1
    stacked: bool = False


@dataclass(frozen=True)
class Sum:
    """A worked sum: what, the arithmetic with its numbers, what comes out."""

    lines: Sequence[tuple[str, str, str]]
    strong: int = -1  # the line that matters


@dataclass(frozen=True)
class Curve:
    """A line over the steps, with the present one marked."""

    points: Sequence[tuple[int, float]]
    now: tuple[int, float]


Block = Para | Check | Pairs | Quote | Paint | Sheet | Sum | Curve


@dataclass(frozen=True)
class Chapter:
    """A title and what stands below it."""

    title: str
    blocks: Sequence[Block]


def n(value: float) -> str:
    """A number for people, with digits enough to reckon with."""
    return f"{value:.6g}"


def exact(value: float) -> str:
    """A float32 in full."""
    return f"{value:.9g}"


def size(count: int) -> str:
    """Bytes."""
    if count < 2**20:
        return f"{count / 2**10:,.1f} KiB"
    return f"{count / 2**20:,.1f} MiB" if count < 2**30 else f"{count / 2**30:,.2f} GiB"


def title_of(taken: Taken) -> str:
    """Of the whole."""
    return say(
        f"Step {taken.step} of {taken.experiment}, taken apart", f"{taken.experiment}의 {taken.step}단계 뜯어보기"
    )


def head(found: Explanation) -> tuple[list[tuple[str, str]], list[str]]:
    """Facts of the step, and what must be known before."""
    taken = found.taken
    batches = len({term.micro_batch for term in taken.loss.terms})
    pairs = [
        (say("model", "모델"), taken.model or say("fresh weights", "새 가중치")),
        (
            say("trained", "학습하는 것"),
            say(
                f"{taken.adapter}: {taken.trainable:,} of {taken.parameters:,} numbers",
                f"{taken.adapter}: 숫자 {taken.parameters:,}개 가운데 {taken.trainable:,}개",
            ),
        ),
        (say("step", "단계"), say(f"{taken.step} of {taken.steps}", f"{taken.steps} 가운데 {taken.step}")),
        (
            say("rows", "행"),
            say(
                f"{len(taken.rows)}, in {batches} micro-batches of at most {taken.per_device}",
                f"{len(taken.rows)}행, 많아야 {taken.per_device}행씩 마이크로배치 {batches}개",
            ),
        ),
        (say("computed on", "계산"), f"{taken.device}, {taken.precision}"),
    ]
    notes = []
    if taken.skipped and taken.moved_from is None:
        notes.append(_skipped(taken))
    if taken.moved_from is not None:
        notes.append(
            say(
                f"Row {taken.shown} is first seen in step {taken.moved_from}. Its batch was laid into step {taken.step} here, "
                f"so these are the weights of the start; --step {taken.moved_from} goes there for real.",
                f"{taken.shown}번 행은 {taken.moved_from}단계에 처음 나옵니다. 여기서는 그 배치를 {taken.step}단계 자리에 놓았으므로 "
                f"가중치는 처음 것입니다. --step {taken.moved_from}은 정말 거기까지 갑니다.",
            )
        )
    return pairs, notes


def _skipped(taken: Taken) -> str:
    if taken.rates.curve[0][1] == 0:
        return say(
            f"The warm-up begins at a learning rate of 0, so step 1 moves no weight. This is step {taken.step}, the first that "
            "does; --step 1 shows the other.",
            f"워밍업은 학습률 0에서 시작하므로 1단계에서는 가중치가 움직이지 않습니다. 이것은 처음으로 움직이는 {taken.step}단계입니다. "
            "--step 1로 1단계를 볼 수 있습니다.",
        )
    return say(
        f"The steps before step {taken.step} overflowed in {taken.precision} and were left out.",
        f"{taken.step}단계 앞은 {taken.precision}에서 넘쳐 건너뛰었습니다.",
    )


def chapters(found: Explanation) -> list[Chapter]:
    """All of them, in the order of the step."""
    from dadeum.explain.ending import ending

    return [*_beginning(found), *ending(found.taken)]


def _beginning(found: Explanation) -> Iterator[Chapter]:
    """From the row to the loss."""
    taken, row = found.taken, found.row
    about = say(f"row {row.source_row}, {row.where}", f"{row.source_row}번 행, {row.where}")
    messages = [Quote(m["content"], m["role"]) for m in row.messages]
    yield Chapter(
        say("The row", "행"),
        [
            Para(
                say(
                    f"One of the {len(taken.rows)} rows of this step: {about}. Its cells become messages.",
                    f"이 단계의 {len(taken.rows)}행 가운데 하나입니다: {about}. 칸이 메시지가 됩니다.",
                )
            ),
            Pairs([(name, _short(value)) for name, value in row.cells.items()]),
            *messages,
        ],
    )
    yield Chapter(
        say("The text", "글"),
        [
            Para(
                say(
                    "The chat template makes one text of the messages. This is what the tokens spell, letter by letter:",
                    "대화 템플릿이 메시지를 글 하나로 만듭니다. 토큰이 적는 글 그대로입니다:",
                )
            ),
            Quote(row.text),
        ],
    )
    told = say(
        f"{row.tokens} tokens, {row.trained} of them targets. {row.trains}",
        f"토큰 {row.tokens}개, 그 가운데 목표는 {row.trained}개입니다. {row.trains}",
    )
    painted: list[Block] = [Paint(found.painted)] if found.painted is not None else []
    labels: list[Block] = [Pairs([(say("label", "라벨"), row.labels)])] if row.labels else []
    yield Chapter(say("Tokens and mask", "토큰과 마스크"), [Para(told), *painted, *labels])
    if taken.tokens:
        yield _tokens(taken)
    if taken.labels:
        yield _labels(taken)
    yield Chapter(say("The loss", "손실"), list(_loss(taken)))


def _short(text: str) -> str:
    return text if len(text) <= 400 else f"{text[:400]}…"


def _tokens(taken: Taken) -> Chapter:
    told = say(
        "The model read all tokens at once and gave a number (logit) to each token of its vocabulary at each place; softmax makes "
        "probabilities of them. p is that of the token that really follows, before this step; rank is its place among all.",
        "모델은 모든 토큰을 한꺼번에 읽고 자리마다 어휘의 토큰 하나하나에 수(로짓)를 매깁니다. softmax가 그것을 확률로 바꿉니다. "
        "p는 실제로 뒤따르는 토큰의 이 단계 전 확률이고, rank는 전체에서 몇 번째인지입니다.",
    )
    if not taken.loss.of_rows:
        told += say(
            " The objective makes its loss of sums of these, not of each alone.",
            " 이 objective는 하나하나가 아니라 이들의 합으로 손실을 만듭니다.",
        )
    weighed = any(token.weight != 1 for token in taken.tokens)
    columns = [say("token", "토큰"), "p", "rank", "-ln p"]
    columns += [say("weight", "무게")] if weighed else []
    columns.append(say("likeliest", "가장 그럴듯한 것"))
    rows = []
    for token in taken.tokens:
        top = " · ".join(f"{seen(one.name)}\u00a0{_share(one.p)}" for one in token.top if one.p is not None)
        middle = [n(token.weight)] if weighed else []
        rows.append([seen(token.name), n(token.p), str(token.rank), f"{token.nll:.5f}", *middle, top])
    last = len(columns) - 1
    sheet = Sheet(columns, rows, [t.p for t in taken.tokens], frozenset({0, last}), frozenset({0, last}))
    return Chapter(say("From logits to probabilities", "로짓에서 확률로"), [Para(told), sheet])


def _labels(taken: Taken) -> Chapter:
    columns = [say("head", "헤드"), say("right", "정답"), "p", say("loss", "손실"), say("says", "헤드의 답")]
    rows = []
    for fact in taken.labels:
        top = " · ".join(one.name if one.p is None else f"{one.name} {one.p:.3f}" for one in fact.top)
        rows.append([fact.head, fact.target, "-" if fact.p is None else n(fact.p), f"{fact.loss:.6f}", top])
    told = say(
        "The head turns what the model has read into numbers for the whole row; this is what it said before the step.",
        "헤드는 모델이 읽은 것을 행 전체에 대한 수로 바꿉니다. 이 단계 전에 한 답입니다.",
    )
    bars = [fact.p for fact in taken.labels if fact.p is not None]
    sheet = Sheet(columns, rows, bars if len(bars) == len(rows) else (), frozenset({0, 1, 4}), frozenset({4}), 2)
    return Chapter(say("From numbers to the label", "수에서 라벨로"), [Para(told), sheet])


def _loss(taken: Taken) -> Iterator[Block]:
    loss = taken.loss
    mine = next((row for row in loss.rows if row.source_row == taken.shown), None)
    unit = say("tokens", "토큰") if taken.tokens else say("labels", "라벨")
    if taken.tokens and loss.of_rows:
        yield Para(
            say(
                "Each trained token costs -ln p: nothing where the model was sure of it, much where it was not.",
                "학습하는 토큰마다 -ln p가 듭니다. 모델이 확신한 곳은 거의 0, 아닌 곳은 큽니다.",
            )
        )
    if loss.label_smoothing:
        s = loss.label_smoothing
        yield Para(
            say(
                f"Label smoothing {s:g}: each costs {1 - s:g} × (-ln p) + {s:g} × the mean of -ln p over the whole vocabulary.",
                f"라벨 스무딩 {s:g}: 토큰마다 {1 - s:g} × (-ln p) + {s:g} × (어휘 전체의 -ln p 평균)이 듭니다.",
            )
        )
    if mine is not None and mine.mean is not None:
        name = say(f"row {mine.source_row}", f"{mine.source_row}번 행")
        yield Sum([(name, f"{mine.total:.6f} ÷ {mine.weight:g} {unit}", f"{mine.mean:.6f}")])
    names = {term.name for term in loss.terms}
    head_ = [say("micro-batch", "마이크로배치"), say("rows", "행"), unit, say("sum", "합"), say("mean", "평균")]
    rows = [
        [
            str(term.micro_batch) if len(names) == 1 else f"{term.micro_batch} {term.name}",
            str(term.rows),
            f"{term.weight:g}",
            f"{term.total:.6f}",
            "-" if term.mean is None else f"{term.mean:.6f}",
        ]
        for term in loss.terms
    ]
    yield Sheet(head_, rows)
    yield Sum(list(_averages(taken)), 0)
    if loss.recomputed is not None:
        difference = abs(loss.recomputed - loss.loop)
        yield Check(
            say(
                f"Made of the probabilities above and of the other rows': {loss.recomputed:.7f}. "
                f"The loop reported {loss.loop:.7f}; they differ by {difference:.1e}.",
                f"위 확률과 다른 행들의 확률로 다시 계산: {loss.recomputed:.7f}. "
                f"루프가 보고한 값: {loss.loop:.7f}. 차이 {difference:.1e}.",
            ),
            difference <= 1e-5 * max(1.0, abs(loss.loop)),
        )
    if len({term.micro_batch for term in loss.terms}) > 1 or loss.mean_of_rows is not None:
        yield Para(
            say(
                "Averaging the averages weighs a token of a short batch more than one of a long batch, so the result would hang on "
                "how the rows were cut. The loop adds up first and divides once.",
                "평균을 다시 평균하면 짧은 배치의 토큰이 긴 배치의 토큰보다 무거워져, 어떻게 나누었는지에 따라 결과가 달라집니다. "
                "루프는 먼저 모두 더하고 한 번만 나눕니다.",
            )
        )


def _averages(taken: Taken) -> Iterator[tuple[str, str, str]]:
    """The right average and the wrong ones."""
    loss = taken.loss
    for name in dict.fromkeys(term.name for term in loss.terms):
        terms = [term for term in loss.terms if term.name == name]
        total, weight = sum(t.total for t in terms), sum(t.weight for t in terms)
        factor = f" × {terms[0].coefficient:g}" if terms[0].coefficient != 1 else ""
        label = say("the loss of the step", "이 단계의 손실")
        label += f" ({name})" if len({t.name for t in loss.terms}) > 1 else ""
        result = terms[0].coefficient * total / weight if weight else 0.0
        yield label, f"{total:.6f} ÷ {weight:g}{factor}", f"{result:.6f}"
    if loss.penalty:
        yield say("the adapter's own term", "어댑터 자체의 항"), "", f"{loss.penalty:.6f}"
    if len({term.micro_batch for term in loss.terms}) > 1:
        wrong = loss.mean_of_micro_batches
        yield say("not: the mean of the means", "아닌 것: 평균의 평균"), "", f"{wrong:.6f} ({wrong - loss.loop:+.6f})"
    if loss.mean_of_rows is not None:
        wrong = loss.mean_of_rows
        name = say("not: had each row been alone", "아닌 것: 행마다 따로 나눴다면")
        yield name, "", f"{wrong:.6f} ({wrong - loss.loop:+.6f})"


def seen(token: str) -> str:
    """A token whose blanks and line ends are seen."""
    return visible(token.replace(" ", "␣").replace("\n", "⏎"))


def _share(p: float) -> str:
    return f"{p:.0%}" if p >= 0.01 else "<1%"


def shares(values: Sequence[float]) -> list[float]:
    """Of the greatest."""
    most = max(values, default=0.0) or 1.0
    return [value / most for value in values]
