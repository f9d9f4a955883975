"""Objectives that judge whole answers: against TRL, and against themselves in other cuts of a step."""

import copy
import math
import shutil
from collections import defaultdict
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from torch import nn

from dadeum.core.errors import DataError, TrainError
from dadeum.core.progress import Silent
from dadeum.train.objectives import OBJECTIVES
from dadeum.train.smoke import smoke
from dadeum.train.step import train
from tests.train.judged import apart, make_judged, moved, opened, pair_units, pairs, rated_units, step_of
from tests.train.support import make_job, metrics

PAIRS = [
    {"type": "dpo"},
    {"type": "dpo", "loss_type": "ipo", "beta": 0.3},
    {"type": "dpo", "loss_type": "hinge", "beta": 0.2},
    {"type": "dpo", "loss_type": "robust", "label_smoothing": 0.2},
    {"type": "dpo", "rpo_alpha": 0.7},
    {"type": "cpo"},
    {"type": "cpo", "label_smoothing": 0.1},
    {"type": "cpo", "loss_type": "ipo", "cpo_alpha": 0.0},
    {"type": "cpo", "loss_type": "hinge"},
    {"type": "simpo", "beta": 2.0},
    {"type": "simpo", "cpo_alpha": 0.5, "simpo_gamma": 1.0, "label_smoothing": 0.1},
    {"type": "orpo"},
    {"type": "orpo", "beta": 0.5},
]
REWARD = [{"type": "reward"}, {"type": "reward", "center_rewards_coefficient": 0.3}]
KTO = [{"type": "kto"}, {"type": "kto", "beta": 0.3, "desirable_weight": 0.7, "undesirable_weight": 1.9}]


def named(settings: dict[str, Any]) -> str:
    return "-".join(str(value) for value in settings.values())


