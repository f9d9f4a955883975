"""The stage: a job becomes `final/`. Opens what the loop needs, resumes, runs it, writes the result.

train(job, reporter) -> TrainResult      smoke(job, reporter) -> Smoke: can this model learn these rows at all?
"""

import contextlib
import platform
import shutil
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

from dadeum.core import faults
from dadeum.core.artifact import damage, read_json, read_manifest, writing
from dadeum.core.errors import TrainError
from dadeum.core.fingerprint import fingerprint
from dadeum.core.language import say
from dadeum.core.lock import locked
from dadeum.core.progress import Reporter, Silent
from dadeum.train.hooks import Hook, build_hooks
from dadeum.train.job import STATISTICS, TrainJob, TrainResult
from dadeum.train.schedule import Forecast, forecast

if TYPE_CHECKING:
    from dadeum.data.samples import Samples
    from dadeum.train.loop import Loop, Rows
    from dadeum.train.processes import Processes
    from dadeum.train.state import Checkpoint

__all__ = ["Forecast", "TrainJob", "TrainResult", "forecast", "train"]
FINAL_KIND = "model"


def train(job: TrainJob, reporter: Reporter) -> TrainResult:
    """Train, or go on, or return at once where `final/` is whole.

    Runs alone or as one of several processes. Raises TrainError and ModelError for faults of what it was given,
    ArtifactError while another process trains here, Interrupted after a signal.
    """
    from dadeum.train.processes import Processes
    from dadeum.train.state import clear

    processes = Processes()
    with locked(job.checkpoints) if processes.main else contextlib.nullcontext():
        if processes.main:
            clear(job.checkpoints)
        processes.wait()
        done = _finished(job, reporter)
        if done is not None:
            return done
        hooks = build_hooks(job, reporter if processes.main else Silent())
        with events(hooks, processes.main):
            loop = prepare(job, reporter, processes, hooks)
            run_loop(loop)
            return _write_final(loop)


@contextlib.contextmanager
def events(hooks: dict[str, Hook], main: bool) -> Iterator[None]:
    """Around a training: hooks prepare, hear of an error, and close."""
    try:
        for hook in hooks.values():
            hook.on_prepare(main)
        yield
    except BaseException as error:
        for hook in hooks.values():
            hook.on_error(error)
        raise
    finally:
        for hook in hooks.values():
            hook.on_close()


def _finished(job: TrainJob, reporter: Reporter) -> TrainResult | None:
    """The result, where it is there already. Raises TrainError where the folder is not this run's to use."""
    manifest = read_manifest(job.final)
    taken = manifest is not None or any(job.checkpoints.glob("step-*"))
    if job.resume == "never" and taken:
        raise TrainError(
            say(
                f"{job.checkpoints}: holds a run already, and train was told never to resume; take a new run folder",
                f"{job.checkpoints}: 이미 실행이 있는데 이어서 하지 않기로 했습니다. 새 실행 폴더를 쓰세요",
            )
        )
    if manifest is None:
        return None
    if manifest.fingerprint != job.fingerprint:
        raise TrainError(
            say(
                f"{job.final}: is the result of other settings or data; start a new run",
                f"{job.final}: 다른 설정이나 데이터의 결과입니다. 새로 시작하세요",
            )
        )
    broken = damage(job.final, manifest)
    if broken:
        reporter.warn(
            say(
                f"{job.final}: '{broken}' is damaged; made again",
                f"{job.final}: '{broken}' 파일이 손상되어 다시 만듭니다",
            )
        )
        return None
    return TrainResult(job.final, read_json(job.final / STATISTICS))


