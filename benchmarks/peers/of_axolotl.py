"""axolotl's prepared data set, by its own interpreter: `of_axolotl.py ROWS.jsonl MODEL OUT.json`."""

import json
import sys
import time
from pathlib import Path

from axolotl.cli.config import load_cfg
from axolotl.common.datasets import load_datasets


def main(rows: str, model: str, out: str) -> None:
    folder = Path(out).parent
    config = {
        "base_model": model,
        "datasets": [{"path": rows, "ds_type": "json", "type": "chat_template", "field_messages": "messages"}],
        "chat_template": "tokenizer_default",
        "dataset_prepared_path": str(folder / "prepared"),
        "dataset_num_proc": 2,
        "sequence_len": 1024,
        "output_dir": str(folder / "axolotl"),
        "micro_batch_size": 1,
        "gradient_accumulation_steps": 1,
        "num_epochs": 1,
        "learning_rate": 1e-4,
        "use_cpu": True,
    }
    (folder / "axolotl.json").write_text(json.dumps(config), encoding="utf-8")  # JSON is YAML
    cfg = load_cfg(str(folder / "axolotl.json"))
    begun = time.perf_counter()
    made = load_datasets(cfg=cfg).train_dataset
    seconds = time.perf_counter() - begun
    told = {"seconds": seconds, "rows": len(made), "tokens": sum(map(len, made["input_ids"]))}
    Path(out).write_text(json.dumps(told), encoding="utf-8")


if __name__ == "__main__":
    main(*sys.argv[1:])
