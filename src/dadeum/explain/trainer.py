"""The same step by `transformers.Trainer`: the same rows, the same weights, moments and settings, its own loop.

It begins where ours began. Its optimizer, schedule, loss, averaging and clipping are its own; only the rows are put before it
in our order. What it cannot do is said, and then there are no numbers.
"""

import contextlib
import logging
import tempfile
import warnings
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import torch
from torch import Tensor, nn

from dadeum.core.fingerprint import version
from dadeum.core.language import say
from dadeum.data.batch import collate
from dadeum.explain.facts import SameStep, Side
from dadeum.explain.recording import Recorded
from dadeum.model.headed import Headed, headed_of
from dadeum.model.packing import unwrap
from dadeum.train import rng
from dadeum.train.weights import trained_parameters

IGNORED = -100
Batch = dict[str, Tensor]
# torch's own losses of heads, by the kind of their labels.
LOSSES: dict[str, Any] = {
    "class": nn.functional.cross_entropy,
    "words": nn.functional.cross_entropy,
    "classes": nn.functional.binary_cross_entropy_with_logits,
    "numbers": nn.functional.mse_loss,
}


def same_step(loop: Recorded, after: Mapping[str, Tensor]) -> SameStep:
    """The step again, by the Trainer. `after` are our weights after it; the module ends with the Trainer's."""
    installed = version("transformers")
    reason = _cannot(loop)
    if reason:
        return SameStep(installed, why=reason)
    packed = loop.job.packing and _draws(loop.module)
    notes = _notes(loop)
    try:
        batches = [_batch(loop, one.batch.rows, one.batch.tensors, packed=packed) for one in loop.seen.passes]
        with _put_back(loop, packed):
            found = _run(loop, batches)
    except (RuntimeError, ValueError, TypeError, AttributeError, NotImplementedError) as error:
        first = (str(error).splitlines() or [type(error).__name__])[0]
        return SameStep(
            installed, why=say(f"the Trainer stopped with: {first}", f"Trainer가 다음 오류로 멈췄습니다: {first}")
        )
    if found is None:
        return SameStep(
            installed,
            why=say(
                "the Trainer's own gradient scale overflowed and it left the step out",
                "Trainer의 그래디언트 배율이 넘쳐서 이 단계를 건너뛰었습니다",
            ),
        )
    layout = say("side by side, padded to the longest", "가장 긴 행에 맞춰 채운 배치")
    if packed:
        layout = say("end to end, told apart by position_ids", "이어 붙이고 position_ids로 구분한 배치")
    theirs = {name: p.detach().cpu() for name, p in trained_parameters(loop.module)}
    worst = max(float((after[name] - theirs[name]).abs().max()) for name in after)
    count = sum(tensor.numel() for tensor in after.values())
    return SameStep(installed, layout, _sides(loop, found, after, theirs), count, worst, notes)


