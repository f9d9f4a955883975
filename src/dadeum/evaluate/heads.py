"""What a head says of the test rows, and what somebody says who knows the labels of the training part and reads nothing."""

import hashlib
import json
import platform
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from dadeum.config.evaluate import EvaluateSettings
from dadeum.core.errors import ArtifactError, ModelError
from dadeum.core.fingerprint import fingerprint, versions
from dadeum.core.language import say
from dadeum.core.progress import Reporter
from dadeum.data.labels import FILE as LABELS
from dadeum.data.labels import UNLABELLED, Head, Labels
from dadeum.data.samples import Entry, Samples
from dadeum.evaluate.entities import marked
from dadeum.evaluate.judging import decided, known
from dadeum.evaluate.measuring import measure
from dadeum.evaluate.metrics import METRICS, Judged, Sums
from dadeum.evaluate.result import EvaluationResult
from dadeum.evaluate.rows import spread

TEST, TRAIN, QUESTIONS, PROMPT = "test.arrow", "train.arrow", "test.jsonl", "prompt"
# A reward has no labels: of a pair it says two scores.
REWARD = Labels((Head("reward", "choice", "", None, 1),))
Said = dict[str, Sums]


class Predictor(Protocol):
    """Somebody who says labels."""

    name: str

    @property
    def facts(self) -> Mapping[str, Any]:
        """What is to be known of it: device, dtype."""

    def predict(self, entries: Sequence[Entry]) -> list[Said]:
        """By head, as `Judged.said` has it; of words a row for every token, labelled or not."""


class Baseline:
    """The shares of the classes, the mean of the numbers, the commonest label for every word, of a pair a tie."""

    def __init__(self, labels: Labels | None, train: Samples) -> None:
        self.name = say("commonest label", "가장 흔한 라벨")
        self.facts: Mapping[str, Any] = {"device": "-", "dtype": "-"}
        self.notes = [
            say(
                "The base reads no text: of every row it says what is commonest (of numbers the mean) in the training part.",
                "기준(base)은 글을 읽지 않고 모든 행에 학습 부분에서 가장 흔한 라벨(수는 평균)을 말합니다.",
            )
        ]
        self._labels = labels
        self._said: Said = {}
        if labels is None:
            return
        kept = [truths(labels, entry.targets) for entry in train]
        for place, head in enumerate(labels.heads):
            columns = np.concatenate([row[place].reshape(-1, _width(head)) for row in kept])
            columns = columns[np.isfinite(columns).all(axis=1)]
            if head.kind in ("classes", "numbers"):
                self._said[head.head] = columns.mean(axis=0)
            else:
                size = max(head.size, 1 + int(columns.max(initial=0)))
                self._said[head.head] = np.bincount(columns[:, 0].astype(np.int64), minlength=size) / len(columns)

    def predict(self, entries: Sequence[Entry]) -> list[Said]:
        """The same of every row."""
        return [self._of(entry) for entry in entries]

    def _of(self, entry: Entry) -> Said:
        if self._labels is None:
            return {"reward": np.zeros(2)}
        found = dict(self._said)
        for head in self._labels.heads:
            if head.kind == "words":
                found[head.head] = np.tile(found[head.head], (len(entry.input_ids), 1))
            elif head.kind == "choice":
                size = 1 + len(entry.cuts)
                found[head.head] = np.pad(found[head.head], (0, size))[:size]
        return found


def _width(head: Head) -> int:
    return head.size if head.kind in ("classes", "numbers") else 1


def truths(labels: Labels, targets: Sequence[float] | np.ndarray[Any, Any]) -> list[Sums]:
    """A sample's targets by head; of words those of the labelled tokens."""
    found = np.asarray(targets, np.float64)
    if labels.heads[0].kind == "words":
        return [found[found != UNLABELLED]]
    return np.split(found, np.cumsum([_width(head) for head in labels.heads])[:-1])


