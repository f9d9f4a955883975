"""Small tasks: files of a workspace, for our own way and for lm-eval's."""

import json
from pathlib import Path

from dadeum.config.evaluate import EvaluateSettings
from tests.evaluate.support import settings

ROWS = [
    {
        "q": f"{i} 더하기 1은?",
        "choices": [str(i + 1), str(i + 2), str(i * 3 + 1)],
        "label": 0 if i % 3 else 2,
        "a": f"{i + 1}입니다",
    }
    for i in range(24)
]
PICK = """\
task: my_pick
dataset_path: json
dataset_kwargs: {{data_files: {{test: {rows}}}}}
test_split: test
output_type: multiple_choice
doc_to_text: "질문: {{{{q}}}}\\n답:"
doc_to_choice: "{{{{choices}}}}"
doc_to_target: "{{{{label}}}}"
num_fewshot: 0
metric_list:
  - {{metric: acc, aggregation: mean, higher_is_better: true}}
  - {{metric: acc_norm, aggregation: mean, higher_is_better: true}}
metadata: {{version: 2.0}}
"""
WRITE = """\
task: my_write
dataset_path: json
dataset_kwargs: {{data_files: {{test: {rows}}}}}
test_split: test
output_type: generate_until
doc_to_text: "질문: {{{{q}}}}\\n답:"
doc_to_target: "{{{{a}}}}"
generation_kwargs: {{until: ["\\n"], max_gen_toks: 8, do_sample: false}}
metric_list:
  - {{metric: exact_match, aggregation: mean, higher_is_better: true}}
  - {{metric: chrf, aggregation: chrf, higher_is_better: true}}
metadata: {{version: 1.0}}
"""
OURS = """\
dataset: {type: jsonl, path: rows.jsonl}
columns: {question: q, answer: a}
metrics: [exact_match, chrf, perplexity]
shots: 2
limit: 5
max_new_tokens: 4
"""


def workspace_with_tasks(root: Path, rows: list[dict[str, object]] | None = None) -> Path:
    """`rows.jsonl`, `configs/tasks/mine.yaml` (ours), `pick.yaml` and `write.yaml` (lm-eval's)."""
    folder = root / "configs" / "tasks"
    folder.mkdir(parents=True)
    lines = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows or ROWS)
    (root / "rows.jsonl").write_text(lines, encoding="utf-8")
    for name, text in (("pick", PICK), ("write", WRITE)):
        (folder / f"{name}.yaml").write_text(text.format(rows=root / "rows.jsonl"), encoding="utf-8")
    (folder / "mine.yaml").write_text(OURS, encoding="utf-8")
    return root


def asking(*tasks: object, **more: object) -> EvaluateSettings:
    return settings(tasks=list(tasks), **more)