def _cannot(loop: Recorded) -> str:
    """Why the Trainer has no such step; nothing where it has."""
    objective, seen = loop.job.train.objective.type, loop.seen
    headed = headed_of(loop.module)
    if objective not in ("sft", "pretrain", "auto", "head"):
        return say(
            f"transformers.Trainer has no loss for the objective '{objective}'; one would write it in compute_loss",
            f"transformers.Trainer에는 '{objective}' 손실이 없습니다. compute_loss에 직접 써야 합니다",
        )
    unknown = headed is not None and any(
        headed.outlets[0].kind in ("numbers", "classes") and bool(one.batch.tensors["targets"].isnan().any())
        for one in seen.passes
        if "targets" in one.batch.tensors
    )
    if headed is not None and (len(headed.outlets) != 1 or _loss_of(headed) is None or unknown):
        return say(
            "transformers has no ready loss for this head and its settings",
            "이 헤드와 설정에 맞는 손실이 transformers에 없습니다",
        )
    if headed is None and any(
        weight not in (0.0, 1.0) for one in seen.passes for weight in one.batch.tensors["weights"].unique().tolist()
    ):
        return say(
            "some tokens have weights other than 0 and 1, which the Trainer's labels cannot say",
            "무게가 0이나 1이 아닌 토큰이 있는데 Trainer의 labels로는 나타낼 수 없습니다",
        )
    if getattr(loop.job.train.objective, "neftune_noise_alpha", 0):
        return say(
            "it scales NEFTune's noise by the padded length of a batch and draws it in another order",
            "Trainer는 NEFTune 잡음을 배치의 채운 길이로 줄이고 다른 순서로 뽑습니다",
        )
    if loop.course.penalty() is not None:
        return say(
            f"adapter '{loop.job.adapter.type}' adds a term of its own to the loss, which the Trainer does not know",
            f"'{loop.job.adapter.type}' 어댑터는 손실에 자기 항을 더하는데 Trainer는 이를 모릅니다",
        )
    if loop.job.train.optim.type != "adamw":
        return say(
            f"optimizer '{loop.job.train.optim.type}': only adamw is held against the Trainer's",
            f"'{loop.job.train.optim.type}' 옵티마이저: adamw만 Trainer와 견줍니다",
        )
    return ""


def _loss_of(headed: Headed) -> Any:
    """torch's own loss of a head, where its settings ask for nothing more."""
    (part,), (outlet,) = headed.parts.values(), headed.outlets
    plain = not any(getattr(part, name, None) for name in ("class_weights", "pos_weight", "label_smoothing"))
    plain = plain and getattr(part, "loss", "mse") == "mse" and headed.takes in ("labels", "words")
    return LOSSES.get(outlet.kind) if plain else None


def _notes(loop: Recorded) -> list[str]:
    """What is not alike, and why."""
    notes = []
    if loop.arithmetic.precision != "fp32":
        name = loop.arithmetic.precision
        notes.append(
            say(
                f"in {name} every product is rounded to a few digits: differences of about 1e-2 are rounding",
                f"{name}에서는 곱셈마다 몇 자리로 반올림합니다. 1e-2쯤의 차이는 반올림입니다",
            )
        )
    if any(group.get("lr_ratio", 1.0) != 1.0 for group in loop.optimizer.param_groups):
        notes.append(
            say(
                "the Trainer's own optimizer knows no rates by group: it was given ours",
                "Trainer의 옵티마이저에는 묶음별 학습률이 없어 우리 것을 주었습니다",
            )
        )
    return notes


def _draws(module: nn.Module) -> bool:
    """Whether dropout is on somewhere: then the layout must be ours, so that the same draws fall on the same numbers."""
    config: Any = unwrap(module).config
    rates = [getattr(config, name, 0.0) for name in ("attention_dropout", "attn_pdrop", "resid_pdrop", "embd_pdrop")]
    layers = (layer.p for layer in module.modules() if isinstance(layer, nn.Dropout))
    return any(isinstance(rate, float) and rate > 0 for rate in (*rates, *layers))


def _batch(loop: Recorded, rows: Any, tensors: Mapping[str, Any], *, packed: bool) -> Batch:
    """The rows of a micro-batch as the Trainer takes them."""
    if "targets" in tensors:
        headed = headed_of(loop.module)
        assert headed is not None
        pairs = [pair for row in rows for pair in loop.samples[int(row)].sequences]
        laid = collate(pairs, packing=False, pad_id=loop.pad_id)
        labels = _labels(headed.outlets[0].kind, tensors["targets"], laid["attention_mask"].bool())
        return {"input_ids": laid["input_ids"], "attention_mask": laid["attention_mask"], "labels": labels}
    laid = dict(tensors)
    if not packed and "cu_seqlens" in laid:
        samples = [loop.samples[int(row)] for row in rows]
        laid = collate([(s.input_ids, s.weights) for s in samples], packing=False, pad_id=loop.pad_id)
    names = ("input_ids", "attention_mask", "position_ids")
    labels = laid["input_ids"].masked_fill(laid["weights"] <= 0, IGNORED)
    return {**{name: laid[name] for name in names if name in laid}, "labels": labels}


