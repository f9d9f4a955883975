"""What a run would cost and what to look out for, asked of each stage before anything is trained."""

import shutil
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from dadeum.core.artifact import read_json, read_manifest
from dadeum.core.language import say
from dadeum.core.progress import Reporter, Silent
from dadeum.data.mixture import NOT_DRAWN, said
from dadeum.evaluate import step as evaluate_step
from dadeum.model.heads import HEADS
from dadeum.run import works
from dadeum.run.fit import go_together
from dadeum.run.purpose import purpose_of
from dadeum.run.stages import Lab, Plan, artifact_folder
from dadeum.train.schedule import forecast as train_forecast
from dadeum.train.step import train

FLOAT, HALF, MOMENTS = 4, 2, 2
FEW_TEST_ROWS = 50
PROBE_STEPS = 4


@dataclass
class Forecast:
    """Facts by name, and warnings."""

    facts: dict[str, Any] = field(default_factory=dict)
    warnings: list[str] = field(default_factory=list)


def forecast(lab: Lab, plan: Plan, *, probe: bool, reporter: Reporter) -> Forecast:
    """Rows, tokens, steps, parameters and disk of the plan; with `probe`, the time of some real steps.

    What depends on data that was not formatted yet is left out, and said so.
    """
    found = Forecast()
    go_together(lab.experiment)
    folder = artifact_folder(lab, plan.step("format"))
    if folder is None or read_manifest(folder) is None:
        found.warnings.append(
            say(
                "rows, tokens and steps are known once the data stages ran (leave --no-data out)",
                "행, 토큰, 단계 수는 데이터 단계를 거친 뒤에 알 수 있습니다 (--no-data를 빼세요)",
            )
        )
        _preview(lab, plan, found)
        return found
    before = artifact_folder(lab, plan.step("preprocess"))
    prepared = read_manifest(before) if before is not None else None
    mixture = prepared.facts.get("mixture") if prepared is not None else None
    statistics = read_json(folder / "statistics.json")
    steps = _data(lab, statistics, mixture, found)
    _gate(statistics["gate"], found)
    _parameters(lab, plan, found)
    if probe and steps:
        _probe(lab, plan, steps, found, reporter)
    return found


def _gate(facts: dict[str, Any], found: Forecast) -> None:
    """What the gate saw in the samples; what it refuses has stopped the data stages."""
    from dadeum.data.verdict import line

    name, _, text = line(facts).partition(": ")
    found.facts[name] = text
    found.warnings += [say(f"allowed: {f['text']}", f"허용됨: {f['text']}") for f in facts["found"].values()]


def _preview(lab: Lab, plan: Plan, found: Forecast) -> None:
    """The gate on the first rows, where all that it needs is here."""
    if not plan.step("download").fresh or plan.places.tokenizer is None:
        return
    from dadeum.data.preview import preview, told

    experiment = lab.experiment
    seen = preview(
        experiment.data,
        tokenizer_place=plan.places.tokenizer,
        chat_template=works.template_of(experiment, lab),
        new_tokens=tuple(experiment.tokenizer.new_tokens),
        purpose=purpose_of(experiment),
        workspace=lab.workspace,
    )
    if seen is None:
        return
    found.facts[say("gate", "관문")] = told(seen)
    for finding in seen.findings:
        taken = say("allowed", "허용됨") if finding.allowed else say("will stop", "멈출 것")
        found.warnings.append(f"{taken}: {finding}")
    found.warnings += [say(f"will stop: {stop}", f"멈출 것: {stop}") for stop in seen.stops]


