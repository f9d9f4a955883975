"""The loss of the step, from one token to the average: by what the model said, held against what the loop reported."""

import itertools
import math
from collections.abc import Iterator, Sequence
from typing import Any

import torch

from dadeum.explain.facts import LabelFact, Likely, LossFacts, RowLoss, Term, TokenFact
from dadeum.explain.recording import Passed, Recorded
from dadeum.explain.said import TOP
from dadeum.model.headed import headed_of, of_units, split_targets
from dadeum.model.heads import HEADS
from dadeum.model.heads._settings import coefficient
from dadeum.tokenizer.readable import Pieces

# Objectives whose loss is the weighted mean of what each trained token costs.
BY_TOKEN = ("sft", "pretrain", "auto")


def loss_facts(loop: Recorded) -> LossFacts:
    """Terms by micro-batch as the loop had them; rows where the loss is a sum over them."""
    seen, settings = loop.seen, loop.job.train.objective
    assert seen.report is not None
    smoothing = float(getattr(settings, "label_smoothing", 0.0)) if settings.type in BY_TOKEN else 0.0
    terms = [
        Term(name, number, len(one.batch.rows), total, *one.batch.weights[name])
        for number, one in enumerate(seen.passes, 1)
        for name, total in one.sums.items()
    ]
    rows = _rows(loop, smoothing)
    coefficients = {term.name: term.coefficient for term in terms}
    recomputed = None
    if rows and len(coefficients) == 1 and (weight := sum(row.weight for row in rows)):
        recomputed = next(iter(coefficients.values())) * sum(row.total for row in rows) / weight + seen.penalty
    means = [row.mean for row in rows if row.mean is not None]
    return LossFacts(
        objective=settings.type,
        terms=terms,
        rows=rows,
        of_rows=bool(rows),
        label_smoothing=smoothing,
        penalty=seen.penalty,
        loop=seen.report.loss,
        recomputed=recomputed,
        mean_of_micro_batches=_mean_of_micro_batches(terms, coefficients),
        mean_of_rows=sum(means) / len(means) if means and len(coefficients) == 1 else None,
    )


def _mean_of_micro_batches(terms: Sequence[Term], coefficients: dict[str, float]) -> float:
    """What one gets who averages each micro-batch and then the averages: the well-known mistake of accumulation."""
    found = 0.0
    for name, factor in coefficients.items():
        means = [term.mean for term in terms if term.name == name and term.mean is not None]
        found += factor * sum(means) / len(means) if means else 0.0
    return found


def _rows(loop: Recorded, smoothing: float) -> list[RowLoss]:
    """What each row costs; nothing where the objective compares rows or mixes several terms."""
    if headed_of(loop.module) is not None:
        return [] if loop.job.train.objective.type != "head" else list(_headed_rows(loop))
    if loop.job.train.objective.type not in BY_TOKEN:
        return []
    found = []
    for number, one in enumerate(loop.seen.passes, 1):
        said = one.caught.tokens
        if said is None:
            return []
        for document, sample in enumerate(one.batch.rows):
            mine = [i for i, of in enumerate(said.document) if of == document]
            nll, weights = [said.nll[i] for i in mine], [said.weight[i] for i in mine]
            costs = [cost(said.nll[i], said.spread[i], smoothing) for i in mine]
            total = sum(w * c for w, c in zip(weights, costs, strict=True))
            source = int(loop.samples.source_rows[int(sample)])
            found.append(RowLoss(source, number, sum(weights), total, nll, weights))
    return found


def cost(nll: float, spread: float, smoothing: float) -> float:
    """-ln p, or with label smoothing the mixture with the mean over all tokens."""
    return (1 - smoothing) * nll + smoothing * spread


def tokens_of(loop: Recorded, tokenizer: Any, row: int) -> tuple[int, list[TokenFact]]:
    """Which of the row's samples the step saw first, and its trained tokens."""
    of_row = [i for i, source in enumerate(loop.samples.source_rows) if int(source) == row]
    one, place, sample = _find(loop, row)
    number = of_row.index(sample)
    said = one.caught.tokens
    if said is None:
        return number, []
    settings = loop.job.train.objective
    smoothing = float(getattr(settings, "label_smoothing", 0.0)) if settings.type in BY_TOKEN else 0.0
    # A unit of several sequences, a pair of answers, shows the first of them.
    counts = [len(loop.samples[int(i)].sequences) for i in one.batch.rows]
    document = sum(counts[:place])
    pieces = Pieces(tokenizer)
    facts = []
    for i in (i for i, of in enumerate(said.document) if of == document):
        top = [Likely(pieces.name(t), p) for t, p in zip(said.top_ids[i], said.top_p[i], strict=True)]
        facts.append(
            TokenFact(
                place=said.place[i],
                id=said.id[i],
                name=pieces.name(said.id[i]),
                weight=said.weight[i],
                p=_p(said.nll[i]),
                rank=said.rank[i],
                nll=said.nll[i],
                loss=said.weight[i] * cost(said.nll[i], said.spread[i], smoothing),
                top=top,
            )
        )
    return number, facts