def _labels(kind: str, targets: Tensor, mask_BL: Tensor) -> Tensor:
    """As transformers' classes take them: classes as whole numbers, words in their places, what is not known as -100."""
    if kind in ("numbers", "classes"):
        return targets.reshape(len(mask_BL), -1)
    known = torch.where(targets.isnan() | (targets < 0), torch.full_like(targets, IGNORED), targets).long()
    if kind == "class":
        return known.reshape(-1)
    labels_BL = torch.full(mask_BL.shape, IGNORED)
    labels_BL[mask_BL] = known.reshape(-1)
    return labels_BL


@contextlib.contextmanager
def _put_back(loop: Recorded, packed: bool) -> Iterator[None]:
    """The weights as before the step, and transformers' own attention; random states are as they were in the end."""
    core: Any = unwrap(loop.module)
    with torch.no_grad():
        for name, parameter in trained_parameters(loop.module):
            parameter.copy_(loop.seen.weights[name])
            parameter.grad = None
    before = core.config._attn_implementation
    if loop.job.packing:
        try:
            core.set_attn_implementation("sdpa")
        except (ValueError, ImportError):
            core.set_attn_implementation("eager")
    if packed:
        core.config.use_cache = False
    loggers = [logging.getLogger(name) for name in ("transformers", "accelerate")]
    levels = [logger.level for logger in loggers]
    for logger in loggers:
        logger.setLevel(logging.ERROR)
    try:
        with rng.unchanged():
            yield
    finally:
        for logger, level in zip(loggers, levels, strict=True):
            logger.setLevel(level)
        if loop.job.packing:
            core.set_attn_implementation(before)
        from accelerate.state import AcceleratorState

        AcceleratorState._reset_state(reset_partial_state=True)


class _WithLoss(nn.Module):
    """A model with a head as the Trainer wants it: labels in, torch's own loss out."""

    accepts_loss_kwargs = True

    def __init__(self, headed: Headed) -> None:
        super().__init__()
        self.headed = headed
        self.config = headed.config
        self.loss = _loss_of(headed)

    def forward(self, labels: Tensor, num_items_in_batch: Any = None, **batch: Tensor) -> dict[str, Tensor]:
        """The sum ÷ what the Trainer counted in the whole step."""
        (out,) = self.headed(**batch).heads.values()
        if labels.shape == batch["attention_mask"].shape and not labels.is_floating_point():  # words
            labels = labels[batch["attention_mask"].bool()]
        count = num_items_in_batch if num_items_in_batch is not None else labels.ne(IGNORED).sum()
        return {"loss": self.loss(out.float(), labels, reduction="sum") / count, "logits": out}


def _run(loop: Recorded, batches: Sequence[Batch]) -> Mapping[str, float] | None:
    """Train for one step. The step's line of the log; None where the step was left out."""
    from transformers import PrinterCallback, Trainer, TrainerCallback, TrainerControl, TrainerState, TrainingArguments

    begins, at = loop.seen.random, loop.at

    class Begins(TrainerCallback):  # type: ignore[misc]
        """Puts the Trainer where our loop stood, and ends it after the step."""

        def on_train_begin(self, args: Any, state: Any, control: Any, **known: Any) -> None:
            inner = getattr(known["optimizer"], "optimizer", known["optimizer"])
            for name, parameter in trained_parameters(loop.module):
                moments = loop.seen.moments[name]
                if moments:
                    inner.state[parameter] = {
                        key: value.to(parameter.device).clone() if isinstance(value, Tensor) else value
                        for key, value in moments.items()
                    }
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # torch warns of a schedule that moves before its optimizer
                for _ in range(at):
                    known["lr_scheduler"].step()

        def on_step_begin(self, args: Any, state: Any, control: Any, **_: Any) -> None:
            rng.restore(begins)

        def on_step_end(self, args: Any, state: TrainerState, control: TrainerControl, **_: Any) -> TrainerControl:
            control.should_training_stop = control.should_log = True
            return control

    headed = headed_of(loop.module)
    with tempfile.TemporaryDirectory() as place:
        arguments = _arguments(loop, place, len(batches), TrainingArguments)
        own = any(group.get("lr_ratio", 1.0) != 1.0 for group in loop.optimizer.param_groups)
        trainer = Trainer(
            model=loop.module if headed is None else _WithLoss(headed),
            args=arguments,
            train_dataset=list(batches),
            data_collator=lambda items: items[0],
            callbacks=[Begins()],
            optimizers=(_with_ratios(loop), None) if own else (None, None),
        )
        trainer.remove_callback(PrinterCallback)
        trainer.train()
        if trainer.accelerator.optimizer_step_was_skipped:
            return None
        lines: list[dict[str, float]] = trainer.state.log_history
        return next(line for line in lines if "grad_norm" in line)


