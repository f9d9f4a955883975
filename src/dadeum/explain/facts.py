"""What is known of one training step: numbers that were read from the run, and nothing else."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from dadeum.data.exhibit import Exhibit


@dataclass(frozen=True)
class Likely:
    """What the model would rather say: a token or a class, and how likely it is."""

    name: str
    p: float | None  # None of a number that is no probability


@dataclass(frozen=True)
class TokenFact:
    """One trained token before the step: its place in the sample, its probability, and what it costs."""

    place: int
    id: int
    name: str
    weight: float
    p: float
    rank: int
    nll: float  # -ln p
    loss: float  # what it adds to the sum: its weight × (-ln p), or with label smoothing the mixture
    top: Sequence[Likely]


@dataclass(frozen=True)
class LabelFact:
    """What a head says of one row (or word) before the step."""

    head: str
    target: str
    p: float | None
    loss: float
    weight: float
    top: Sequence[Likely]


@dataclass(frozen=True)
class RowLoss:
    """One sample of the step: how much it weighs and costs; `nll` and `weights` are those of its trained tokens."""

    source_row: int
    micro_batch: int
    weight: float
    total: float
    nll: Sequence[float] = ()
    weights: Sequence[float] = ()

    @property
    def mean(self) -> float | None:
        """Its own mean."""
        return self.total / self.weight if self.weight else None


@dataclass(frozen=True)
class Term:
    """One term of the loss in one micro-batch, as the objective gave it to the loop."""

    name: str
    micro_batch: int
    rows: int
    total: float
    weight: float
    coefficient: float

    @property
    def mean(self) -> float | None:
        """Its mean in the micro-batch."""
        return self.total / self.weight if self.weight else None


@dataclass(frozen=True)
class LossFacts:
    """How the loss of the step came about. `of_rows`: the loss is a sum over the rows, each by itself."""

    objective: str
    terms: Sequence[Term]
    rows: Sequence[RowLoss]
    of_rows: bool
    label_smoothing: float
    penalty: float  # of the adapter
    loop: float  # what the loop reported
    recomputed: float | None  # from the probabilities
    mean_of_micro_batches: float
    mean_of_rows: float | None


@dataclass(frozen=True)
class LayerNorm:
    """The gradients of one layer."""

    name: str
    numbers: int
    norm: float


@dataclass(frozen=True)
class Clipping:
    """The norm of all gradients, before and after."""

    limit: float
    before: float  # as the loop had it, in float32
    exact: float  # counted in 64 bits
    after: float
    layers: Sequence[LayerNorm]


@dataclass(frozen=True)
class LowRank:
    """What two matrices add to one weight, before and after the step. `a` and `b` are the row and column that meet in it."""

    module: str
    index: tuple[int, int]
    shape: tuple[int, int]
    base: float
    scale: float
    a_before: Sequence[float]
    b_before: Sequence[float]
    a_after: Sequence[float]
    b_after: Sequence[float]
    delta_before: float
    delta_after: float
    merged_before: float
    merged_after: float
    magnitude: tuple[float, float] | None = None  # DoRA's, before and after


@dataclass(frozen=True)
class Update:
    """One weight through AdamW: what went in, what the optimizer made of it, and the same by hand."""

    name: str
    index: Sequence[int]
    optimizer: str
    before: float
    gradient: float
    rate: float
    after: float
    step: int = 0
    betas: tuple[float, float] = (0.0, 0.0)
    epsilon: float = 0.0
    decay: float = 0.0
    m_before: float = 0.0
    v_before: float = 0.0
    m: float = 0.0
    v: float = 0.0
    m_by_hand: float = 0.0
    v_by_hand: float = 0.0
    m_hat: float = 0.0
    v_hat: float = 0.0
    decayed: float = 0.0
    moved: float = 0.0
    by_hand: float | None = None  # None: no arithmetic of ours for this optimizer

    @property
    def difference(self) -> float | None:
        """Between the hand's and the optimizer's new value."""
        return None if self.by_hand is None else abs(self.by_hand - self.after)


@dataclass(frozen=True)
class Rates:
    """The learning rate: now, and of each step of the run (thinned out where they are many)."""

    now: float
    peak: float
    kind: str
    warmup_steps: int
    steps: int
    curve: Sequence[tuple[int, float]]


@dataclass(frozen=True)
class Memory:
    """Bytes: `measured` at moments of the step (on the GPU, or resident in this process), the rest counted from tensors."""

    how: str  # "cuda" or "rss"
    measured: Sequence[tuple[str, int]]
    weights: int
    trained: int
    gradients: int
    optimizer: int
    kept: int  # for the backward pass of the micro-batch that keeps most
    kept_tensors: int


@dataclass(frozen=True)
class Side:
    """One number on both sides."""

    name: str
    ours: float
    theirs: float

    @property
    def difference(self) -> float:
        """How far they are apart."""
        return abs(self.ours - self.theirs)


@dataclass(frozen=True)
class SameStep:
    """The step by `transformers.Trainer`; `why` says why there is none."""

    version: str
    layout: str = ""
    sides: Sequence[Side] = ()
    weights: int = 0  # how many were compared after the step
    worst: float = 0.0  # the greatest difference among them
    notes: Sequence[str] = ()
    why: str = ""


@dataclass(frozen=True)
class Place:
    """Where one hooks in: ours and theirs, each with file and line; empty where the installed version has no such thing."""

    what: str
    ours: str
    ours_at: str
    theirs: str
    theirs_at: str


@dataclass(frozen=True)
class RowFacts:
    """The row that is shown, from its cells to the text that was cut into tokens."""

    source_row: int
    where: str
    cells: Mapping[str, str]
    messages: Sequence[Mapping[str, str]]
    text: str
    tokens: int
    trained: int
    trains: str  # why these tokens
    labels: str = ""


@dataclass(frozen=True)
class Taken:
    """One step as it was recorded."""

    experiment: str
    model: str
    adapter: str
    step: int  # counted from 1
    steps: int
    epoch: float
    rows: Sequence[int]  # of the source, in the order of the step
    shown: int  # which of them is shown
    shown_sample: int  # of that row's samples, counted from 0
    moved_from: int | None  # the step that the batch belongs to, where it was laid into this one for the row's sake
    skipped: int  # steps before this one whose learning rate is 0
    device: str
    precision: str
    per_device: int
    trainable: int
    parameters: int
    tokens: Sequence[TokenFact]
    labels: Sequence[LabelFact]
    loss: LossFacts
    clipping: Clipping
    low_rank: LowRank | None
    no_low_rank: str
    rates: Rates
    update: Update
    memory: Memory
    weights_sha256: str  # of what is trained, after the step
    seconds: float
    trainer: SameStep
    places: Sequence[Place]


@dataclass(frozen=True)
class Explanation:
    """The step, and the row that is shown of it."""

    taken: Taken
    row: RowFacts
    painted: "Exhibit | None" = field(default=None, compare=False)  # the sample, token by token

    def as_json(self) -> dict[str, Any]:
        """Every number, by name."""
        row = {one.name: getattr(self.row, one.name) for one in fields(self.row)}
        return {"row": row, **asdict(self.taken)}
