"""Other names of settings: older ones of the ecosystem, and the flags of `dadeum train`. The only such table."""

OLD_NAMES = {
    "train.warmup_ratio": "train.warmup_steps",
    "train.optimizer": "train.optim",
    "train.weight_decay": "train.optim.weight_decay",
    "train.adam_beta1": "train.optim.adam_beta1",
    "train.adam_beta2": "train.optim.adam_beta2",
    "train.adam_epsilon": "train.optim.adam_epsilon",
    "train.epochs": "train.num_train_epochs",
    "adapter.alpha": "adapter.lora_alpha",
    "adapter.dropout": "adapter.lora_dropout",
    "data.max_seq_length": "data.max_length",
}

# Flag of `dadeum train`: setting. Dashes and underscores are the same.
FLAGS = {
    "model": "model.name_or_path",
    "dataset_path": "data.sources",
    "epochs": "train.num_train_epochs",
    "batch_size": "train.total_train_batch_size",
    "lr": "train.learning_rate",
    "lora_r": "adapter.r",
    "output_dir": "output_dir",
}