def _data(lab: Lab, statistics: dict[str, Any], mixture: Sequence[dict[str, Any]] | None, found: Forecast) -> int:
    parts, total, experiment = statistics["parts"], statistics["total"], lab.experiment
    rows = {part: facts["rows"] for part, facts in parts.items()}
    samples = {part: facts["samples"] for part, facts in parts.items()}
    train = parts["train"]
    found.facts[say("rows", "행")] = ", ".join(f"{part} {count:,}" for part, count in rows.items())
    if samples != rows:  # a long text is several, a pair is two where answers are rated, a row may come again
        found.facts[say("samples", "샘플")] = ", ".join(f"{part} {count:,}" for part, count in samples.items())
    if mixture:
        found.facts[say("mixture", "데이터 비율")] = said(mixture)
    tokens, trained = train["tokens"], train["trained_tokens"]
    found.facts[say("tokens an epoch", "에포크당 토큰")] = say(
        f"{tokens:,} ({trained:,} trained, {trained / max(tokens, 1):.0%})",
        f"{tokens:,} (학습 {trained:,}, {trained / max(tokens, 1):.0%})",
    )
    longest, limit = total["longest"], experiment.data.max_length
    found.facts[say("longest sample", "가장 긴 샘플")] = say(
        f"{longest:,} of {limit:,} tokens", f"{longest:,}토큰 (한도 {limit:,})"
    )
    schedule = train_forecast(experiment.train, samples["train"], samples["validation"])
    found.facts[say("optimizer steps", "옵티마이저 단계")] = say(
        f"{schedule.steps:,} ({schedule.steps_per_epoch:,} an epoch, {schedule.epochs:g} epochs, {schedule.warmup_steps} of warm-up)",
        f"{schedule.steps:,} (에포크당 {schedule.steps_per_epoch:,}, {schedule.epochs:g}에포크, 준비 {schedule.warmup_steps})",
    )
    found.facts[say("effective batch", "실제 배치")] = say(
        f"{schedule.effective_batch} samples", f"샘플 {schedule.effective_batch}개"
    )
    found.facts[say("evaluations, checkpoints", "검증, 체크포인트")] = f"{schedule.evaluations}, {schedule.saves}"
    if HEADS.of(experiment.head).gives != "tokens":
        found.facts[say("rows to label", "라벨을 예측할 행")] = f"{rows['test']:,}"
        found.warnings += _warnings(statistics, rows)
        return schedule.steps
    scored = evaluate_step.forecast(experiment.evaluate, rows=statistics.get("questions", rows["test"]), kind="base")
    prompts, most = (scored["prompts"] or 0) + (scored["rows"] or 0), experiment.evaluate.max_new_tokens
    found.facts[say("prompts to answer", "답할 프롬프트")] = say(
        f"{prompts:,}, of at most {most} tokens", f"{prompts:,}개, 각 {most}토큰 이하"
    )
    found.warnings += _warnings(statistics, rows)
    return schedule.steps


def _warnings(statistics: dict[str, Any], rows: dict[str, int]) -> Iterator[str]:
    if rows["test"] < FEW_TEST_ROWS:
        yield say(
            f"only {rows['test']} test rows: the intervals will be wide (data.split.test)",
            f"시험 행이 {rows['test']}개뿐이라 구간이 넓어집니다 (data.split.test)",
        )
    if not rows["validation"]:
        yield say(
            "no validation rows: a rising loss will not be seen (data.split.validation)",
            "검증 행이 없어 손실이 오르는 것을 볼 수 없습니다 (data.split.validation)",
        )
    for name, count in {**statistics["dropped_before"], **statistics["dropped"]}.items():
        if name != NOT_DRAWN:  # as the mixture says
            yield say(f"{count} rows left out: {name}", f"{count}행을 뺐습니다: {name}")
    if statistics["overlong"]["cut"]:
        yield say(
            f"{statistics['overlong']['cut']} prompts cut at the front to fit data.max_length",
            f"data.max_length에 맞추려고 프롬프트 {statistics['overlong']['cut']}개의 앞을 잘랐습니다",
        )