def _with_ratios(loop: Recorded) -> torch.optim.Optimizer:
    groups = [
        {**{k: v for k, v in group.items() if k != "lr_ratio"}, "lr": loop.job.train.learning_rate * group.get("lr_ratio", 1.0), "initial_lr": loop.job.train.learning_rate * group.get("lr_ratio", 1.0)}
        for group in loop.optimizer.param_groups
    ]  # fmt: skip
    kind: Any = type(loop.optimizer)
    made: torch.optim.Optimizer = kind(groups)
    return made


def _arguments(loop: Recorded, place: str, count: int, kind: Any) -> Any:
    """Our settings under the Trainer's names; one item of its data is one micro-batch."""
    train, optim = loop.job.train, loop.job.train.optim
    known: dict[str, Any] = optim.model_dump()
    smoothing = getattr(train.objective, "label_smoothing", 0.0)
    precision = loop.arithmetic.precision
    return kind(
        output_dir=place,
        per_device_train_batch_size=1,
        gradient_accumulation_steps=count,
        max_steps=loop.run_steps,
        learning_rate=train.learning_rate,
        lr_scheduler_type=train.lr_scheduler_type,
        lr_scheduler_kwargs=dict(train.lr_scheduler_kwargs),
        warmup_steps=loop.schedule.warmup_steps,
        optim="adamw_torch_fused",
        weight_decay=known["weight_decay"],
        adam_beta1=known["adam_beta1"],
        adam_beta2=known["adam_beta2"],
        adam_epsilon=known["adam_epsilon"],
        max_grad_norm=train.max_grad_norm,
        label_smoothing_factor=smoothing,
        bf16=precision == "bf16",
        fp16=precision == "fp16",
        seed=train.seed,
        train_sampling_strategy="sequential",
        use_cpu=loop.processes.device.type == "cpu",
        dataloader_pin_memory=False,
        remove_unused_columns=False,
        logging_nan_inf_filter=False,
        logging_strategy="steps",
        logging_steps=1,
        save_strategy="no",
        report_to="none",
        disable_tqdm=True,
    )


def _sides(
    loop: Recorded, found: Mapping[str, float], after: Mapping[str, Tensor], theirs: Mapping[str, Tensor]
) -> list[Side]:
    seen, report = loop.seen, loop.seen.report
    assert report is not None and seen.chosen is not None
    chosen = float(theirs[seen.chosen.name].flatten()[seen.chosen.place])
    total, their_total = (
        sum(float((side[name] - seen.weights[name]).double().square().sum()) for name in after) ** 0.5
        for side in (after, theirs)
    )
    return [
        Side(say("loss", "손실"), report.loss - seen.penalty, float(found["loss"])),
        Side(say("gradient norm", "그래디언트 크기"), report.grad_norm, float(found["grad_norm"])),
        Side(say("learning rate", "학습률"), report.learning_rate, float(found["learning_rate"])),
        Side(say("the weight that was worked by hand", "손으로 계산한 가중치"), seen.chosen.after, chosen),
        Side(say("length of the whole update", "갱신 전체의 길이"), total, their_total),
    ]
