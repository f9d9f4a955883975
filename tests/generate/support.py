"""Small whole models and adapters as dadeum saves them: weights, tokenizer, template, prompt contract."""

from pathlib import Path
from typing import Any

import torch

from dadeum.data.contract import PromptContract, save_prompt
from dadeum.data.render import Renderer
from dadeum.generate.engine import Engine
from dadeum.model.save import save_model
from dadeum.tokenizer.load import load_tokenizer
from tests.data.small import make_tokenizer
from tests.model.tiny import tiny

QUESTIONS = [
    "안녕?",
    "오늘 날씨가 어떤가요? 내일은요?",
    "hi",
    "the quick brown fox answers a question, and then another question",
    "질문",
    "1 2 3 4 5 6 7 8 9 10",
    "무엇을 도와드릴까요? 👍",
    "null",
]


def user(text: str) -> list[dict[str, str]]:
    """A conversation of one question."""
    return [{"role": "user", "content": text}]


def save_small(folder: Path, shape: str = "llama", *, seed: int = 0, template: str = "chatml", **changes: Any) -> Path:
    """A whole random model with a chat template."""
    tokenizer = load_tokenizer(make_tokenizer(folder / "tokenizer_only", None), chat_template=template)
    renderer = Renderer(tokenizer)
    size = {"vocab_size": len(tokenizer), "max_position_embeddings": 256, "n_positions": 256}
    if shape == "gpt2":
        size.pop("max_position_embeddings")
    else:
        size.pop("n_positions")
    model = tiny(shape, seed=seed, **{**size, **changes})
    save_model(model, folder, stop_ids=renderer.stop_ids)
    save_prompt(folder, tokenizer, PromptContract.of(renderer))
    return folder


def save_adapter(folder: Path, base: Path, *, seed: int = 1) -> Path:
    """A LoRA adapter with weights that matter, on `base`."""
    from peft import LoraConfig, get_peft_model

    from dadeum.data.contract import open_prompt
    from dadeum.model.load import load_for_inference

    model: Any = load_for_inference(base)
    torch.manual_seed(seed)
    config = LoraConfig(
        r=4,
        lora_alpha=8,
        target_modules="all-linear",
        task_type="CAUSAL_LM",
        fan_in_fan_out=model.config.model_type == "gpt2",
    )
    adapted = get_peft_model(model, config)
    with torch.no_grad():
        for name, parameter in adapted.named_parameters():
            if "lora_" in name:
                parameter.normal_(std=0.1)
    adapted.peft_config["default"].base_model_name_or_path = str(base)
    save_model(adapted, folder)
    tokenizer, contract = open_prompt(base)
    save_prompt(folder, tokenizer, contract)
    return folder


def opened(folder: Path, **more: Any) -> Engine:
    """An engine on the CPU."""
    return Engine.open(folder, device="cpu", **more)
