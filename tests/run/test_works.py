"""What the steps leave: a model that plain libraries load, a copy for other tools, exports by name."""

from pathlib import Path

import pytest
import torch

from dadeum.core.artifact import read_json
from dadeum.core.errors import ArtifactError, ModelError
from dadeum.core.progress import Silent
from dadeum.run.works import dataset_name, export_one
from tests.cli.commands.test_plan import TALKS, talks
from tests.run.lab import NAME, cli, files_below, fine, inside, lab_of, runs_of, stale


def _logits(place: Path) -> torch.Tensor:
    from transformers import AutoModelForCausalLM, AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(str(place))
    messages = [{"role": "user", "content": "3번 질문은 무엇인가요?"}]
    ids = tokenizer.apply_chat_template(messages, add_generation_prompt=True, return_tensors="pt", return_dict=True)
    model = AutoModelForCausalLM.from_pretrained(str(place)).eval()
    with torch.no_grad():
        logits: torch.Tensor = model(**ids).logits
    return logits


def test_plain_transformers_loads_what_is_published(
    done: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """`checkpoints/<experiment>/`, the run's `final/` and `merged/` are one model, from any folder."""
    monkeypatch.chdir(tmp_path)
    run = runs_of(done)[0]
    places = [done / "checkpoints" / NAME, run.final, run.checkpoints / "merged"]
    one, *others = map(_logits, places)
    for other in others:
        assert (one - other).abs().max() <= 1e-4
    (base,) = (done / "checkpoints" / NAME).glob("base-*")
    assert (_logits_of_base(base, run.final) - one).abs().max() > 1e-3, "training changed something"


def _logits_of_base(base: Path, tokens: Path) -> torch.Tensor:
    from transformers import AutoModelForCausalLM, AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(str(tokens))
    messages = [{"role": "user", "content": "3번 질문은 무엇인가요?"}]
    ids = tokenizer.apply_chat_template(messages, add_generation_prompt=True, return_tensors="pt", return_dict=True)
    with torch.no_grad():
        logits: torch.Tensor = AutoModelForCausalLM.from_pretrained(str(base)).eval()(**ids).logits
    return logits


class TestOutputDir:
    def test_a_plain_copy(self, ran: Path) -> None:
        said = fine(ran, "run", NAME, "output_dir=results")
        assert [line for line in said.out.splitlines() if line.startswith("▶")] == [
            "▶ export: changed: output_dir",
            "▶ report: changed: export",
        ]
        files = set(files_below(ran / "results"))
        assert files >= {
            "adapter_config.json",
            "adapter_model.safetensors",
            "tokenizer.json",
            "chat_template.jinja",
            "dadeum_prompt.json",
            "training_stats.json",
            "deployment_model/model.safetensors",
            "deployment_model/tokenizer.json",
            "evaluation/base_model_evaluation.json",
            "evaluation/finetuned_model_evaluation.json",
            "evaluation/model_comparison_results.csv",
        }
        assert stale(ran, "output_dir=results") == []
        assert (
            "5" in fine(ran, "ask", "3번 질문은?", "-m", "results/deployment_model", "--max-new-tokens", "4").out
            or True
        )

    def test_a_copy_that_was_deleted_is_made_again_elsewhere_too(
        self, ran: Path, tmp_path_factory: pytest.TempPathFactory
    ) -> None:
        import shutil

        out = tmp_path_factory.mktemp("far away") / "결과"
        fine(ran, "run", NAME, f"output_dir={out}")
        assert (out / "adapter_model.safetensors").is_file() and stale(ran, f"output_dir={out}") == []
        shutil.rmtree(out)
        assert stale(ran, f"output_dir={out}") == ["export"]
        fine(ran, "run", NAME, f"output_dir={out}")
        assert (out / "adapter_model.safetensors").is_file()

    def test_files_of_the_user_are_left_alone(self, ran: Path) -> None:
        mine = ran / "results" / "thesis.txt"
        mine.parent.mkdir()
        mine.write_text("years of work", encoding="utf-8")
        said = cli(ran, "run", NAME, "output_dir=results")
        assert said.code == 2 and len(said.errors) == 1 and "thesis.txt" in said.errors[0]
        assert files_below(ran / "results") == {"thesis.txt": b"years of work"}
        assert "▶" not in said.out, "told before anything is done"
        assert runs_of(ran)[0].record()["status"] == "finished"


class TestExportOne:
    def test_of_the_last_run(self, ran: Path) -> None:
        with inside(ran):
            folder, proof = export_one("merged", None, None, {"dtype": "auto"}, Silent())
        assert folder == runs_of(ran)[0].checkpoints / "merged" and proof["max_logit_difference"] <= 1e-4
        assert stale(ran) == [], "the same export made by hand is as good"

    def test_a_folder_needs_to_be_told_where_to(self, done: Path, tmp_path: Path) -> None:
        with inside(done), pytest.raises(ArtifactError, match="say where to write with --output-dir"):
            export_one("merged", f"checkpoints/{NAME}", None, {}, Silent())
        with inside(done):
            folder, _ = export_one("merged", f"checkpoints/{NAME}", tmp_path / "out", {}, Silent())
        assert (folder / "model.safetensors").is_file()

    def test_unknown(self, done: Path) -> None:
        with inside(done), pytest.raises(ModelError):
            export_one("merged", "tinny", None, {}, Silent())


def test_the_data_is_called_what_users_call_it(written: Path) -> None:
    assert dataset_name(lab_of(written).experiment) == "rows.csv"
    two = "data.sources=[{type: csv, path: a.csv}, {type: hub, name: someone/rows}]"
    assert dataset_name(lab_of(written, two).experiment) == "a.csv, someone/rows"


def test_scores_say_whose_they_are(done: Path) -> None:
    evaluation = runs_of(done)[0].evaluation
    tuned, base = (read_json(evaluation / f"{name}_model_evaluation.json") for name in ("finetuned", "base"))
    assert (tuned["model"], tuned["dataset"]) == (NAME, "rows.csv") and base["dataset"] == "rows.csv"
    assert tuned["metrics"]["perplexity"]["value"] < base["metrics"]["perplexity"]["value"]


def test_allowed_conditions_are_named_before_each_training(written: Path) -> None:
    talks(written)
    allowed = (TALKS, "data.allow=[prompt_mismatch]", "train.max_steps=1")
    assert cli(written, "train", NAME, TALKS).code == 2 and not (written / "checkpoints").exists()
    assert "warning: gate: 60 samples, allowed: prompt_mismatch (48)" in fine(written, "train", NAME, *allowed).out
    again = fine(written, "train", NAME, *allowed, "train.learning_rate=0.02").out
    assert "▶ format" not in again and "warning: gate: 60 samples, allowed: prompt_mismatch (48)" in again