def labels_of(formatted: Path) -> Labels | None:
    """The labels of formatted rows; None where these are pairs of answers."""
    return Labels.load(formatted / PROMPT) if (formatted / PROMPT / LABELS).is_file() else None


def refuse_other(model: Any, labels: Labels | None, formatted: Path) -> None:
    """Raises ArtifactError where a model (a `generate.predictor.Predictor`) says other labels than the test rows have, or
    reads them otherwise than they were written."""
    from dadeum.tokenizer.load import load_tokenizer

    # Heads that no labels give a size are called after what they take.
    kinds = {"choices": "choice"}
    own = [(outlet.head, kinds.get(outlet.kind, outlet.kind), tuple(outlet.names)) for outlet in model.outlets]
    heads = (labels or REWARD).heads
    asked = [(head.head, "pair" if labels is None else head.kind, head.names or ()) for head in heads]
    if own != asked:
        shown, wanted = (
            "; ".join(f"{head} ({kind}{': ' if names else ''}{', '.join(names[:10])})" for head, kind, names in said)
            for said in (own, asked)
        )
        raise ArtifactError(
            say(
                f"{model.name}: says {shown}, and the test rows are labelled for {wanted}; compare models of the same labels",
                f"{model.name}: {shown}을(를) 말하는데 시험 행의 라벨은 {wanted}입니다. 라벨이 같은 모델끼리 비교하세요",
            )
        )
    one, other = (t.backend_tokenizer for t in (model.tokenizer, load_tokenizer(formatted / PROMPT)))
    for backend in (one, other):
        backend.no_padding()
        backend.no_truncation()
    if one.to_str() != other.to_str():
        raise ArtifactError(
            say(
                f"{model.name}: has another tokenizer than the one that the test rows were written with; compare models of one tokenizer",
                f"{model.name}: 시험 행을 만든 것과 토크나이저가 다릅니다. 토크나이저가 같은 모델끼리 비교하세요",
            )
        )


def measures(settings: EvaluateSettings, heads: Sequence[tuple[str, tuple[str, ...]]]) -> list[Any]:
    """The metrics of heads (kind, names): those that were asked for, else those that are usual for their labels.

    Raises ArtifactError for one that measures nothing of them.
    """
    from dadeum.evaluate.defaults import refuse_unfit, usual

    kinds = [kind for kind, _ in heads]
    if "metrics" in settings.model_fields_set:
        refuse_unfit(settings, "labels", kinds)
        chosen = list(settings.metrics)
    else:
        chosen = [METRICS.validate(name) for name in usual(kinds)]
    schemes = [marked(names) for kind, names in heads if kind == "words"]
    if schemes and not any(schemes):
        if "metrics" in settings.model_fields_set and any(metric.type == "entity_f1" for metric in chosen):
            shown = ", ".join(next(names for kind, names in heads if kind == "words")[:5])
            raise ArtifactError(
                say(
                    f"evaluate.metrics: entity_f1 needs names such as B-PER, I-PER and O, found: {shown}; take f1 or accuracy",
                    f"evaluate.metrics: entity_f1에는 B-PER, I-PER, O 같은 이름이 필요한데 {shown}입니다. f1이나 accuracy를 쓰세요",
                )
            )
        chosen = [metric for metric in chosen if metric.type != "entity_f1"]
    return chosen


