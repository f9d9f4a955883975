"""Real rows and a real trained Llama: `ChatbotData.csv`, `civil_law_qa_dataset.csv`, stories260K."""

from pathlib import Path

import pytest

from dadeum.core.artifact import read_json
from tests.run.lab import fine, make_workspace, runs_of

YAML = """\
name: {name}
model: {{name_or_path: model}}
tokenizer: {{chat_template: plain}}
adapter: {{type: lora, r: 8}}
data:
  sources: [{{type: csv, path: rows.csv}}]
  split: {{validation: 0.1, test: 0.1}}
  max_length: 512
  overlong: drop
train: {{max_steps: 8, total_train_batch_size: 8, learning_rate: 0.003}}
evaluate: {{metrics: [bits_per_byte, chrf], max_new_tokens: 12, limit: 8}}
"""


@pytest.mark.parametrize(
    ("source", "lines"), [pytest.param("ChatbotData", 121, marks=pytest.mark.slow), ("civil_law_qa_dataset", 41)]
)
def test_a_tuned_model_is_better_than_its_base(material: Path, tmp_path: Path, source: str, lines: int) -> None:
    root = make_workspace(tmp_path / "lab")
    text = (material / "ko_qa" / f"{source}.csv").read_text(encoding="utf-8-sig")
    (root / "rows.csv").write_text("\n".join(text.splitlines()[:lines]) + "\n", encoding="utf-8")
    (root / "model").symlink_to(material / "weights" / "stories260K" / "hf")
    file = root / "configs" / f"{source}.yaml"
    file.write_text(YAML.format(name=source), encoding="utf-8")
    assert len(YAML.splitlines()) <= 15 and all(len(line) <= 100 for line in YAML.splitlines())
    fine(root, "run", source)
    (run,) = runs_of(root, source)
    metrics = {m["name"]: m for m in read_json(run.evaluation / "comparison.json")["metrics"]}
    bits = metrics["bits_per_byte"]
    assert bits["values"]["tuned"] < bits["values"]["base"] and bits["differences"]["tuned"]["high"] < 0
    assert "▶" not in fine(root, "run", source).out
    stats = read_json(run.evidence / "training_stats.json")
    assert stats["optimizer_steps"] == 8 and stats["trainable_parameters"] < stats["parameters"]
