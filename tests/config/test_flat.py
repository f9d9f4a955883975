"""dadeum.config.flat: files of TrainingArguments and LoraConfig, sorted into sections or refused by line."""

from collections.abc import Callable
from pathlib import Path

import pytest

from dadeum.config.aliases import FIXED, FLAT, SWITCHES
from dadeum.config.load import Loaded

Read = Callable[..., Loaded]
Told = Callable[..., list[str]]
TRAIN = """\
output_dir: results/model
num_train_epochs: 2
per_device_train_batch_size: 2
per_device_eval_batch_size: 4
gradient_accumulation_steps: 8
learning_rate: 1e-4
lr_scheduler_type: linear
warmup_ratio: 0.1
weight_decay: 0.01
bf16: true
fp16: false
gradient_checkpointing: true
logging_steps: 5
eval_strategy: steps
eval_steps: 50
save_strategy: epoch
save_total_limit: 3
max_steps: -1
optim: adamw_torch
report_to: none
seed: 7
"""
PEFT = """\
peft_type: LORA
task_type: CAUSAL_LM
r: 32
lora_alpha: 64
lora_dropout: 0.05
target_modules: [q_proj, v_proj]
bias: none
modules_to_save: null
"""
ABOVE = "name: c\nextends: [train_config.yaml, peft_config.yaml]\nmodel: {name_or_path: a/b}\ndata: {sources: [{type: hub, name: a/b}]}\n"


@pytest.fixture
def beside(lab: Path) -> Callable[..., None]:
    """Writes the two files of system C, or others."""

    def write(train: str = TRAIN, peft: str = PEFT) -> None:
        (lab / "train_config.yaml").write_text(train, encoding="utf-8")
        (lab / "peft_config.yaml").write_text(peft, encoding="utf-8")

    return write


def test_the_two_files_of_system_c_load_unchanged(beside: Callable[..., None], read: Read) -> None:
    beside()
    found = read(ABOVE).experiment
    train = found.train.model_dump()
    assert (train["total_train_batch_size"], train["per_device_train_batch_size"]) == (16, 2)
    assert (train["num_train_epochs"], train["learning_rate"], train["warmup_steps"]) == (2, 1e-4, 0.1)
    assert (train["precision"], train["lr_scheduler_type"], train["seed"]) == ("bf16", "linear", 7)
    assert (train["eval_steps"], train["save_steps"], train["max_steps"]) == (50, None, None)
    assert found.train.optim.model_dump()["weight_decay"] == 0.01
    assert train["gradient_checkpointing"] is True and train["save_total_limit"] == 3
    adapter = found.adapter.model_dump()
    assert (adapter["type"], adapter["r"], adapter["lora_alpha"]) == ("lora", 32, 64)
    assert adapter["target_modules"] == ("q_proj", "v_proj")
    assert found.output_dir == "results/model" and found.evaluate.batch_size == 4


def test_eight_bits_of_a_flat_file(beside: Callable[..., None], read: Read) -> None:
    beside(train=TRAIN + "load_in_8bit: true\nload_in_4bit: false\n")
    quantization = read(ABOVE).experiment.model.quantization
    assert quantization is not None and quantization.bits == 8


def test_what_lies_above_and_the_command_line_win(beside: Callable[..., None], read: Read) -> None:
    beside()
    found = read(ABOVE + "adapter: {r: 4}\n", "train.learning_rate=0.5").experiment
    assert found.train.learning_rate == 0.5
    assert found.adapter.model_dump()["r"] == 4 and found.adapter.model_dump()["lora_alpha"] == 64


@pytest.mark.parametrize(
    ("lines", "precision"),
    [
        ("bf16: false", "fp32"),
        ("fp16: true", "fp16"),
        ("fp16: true\nbf16: false", "fp16"),
        ("fp16: false\nbf16: false", "fp32"),
    ],
)
def test_precision(beside: Callable[..., None], read: Read, lines: str, precision: str) -> None:
    beside(f"{lines}\nper_device_train_batch_size: 3\n", "peft_type: LORA\n")
    found = read(ABOVE).experiment
    assert found.train.precision == precision
    assert found.train.total_train_batch_size == 3
    assert found.adapter.type == "lora"