def evaluate_heads(
    predictor: Predictor,
    formatted: Path,
    settings: EvaluateSettings,
    *,
    labels: Labels | None,
    dataset: str,
    reporter: Reporter,
) -> EvaluationResult:
    """Score what is said of the test part of `formatted`; without `labels` of its pairs of answers."""
    begun = time.perf_counter()
    entries = _entries(formatted, settings.limit)
    asked = _asked(formatted, {entry.source_row for entry in entries})
    heads = (labels or REWARD).heads
    kinds = [("pair" if labels is None else head.kind, head.names or ()) for head in heads]
    members = [(METRICS.of(metric), metric) for metric in measures(settings, kinds)]
    samples: list[dict[str, Any]] = []
    judged: dict[str, list[Judged]] = {head.head: [] for head in heads}
    for entry, said in _said(predictor, entries, settings.batch_size, reporter):
        row = asked.get(entry.source_row, {})
        of_row = _judged(entry, said, labels)
        _check(predictor, row, of_row)
        for name, one in of_row.items():
            judged[name].append(one)
        samples.append(_sample(entry, row, of_row))
    metrics: dict[str, dict[str, Any]] = {}
    reporter.start(say(f"{predictor.name}: metrics", f"{predictor.name}: 지표"), len(members))
    for done, (member, metric) in enumerate(members, 1):
        for head, (kind, _) in zip(heads, kinds, strict=True):
            kept = [at for at, one in enumerate(judged[head.head]) if known(one)]
            if kind in member.of and kept:
                prefix = f"{head.head}." if len(heads) > 1 else ""
                scored = [judged[head.head][at] for at in kept]
                metrics |= measure(
                    member, metric, scored, [samples[at] for at in kept], settings, prefix, tell=reporter.warn
                )
        reporter.advance(done)
    return EvaluationResult(
        model=predictor.name,
        dataset=dataset,
        metrics=metrics,
        samples=samples,
        environment=_environment(predictor, entries, settings, formatted, heads),
        notes=list(predictor.notes) if isinstance(predictor, Baseline) else [],
        seconds=round(time.perf_counter() - begun, 3),
        confusion={head.head: matrix for head in heads if (matrix := _confusion(head, judged[head.head]))},
    )


def _entries(formatted: Path, limit: int | None) -> list[Entry]:
    rows = Samples.open(formatted / TEST)
    if not len(rows):
        raise ArtifactError(
            say(
                f"{formatted / TEST}: holds no test rows; raise data.split.test",
                f"{formatted / TEST}: 시험 행이 없습니다. data.split.test를 늘리세요",
            )
        )
    return [rows[i] for i in spread(len(rows), limit)]


def _asked(formatted: Path, wanted: set[int]) -> dict[int, dict[str, Any]]:
    found = {}
    with (formatted / QUESTIONS).open(encoding="utf-8") as file:
        for line in file:
            row = json.loads(line)
            if row["source_row"] in wanted:
                found[row["source_row"]] = row
    return found


def _said(
    predictor: Predictor, entries: Sequence[Entry], size: int, reporter: Reporter
) -> Iterator[tuple[Entry, Said]]:
    """In order; rows of like length go together."""
    reporter.start(say(f"{predictor.name}: labels", f"{predictor.name}: 라벨 예측"), len(entries), say("rows", "행"))
    order = sorted(range(len(entries)), key=lambda at: -len(entries[at].input_ids))
    found: dict[int, Said] = {}
    for begin in range(0, len(order), size):
        places = order[begin : begin + size]
        found |= dict(zip(places, predictor.predict([entries[at] for at in places]), strict=True))
        reporter.advance(len(found))
    yield from ((entry, found[at]) for at, entry in enumerate(entries))


def _judged(entry: Entry, said: Said, labels: Labels | None) -> dict[str, Judged]:
    if labels is None:
        return {"reward": Judged("pair", (), np.zeros(0), np.asarray(said["reward"], np.float64))}
    found = {}
    for head, truth in zip(labels.heads, truths(labels, entry.targets), strict=True):
        own = np.asarray(said[head.head], np.float64)
        if head.kind == "words":
            own = own[np.asarray(entry.targets) != UNLABELLED]
        found[head.head] = Judged(head.kind, head.names or (), truth, own)
    return found


def _check(predictor: Predictor, row: Mapping[str, Any], of_row: Mapping[str, Judged]) -> None:
    wrong = next((head for head, one in of_row.items() if not np.isfinite(one.said).all()), None)
    if wrong is not None:
        number = row.get("source_row")
        raise ModelError(
            say(
                f"{predictor.name}: what head '{wrong}' says of test row {number} is not a number; the weights are damaged",
                f"{predictor.name}: 시험 행 {number}에 대한 '{wrong}' 헤드의 값이 숫자가 아닙니다. 가중치가 손상되었습니다",
            )
        )


