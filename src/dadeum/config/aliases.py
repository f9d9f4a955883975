"""Other names of settings: older ones of the ecosystem, the flags of `dadeum train`, and the flat keys of
`transformers.TrainingArguments` and `peft.LoraConfig`. The only such table."""

from typing import Any

OLD_NAMES = {
    "train.warmup_ratio": "train.warmup_steps",
    "train.optimizer": "train.optim",
    "train.weight_decay": "train.optim.weight_decay",
    "train.adam_beta1": "train.optim.adam_beta1",
    "train.adam_beta2": "train.optim.adam_beta2",
    "train.adam_epsilon": "train.optim.adam_epsilon",
    "train.epochs": "train.num_train_epochs",
    "train.label_smoothing_factor": "train.objective.label_smoothing",
    "train.label_smoothing": "train.objective.label_smoothing",
    "train.neftune_noise_alpha": "train.objective.neftune_noise_alpha",
    "adapter.alpha": "adapter.lora_alpha",
    "adapter.dropout": "adapter.lora_dropout",
    "data.max_seq_length": "data.max_length",
}

# Older name that is true or false: the setting, and what true stands for.
SWITCHES: dict[str, tuple[str, dict[str, Any]]] = {
    "model.load_in_8bit": ("model.quantization", {"bits": 8}),
    "model.load_in_4bit": ("model.quantization", {"bits": 4}),
}

# Flag of `dadeum train`: setting. Dashes and underscores are the same.
FLAGS = {
    "model": "model.name_or_path",
    "dataset_path": "data.sources",
    "epochs": "train.num_train_epochs",
    "batch_size": "train.total_train_batch_size",
    "lr": "train.learning_rate",
    "lora_r": "adapter.r",
    "load_8bit": "model.load_in_8bit",
    "load_4bit": "model.load_in_4bit",
    "output_dir": "output_dir",
}

# Key of a flat file (see `flat.py`): setting. What is named here may again be an older name.
FLAT = {
    "learning_rate": "train.learning_rate",
    "num_train_epochs": "train.num_train_epochs",
    "max_steps": "train.max_steps",
    "per_device_train_batch_size": "train.per_device_train_batch_size",
    "per_device_eval_batch_size": "evaluate.batch_size",
    "lr_scheduler_type": "train.lr_scheduler_type",
    "lr_scheduler_kwargs": "train.lr_scheduler_kwargs",
    "warmup_steps": "train.warmup_steps",
    "warmup_ratio": "train.warmup_ratio",
    "weight_decay": "train.weight_decay",
    "adam_beta1": "train.adam_beta1",
    "adam_beta2": "train.adam_beta2",
    "adam_epsilon": "train.adam_epsilon",
    "max_grad_norm": "train.max_grad_norm",
    "label_smoothing_factor": "train.label_smoothing_factor",
    "neftune_noise_alpha": "train.neftune_noise_alpha",
    "gradient_checkpointing": "train.gradient_checkpointing",
    "logging_steps": "train.logging_steps",
    "eval_steps": "train.eval_steps",
    "save_steps": "train.save_steps",
    "save_total_limit": "train.save_total_limit",
    "seed": "train.seed",
    "max_length": "data.max_length",
    "max_seq_length": "data.max_seq_length",
    "packing": "data.packing",
    "output_dir": "output_dir",
    "load_in_8bit": "model.load_in_8bit",
    "load_in_4bit": "model.load_in_4bit",
    "r": "adapter.r",
    "lora_alpha": "adapter.lora_alpha",
    "lora_dropout": "adapter.lora_dropout",
    "target_modules": "adapter.target_modules",
    "use_rslora": "adapter.use_rslora",
    "use_dora": "adapter.use_dora",
    "bias": "adapter.bias",
    "init_lora_weights": "adapter.init_lora_weights",
    "modules_to_save": "adapter.modules_to_save",
    "exclude_modules": "adapter.exclude_modules",
    "layers_to_transform": "adapter.layers_to_transform",
    "layers_pattern": "adapter.layers_pattern",
    "rank_pattern": "adapter.rank_pattern",
    "alpha_pattern": "adapter.alpha_pattern",
    "target_parameters": "adapter.target_parameters",
}

# Key of a flat file that dadeum has no setting for: the values that mean what it does anyway.
FIXED: dict[str, tuple[Any, ...]] = {
    "optim": ("adamw_torch", "adamw_torch_fused"),
    "do_train": (True,),
    "do_eval": (True,),
    "disable_tqdm": (False,),
    "full_determinism": (False,),
    "gradient_checkpointing_kwargs": ({"use_reentrant": False},),
    "group_by_length": (False,),
    "load_best_model_at_end": (False,),
    "logging_strategy": ("steps",),
    "overwrite_output_dir": (False,),
    "push_to_hub": (False,),
    "remove_unused_columns": (True, False),
    "fan_in_fan_out": (False,),
    "inference_mode": (False,),
    "peft_type": ("LORA",),
    "task_type": ("CAUSAL_LM",),
}
# The member of a section that flat keys fill.
FLAT_MEMBERS = {"adapter": "lora"}
