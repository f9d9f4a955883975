"""The experiments of the five systems from end to end: the Hub's stand-in, small models of the same architecture, real tokenizers."""

import json
import os
import shutil
import subprocess
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from dadeum.core.artifact import read_json
from tests.architecture.tree import ROOT
from tests.export.targets.test_gguf import converter
from tests.hub_server import Hub, serve
from tests.model.tiny import tiny
from tests.run.lab import child_environment, cli, fine, runs_of

# Everything that makes a run long, made short; nothing else of the experiments is changed.
SHORT = (
    "train.max_steps=2",
    "evaluate.limit=2",
    "evaluate.max_new_tokens=4",
    "evaluate.few_shot=0",
    "evaluate.bootstrap=100",
)
LLAMA3 = ("<|begin_of_text|>", "<|start_header_id|>", "<|end_header_id|>", "<|eot_id|>")
GEMMA = ("<bos>", "<start_of_turn>", "<end_of_turn>")
TINYLLAMA = (
    "{% for m in messages %}<|{{ m.role }}|>\n{{ m.content }}{{ eos_token }}\n{% endfor %}"
    "{% if add_generation_prompt %}<|assistant|>\n{% endif %}"
)
TRAIN_CONFIG = """\
output_dir: results
num_train_epochs: 1
per_device_train_batch_size: 2
gradient_accumulation_steps: 2
learning_rate: 1e-3
lr_scheduler_type: cosine
warmup_ratio: 0.05
bf16: false
logging_steps: 1
save_strategy: epoch
report_to: none
"""
PEFT_CONFIG = "peft_type: LORA\ntask_type: CAUSAL_LM\nr: 4\nlora_alpha: 8\nlora_dropout: 0.05\nbias: none\ntarget_modules: [q_proj, v_proj]\n"


def model_files(
    folder: Path,
    shape: str,
    tokenizer: Path,
    *,
    template: str | None = None,
    special: Sequence[str] = (),
    **changes: Any,
) -> dict[str, bytes]:
    """What the Hub has of a small random model of this shape with a real tokenizer; the last of `special` ends a turn."""
    from dadeum.tokenizer.load import load_tokenizer

    made = load_tokenizer(tokenizer)
    if special:
        made.add_special_tokens(
            {"bos_token": special[0], "eos_token": special[-1], "additional_special_tokens": list(special[1:-1])}
        )
    if template is not None:
        made.chat_template = template
    made.save_pretrained(str(folder))
    ids = {"bos_token_id": made.bos_token_id, "eos_token_id": made.eos_token_id, "pad_token_id": None}
    tiny(shape, vocab_size=len(made), max_position_embeddings=4096, **{**ids, **changes}).save_pretrained(folder)
    return {f.name: f.read_bytes() for f in folder.iterdir() if f.is_file()}


def jsonl(rows: list[dict[str, Any]]) -> bytes:
    return "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows).encode()


@pytest.fixture
def hub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Hub]:
    for name in ("MODEL_ID", "DATASET", "HF_TOKEN", "HUGGING_FACE_HUB_TOKEN", "HF_HUB_OFFLINE", "LLAMA_CPP_DIR"):
        monkeypatch.setenv(name, "")  # so that what a test sets is taken back
        monkeypatch.delenv(name)
    with serve(Hub({})) as served:
        monkeypatch.setenv("HF_ENDPOINT", served.url)
        monkeypatch.setenv("HF_HOME", str(tmp_path / "home"))
        yield served


@pytest.fixture
def lab(tmp_path: Path) -> Path:
    """A workspace with our experiments and an empty `data/raw/`."""
    shutil.copytree(ROOT / "configs", tmp_path / "lab/configs")
    (tmp_path / "lab/data/raw").mkdir(parents=True)
    return tmp_path / "lab"


def metrics(root: Path, name: str) -> dict[str, Any]:
    (run,) = runs_of(root, name)
    assert (run.evaluation / "model_comparison_results.csv").is_file()
    for kind in ("base_model", "finetuned_model"):
        found = read_json(run.evaluation / f"{kind}_evaluation.json")
        assert found["samples"] and all(m["n"] for m in found["metrics"].values())
    metrics: dict[str, Any] = found["metrics"]
    return metrics


def dialogues(count: int = 40) -> bytes:
    return jsonl(
        [
            {
                "instruction": f"{n}번째 고민이에요.\n들어 주세요.",
                "output": f"그랬군요. {n}번 힘내세요.",
                "source": "single",
            }
            for n in range(count)
        ]
    )


def smollm2(hub: Hub, tmp_path: Path, material: Path) -> None:
    hub.repositories["models/HuggingFaceTB/SmolLM2-135M"] = model_files(
        tmp_path / "smollm2", "llama", material / "tokenizers/smollm2"
    )
    hub.repositories["datasets/ohilikeit/empathetic_dialogues_mutli_turn_ko"] = {"Empathetic_data.jsonl": dialogues()}