def _p(nll: float) -> float:
    return math.exp(-nll)


def _find(loop: Recorded, row: int) -> tuple[Passed, int, int]:
    """The micro-batch, the place in it, and the number of the sample."""
    for one in loop.seen.passes:
        for place, sample in enumerate(one.batch.rows):
            if int(loop.samples.source_rows[int(sample)]) == row:
                return one, place, int(sample)
    raise LookupError("the row was laid into the step")


def _parts(loop: Recorded, one: Passed) -> Iterator[tuple[Any, Any, torch.Tensor, torch.Tensor, list[int]]]:
    """Of each head: settings, outlet, what it said, targets; and where each row of the micro-batch begins in them."""
    headed, outputs = headed_of(loop.module), one.caught.outputs
    if headed is None or outputs is None or "targets" not in one.batch.tensors:
        return
    counts = [len(loop.samples[int(i)].targets) for i in one.batch.rows]
    for part, outlet, targets in split_targets(headed, one.batch.tensors["targets"]):
        said = outputs.heads[outlet.head].float()
        if headed.takes == "choices":
            said = of_units(said, one.batch.tensors["units"])
        width = sum(other.width for other in headed.outlets)
        yield part, outlet, said, targets, [0, *itertools.accumulate(count // width for count in counts)]


def _headed_rows(loop: Recorded) -> Iterator[RowLoss]:
    """Each row by the head's own loss, asked for that row alone; of several heads the sum of their shares."""
    for number, one in enumerate(loop.seen.passes, 1):
        totals = [0.0] * len(one.batch.rows)
        weights = [0.0] * len(one.batch.rows)
        heads = 0
        for part, outlet, said, targets, borders in _parts(loop, one):
            heads += 1
            member = HEADS.of(part)
            for place, (begin, end) in enumerate(itertools.pairwise(borders)):
                totals[place] += float(member.total(part, outlet, said[begin:end], targets[begin:end]))
                weights[place] += float(member.weigh(part, outlet, targets[begin:end]))
        if heads != 1:
            return
        for place, sample in enumerate(one.batch.rows):
            yield RowLoss(int(loop.samples.source_rows[int(sample)]), number, weights[place], totals[place])


def labels_of(loop: Recorded, row: int) -> list[LabelFact]:
    """What each head said of the row, word by word where it is of words."""
    one, place, _ = _find(loop, row)
    facts = []
    for part, outlet, said, targets, borders in _parts(loop, one):
        member, (begin, end) = HEADS.of(part), borders[place : place + 2]
        for at in range(begin, end):
            mine, target = said[at : at + 1], targets[at : at + 1]
            if target.isnan().all() or (outlet.kind == "words" and float(target[0, 0]) < 0):
                continue  # nobody knows what is right
            p, named, top = _told(outlet, mine[0], target[0])
            loss = float(member.total(part, outlet, mine, target)) * coefficient(part)
            facts.append(LabelFact(outlet.head, named, p, loss, float(member.weigh(part, outlet, target)), top))
    return facts


def _told(outlet: Any, said: torch.Tensor, target: torch.Tensor) -> tuple[float | None, str, list[Likely]]:
    """The probability of what is right, its name, and what the head would rather say."""
    names = outlet.names or tuple(str(i) for i in range(len(said)))
    if outlet.kind in ("class", "words", "choice"):
        shares = said.double().softmax(-1)
        right = int(target[0])
        best = shares.topk(min(TOP, len(shares)))
        label = names[right] if right < len(names) else str(right)
        top = [Likely(str(names[i]) if i < len(names) else str(i), p) for p, i in zip(best.values.tolist(), best.indices.tolist(), strict=True)]  # fmt: skip
        return float(shares[right]), str(label), top
    if outlet.kind == "classes":
        shares = said.double().sigmoid()
        holds = [name for name, value in zip(names, target.tolist(), strict=True) if value > 0.5]
        order = shares.argsort(descending=True)[:TOP].tolist()
        return None, ", ".join(holds) or "-", [Likely(str(names[i]), float(shares[i])) for i in order]
    values = ", ".join(f"{value:g}" for value in target.tolist())
    return None, values, [Likely(f"{value:.6g}", None) for value in said.tolist()]
