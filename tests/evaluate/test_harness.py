"""lm-eval through dadeum is lm-eval: the same scores as by its own loader and its own command."""

import json
import random
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from dadeum.core.errors import DataError, MissingExtra, ModelError
from dadeum.core.progress import Silent
from dadeum.core.workspace import Workspace
from dadeum.evaluate import harness
from dadeum.evaluate.harness import Prepared
from dadeum.evaluate.result import EvaluationResult
from dadeum.evaluate.task import HarnessTask, open_tasks
from dadeum.generate.engine import Engine
from tests.evaluate.tasks import asking, workspace_with_tasks
from tests.generate.support import opened, save_adapter, save_small


@pytest.fixture(autouse=True)
def quiet(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_DATASETS_OFFLINE", "1")


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    here = workspace_with_tasks(tmp_path_factory.mktemp("harness"))
    save_small(here / "model")
    save_adapter(here / "adapter", here / "model")
    return here


@pytest.fixture(scope="module")
def engine(root: Path) -> Engine:
    return opened(root / "model")


def one(root: Path, choice: object, **more: object) -> HarnessTask:
    (task,) = open_tasks(asking(choice, **more), Workspace(root))
    assert isinstance(task, HarnessTask)
    return task


def scored(root: Path, engine: Engine, choice: object, **more: Any) -> EvaluationResult:
    task = one(root, choice)
    return Prepared.of(task, trusted=False).score(engine, asking(batch_size=4, **more), Silent())


def of_lm_eval(root: Path, tasks: list[str], model: str) -> dict[str, Any]:
    """lm-eval with its own loader of the folder."""
    from lm_eval import simple_evaluate
    from lm_eval.tasks import TaskManager

    manager = TaskManager(include_path=[str(root / "configs/tasks")], include_defaults=False)
    found: Any = simple_evaluate(
        model="hf",
        model_args=f"pretrained={root / 'model'}{model}",
        tasks=tasks,
        batch_size=4,
        device="cpu",
        task_manager=manager,
        bootstrap_iters=2,
    )
    return dict(found)


@pytest.mark.parametrize("model", ["model", "adapter"])
def test_the_same_values_as_by_its_own_loader(
    root: Path, engine: Engine, model: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DISABLE_MULTIPROC", "1")
    asked = engine if model == "model" else opened(root / "adapter", base=root / "model")
    theirs = of_lm_eval(root, ["my_pick", "my_write"], "" if model == "model" else f",peft={root / 'adapter'}")
    for task in ("my_pick", "my_write"):
        ours, values = scored(root, asked, f"lm-eval:{task}"), theirs["results"][task]
        assert ours.metrics.keys() == {k.partition(",")[0] for k in values if "," in k and "_stderr" not in k}
        for name, metric in ours.metrics.items():
            assert metric["value"] == values[f"{name},none"]
            if metric["standard_error"] is not None:
                assert metric["standard_error"] == pytest.approx(values[f"{name}_stderr,none"], abs=1e-12)
        samples = theirs["samples"][task]
        assert [s["asked"] for s in ours.samples] == [s["doc_hash"] for s in samples]
        assert [s["prompt_sha256"] for s in ours.samples] == [s["prompt_hash"] for s in samples]
        assert [s["target_sha256"] for s in ours.samples] == [s["target_hash"] for s in samples]


@pytest.mark.slow
def test_the_same_values_as_by_its_own_command(root: Path, engine: Engine, tmp_path: Path) -> None:
    words = ["--model", "hf", "--model_args", f"pretrained={root / 'model'}", "--tasks", "my_pick,my_write"]
    more = ["--include_path", str(root / "configs/tasks"), "--device", "cpu", "--batch_size", "4"]
    subprocess.run(
        [sys.executable, "-m", "lm_eval", *words, *more, "--output_path", str(tmp_path)],
        check=True,
        capture_output=True,
        timeout=300,
    )
    (file,) = tmp_path.rglob("results_*.json")
    theirs = json.loads(file.read_text(encoding="utf-8"))["results"]
    for task in ("my_pick", "my_write"):
        ours = scored(root, engine, f"lm-eval:{task}")
        assert {name: m["value"] for name, m in ours.metrics.items()} == {
            key.partition(",")[0]: value for key, value in theirs[task].items() if "," in key and "_stderr" not in key
        }


def test_what_it_leaves_behind_is_nothing(root: Path, engine: Engine) -> None:
    """A30: configuration, tokenizer, tied weights and random numbers are as before; the engine answers as before."""
    question = [[{"role": "user", "content": "안녕?"}]]
    config, side, tie = engine.model.generation_config, engine.tokenizer.padding_side, engine.model.tie_weights
    before = engine.replies(question, max_new_tokens=6)[0].ids
    state = random.getstate(), np.random.get_state()[1].tolist(), torch.get_rng_state()  # type: ignore[index]
    scored(root, engine, "lm-eval:my_write")
    assert engine.model.generation_config is config and engine.tokenizer.padding_side == side
    assert engine.model.tie_weights == tie and "tie_weights" not in vars(engine.model)
    assert random.getstate() == state[0] and np.random.get_state()[1].tolist() == state[1]  # type: ignore[index]
    assert torch.equal(torch.get_rng_state(), state[2])
    assert engine.replies(question, max_new_tokens=6)[0].ids == before


def test_shots_limit_and_template_are_in_the_key(root: Path, engine: Engine) -> None:
    plain = scored(root, engine, {"task": "lm-eval:my_pick", "limit": 3})
    asked = scored(root, engine, {"task": "lm-eval:my_write", "limit": 3, "shots": 1, "chat_template": True})
    assert plain.metrics["acc"]["n"] == 3 and len(plain.samples) == 3
    assert plain.metrics["acc"]["signature"].endswith("task:my_pick|version:2.0|shots:0|chat:no|filter:none")
    assert asked.metrics["exact_match"]["signature"].endswith("version:1.0|shots:1|chat:yes|filter:none")
    assert "<|im_start|>" in asked.samples[0]["prompt"] and "<|im_start|>" not in plain.samples[0]["prompt"]
    assert asked.samples[0]["prompt"].count("더하기") == 2
    assert asked.environment["template_sha256"] and not plain.environment["template_sha256"]
    assert scored(root, engine, "lm-eval:my_pick", limit=2).metrics["acc"]["n"] == 24  # that is for the test rows


def test_examples_that_lm_eval_does_not_show_are_told(root: Path, engine: Engine) -> None:
    """A task that says `num_fewshot: 0` is asked without, whatever is wanted."""
    kept = scored(root, engine, {"task": "lm-eval:my_pick", "limit": 2, "shots": 2})
    assert "|shots:0|" in kept.metrics["acc"]["signature"]
    assert any("my_pick: asked with 0 examples and not 2" in note for note in kept.notes)
    shown = scored(root, engine, {"task": "lm-eval:my_write", "limit": 2, "shots": 1})
    assert not any("examples" in note for note in shown.notes)


def test_a_template_that_is_asked_for_must_be_there(root: Path, engine: Engine) -> None:
    before, engine.tokenizer.chat_template = engine.tokenizer.chat_template, None
    try:
        with pytest.raises(ModelError, match="chat_template is asked for"):
            scored(root, engine, {"task": "lm-eval:my_pick", "chat_template": True})
    finally:
        engine.tokenizer.chat_template = before


def test_a_name_that_is_nearly_right_is_guessed(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    alone = harness._manager(root / "configs/tasks", True)
    monkeypatch.setattr(harness, "_manager", lambda own, alone_: alone)
    with pytest.raises(DataError, match="lm-eval knows no such task, group or tag; did you mean 'lm-eval:my_pick'"):
        Prepared.of(one(root, "lm-eval:my_pic"), trusted=False)


@pytest.mark.slow
def test_korean_benchmarks_by_name(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """KoBEST, KMMLU and HAE-RAE are lm-eval's own: all names are read, and data that are not here are one sentence."""
    manager = harness._manager(None, False)
    assert {"kobest", "kobest_copa", "kmmlu", "kmmlu_law", "haerae", "haerae_history"} <= set(manager.all_tasks)
    monkeypatch.setattr(harness, "_manager", lambda own, alone: manager)
    with pytest.raises(DataError, match="lm-eval knows no such task, group or tag; did you mean 'lm-eval:kobest_copa'"):
        Prepared.of(one(root, "lm-eval:kobest_kopa"), trusted=False)
    with pytest.raises(DataError, match="its data are not here and cannot be fetched"):
        Prepared.of(one(root, "lm-eval:kobest_copa"), trusted=False)


def test_without_the_package(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(MissingExtra, match=r'pip install "dadeum\[lm-eval\]"'):
        Prepared.of(one(root, "lm-eval:my_pick"), trusted=False)
