"""What is stale after which change, and why: nothing more and nothing less."""

import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from dadeum.core.artifact import read_json
from dadeum.core.errors import DataError, ModelError
from dadeum.run.stages import artifact_folder
from tests.run.lab import NAME, child, files_below, lab_of, plan_of, runs_of, stale

ALL = ["preprocess", "format", "eval base", "train", "eval tuned", "compare", "export", "report"]
# A new run has to take the base's scores over.
FROM_TRAIN = ["eval base", "train", "eval tuned", "compare", "export", "report"]


def change_a_byte(path: Path) -> None:
    """Another byte behind the same size and time."""
    stat = path.stat()
    text = path.read_bytes()
    path.write_bytes(text.replace(b"0", b"9", 1))
    os.utime(path, ns=(stat.st_atime_ns, stat.st_mtime_ns))
    assert path.stat().st_size == stat.st_size and path.stat().st_mtime_ns == stat.st_mtime_ns


def test_nothing_is_stale_after_a_run(done: Path) -> None:
    assert stale(done) == []
    assert [step.name for step in plan_of(done).steps] == [
        "download",
        "preprocess",
        "format",
        "initialise",
        *FROM_TRAIN,
    ]


def test_a_workspace_that_moved_is_still_fresh(ran: Path) -> None:
    assert stale(ran) == []


def test_one_byte_of_the_rows_behind_the_same_size_and_time(ran: Path) -> None:
    change_a_byte(ran / "rows.csv")
    assert stale(ran) == ALL
    assert plan_of(ran).step("preprocess").why == "changed: rows.csv"
    assert plan_of(ran).step("format").why == "changed: preprocess"


@pytest.mark.parametrize(
    ("setting", "expected", "step", "why"),
    [
        ("train.learning_rate=0.02", FROM_TRAIN, "train", "changed: train.learning_rate"),
        ("adapter.r=2", FROM_TRAIN, "train", "changed: adapter.r"),
        ("data.packing=false", FROM_TRAIN, "train", "changed: data.packing"),
        ("data.max_length=127", ALL[1:], "format", "changed: data.max_length"),
        ("data.train_on=all", ALL[1:], "format", "changed: data.train_on"),
        ("data.split.seed=7", ALL, "preprocess", "changed: data.split.seed"),
        ("data.system_prompt=hello", ALL, "preprocess", "changed: data.system_prompt"),
        ("evaluate.limit=3", ["eval base", "eval tuned", "compare", "report"], "eval tuned", "changed: evaluate.limit"),
        ("export=[{type: merged, dtype: bfloat16}]", ["export", "report"], "export", "changed: export"),
        ("output_dir=results", ["export", "report"], "export", "changed: output_dir"),
        ("train.logging_steps=2", [], "train", ""),
        ("train.save_total_limit=5", [], "train", ""),
        ("model.config.hidden_size=16", ["initialise", *FROM_TRAIN], "initialise", "changed: model.config"),
        ("train.seed=1", ["initialise", *FROM_TRAIN], "train", "changed: initialise, train.seed"),
        (
            "tokenizer.add_special_tokens=[<new>]",
            ["preprocess", "format", "initialise", *FROM_TRAIN],
            "initialise",
            "changed: tokenizer.add_special_tokens",
        ),
    ],
)
def test_a_changed_setting(done: Path, setting: str, expected: list[str], step: str, why: str) -> None:
    assert stale(done, setting) == expected
    assert plan_of(done, setting).step(step).why == why


