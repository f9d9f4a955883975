"""LLaMA-Factory's data set, by its own interpreter: `of_llamafactory.py ROWS.jsonl MODEL OUT.json`."""

import json
import sys
import time
from pathlib import Path

from llamafactory.data import get_dataset, get_template_and_fix_tokenizer
from llamafactory.hparams import get_train_args
from llamafactory.model import load_tokenizer


def main(rows: str, model: str, out: str) -> None:
    folder = Path(out).parent
    tags = {"role_tag": "role", "content_tag": "content", "user_tag": "user", "assistant_tag": "assistant"}
    entry = {"file_name": rows, "formatting": "sharegpt", "columns": {"messages": "messages"}, "tags": tags}
    (folder / "dataset_info.json").write_text(json.dumps({"rows": entry}), encoding="utf-8")
    model_args, data_args, training_args, _, _ = get_train_args(
        {
            "model_name_or_path": model,
            "stage": "sft",
            "do_train": True,
            "finetuning_type": "full",
            "dataset": "rows",
            "dataset_dir": str(folder),
            "template": "qwen",
            "cutoff_len": 1024,
            "preprocessing_num_workers": 2,
            "overwrite_cache": True,
            "output_dir": str(folder / "llamafactory"),
            "report_to": "none",
            "cache_dir": str(folder / "cache"),
        }
    )
    module = load_tokenizer(model_args)
    template = get_template_and_fix_tokenizer(module["tokenizer"], data_args)
    begun = time.perf_counter()
    made = get_dataset(template, model_args, data_args, training_args, stage="sft", **module)["train_dataset"]
    seconds = time.perf_counter() - begun
    told = {"seconds": seconds, "rows": len(made), "tokens": sum(map(len, made["input_ids"]))}
    Path(out).write_text(json.dumps(told), encoding="utf-8")


if __name__ == "__main__":
    main(*sys.argv[1:])