def test_a_text_is_downloaded_written_trained_and_measured(hub: Hub, lab: Path, tmp_path: Path, material: Path) -> None:
    """System A: neither file is there, so both are written, and it says from where; the checkpoint folder loads."""
    from transformers import AutoModelForCausalLM

    smollm2(hub, tmp_path, material)
    said = fine(lab, "run", "configs/smollm2-ko.yaml", *SHORT)
    told = said.out + said.err
    assert "korean_train.txt is missing; written from ohilikeit/empathetic_dialogues_mutli_turn_ko" in told
    assert "korean_eval.txt: written from the built-in samples 'korean_eval'" in told
    lines = (lab / "data/processed/korean_train.txt").read_text(encoding="utf-8").splitlines()
    assert lines[0] == "질문: 0번째 고민이에요.\\n들어 주세요.\\n답변: 그랬군요. 0번 힘내세요." and len(lines) == 40
    assert set(metrics(lab, "smollm2-ko")) == {"perplexity", "bits_per_byte"}
    assert AutoModelForCausalLM.from_pretrained(lab / "checkpoints/smollm2-ko").config.model_type == "llama"
    hub.requests.clear()
    again = fine(lab, "run", "configs/smollm2-ko.yaml", *SHORT)
    assert again.code == 0 and hub.requests == []