def prepare(
    job: TrainJob,
    reporter: Reporter,
    processes: "Processes",
    hooks: dict[str, Hook],
    choose: "Callable[[Rows], Rows] | None" = None,
) -> "Loop":
    """The loop, fresh or where its newest whole checkpoint stands; `choose` takes some of the training rows."""
    from dadeum.data.contract import open_prompt
    from dadeum.data.samples import Samples
    from dadeum.model import adapters
    from dadeum.model.headed import below_head
    from dadeum.model.load import enable_checkpointing
    from dadeum.train import precision as arithmetic
    from dadeum.train.adapter import beside, give_first_values, tell_trained, with_rates
    from dadeum.train.learning_rate import learning_rates
    from dadeum.train.loop import Loop
    from dadeum.train.memory import tell_memory
    from dadeum.train.objectives import OBJECTIVES
    from dadeum.train.optimizers import OPTIMIZERS
    from dadeum.train.order import Order
    from dadeum.train.schedule import make_schedule, rank_batch
    from dadeum.train.weights import PROMPT, load_weights

    settings = job.train
    rows, validation = (Samples.open(job.formatted / f"{part}.arrow") for part in ("train", "validation"))
    samples: Rows = choose(rows) if choose else rows
    schedule = make_schedule(settings, len(samples))
    rank_batch(settings.total_train_batch_size, processes.world_size)
    kind = arithmetic.resolve(settings.precision, processes.device)
    checkpoint = _checkpoint(job, reporter)
    conditions = _conditions(job, processes, kind)
    if checkpoint is not None:
        _may_resume(job, checkpoint, conditions)
    tokenizer, contract = open_prompt(job.formatted / PROMPT)
    adapters.refuse(job.adapter, beside(job, schedule.steps))
    module = load_weights(
        job, checkpoint.folder if checkpoint else None, tokenizer=tokenizer, precision=kind, device=processes.device
    )
    body = below_head(module)
    _fits_the_model(body, _longest(job, [rows, validation], headed=body is not module))
    if checkpoint is None:
        give_first_values(job, body, samples, tokenizer, _pad_id(tokenizer))
        tell_trained(module, reporter)
    tell_memory(job, module, reporter)
    _rotates_evenly(job, module, samples)
    if settings.gradient_checkpointing:
        enable_checkpointing(module)
    loop = Loop(
        job=job,
        reporter=reporter,
        processes=processes,
        objective=OBJECTIVES.of(settings.objective),
        module=module,
        model=processes.wrap(module),
        optimizer=with_rates(
            OPTIMIZERS.of(settings.optim).build(settings.optim, module, settings.learning_rate),
            adapters.learning_rates(job.adapter, body),
        ),
        course=adapters.course(job.adapter, body, schedule.steps),
        learning_rate=learning_rates(settings, schedule),
        arithmetic=arithmetic.Arithmetic(kind, processes.device),
        samples=samples,
        validation_samples=validation,
        order=Order(len(samples), settings.total_train_batch_size, settings.seed),
        schedule=schedule,
        hooks=hooks,
        pad_id=_pad_id(tokenizer),
        stop_ids=tuple(contract.stop_ids),
        per_device=1,
        conditions=conditions,
        device_name=_device_name(processes),
        resumed_from=checkpoint.step if checkpoint is not None else None,
    )
    if hasattr(loop.objective, "prepare"):
        loop.context.prepared = loop.objective.prepare(settings.objective, loop)
    _stand(loop, checkpoint)
    return loop


def _stand(loop: "Loop", checkpoint: "Checkpoint | None") -> None:
    """Put the loop where it goes on, or at the start."""
    from dadeum.train import batch_size, rng
    from dadeum.train.optimizers import OPTIMIZERS
    from dadeum.train.schedule import rank_batch
    from dadeum.train.state import restore

    settings = loop.job.train
    rank_total = rank_batch(settings.total_train_batch_size, loop.processes.world_size)
    wanted = settings.per_device_train_batch_size
    if checkpoint is not None:
        loop.per_device = checkpoint.state()["per_device_train_batch_size"]
        restore(loop, checkpoint)
        loop.reporter.note(say(f"goes on after step {loop.step}", f"{loop.step}단계 뒤부터 이어서 학습합니다"))
        return
    rng.seed_everything(settings.seed + loop.processes.rank)
    trainable = sum(p.numel() for p in loop.module.parameters() if p.requires_grad)
    state_bytes = OPTIMIZERS.of(settings.optim).state_bytes(settings.optim, trainable)
    if wanted != "auto":
        loop.per_device = batch_size.given(wanted, rank_total)
        batch_size.require(loop, loop.per_device, state_bytes)
        return
    loop.per_device = size = batch_size.fitted(loop, rank_total, state_bytes)
    loop.reporter.note(
        say(
            f"{size} samples at once on each device, {-(-rank_total // size)} times a step",
            f"장치마다 한 번에 샘플 {size}개, 한 단계에 {-(-rank_total // size)}번",
        )
    )


def _checkpoint(job: TrainJob, reporter: Reporter) -> "Checkpoint | None":
    from dadeum.train.state import newest

    found = newest(job.checkpoints, reporter)
    if found is None and job.resume == "must":
        raise TrainError(
            say(
                f"{job.checkpoints}: no whole checkpoint to resume from; run again without 'must'",
                f"{job.checkpoints}: 이어서 할 온전한 체크포인트가 없습니다. 'must' 없이 다시 실행하세요",
            )
        )
    return found


def _conditions(job: TrainJob, processes: "Processes", precision: str) -> dict[str, Any]:
    import torch

    from dadeum.train.conditions import conditions

    device = processes.device.type
    manifest = read_manifest(job.formatted)
    if manifest is None:
        raise TrainError(
            say(
                f"{job.formatted}: incomplete; run `dadeum data format` again",
                f"{job.formatted}: 완성되지 않았습니다. `dadeum data format`을 다시 실행하세요",
            )
        )
    return conditions(
        job,
        data=fingerprint({name: digest for name, digest in manifest.files.items() if name != "statistics.json"}),
        world_size=processes.world_size,
        device=device,
        threads=torch.get_num_threads() if device == "cpu" else 0,
        precision=precision,
    )