@pytest.mark.parametrize(
    ("train", "line"),
    [
        ("seed: 1\nlerning_rate: 1e-4\n", "train_config.yaml:2: lerning_rate: found an unknown key, expected one of TrainingArguments or LoraConfig that dadeum knows; did you mean 'learning_rate'?"),
        ("seed: 1\nreport_to: wandbb\n", "train_config.yaml:2: track.0: found 'wandbb', expected one of: mlflow, tensorboard, wandb; did you mean 'wandb'?"),
        ("seed: 1\nremove_unused_columns: 1\n", "train_config.yaml:2: remove_unused_columns: found 1, expected true or false: dadeum has no setting for anything else"),
        ("bf16: true\nfp16: true\n", "train_config.yaml:2: fp16: found true beside 'bf16: true', expected one of them"),
        ("seed: 1\nbf16: 16\n", "train_config.yaml:2: bf16: found 16, expected true or false"),
        ("gradient_accumulation_steps: 4\n", "train_config.yaml:1: gradient_accumulation_steps: found without a number in 'per_device_train_batch_size', expected both: their product is the batch of one step"),
        ("per_device_train_batch_size: 1\ngradient_accumulation_steps: 0\n", "train_config.yaml:2: gradient_accumulation_steps: found 0, expected a whole number from 1"),
        ("seed: 1\nsave_strategy: no\n", "train_config.yaml:2: save_strategy: found 'no', expected 'epoch': with 'save_steps' it is done by steps, without at each epoch's end"),
        ("save_steps: 5\nsave_strategy: epoch\n", "train_config.yaml:2: save_strategy: found 'epoch', expected 'steps': with 'save_steps' it is done by steps, without at each epoch's end"),
        ("seed: 1\nlearning_rate: high\n", "train_config.yaml:2: train.learning_rate: found 'high', expected a number"),
        ("seed: 1\ntarget_modules: [1]\n", "train_config.yaml:2: adapter.target_modules.0: found 1, expected text"),
    ],
)  # fmt: skip
def test_faults_keep_their_line(beside: Callable[..., None], told: Told, train: str, line: str) -> None:
    beside(train, "r: 8\n" if "target_modules" not in train else "peft_type: LORA\n")
    assert told(ABOVE) == [line]


def test_beside_a_section_of_ours_a_flat_key_is_a_slip(told: Told) -> None:
    (line,) = told(ABOVE.replace("extends: [train_config.yaml, peft_config.yaml]", "learning_rate: 1e-4"))
    assert line.startswith("a.yaml:2: learning_rate: found an unknown key")


def test_every_flat_key_is_one_of_the_two_classes_and_leads_to_a_setting() -> None:
    from peft import LoraConfig
    from transformers import TrainingArguments

    from dadeum.config.experiment import Experiment
    from dadeum.config.overlay import OLD_NAMES, family_at
    from dadeum.config.problems import inner

    theirs = {*TrainingArguments.__dataclass_fields__, *LoraConfig.__dataclass_fields__}
    older = {"max_seq_length", "max_length", "packing", "warmup_ratio", "overwrite_output_dir", "group_by_length"}
    older |= {"load_in_8bit", "load_in_4bit"}  # of from_pretrained, in many such files
    assert {*FLAT, *FIXED} - theirs <= older
    for setting in FLAT.values():
        setting = SWITCHES[setting][0] if setting in SWITCHES else setting
        section, _, name = OLD_NAMES.get(setting, setting).partition(".")
        holder = inner(Experiment, section) if name else Experiment
        family = family_at((section, name.split(".")[0])) or family_at((section,))
        fields = set(getattr(holder, "model_fields", {})) | {
            f for n in (family.names if family else ()) for f in family.settings(n).model_fields
        }
        assert (name or section).split(".")[-1] in fields, setting


def test_smoothing_and_noise_of_a_flat_file(beside: Callable[..., None], read: Read) -> None:
    beside(train=TRAIN + "label_smoothing_factor: 0.1\nneftune_noise_alpha: 5\n")
    for more, kind in (("", "auto"), ("train: {objective: {type: sft}}\n", "sft")):
        objective = read(ABOVE + more).experiment.train.objective.model_dump()
        assert objective == {"type": kind, "label_smoothing": 0.1, "neftune_noise_alpha": 5.0}


@pytest.mark.parametrize(
    ("written", "track"),
    [
        ("none", []),
        ("[none]", []),
        ("[]", []),
        ("wandb", ["wandb"]),
        ("[mlflow, tensorboard]", ["mlflow", "tensorboard"]),
    ],
)
def test_report_to_names_trackers(written: str, track: list[str], beside: Callable[..., None], read: Read) -> None:
    beside(f"seed: 1\nreport_to: {written}\n")
    assert [sink.type for sink in read(ABOVE).experiment.track] == track