@pytest.fixture(scope="module")
def judged(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Pairs and ratings; nothing writes into them."""
    return {
        "pair": make_judged(tmp_path_factory.mktemp("pair"), pair_units(8), pair_units(3, seed=1)),
        "rated": make_judged(tmp_path_factory.mktemp("rated"), rated_units(8), rated_units(3, seed=1)),
    }


def folder_of(judged: dict[str, Path], settings: dict[str, Any]) -> Path:
    return judged[str(OBJECTIVES.member(settings["type"]).takes)]


LOW_RANK = [(settings, "lora") for settings in (PAIRS[0], PAIRS[5], PAIRS[-1], KTO[0], REWARD[1])]


@pytest.mark.parametrize(
    ("settings", "adapter"),
    [*((settings, "full") for settings in [*PAIRS, *KTO, *REWARD]), *LOW_RANK],
    ids=lambda value: value if isinstance(value, str) else named(value),
)
def test_the_cut_of_a_step_and_packing_change_nothing(
    settings: dict[str, Any], adapter: str, judged: dict[str, Path], tmp_path: Path
) -> None:
    """8×1 = 4×2 = 1×8, packed and padded: the same loss, the same gradients, the same metrics."""
    place = folder_of(judged, settings)

    def made(size: int, packing: bool) -> tuple[float, dict[str, torch.Tensor], dict[str, float]]:
        root = tmp_path / f"{size}{packing}"
        changes: dict[str, Any] = {"per_device_train_batch_size": size, "packing": packing, "adapter": adapter}
        return step_of(opened(root, place, settings, **changes))

    loss, gradients, shown = made(8, True)
    assert loss != 0 and gradients
    for size, packing in ((4, True), (1, True), (2, False)):
        other, others, told = made(size, packing)
        assert other == pytest.approx(loss, rel=1e-6)
        assert apart(others, gradients) <= 1e-6
        assert told.keys() == shown.keys()
        assert all(told[name] == pytest.approx(shown[name], rel=1e-4, abs=1e-6) for name in shown)


def padded(rows: list[list[int]], labels: list[list[int]]) -> dict[str, torch.Tensor]:
    """Ids, attention and labels on the right of which there is padding."""
    longest = max(map(len, rows))
    ids, mask = torch.zeros(len(rows), longest, dtype=torch.long), torch.zeros(len(rows), longest, dtype=torch.long)
    wanted = torch.full_like(ids, -100)
    for place, (row, label) in enumerate(zip(rows, labels, strict=True)):
        ids[place, : len(row)], mask[place, : len(row)] = torch.tensor(row), 1
        wanted[place, : len(row)] = torch.tensor(label)
    return {"input_ids": ids, "attention_mask": mask, "labels": wanted}


def side(rows: list[tuple[list[int], list[int]]]) -> dict[str, torch.Tensor]:
    """Prompts with answers, of which the answers are labelled."""
    return padded([q + a for q, a in rows], [[-100] * len(q) + a for q, a in rows])


def bare(kind: type, **attributes: Any) -> Any:
    """One of TRL's trainers of which nothing but its loss is needed."""
    from accelerate import Accelerator

    trainer: Any = object.__new__(kind)
    trainer.accelerator, trainer.args = Accelerator(cpu=True), SimpleNamespace(gradient_checkpointing_kwargs=None)
    trainer._metrics = {"train": defaultdict(list), "eval": defaultdict(list)}
    trainer._total_train_tokens, trainer._tp_size, trainer.aux_loss_enabled = 0, 1, False
    for name, value in attributes.items():
        setattr(trainer, name, value)
    return trainer


FUSED = ("log_probs", "entropy", "mean_logits", "is_top1")


def trl_dpo(settings: Any, model: nn.Module, reference: nn.Module) -> Any:
    from trl import DPOTrainer
    from trl.trainer.utils import add_fused_lm_head

    for each in (model, reference):
        add_fused_lm_head(each, outputs=FUSED)  # type: ignore[arg-type]
    kinds, weights = [settings.loss_type], [1.0]
    if settings.rpo_alpha:
        kinds, weights = [*kinds, "sft"], [*weights, settings.rpo_alpha]
    trainer = bare(
        DPOTrainer,
        model=model,
        ref_model=reference,
        beta=settings.beta,
        label_smoothing=settings.label_smoothing,
        loss_types=kinds,
        loss_weights=weights,
        ld_alpha=None,
        f_divergence_type="reverse_kl",
        precompute_ref_logps=False,
        use_weighting=False,
    )
    rows = pairs(8)
    batch = side([(q, good) for q, good, _ in rows] + [(q, bad) for q, _, bad in rows])
    batch["completion_mask"] = (batch.pop("labels") != -100).long()
    return trainer._compute_loss(model, batch, False), trainer._metrics["train"]


def trl_pairs(settings: Any, model: nn.Module) -> Any:
    """CPO, SimPO and ORPO."""
    from trl.experimental.cpo import CPOTrainer
    from trl.experimental.orpo import ORPOTrainer

    common = {"beta": settings.beta, "is_encoder_decoder": False, "padding_value": 0, "pad_token_id": 0}
    if settings.type == "orpo":
        trainer = bare(ORPOTrainer, **common)
    else:
        simpo = settings.type == "simpo"
        trainer = bare(
            CPOTrainer,
            **common,
            loss_type="simpo" if simpo else settings.loss_type,
            simpo_gamma=settings.simpo_gamma if simpo else 0.5,
            cpo_alpha=settings.cpo_alpha,
            label_smoothing=settings.label_smoothing,
            alpha=0.0,
        )
    rows = pairs(8)
    chosen, rejected = side([(q, good) for q, good, _ in rows]), side([(q, bad) for q, _, bad in rows])
    batch = {f"chosen_{k}": v for k, v in chosen.items()} | {f"rejected_{k}": v for k, v in rejected.items()}
    return trainer.get_batch_loss_metrics(model, batch)


def trl_kto(settings: Any, model: nn.Module, reference: nn.Module) -> Any:
    from trl import KTOTrainer
    from trl.trainer.utils import add_fused_lm_head

    for each in (model, reference):
        add_fused_lm_head(each, outputs=FUSED)  # type: ignore[arg-type]
    trainer = bare(
        KTOTrainer,
        model=model,
        ref_model=reference,
        beta=settings.beta,
        desirable_weight=settings.desirable_weight,
        undesirable_weight=settings.undesirable_weight,
        loss_type="kto",
        calculate_KL=True,
        precompute_ref_logps=False,
    )
    rows = pairs(8)
    own = side([(q, a) for q, a, _ in rows])
    # TRL turns its micro-batch by one, as the data stage turns a chunk.
    beside = side([(q, rows[i - 1][1]) for i, (q, _, _) in enumerate(rows)])
    batch = {**own, **{f"KL_{k}": v for k, v in beside.items()}, "label": torch.tensor([i % 3 > 0 for i in range(8)])}
    for prefix in ("", "KL_"):
        batch[f"{prefix}completion_mask"] = (batch.pop(f"{prefix}labels") != -100).long()
    return trainer._compute_loss(model, batch, False), trainer._metrics["train"]


@pytest.mark.parametrize("settings", [*PAIRS, *KTO], ids=named)
def test_loss_gradients_and_rewards_are_those_of_trl(
    settings: dict[str, Any], judged: dict[str, Path], tmp_path: Path
) -> None:
    place = folder_of(judged, settings)
    if settings["type"] == "kto":
        place = make_judged(tmp_path / "all", rated_units(8, alone=None), [])
    loop = opened(tmp_path, place, settings, move=False)
    reference = copy.deepcopy(loop.module)
    moved(loop)
    theirs = copy.deepcopy(loop.module)
    chosen = loop.job.train.objective
    if chosen.type == "dpo":
        expected, told = trl_dpo(chosen, theirs, reference)
    elif chosen.type == "kto":
        expected, told = trl_kto(chosen, theirs, reference)
    else:
        expected, told = trl_pairs(chosen, theirs)
    expected.backward()
    loss, gradients, shown = step_of(loop)
    assert loss == pytest.approx(float(expected.detach()), rel=1e-5)
    wanted = {name: p.grad for name, p in theirs.named_parameters() if p.grad is not None}
    assert apart(gradients, wanted) <= 1e-5
    for name in shown.keys() & told.keys():
        value = told[name][0] if isinstance(told[name], list) else told[name]
        assert shown[name] == pytest.approx(value, rel=1e-4, abs=1e-5), name
    assert {"rewards/chosen", "rewards/rejected"} <= shown.keys() & told.keys()


def test_conservative_dpo_is_its_formula(judged: dict[str, Path], tmp_path: Path) -> None:
    """TRL's sigmoid loss smooths nothing any more: arXiv 2305.18290, appendix; the same of CPO is held against TRL above."""
    margins = []
    for smoothing in (0.0, 0.2):
        settings = {"type": "dpo", "label_smoothing": smoothing}
        loop = opened(tmp_path / str(smoothing), judged["pair"], settings)
        loss, _, _ = step_of(loop)
        batch = loop.lay_out(loop.order.of_step(0), loop.samples).tensors
        with torch.no_grad():
            sums, _ = OBJECTIVES.member("dpo").compute(loop.job.train.objective, loop.module, batch, loop.context)
        margins.append((loss, float(sums["dpo"]) / 8))
    (plain, mean), (smooth, smoothed) = margins
    assert plain == pytest.approx(mean, rel=1e-6) and smooth == pytest.approx(smoothed, rel=1e-6)
    # -log σ(-x) = -log σ(x) + x
    losses = _margins(tmp_path, judged["pair"])
    right = [math.log1p(math.exp(-0.1 * x)) for x in losses]
    assert smooth == pytest.approx(sum(r + 0.2 * 0.1 * x for r, x in zip(right, losses, strict=True)) / 8, rel=1e-5)


def _margins(root: Path, place: Path) -> list[float]:
    """How much further each better answer has moved from the reference than the worse, by the model's own logits."""
    loop = opened(root / "margins", place, {"type": "dpo"}, move=False)
    values = []
    for _ in range(2):
        values.append([_said(loop.module, q, good) - _said(loop.module, q, bad) for q, good, bad in pairs(8)])
        moved(loop)
    return [after - before for before, after in zip(*values, strict=True)]


def _said(model: nn.Module, question: list[int], answer: list[int]) -> float:
    ids = torch.tensor([question + answer])
    with torch.no_grad():
        logps = model(input_ids=ids).logits[0, :-1].log_softmax(-1)
    return float(logps.gather(-1, ids[0, 1:, None])[len(question) - 1 :].double().sum())


def test_the_pool_of_ktos_divergence_is_the_whole_step(judged: dict[str, Path], tmp_path: Path) -> None:
    """Seven of eight answers stand beside another: the mean of all seven, whatever the micro-batches, and never below 0."""
    wanted = None
    for size in (1, 8):
        loop = opened(tmp_path / str(size), judged["rated"], KTO[0], per_device_train_batch_size=size)
        batches = list(loop.micro_batches(loop.order.of_step(0), loop.samples))
        loop.survey(batches)
        found = loop.context.facts["kl"]
        wanted = found if wanted is None else wanted
        assert found == pytest.approx(wanted, rel=1e-5)
    beside = [(q, answer) for i, (q, _, _) in enumerate(pairs(8)) if i != 2 for answer in [pairs(8)[i - 1][1]]]
    fresh = opened(tmp_path / "fresh", judged["rated"], KTO[0], move=False)
    before = [_said(fresh.module, q, answer) for q, answer in beside]
    moved(fresh)
    after = [_said(fresh.module, q, answer) for q, answer in beside]
    assert wanted == pytest.approx(sum(b - a for a, b in zip(before, after, strict=True)) / 7, rel=1e-4)
    _, _, shown = step_of(loop)
    assert shown["kl"] == pytest.approx(max(0.0, found), abs=1e-6)


class Scorer(nn.Module):
    """Stands for a model with a reward head."""

    def __init__(self) -> None:
        super().__init__()
        self.table = nn.Embedding(300, 1)

    def forward(self, **batch: torch.Tensor) -> Any:
        values = self.table(batch["input_ids"])[..., 0]
        if "cu_seqlens" not in batch:
            return SimpleNamespace(scores=(values * batch["attention_mask"]).sum(1))
        sizes = batch["cu_seqlens"].long().diff().tolist()
        return SimpleNamespace(scores=torch.stack([part.sum() for part in values[0].split(sizes)]))


@pytest.mark.parametrize("coefficient", [0.0, 0.3])
def test_the_loss_of_rewards_is_that_of_trl(coefficient: float) -> None:
    from trl import RewardTrainer

    from dadeum.train.context import Context, Layout

    torch.manual_seed(0)
    model, member = Scorer(), OBJECTIVES.member("reward")
    settings = OBJECTIVES.validate({"type": "reward", "center_rewards_coefficient": coefficient})
    rows = pairs(5)
    both = side([(q, good) for q, good, _ in rows] + [(q, bad) for q, _, bad in rows])
    trainer = bare(RewardTrainer, model=model)
    trainer.args.center_rewards_coefficient = coefficient or None

    def scored(**inputs: Any) -> Any:
        return SimpleNamespace(logits=model(**inputs).scores[:, None])

    inputs = {"input_ids": both["input_ids"], "attention_mask": both["attention_mask"]}
    expected = trainer.compute_loss(scored, dict(inputs))
    expected.backward()
    assert model.table.weight.grad is not None
    wanted = model.table.weight.grad.clone()
    for packing in (True, False):
        for parts in ([5], [2, 2, 1]):
            model.zero_grad()
            units, at, loss = pair_units(5), 0, torch.zeros(())
            for size in parts:
                batch = member.collate(settings, units[at : at + size], Layout(packing, 0))
                weights = member.weigh(settings, batch)
                assert weights["reward"] == (float(size), 1.0)
                sums, shown = member.compute(settings, model, batch, Context())
                loss = loss + sum(weights[name][1] * sums[name] / 5 for name in sums)
                at += size
            loss.backward()  # type: ignore[no-untyped-call]
            assert float(loss.detach()) == pytest.approx(float(expected.detach()), rel=1e-5)
            assert torch.allclose(model.table.weight.grad, wanted, rtol=1e-5, atol=1e-7)
    assert shown["rewards/margins"].tolist()[1] == 1.0 and "rewards/accuracies" in shown


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"type": "dpo", "loss_type": "hinge", "label_smoothing": 0.1}, "label_smoothing 0.1 does nothing under loss_type hinge"),
        ({"type": "cpo", "loss_type": "ipo", "label_smoothing": 0.1}, "label_smoothing 0.1 does nothing under loss_type ipo"),
    ],
)  # fmt: skip
def test_settings_that_would_do_nothing_are_refused(settings: dict[str, Any], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        OBJECTIVES.validate(settings)


def test_what_is_shown_stands_in_the_metrics(judged: dict[str, Path], tmp_path: Path) -> None:
    """And it learns: after some steps the better answers are ahead."""
    job = make_job(tmp_path, judged["pair"], objective="dpo", max_steps=12, learning_rate=3e-3, adapter="lora")
    train(job, Silent())
    lines = [line for line in metrics(job) if "loss" in line]
    names = ["rewards/chosen", "rewards/rejected", "rewards/accuracies", "rewards/margins"]
    assert all(name in line for line in lines for name in names)
    assert lines[0]["loss"] == pytest.approx(math.log(2), rel=1e-5) and lines[0]["rewards/margins"] == pytest.approx(
        0, abs=1e-5
    )
    assert lines[-1]["rewards/accuracies"] == 1.0 and lines[-1]["rewards/margins"] > 0.1
    assert lines[-1]["loss"] < lines[0]["loss"]
    log = next(job.evidence.glob("training_*.log")).read_text(encoding="utf-8")
    assert "step 12: loss" in log and f"rewards/margins {lines[-1]['rewards/margins']:.4g}" in log
    # A line of three steps has the mean of theirs, also where the run was cut in between.
    wide = make_job(
        tmp_path,
        judged["pair"],
        run="wide",
        objective="dpo",
        max_steps=12,
        learning_rate=3e-3,
        adapter="lora",
        logging_steps=3,
        save_steps=4,
        save_total_limit=3,
    )
    train(wide, Silent())
    means = [sum(line["rewards/margins"] for line in lines[i : i + 3]) / 3 for i in range(0, 12, 3)]
    for _ in range(2):
        found = [line["rewards/margins"] for line in metrics(wide) if "loss" in line]
        assert found == pytest.approx(means, rel=1e-6)
        for folder in (wide.final, wide.checkpoints / "step-000012", wide.checkpoints / "step-000008"):
            shutil.rmtree(folder, ignore_errors=True)
        train(wide, Silent())


def test_answers_that_are_compared_are_not_learnt_by_heart(judged: dict[str, Path], tmp_path: Path) -> None:
    with pytest.raises(TrainError, match=r"train.objective=dpo only compares answers; use train.objective=sft"):
        smoke(make_job(tmp_path, judged["pair"], objective="dpo"), Silent())


@pytest.mark.parametrize("good", [True, False])
def test_answers_that_are_all_rated_alike_teach_kto_nothing(good: bool, tmp_path: Path) -> None:
    units = [unit for unit in rated_units(9) if bool(unit.targets[0]) == good]
    rows = make_judged(tmp_path, units, [])
    with pytest.raises(DataError, match=rf"all {len(units)} training answers are rated {str(good).lower()}, expected"):
        opened(tmp_path / "run", rows, OBJECTIVES.validate("kto"), adapter="lora", move=False)