def _sample(entry: Entry, row: Mapping[str, Any], of_row: Mapping[str, Judged]) -> dict[str, Any]:
    """The row as tables show it."""
    talk = row.get("messages") or []
    text = row.get("text") or next((m["content"] for m in reversed(talk) if m["role"] == "user"), "")
    question = text if row.get("second") is None else f"{text}\n{row['second']}"
    true, said = (
        {name: _words(one, values, row) for name, one, values in told}
        for told in (
            [(name, one, one.truth) for name, one in of_row.items()],
            [(name, one, decided(one)) for name, one in of_row.items()],
        )
    )
    reference = row.get("reference") if talk else _together(true)
    beside = {key: row[key] for key in ("category", "group") if row.get(key) is not None}
    return {
        **beside,
        "question": question,
        "reference": reference,
        "prediction": _together(said),
        "source_row": entry.source_row,
        "statistics": {},
    }


def _words(one: Judged, values: Sums, row: Mapping[str, Any]) -> str:
    """Labels as they are called; nothing where there is none."""
    if one.kind == "pair":
        return f"{one.said[0]:.4g} : {one.said[1]:.4g}"
    if not np.isfinite(values).any():
        return ""
    if one.kind == "numbers":
        return ", ".join(f"{value:.4g}" for value in values)
    if one.kind == "classes":
        return ", ".join(name for name, there in zip(one.names, values, strict=True) if there)
    if one.kind == "choice":
        choices = row.get("choices") or [str(i) for i in range(len(one.said))]
        return str(choices[int(values[0])])
    return " ".join(one.names[int(value)] for value in values)


def _together(told: Mapping[str, str]) -> str:
    return next(iter(told.values())) if len(told) == 1 else " · ".join(f"{name}: {said}" for name, said in told.items())


def _confusion(head: Head, judged: Sequence[Judged]) -> dict[str, Any] | None:
    """Of single labels: true classes in rows, what was said in columns; of several for each class [[no, over], [missed, hit]]."""
    kept = [one for one in judged if known(one)]
    if head.kind not in ("class", "classes", "words") or not kept:
        return None
    names = list(head.names or ())
    if head.kind == "classes":
        true, said = np.stack([one.truth for one in kept]) > 0, np.stack([decided(one) for one in kept]) > 0
        cells = [
            [[int((~t & ~s).sum()), int((~t & s).sum())], [int((t & ~s).sum()), int((t & s).sum())]]
            for t, s in zip(true.T, said.T, strict=True)
        ]
        return {"names": names, "counts": cells}
    true = np.concatenate([one.truth for one in kept]).astype(np.int64)
    said = np.concatenate([decided(one) for one in kept]).astype(np.int64)
    counts = np.bincount(true * len(names) + said, minlength=len(names) ** 2).reshape(len(names), len(names))
    return {"names": names, "counts": counts.tolist()}


def _environment(
    predictor: Predictor, entries: Sequence[Entry], settings: EvaluateSettings, formatted: Path, heads: Sequence[Head]
) -> dict[str, Any]:
    tokenizer = formatted / PROMPT / "tokenizer.json"
    return {
        "versions": versions(),
        "python": platform.python_version(),
        **predictor.facts,
        "decoding": {},
        "batch_size": settings.batch_size,
        "seed": settings.seed,
        "template_sha256": "",
        "tokenizer_sha256": hashlib.sha256(tokenizer.read_bytes()).hexdigest(),
        "questions_sha256": fingerprint([entry.input_ids.tolist() for entry in entries]),
        "targets_sha256": fingerprint([repr(entry.targets.tolist()) for entry in entries]),
        "heads": [head._asdict() for head in heads],
        "few_shot": None,
    }
