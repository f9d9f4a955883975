"""TRL's SFTTrainer up to its data set, by TRL's own interpreter: `of_trl.py ROWS.jsonl MODEL OUT.json`."""

import json
import sys
import time
from pathlib import Path

from datasets import load_dataset
from transformers import AutoModelForCausalLM, AutoTokenizer
from trl import SFTConfig, SFTTrainer


def main(rows: str, model: str, out: str) -> None:
    tokenizer = AutoTokenizer.from_pretrained(model)
    weights = AutoModelForCausalLM.from_pretrained(model)
    arguments = SFTConfig(
        output_dir=str(Path(out).parent / "trl"),
        dataset_num_proc=2,
        assistant_only_loss=True,
        max_length=1024,
        use_cpu=True,
        report_to=[],
    )
    begun = time.perf_counter()
    data = load_dataset("json", data_files=rows, split="train", cache_dir=str(Path(out).parent / "cache"))
    trainer = SFTTrainer(model=weights, args=arguments, train_dataset=data, processing_class=tokenizer)
    made = trainer.train_dataset
    seconds = time.perf_counter() - begun
    told = {"seconds": seconds, "rows": len(made), "tokens": sum(map(len, made["input_ids"]))}
    Path(out).write_text(json.dumps(told), encoding="utf-8")


if __name__ == "__main__":
    main(*sys.argv[1:])
