"""AdamW's groups against Trainer, and each of its settings."""

from typing import Any

import pytest
import torch
from transformers import AutoModelForCausalLM, GPT2Config, LlamaConfig, Qwen2Config, Trainer, TrainingArguments

from dadeum.train.optimizers.adamw import Settings, build, state_bytes

SMALL = {"hidden_size": 32, "intermediate_size": 64, "num_hidden_layers": 1, "num_attention_heads": 2, "vocab_size": 50}
CONFIGS = {
    "llama": LlamaConfig(**SMALL, num_key_value_heads=2),
    "qwen2": Qwen2Config(**SMALL, num_key_value_heads=2),
    "gpt2": GPT2Config(n_embd=32, n_layer=1, n_head=2, vocab_size=50),
}


def _model(kind: str) -> Any:
    torch.manual_seed(0)
    return AutoModelForCausalLM.from_config(CONFIGS[kind])


@pytest.mark.parametrize("kind", CONFIGS)
def test_the_same_weights_decay_as_with_trainer(kind: str, tmp_path: Any) -> None:
    model = _model(kind)
    trainer = Trainer(model=model, args=TrainingArguments(output_dir=str(tmp_path), use_cpu=True, report_to=[]))
    names = {id(p): n for n, p in model.named_parameters()}
    groups = build(Settings(weight_decay=0.1), model, 1e-3).param_groups
    ours = {names[id(p)] for g in groups if g["weight_decay"] for p in g["params"]}
    assert ours == set(trainer.get_decay_parameter_names(model)) & set(names.values())
    assert {names[id(p)] for g in groups for p in g["params"]} == set(names.values())


@pytest.mark.parametrize(
    "changes", [{"weight_decay": 0.5}, {"adam_beta1": 0.5}, {"adam_beta2": 0.5}, {"adam_epsilon": 0.1}]
)
def test_every_setting_moves_the_weights(changes: dict[str, float]) -> None:
    moved = []
    for settings in (Settings(), Settings(**changes)):
        model = _model("llama")
        optimizer = build(settings, model, 1e-2)
        for seed in range(3):
            torch.manual_seed(seed)
            for p in model.parameters():
                p.grad = torch.randn_like(p)
            optimizer.step()
        moved.append(next(model.parameters()).detach().clone())
    assert not torch.equal(*moved)


def test_frozen_weights_are_left_out_and_the_state_is_as_large_as_told() -> None:
    model = _model("llama")
    model.model.embed_tokens.weight.requires_grad_(False)
    optimizer = build(Settings(), model, 1e-3)
    for p in model.parameters():
        p.grad = torch.ones_like(p) if p.requires_grad else None
    optimizer.step()
    trained = sum(p.numel() for p in model.parameters() if p.requires_grad)
    held = sum(v.nbytes for s in optimizer.state.values() for k, v in s.items() if k != "step")
    assert held == state_bytes(Settings(), trained)