@pytest.mark.slow
def test_the_four_scripts_of_system_a(hub: Hub, lab: Path, tmp_path: Path, material: Path) -> None:
    smollm2(hub, tmp_path, material)
    (lab / "data/processed").mkdir()
    (lab / "data/processed/korean_eval.txt").write_text("내가 쓴 평가 글입니다.\n또 한 줄입니다.\n", encoding="utf-8")
    environment = child_environment(
        {"LLAMA_CPP_DIR": str(converter(tmp_path / "llama.cpp")), "HF_HOME": os.environ["HF_HOME"]}
    )

    def script(name: str, *words: str) -> str:
        done = subprocess.run(
            ["bash", str(ROOT / f"scripts/run_smollm2_{name}.sh"), *words],
            cwd=lab, env=environment, capture_output=True, text=True, encoding="utf-8", timeout=900, check=False,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        return done.stdout + done.stderr

    assert script("demo", "안녕하세요", "--max-new-tokens", "4")
    assert "built-in" not in script("finetune", *SHORT)
    assert "perplexity" in script("eval", *SHORT)
    assert "model.gguf" in script("gguf", "-q", "f16")
    (run,) = runs_of(lab, "smollm2-ko")
    assert (run.checkpoints / "gguf/model.gguf").read_bytes()[:4] == b"GGUF"


def llama32(hub: Hub, tmp_path: Path, material: Path) -> None:
    template = (material / "chat_templates/trl/llama3_2.jinja").read_text(encoding="utf-8")
    hub.repositories["models/meta-llama/Llama-3.2-1B-Instruct"] = model_files(
        tmp_path / "llama32", "llama", material / "tokenizers/bora-ko-32k", template=template, special=LLAMA3
    )


@pytest.mark.slow
def test_b_conversations_of_ones_own(hub: Hub, lab: Path, tmp_path: Path, material: Path) -> None:
    """System B: a JSON of conversations; its defaults; the two models side by side in a CSV."""
    llama32(hub, tmp_path, material)
    hub.repositories["models/meta-llama/Llama-3.2-1B"] = model_files(
        tmp_path / "base", "llama", material / "tokenizers/bora-ko-32k", special=LLAMA3
    )
    source = next((material / "peer_fixtures/fastchat").glob("*.json"))
    shutil.copyfile(source, lab / "data/raw/conversations.json")
    fine(lab, "run", "llama32-instruct-lora", *SHORT, "data.overlong=drop")
    metrics(lab, "llama32-instruct-lora")
    (run,) = runs_of(lab, "llama32-instruct-lora")
    adapter = read_json(run.final / "adapter_config.json")
    assert (adapter["r"], adapter["lora_alpha"]) == (8, 16)
    head = (run.evaluation / "model_comparison_results.csv").read_text(encoding="utf-8-sig").splitlines()[0]
    assert head.startswith("question,reference")
    (lab / "q.txt").write_text("안녕하세요?\n이름이 무엇인가요?\n", encoding="utf-8")
    words = (
        "compare",
        "meta-llama/Llama-3.2-1B",  # without a chat template
        "llama32-instruct-lora",
        "--questions",
        "q.txt",
        "-o",
        "side",
        "--max-new-tokens",
        "3",
    )
    fine(lab, *words)
    assert len((lab / "side/model_comparison_results.csv").read_text(encoding="utf-8-sig").splitlines()) >= 3


def finqa(count: int = 40) -> bytes:
    return jsonl([
        {"Open-ended Verifiable Question": f"Revenue rose from {n} to {2 * n}. By how much?", "Complex_CoT": f"{2 * n} - {n} = {n}.", "Response": f"By {n}."}
        for n in range(1, count + 1)
    ])  # fmt: skip


@pytest.mark.slow
def test_c_from_env_and_the_two_files(hub: Hub, lab: Path, tmp_path: Path, material: Path) -> None:
    """System C: model, data and token from `.env`, TrainingArguments and LoraConfig as files, adapter and merged model in `output_dir`."""
    from transformers import AutoModelForCausalLM

    template = (material / "chat_templates/trl/gemma3.jinja").read_text(encoding="utf-8")
    hub.repositories["models/google/gemma-3-1b-it"] = model_files(
        tmp_path / "gemma", "gemma3", material / "tokenizers/bora-ko-32k", template=template, special=GEMMA
    )
    hub.gated.add("models/google/gemma-3-1b-it")
    hub.token = "hf_secret"
    hub.repositories["datasets/TheFinAI/Fino1_Reasoning_Path_FinQA"] = {"data/train.jsonl": finqa()}
    (lab / "train_config.yaml").write_text(TRAIN_CONFIG, encoding="utf-8")
    (lab / "peft_config.yaml").write_text(PEFT_CONFIG, encoding="utf-8")
    (lab / "finqa.yaml").write_text(
        "name: finqa\nextends: [train_config.yaml, peft_config.yaml]\n"
        "data: {prompt: configs/messages/finqa.yaml, split: {validation: 0.1, test: 0.1}}\n",
        encoding="utf-8",
    )
    (lab / ".env").write_text(
        "MODEL_ID=google/gemma-3-1b-it\nDATASET=TheFinAI/Fino1_Reasoning_Path_FinQA\n", encoding="utf-8"
    )
    said = cli(lab, "data", "download", "finqa.yaml")
    assert said.code == 2 and "accept its licence" in said.errors[0]
    with (lab / ".env").open("a", encoding="utf-8") as file:
        file.write("HF_TOKEN=hf_secret\n")
    fine(lab, "run", "finqa.yaml", *SHORT)
    assert "bits_per_byte" in metrics(lab, "finqa")
    (run,) = runs_of(lab, "finqa")
    assert read_json(run.final / "adapter_config.json")["target_modules"]
    assert (lab / "results/adapter_model.safetensors").is_file()
    assert AutoModelForCausalLM.from_pretrained(lab / "results/deployment_model").config.model_type == "gemma3_text"
    kept = b"".join(f.read_bytes() for f in lab.rglob("*") if f.is_file() and f.name != ".env")
    assert b"hf_secret" not in kept
    fine(lab, "plan", "finqa-reasoning", "--no-data")


@pytest.mark.slow
@pytest.mark.parametrize("name", ["koalpaca-instruct", "korquad-mrc"])
def test_d_another_data_set_and_prompt(hub: Hub, lab: Path, tmp_path: Path, material: Path, name: str) -> None:
    """System D: the same model, other data and prompt, by the YAML alone."""
    hub.repositories["models/TinyLlama/TinyLlama-1.1B-Chat-v1.0"] = model_files(
        tmp_path / "tinyllama", "llama", material / "tokenizers/tinyllama-1.1b-chat", template=TINYLLAMA
    )
    rows = [{"instruction": f"{n}에 1을 더하면?", "output": f"{n + 1}입니다.", "url": ""} for n in range(200)]
    hub.repositories["datasets/beomi/KoAlpaca-v1.1a"] = {"KoAlpaca_v1.1a.jsonl": jsonl(rows)}
    whole = read_json(material / "ko_mrc/KorQuAD_v1.0_dev.json")
    for part, articles in (("train", whole["data"][:2]), ("dev", whole["data"][2:3])):
        text = json.dumps({"version": "x", "data": articles}, ensure_ascii=False)
        (lab / f"data/raw/KorQuAD_v1.0_{part}.json").write_text(text, encoding="utf-8")
    fine(lab, "run", name, *SHORT)
    found = metrics(lab, name)
    assert set(found) >= ({"exact_match", "bits_per_byte"} if name == "korquad-mrc" else {"chrf", "bits_per_byte"})
    assert any("char" in metric for metric in found)


@pytest.mark.slow
def test_e_civil_law(hub: Hub, lab: Path, tmp_path: Path, material: Path) -> None:
    """System E: its CSV, its defaults, its files; one question, a file of questions, a benchmark."""
    llama32(hub, tmp_path, material)
    shutil.copyfile(material / "ko_qa/civil_law_qa_dataset.csv", lab / "data/raw/civil_law_qa_dataset.csv")
    fine(lab, "run", "civil-law-qa", *SHORT)
    metrics(lab, "civil-law-qa")
    (run,) = runs_of(lab, "civil-law-qa")
    adapter = read_json(run.final / "adapter_config.json")
    assert (adapter["r"], adapter["lora_alpha"], adapter["lora_dropout"]) == (16, 32, 0.1)
    assert (run.evidence / "training_stats.json").is_file() and list(run.evidence.glob("training_*.log"))
    (lab / "q.txt").write_text("계약이란?\n소멸시효란?\n", encoding="utf-8")
    assert fine(lab, "ask", "계약이란 무엇인가요?", "--max-new-tokens", "3").out
    fine(lab, "batch", "q.txt", "-o", "results.md", "--max-new-tokens", "3")
    assert "소멸시효란?" in (lab / "results.md").read_text(encoding="utf-8")
    assert "token" in fine(lab, "bench", "--max-new-tokens", "3").out