def _parameters(lab: Lab, plan: Plan, found: Forecast) -> None:
    from dadeum.data.contract import open_prompt
    from dadeum.model.count import count_parameters, on_meta
    from dadeum.model.few_bits import expected_bytes
    from dadeum.train.weights import head_labels

    experiment, model = lab.experiment, lab.experiment.model
    fresh = model.init == "random"
    tokenizer, _ = open_prompt(works.folder_of(lab, plan, "format") / "prompt")
    size = len(tokenizer) if fresh else None
    source: Any = model.config if fresh and model.config else plan.places.model
    everything, trained = count_parameters(
        source,
        experiment.adapter,
        vocab_size=size,
        trusted=model.trust_remote_code,
        new_tokens=tokenizer.convert_tokens_to_ids(list(experiment.tokenizer.new_tokens)),
        untied=model.untie_embeddings,
        head=experiment.head,
        labels=head_labels(experiment.head, works.folder_of(lab, plan, "format") / "prompt"),
    )
    if model.quantization is not None:
        plain = on_meta(source, trusted=model.trust_remote_code)
        width = FLOAT if model.dtype == "float32" else HALF
        found.facts[say("base in memory", "기본 모델 메모리")] = say(
            f"{_size(expected_bytes(plain, model.quantization, width))} ({model.quantization.scheme}), "
            f"{_size(expected_bytes(plain, None, width))} in full",
            f"{_size(expected_bytes(plain, model.quantization, width))} ({model.quantization.scheme}), "
            f"그대로면 {_size(expected_bytes(plain, None, width))}",
        )
    if trained is None:
        found.facts[say("parameters", "파라미터")] = say(
            f"{everything:,}; what is trained shows when the training begins",
            f"{everything:,}. 학습할 파라미터는 학습을 시작할 때 보입니다",
        )
        return
    share = f"{trained / everything:.2%}"
    found.facts[say("parameters", "파라미터")] = say(
        f"{everything:,}, trained {trained:,} ({share})", f"{everything:,}, 학습 {trained:,} ({share})"
    )
    checkpoint = trained * FLOAT * (1 + MOMENTS)
    kept = experiment.train.save_total_limit + 1
    need = checkpoint * kept + trained * FLOAT + (everything * FLOAT if experiment.export else 0)
    free = shutil.disk_usage(lab.workspace.root).free
    found.facts[say("disk", "디스크")] = say(
        f"{_size(need)} for {kept} checkpoints, final and merged weights; {_size(free)} free",
        f"체크포인트 {kept}개와 최종, 병합 가중치에 {_size(need)}. 여유 {_size(free)}",
    )
    if need > free:
        found.warnings.append(
            say(
                f"the disk has room for {_size(free)}, the run needs {_size(need)}",
                f"디스크 여유는 {_size(free)}인데 {_size(need)}가 필요합니다",
            )
        )


def _size(count: float) -> str:
    for unit in ("B", "KiB", "MiB", "GiB"):
        if count < 1024:
            return f"{count:.0f} {unit}" if unit == "B" else f"{count:.1f} {unit}"
        count /= 1024
    return f"{count:.1f} TiB"


def _probe(lab: Lab, plan: Plan, steps: int, found: Forecast, reporter: Reporter) -> None:
    """A few real steps in a folder that is thrown away."""
    from dadeum.run.execute import execute
    from dadeum.run.store import Run

    class Board(Silent):
        """Tells nothing."""

        def mark(self, name: str, state: str, text: str = "") -> None:
            """Draws nothing."""

    plan = execute(lab, Board(), works.before_training(lab)).plan
    with TemporaryDirectory(prefix="dadeum-probe-") as place:
        job = works.job_of(
            lab,
            plan,
            Run(lab.experiment.name, "probe", Path(place) / "checkpoints", Path(place) / "experiments"),
            "auto",
        )
        settings = job.train.model_copy(
            update={
                "max_steps": min(PROBE_STEPS, steps),
                "eval_steps": float(steps + 1),
                "save_steps": float(steps + 1),
            }
        )
        reporter.start(say("probe", "시험 단계"), PROBE_STEPS)
        stats = train(replace(job, train=settings), Silent()).stats
    seconds = stats["seconds"] / stats["optimizer_steps"] * steps
    found.facts[say("time to train", "학습 시간")] = say(
        f"about {_time(seconds)} ({stats['tokens_per_second']:,.0f} tokens/s in {stats['optimizer_steps']} steps)",
        f"약 {_time(seconds)} ({stats['optimizer_steps']}단계에서 초당 {stats['tokens_per_second']:,.0f}토큰)",
    )


def _time(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes} min" if hours else f"{minutes} min {rest} s" if minutes else f"{rest} s"