def _may_resume(job: TrainJob, checkpoint: "Checkpoint", now: dict[str, Any]) -> None:
    from dadeum.train.conditions import require_same

    state = checkpoint.state()
    then, name = dict(state["conditions"]), "per_device_train_batch_size"
    if job.train.per_device_train_batch_size != "auto":
        then, now = {**then, name: state[name]}, {**now, name: job.train.per_device_train_batch_size}
    require_same(then, now, str(checkpoint.folder))


def _longest(job: TrainJob, parts: "list[Samples]", *, headed: bool) -> int:
    """The longest sequence that the model will read; a head also reads the test rows as they were formatted."""
    from dadeum.data.samples import Samples

    test = job.formatted / "test.arrow"
    more = [Samples.open(test)] if headed and test.is_file() else []
    return max(part.longest for part in (*parts, *more))


def _fits_the_model(module: Any, longest: int) -> None:
    """Raises TrainError where a sample is longer than the model has positions."""
    limit = getattr(module.config.get_text_config(), "max_position_embeddings", None)
    virtual = getattr(getattr(module, "active_peft_config", None), "num_virtual_tokens", 0)
    if isinstance(limit, int) and longest + virtual > limit:
        more = say(f" and {virtual} virtual ones", f"와 가상 토큰 {virtual}개") if virtual else ""
        raise TrainError(
            say(
                f"data.max_length: the longest sample has {longest} tokens{more}, but the model has only {limit} positions; "
                f"set data.max_length to at most {limit - virtual}",
                f"data.max_length: 가장 긴 샘플이 토큰 {longest}개{more}인데 모델의 위치는 {limit}개뿐입니다. "
                f"data.max_length를 {limit - virtual} 이하로 하세요",
            )
        )


def _rotates_evenly(job: TrainJob, module: Any, samples: Any) -> None:
    """Raises TrainError where a short sample's rotations would depend on a long one that shares its forward pass."""
    from dadeum.model.configuration import rotation_limit

    limit = rotation_limit(module.config)
    shortest, longest = samples.shortest, samples.longest
    alone = not job.packing and not samples.several and job.train.per_device_train_batch_size == 1
    if limit is None or alone or not shortest <= limit < longest:
        return
    kind = module.config.model_type
    one, other = (
        ", or data.packing to false and train.per_device_train_batch_size to 1",
        "하거나, data.packing을 false로, ",
    )
    other += "train.per_device_train_batch_size를 1로 하세요"
    if samples.several:  # even one sample of several sequences is a batch
        one, other = "", "하세요"
    raise TrainError(
        say(
            f"data.max_length: the longest sample has {longest} tokens, and past {limit} a '{kind}' model of this kind rotates "
            f"all samples of a batch otherwise; set data.max_length to at most {limit}{one}",
            f"data.max_length: 가장 긴 샘플이 토큰 {longest}개인데, {limit}개를 넘으면 이 '{kind}' 모델은 배치의 모든 샘플을 다르게 "
            f"회전합니다. data.max_length를 {limit} 이하로 {other}",
        )
    )


def _pad_id(tokenizer: Any) -> int:
    """Any id does: padding weighs nothing by its place."""
    found = tokenizer.pad_token_id if tokenizer.pad_token_id is not None else tokenizer.eos_token_id
    return int(found or 0)


def _device_name(processes: "Processes") -> str:
    import torch

    if processes.device.type == "cuda":
        return torch.cuda.get_device_name(processes.device)
    return f"{processes.device.type} ({platform.machine()}, {torch.get_num_threads()} threads)"


def run_loop(loop: "Loop") -> None:
    """Run it. Raises TrainError where the memory runs out."""
    from dadeum.train.batch_size import out_of_memory, too_large

    try:
        loop.run()
    except Exception as error:
        if not out_of_memory(error):
            raise
        where = say(f"step {loop.step + 1}: the memory ran out", f"{loop.step + 1}단계: 메모리가 모자랍니다")
        raise too_large(where, loop.per_device) from error


def _write_final(loop: "Loop") -> TrainResult:
    """Weights, tokenizer, prompt and statistics; no state. Raises ModelError where a weight is not finite."""
    from dadeum.train.state import not_written, require_space
    from dadeum.train.weights import save_weights

    job = loop.job
    if loop.processes.main:
        require_space(loop)
        facts = {"step": loop.step, "epoch": loop.schedule.epochs, "validation_loss": loop.validation.get(loop.step)}
        faults.point("final.start")
        try:
            with writing(
                job.final,
                kind=FINAL_KIND,
                fingerprint=job.fingerprint,
                made_from=loop.conditions,
                facts=facts,
                points="final",
            ) as aside:
                save_weights(loop.module, aside, job.formatted, loop.stop_ids, loop.pad_id)
                shutil.copyfile(job.evidence / STATISTICS, aside / STATISTICS)
        except OSError as error:
            raise not_written(job.final, error) from None
    loop.processes.wait()
    return TrainResult(job.final, read_json(job.final / STATISTICS))