def test_another_version_of_what_measures(done: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its scores have another signature, so those of before could not be compared with them."""
    monkeypatch.setattr("dadeum.run.tasks.version", lambda name: f"another {name}")
    assert stale(done) == ["eval base", "eval tuned", "compare", "report"]
    assert plan_of(done).step("eval base").why == "changed: sacrebleu version"


def test_scores_of_the_base_are_taken_over(done: Path) -> None:
    why = plan_of(done, "train.learning_rate=0.02").step("eval base").why
    assert why == f"taken over from {runs_of(done)[-1].name}"
    assert plan_of(done, "evaluate.limit=3").step("eval base").why == "changed: evaluate.limit"


def test_more_than_three_changes_are_counted(done: Path) -> None:
    changed = (
        "train.learning_rate=1",
        "adapter.r=2",
        "data.packing=false",
        "adapter.lora_alpha=3",
        "train.max_steps=1",
    )
    assert plan_of(done, *changed).step("train").why.endswith(" and 2 more")


def _template(root: Path) -> None:
    path = root / "tokenizer" / "chat_template.jinja"
    path.write_text(path.read_text(encoding="utf-8") + " ", encoding="utf-8")


def _vocabulary(root: Path) -> None:
    path = root / "tokenizer" / "tokenizer.json"
    path.write_text(path.read_text(encoding="utf-8") + "\n", encoding="utf-8")


@pytest.mark.parametrize("change", [_template, _vocabulary])
def test_a_changed_tokenizer(ran: Path, change: Callable[[Path], None]) -> None:
    change(ran)
    assert stale(ran) == ["preprocess", "format", "initialise", *FROM_TRAIN]
    assert plan_of(ran).step("preprocess").why == "changed: tokenizer"


def test_a_changed_chat_template_file(written: Path) -> None:
    own = written / "own.jinja"
    shutil.copyfile(written / "tokenizer" / "chat_template.jinja", own)
    before = plan_of(written, "tokenizer.chat_template=own.jinja")
    own.write_text(own.read_text(encoding="utf-8") + "\n", encoding="utf-8")
    after = plan_of(written, "tokenizer.chat_template=own.jinja")
    changed = [a.name for a, b in zip(after.steps, before.steps, strict=True) if a.fingerprint != b.fingerprint]
    assert changed == ALL
    step, was = after.step("preprocess"), before.step("preprocess")
    assert {k for k in step.made_from if step.made_from[k] != was.made_from[k]} == {"tokenizer.chat_template"}


def test_a_changed_messages_format(written: Path) -> None:
    prompt = written / "prompt.yaml"
    text = (
        "training_columns: {question: question, answer: answer}\n"
        "messages_format:\n  messages:\n"
        "    - {role: user, content: '{question}'}\n    - {role: assistant, content: '{answer}'}\n"
    )
    prompt.write_text(text, encoding="utf-8")
    before = plan_of(written, "data.prompt=prompt.yaml").step("preprocess").made_from
    prompt.write_text(text.replace("'{question}'", "'Q: {question}'"), encoding="utf-8")
    after = plan_of(written, "data.prompt=prompt.yaml").step("preprocess").made_from
    assert {k for k in after if after[k] != before[k]} == {"data.prompt"}


@pytest.mark.parametrize(
    ("file", "expected"),
    [
        ("data/processed/preprocessed-*/report.json", ["preprocess"]),
        ("data/processed/formatted-*/train.arrow", ["format"]),
        ("checkpoints/tiny/base-*/model.safetensors", ["initialise"]),
        ("experiments/tiny/*/evaluation/base_model_evaluation.json", ["eval base"]),
        ("experiments/tiny/*/evaluation/finetuned_model_evaluation.json", ["eval tuned"]),
        ("experiments/tiny/*/evaluation/comparison.json", ["compare"]),
        ("checkpoints/tiny/*/final/adapter_model.safetensors", ["train"]),
        ("checkpoints/tiny/*/merged/model.safetensors", ["export"]),
        ("experiments/tiny/*/report.html", ["report"]),
    ],
)
@pytest.mark.parametrize("how", ["deleted", "damaged"])
def test_a_result_that_is_gone_or_damaged(ran: Path, file: str, expected: list[str], how: str) -> None:
    path = next(ran.glob(file))
    if how == "deleted":
        path.unlink()
    else:
        text = bytearray(path.read_bytes())
        text[len(text) // 2] ^= 1
        path.write_bytes(text)
    assert stale(ran) == expected
    assert plan_of(ran).step(expected[0]).why == "its result is gone or damaged"


def test_an_export_without_its_manifest(ran: Path) -> None:
    next(ran.glob("checkpoints/tiny/*/merged/manifest.json")).unlink()
    assert stale(ran) == ["export"]


def test_a_plan_writes_nothing(written: Path, done: Path) -> None:
    for root in (written, done):
        before = files_below(root)
        plan_of(root)
        assert files_below(root) == before


def test_duplicates_left_alone_make_nothing_stale(done: Path) -> None:
    """Artifacts from before there was the setting are what `keep` makes."""
    assert stale(done, "data.duplicates=keep") == []
    assert "data.duplicates" not in plan_of(done).step("preprocess").made_from
    assert "preprocess" in stale(done, "data.duplicates=drop_exact")
    assert plan_of(done, "data.duplicates=drop_exact").step("preprocess").made_from["data.duplicates"] == "drop_exact"


def test_filters_make_what_they_change_stale(done: Path) -> None:
    assert "data.filters" not in plan_of(done).step("preprocess").made_from
    assert "preprocess" in stale(done, "data.filters=[answers]")
    filters = plan_of(done, "data.filters=[{type: length, max_tokens: 9}]").step("preprocess").made_from["data.filters"]
    assert [f["max_tokens"] for f in filters] == [9]


def test_folders_are_named_by_what_they_are_made_from(done: Path) -> None:
    lab, plan = lab_of(done), plan_of(done)
    for name in ("preprocess", "format", "initialise"):
        folder = artifact_folder(lab, plan.step(name))
        assert folder is not None and folder.is_dir() and folder.name.endswith(plan.step(name).fingerprint[:12])
    assert artifact_folder(lab, plan.step("train")) is None


def test_a_damaged_notebook_is_named(ran: Path) -> None:
    notebook = ran / "experiments" / NAME / "stages.json"
    assert set(read_json(notebook)) >= {"preprocess", "train", "compare"}
    notebook.write_text("{", encoding="utf-8")
    with pytest.raises(Exception, match=r"stages\.json"):
        plan_of(ran)


def test_missing_inputs_are_told_before_anything_is_written(written: Path) -> None:
    before = files_below(written)
    with pytest.raises(DataError, match=r"nowhere\.csv"):
        plan_of(written, "data.sources=[{type: csv, path: nowhere.csv}]")
    with pytest.raises(ModelError, match=r"nothing-here: no such folder"):
        plan_of(written, "tokenizer.name_or_path=./nothing-here")
    assert files_below(written) == before


HEAVY = """\
import json, sys
from dadeum.cli.app import main
try:
    main(sys.argv[1:])
except SystemExit as leaving:
    code = leaving.code
heavy = {"torch", "transformers", "datasets", "pandas", "numpy", "tokenizers", "peft"} & set(sys.modules)
print(json.dumps({"code": code, "heavy": sorted(heavy)}), file=sys.stderr)
"""


def test_freshness_needs_no_torch(ran: Path) -> None:
    """In a process of its own: everything is found fresh, and no library was loaded."""
    said = child(ran, "run", NAME, program=("-c", HEAVY))
    assert json.loads(said.stderr.splitlines()[-1]) == {"code": 0, "heavy": []}, said.stderr.decode()
    assert "✓ export" in said.stdout.decode() and "▶" not in said.stdout.decode()


def test_what_a_head_looks_at_makes_rows_stale_and_how_it_is_built_does_not(written: Path) -> None:
    def prints(**head: object) -> dict[str, str]:
        text = ", ".join(f"{key}: {value}" for key, value in {"type": "sequence_classification", **head}.items())
        plan = plan_of(written, f"head={{{text}}}", "evaluate.metrics=[accuracy]")
        return {step.name: step.fingerprint for step in plan.steps}

    def changed(**head: object) -> set[str]:
        before, after = prints(), prints(**head)
        return {name for name in before if before[name] != after[name]}

    assert {"preprocess", "format", "train"} <= changed(column="hate")
    assert {"format", "train"} <= changed(labels="[a, b]") and "preprocess" not in changed(labels="[a, b]")
    assert "train" in changed(dropout=0.5) and not {"preprocess", "format"} & changed(dropout=0.5)
