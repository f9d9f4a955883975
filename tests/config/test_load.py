"""dadeum.config.load: from files, overrides and the environment to one frozen experiment."""

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from dadeum.config.experiment import Experiment
from dadeum.config.load import Loaded, load, read_environment
from dadeum.core.errors import ConfigError
from dadeum.core.family import Family

# A new adapter, setting or section changes these lists and no test.
SECTIONS = ", ".join(Experiment.model_fields)
KINDS = ", ".join(Family("dadeum.model.adapters").names)
OF_LORA = ", ".join(Family("dadeum.model.adapters").settings("lora").model_fields)
Read = Callable[..., Loaded]
Told = Callable[..., list[str]]
GOOD = """\
name: civil
model:
  name_or_path: some/model
adapter: {type: lora, r: 8}
data:
  sources: [{type: csv, path: a.csv}, {type: jsonl, path: b.jsonl}]
train:
  learning_rate: 1e-4
"""


def get(loaded: Loaded, key: str) -> Any:
    value: Any = loaded.experiment
    for part in key.split("."):
        value = value[int(part)] if part.isdigit() else getattr(value, part)
    return value


def write(folder: Path, **files: str) -> None:
    for name, text in files.items():
        path = folder / f"{name}.yaml"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")


def test_a_good_file(read: Read, lab: Path) -> None:
    loaded = read(GOOD)
    assert (get(loaded, "name"), get(loaded, "adapter.r"), get(loaded, "data.sources.1.path")) == (
        "civil",
        8,
        "b.jsonl",
    )
    assert get(loaded, "train.learning_rate") == 0.0001
    assert get(loaded, "train.optim.type") == "adamw"
    assert loaded.files == (lab / "a.yaml",)
    with pytest.raises(ValidationError, match="frozen"):
        loaded.experiment.train.seed = 1  # type: ignore[misc]


# ---- what is wrong: (line to put in, what is told) ------------------------------------------------------------------
BAD: dict[str, tuple[str, str]] = {
    "unknown section": (GOOD + "trian: {seed: 1}\n", f"a.yaml:9: trian: found an unknown key, expected one of: {SECTIONS}; did you mean 'train'?"),
    "unknown key": (GOOD + "  learning_rte: 1\n", "a.yaml:9: train.learning_rte: found an unknown key, expected one of: objective, …; did you mean 'learning_rate'?"),
    "unknown key of a member": (GOOD.replace("r: 8", "r: 8, lora_alpa: 4"), f"a.yaml:4: adapter.lora_alpa: found an unknown key, expected one of: {OF_LORA}; did you mean 'lora_alpha'?"),
    "unknown key of the second source": (GOOD.replace("path: b.jsonl", "path: b.jsonl, pth: c"), "a.yaml:6: data.sources.1.pth: found an unknown key, expected one of: type, path, …; did you mean 'path'?"),
    "unknown member": (GOOD.replace("lora", "lorra"), f"a.yaml:4: adapter.type: found 'lorra', expected one of: {KINDS}; did you mean 'lora'?"),
    "unknown member by name": (GOOD.replace("{type: lora, r: 8}", "ful"), f"a.yaml:4: adapter: found 'ful', expected one of: {KINDS}; did you mean 'full'?"),
    "unknown source": (GOOD.replace("type: csv", "type: cvs"), "a.yaml:6: data.sources.0.type: found 'cvs', expected one of: conll, csv, …; did you mean 'csv'?"),
    "unknown metric": (GOOD + "evaluate: {metrics: [chrf, rogue]}\n", "a.yaml:9: evaluate.metrics.1: found 'rogue', expected one of: …; did you mean 'rouge'?"),
    "member without type": (GOOD.replace("type: lora, ", ""), f"a.yaml:4: adapter: found a mapping, expected 'type', one of: {KINDS}"),
    "member of another shape": (GOOD.replace("{type: lora, r: 8}", "[lora]"), "a.yaml:4: adapter: found a list, expected a mapping with 'type', or the type's name"),
    "duplicate key": (GOOD + "  learning_rate: 2\n", "a.yaml:9: train.learning_rate: found twice (first on line 8), expected once"),
    "duplicate section": (GOOD + "train: {}\n", "a.yaml:9: train: found twice (first on line 7), expected once"),
    "text for a number": (GOOD.replace("1e-4", "fast"), "a.yaml:8: train.learning_rate: found 'fast', expected a number"),
    "quoted number": (GOOD.replace("1e-4", "'1e-4'"), "a.yaml:8: train.learning_rate: found '1e-4', expected a number"),
    "time for a number": (GOOD + "  seed: 12:30\n", "a.yaml:9: train.seed: found '12:30', expected a whole number"),
    "broken number": (GOOD + "  seed: 1.5\n", "a.yaml:9: train.seed: found 1.5, expected a whole number"),
    "boolean for a number": (GOOD + "  seed: true\n", "a.yaml:9: train.seed: found true, expected a whole number"),
    "no for a boolean": (GOOD + "  gradient_checkpointing: no\n", "a.yaml:9: train.gradient_checkpointing: found 'no', expected true or false"),
    "number for a boolean": (GOOD + "  gradient_checkpointing: 1\n", "a.yaml:9: train.gradient_checkpointing: found 1, expected true or false"),
    "number for text": (GOOD.replace("civil", "2026"), "a.yaml:1: name: found 2026, expected text"),
    "not finite": (GOOD.replace("1e-4", ".inf"), "a.yaml:8: train.learning_rate: found .inf, expected a finite number, true or false; put quotes around text"),
    "below the limit": (GOOD.replace("1e-4", "-1e-4"), "a.yaml:8: train.learning_rate: found -0.0001, expected at least 0"),
    "zero": (GOOD + "  total_train_batch_size: 0\n", "a.yaml:9: train.total_train_batch_size: found 0, expected more than 0"),
    "zero or auto": (GOOD + "  per_device_train_batch_size: 0\n", "a.yaml:9: train.per_device_train_batch_size: found 0, expected more than 0 or 'auto'"),
    "almost auto": (GOOD + "  per_device_train_batch_size: atuo\n", "a.yaml:9: train.per_device_train_batch_size: found 'atuo', expected a whole number or 'auto'; did you mean 'auto'?"),
    "one of a few": (GOOD + "  precision: bf61\n", "a.yaml:9: train.precision: found 'bf61', expected 'auto', 'fp32', 'bf16' or 'fp16'; did you mean 'bf16'?"),
    "null": (GOOD + "  seed:\n", "a.yaml:9: train.seed: found null, expected a whole number"),
    "empty section": (GOOD + "evaluate:\n", "a.yaml:9: evaluate: found null, expected a mapping"),
    "list for a section": (GOOD + "evaluate: [perplexity]\n", "a.yaml:9: evaluate: found a list, expected a mapping"),
    "mapping for a list": (GOOD.replace("[{type: csv, path: a.csv}, {type: jsonl, path: b.jsonl}]", "{type: csv, path: a.csv}"), "a.yaml:6: data.sources: found a mapping, expected a list"),
    "empty list": (GOOD.replace("[{type: csv, path: a.csv}, {type: jsonl, path: b.jsonl}]", "[]"), "a.yaml:6: data.sources: found a list, expected at least 1 item(s)"),
    "missing section": ("name: a\nmodel: {name_or_path: m}\n", "a.yaml:1: data: found nothing, expected a value"),
    "missing key": (GOOD.replace("path: a.csv", "part: test"), "a.yaml:6: data.sources.0.path: found nothing, expected a value"),
    "missing name": (GOOD.replace("name: civil\n", ""), "a.yaml:1: name: found nothing, expected a value"),
    "name that leads elsewhere": (GOOD.replace("civil", "../civil"), "a.yaml:1: name: found '../civil', expected letters, digits, '.', '_' or '-', starting with a letter or digit"),
    "no model": (GOOD.replace("  name_or_path: some/model", "  revision: main"), "a.yaml:2: model.name_or_path: found nothing, expected a Hub id or a folder (or MODEL_ID in the environment)"),
    "config without random": (GOOD.replace("some/model", "m\n  config: {model_type: llama}"), "a.yaml:2: model: config: only with 'init: random'"),
    "split of all rows": (GOOD.replace("train:", "  split: {validation: 0.5, test: 0.5}\ntrain:"), "a.yaml:7: data.split: validation and test leave no row for training, expected a sum below 1"),
    "inside a union": (GOOD.replace("train:", "  prompt:\n    training_columns: {a: b}\n    messages_format:\n      messages:\n      - {role: 1, content: a}\ntrain:"), "a.yaml:11: data.prompt.messages_format.messages.0.role: found 1, expected text"),
    "old and new name at once": (GOOD + "  warmup_ratio: 0.1\n  warmup_steps: 5\n", "a.yaml:9: train.warmup_ratio: another name of 'train.warmup_steps', which is set too; expected one of them"),
    "old name inside a member at once": (GOOD + "  weight_decay: 0.1\n  optim: {type: adamw, weight_decay: 0.2}\n", "a.yaml:9: train.weight_decay: another name of 'train.optim.weight_decay', which is set too; expected one of them"),
    "wrong value under an old name": (GOOD + "  weight_decay: heavy\n", "a.yaml:9: train.optim.weight_decay: found 'heavy', expected a number"),
    "no mapping": ("- a\n", "a.yaml:1: found no mapping, expected keys such as 'name:' and 'data:'"),
    "no YAML": ("name: [\n", "a.yaml:2: not YAML: expected the node content, but found '<stream end>'"),
    "a tag": (GOOD.replace("civil", "!x civil"), "a.yaml:1: name: found tag '!x', expected plain YAML"),
    "a merge key": (GOOD + "  <<: {seed: 1}\n", "a.yaml:9: train.<<: found a merge key, expected plain YAML; lay files over each other with 'extends:'"),
    "extends what is not there": ("extends: b.yaml\n" + GOOD, "a.yaml:1: extends: found 'b.yaml', no such file beside this one; did you mean 'a.yaml'?"),
    "extends a number": ("extends: [3]\n" + GOOD, "a.yaml:1: extends: expected a file or a list of files"),
    "extends a mapping": ("extends: {a: b}\n" + GOOD, "a.yaml:1: extends: expected a file or a list of files"),
    "a line break in a value": (GOOD + '  precision: "a\\nb"\n', "a.yaml:9: train.precision: found 'a\\nb', expected 'auto', 'fp32', 'bf16' or 'fp16'"),
}  # fmt: skip


def test_there_are_enough_of_them() -> None:
    assert len(BAD) >= 20


@pytest.mark.parametrize("case", BAD)
def test_each_fault_says_file_line_key_found_expected_and_nearest(case: str, told: Told) -> None:
    text, expected = BAD[case]
    lines = told(text)
    start, _, end = expected.partition("…")
    assert lines[0].startswith(start), lines
    assert lines[0].endswith(end), lines
    assert len(lines) == 1, lines


def test_all_faults_are_told_at_once_in_the_order_of_the_file(told: Told) -> None:
    lines = told(
        "name: a/b\nmodel: {revision: 3}\nadapter: lorra\ndata:\n  sources: [csv]\n  sources: []\n  max_length: 2\ntrain:\n  sedd: 1\n  precision: .nan\n"
    )
    assert [line.split(": ")[:2] for line in lines] == [
        ["a.yaml:1", "name"],
        ["a.yaml:2", "model.revision"],
        ["a.yaml:2", "model.name_or_path"],
        ["a.yaml:3", "adapter"],
        ["a.yaml:5", "data.sources.0.path"],
        ["a.yaml:6", "data.sources"],
        ["a.yaml:7", "data.max_length"],
        ["a.yaml:9", "train.sedd"],
        ["a.yaml:10", "train.precision"],
    ]


def test_korean(told: Told, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DADEUM_LANG", "ko")
    lines = told(GOOD.replace("1e-4", "fast") + "  sedd: 1\n  precision: bf61\n  seed: 1\n  seed: 2\nmodle: 1\n")
    assert lines[0] == "a.yaml:8: train.learning_rate: 'fast'은(는) 맞지 않습니다. 필요한 값: 숫자"
    assert lines[1].startswith("a.yaml:9: train.sedd: 모르는 키입니다. 쓸 수 있는 키: ")
    assert lines[1].endswith("; 'seed'을(를) 뜻하셨나요?")
    assert (
        lines[2]
        == "a.yaml:10: train.precision: 'bf61'은(는) 맞지 않습니다. 필요한 값: 'auto', 'fp32', 'bf16', 'fp16'; 'bf16'을(를) 뜻하셨나요?"
    )
    assert lines[3] == "a.yaml:12: train.seed: 두 번 나옵니다 (처음은 11번째 줄). 한 번만 쓰세요"
    assert lines[4].startswith("a.yaml:13: modle: 모르는 키입니다.")


@pytest.mark.parametrize("case", [case for case in BAD if case != "no YAML"])  # ruamel's words stay English
def test_every_fault_is_told_in_korean_too(case: str, told: Told, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DADEUM_LANG", "ko")
    for line in told(BAD[case][0]):
        assert "expected" not in line
        assert "found" not in line
        assert any("가" <= letter <= "힣" for letter in line)


# ---- extends --------------------------------------------------------------------------------------------------------
def test_later_keys_win_and_mappings_are_laid_over(read: Read, lab: Path) -> None:
    write(
        lab,
        **{
            "base/model": "model: {name_or_path: m, revision: r}\ntrain: {seed: 1, max_steps: 5}\n",
            "base/other": "train: {seed: 2, logging_steps: 3}\n",
        },
    )
    loaded = read(
        "extends: [base/model.yaml, base/other.yaml]\nname: x\ndata: {sources: [{type: csv, path: a}]}\ntrain: {logging_steps: 4}\n"
    )
    assert [get(loaded, f"train.{k}") for k in ("seed", "max_steps", "logging_steps")] == [2, 5, 4]
    assert get(loaded, "model.revision") == "r"
    assert loaded.files == (lab / "a.yaml", lab / "base/model.yaml", lab / "base/other.yaml")
    assert "extends" not in loaded.raw


def test_extends_starts_at_the_file_that_says_it(read: Read, lab: Path) -> None:
    write(lab, **{"configs/base/one": "extends: ../two.yaml\nname: one\n", "configs/two": GOOD})
    assert get(read("extends: configs/base/one.yaml\n"), "name") == "one"
    assert get(read("extends: base/one.yaml\nname: three\n", name="configs/a.yaml"), "adapter.r") == 8


def test_another_type_replaces_the_settings_of_the_first(read: Read, lab: Path) -> None:
    write(lab, base=GOOD)
    assert get(read("extends: base.yaml\nadapter: {type: lora, lora_alpha: 4}\n"), "adapter.r") == 8
    assert read("extends: base.yaml\nadapter: {type: full}\n").raw["adapter"] == {"type": "full"}
    assert get(read("extends: base.yaml\nadapter: full\n"), "adapter.type") == "full"
    assert get(read("extends: base.yaml\ndata: {sources: [{type: text, path: c}]}\n"), "data.sources.0.type") == "text"


def test_settings_laid_over_a_member_that_was_only_named_keep_its_name(read: Read, lab: Path) -> None:
    write(lab, base=GOOD.replace("{type: lora, r: 8}", "lora"))
    loaded = read("extends: base.yaml\nadapter: {r: 3}\n")
    assert (get(loaded, "adapter.type"), get(loaded, "adapter.r")) == ("lora", 3)


def test_circles_are_told(told: Told, lab: Path) -> None:
    write(lab, b="extends: c.yaml\n", c="extends: a.yaml\n")
    assert told("extends: b.yaml\n") == ["a.yaml: extends: found a circle (a.yaml → b.yaml → c.yaml → a.yaml)"]
    assert told("extends: a.yaml\n") == ["a.yaml: extends: found a circle (a.yaml → a.yaml)"]


def test_one_file_reached_twice_is_no_circle(read: Read, lab: Path) -> None:
    write(lab, base=GOOD, b="extends: base.yaml\n", c="extends: base.yaml\n")
    assert get(read("extends: [b.yaml, c.yaml]\n"), "name") == "civil"


def test_faults_name_the_file_in_which_they_are(told: Told, lab: Path) -> None:
    write(lab, **{"base/one": GOOD + "  sedd: 1\n"})
    lines = told("extends: base/one.yaml\ntrain: {learning_rate: fast}\n")
    assert lines[0].startswith("a.yaml:2: train.learning_rate: found 'fast'")
    assert lines[1].startswith("base/one.yaml:9: train.sedd: found an unknown key")


# ---- overrides ------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("override", "key", "value"),
    [
        ("train.learning_rate=1e-5", "train.learning_rate", 1e-5),
        (" train.seed = 7", "train.seed", 7),
        ("name=no", "name", "no"),
        ("name=민법", "name", "민법"),
        ("output_dir=a=b", "output_dir", "a=b"),
        ("output_dir=null", "output_dir", None),
        ("output_dir=", "output_dir", None),
        ("adapter=full", "adapter.type", "full"),
        ("adapter.r=4", "adapter.r", 4),
        ("adapter={type: lora, r: 2}", "adapter.r", 2),
        ("data.sources.1.path=c.jsonl", "data.sources.1.path", "c.jsonl"),
        ("data.sources.0={type: text, path: t}", "data.sources.0.type", "text"),
        ("data.sources=[{type: text, path: t}]", "data.sources.0.path", "t"),
        ("train.optim.weight_decay=0.5", "train.optim.weight_decay", 0.5),
        ("train.weight_decay=0.5", "train.optim.weight_decay", 0.5),
        ("train.warmup_ratio=0.5", "train.warmup_steps", 0.5),
        ("train={warmup_ratio: 0.25}", "train.warmup_steps", 0.25),
        ("adapter.alpha=5", "adapter.lora_alpha", 5),
        ("evaluate.metrics=[chrf]", "evaluate.metrics.0.type", "chrf"),
        ("data.chat_template_kwargs.enable_thinking=false", "data.chat_template_kwargs", {"enable_thinking": False}),
        ("data.split.test=0", "data.split.test", 0),
    ],
)
def test_overrides(read: Read, override: str, key: str, value: Any) -> None:
    assert get(read(GOOD, override), key) == value


def test_dotted_into_a_member_given_by_name_only(read: Read) -> None:
    loaded = read(GOOD.replace("{type: lora, r: 8}", "lora"), "adapter.r=3", "adapter.lora_alpha=6")
    assert (get(loaded, "adapter.type"), get(loaded, "adapter.r"), get(loaded, "adapter.lora_alpha")) == ("lora", 3, 6)
    named = read(GOOD + "  optim: adamw\n", "train.optim.adam_beta1=0.5")
    assert get(named, "train.optim.adam_beta1") == 0.5
    assert get(read(GOOD, "adapter.type=full", "adapter={type: full}"), "adapter.type") == "full"


def test_later_overrides_win_and_so_does_the_command_line_over_older_names(read: Read) -> None:
    assert get(read(GOOD, "train.seed=1", "train.seed=2"), "train.seed") == 2
    assert get(read(GOOD + "  warmup_ratio: 0.1\n", "train.warmup_steps=7"), "train.warmup_steps") == 7
    assert get(read(GOOD + "  warmup_steps: 5\n", "train.warmup_ratio=0.5"), "train.warmup_steps") == 0.5


def test_an_override_mends_the_file(read: Read) -> None:
    assert get(read(GOOD.replace("1e-4", "fast"), "train.learning_rate=1e-3"), "train.learning_rate") == 0.001


@pytest.mark.parametrize(
    ("override", "line"),
    [
        ("train.seed", "command line: found 'train.seed', expected key=value such as train.learning_rate=1e-4"),
        ("=1", "command line: found '=1', expected key=value"),
        ("train.sedd=1", "command line: train.sedd: found an unknown key"),
        ("train.seed=x", "command line: train.seed: found 'x', expected a whole number"),
        ("data.sources.2.path=x", "command line: data.sources.2.path: found '2', expected a number below 2"),
        ("data.sources.x.path=x", "command line: data.sources.x.path: found 'x', expected a number below 2"),
        ("data.sources.².path=x", "command line: data.sources.².path: found '²', expected a number below 2"),
        ("train.seed=[", "command line: train.seed:1: not YAML"),
        ("train={seed: 1, seed: 2}", "command line: train:1: seed: found twice"),
        (
            "adapter.type=lorra",
            f"command line: adapter.type: found 'lorra', expected one of: {KINDS}; did you mean 'lora'?",
        ),
        ("train={seed: x}", "command line: train.seed: found 'x', expected a whole number"),
        ("name.first=x", "command line: name: found a mapping, expected text"),
        ("train..seed=1", "command line: train.: found an unknown key"),
    ],
)
def test_bad_overrides_name_the_command_line(told: Told, override: str, line: str) -> None:
    assert told(GOOD, override)[0].startswith(line)


def test_without_a_file(lab: Path) -> None:
    base = {"name": "x", "model": {"name_or_path": "m"}, "data": {"sources": [{"type": "csv", "path": "a.csv"}]}}
    loaded = load(None, ["train.seed=3"], root=lab, base=base)
    assert (loaded.experiment.name, loaded.experiment.train.seed, loaded.files) == ("x", 3, ())
    with pytest.raises(ConfigError, match="command line: data: found nothing"):
        load(None, root=lab, base={"name": "x", "model": {"name_or_path": "m"}})


# ---- older names ----------------------------------------------------------------------------------------------------
def test_an_older_name_in_one_file_and_the_current_in_another(read: Read, told: Told, lab: Path) -> None:
    write(lab, base=GOOD + "  warmup_ratio: 0.1\n  weight_decay: 0.2\n")
    loaded = read("extends: base.yaml\ntrain: {warmup_steps: 9, optim: {adam_beta1: 0.5}}\n")
    assert get(loaded, "train.warmup_steps") == 9
    assert (get(loaded, "train.optim.weight_decay"), get(loaded, "train.optim.adam_beta1")) == (0.2, 0.5)
    assert get(read("extends: base.yaml\ntrain: {weight_decay: 0.3}\n"), "train.optim.weight_decay") == 0.3


# ---- environment ----------------------------------------------------------------------------------------------------
BARE = "name: x\n"


def names(loaded: Loaded) -> tuple[Any, Any]:
    return loaded.experiment.model.name_or_path, loaded.raw["data"]["sources"][0].get("name")


def test_command_line_then_yaml_then_environment_then_env_file(
    read: Read, lab: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (lab / ".env").write_text("# 내 것\nMODEL_ID=from/file\nDATASET=file/rows\n", encoding="utf-8")
    assert names(read(BARE)) == ("from/file", "file/rows")
    monkeypatch.setenv("MODEL_ID", "from/environment")
    monkeypatch.setenv("DATASET", "environment/rows")
    assert names(read(BARE)) == ("from/environment", "environment/rows")
    yaml = BARE + "model: {name_or_path: from/yaml}\ndata: {sources: [{type: hub, name: yaml/rows}]}\n"
    assert names(read(yaml)) == ("from/yaml", "yaml/rows")
    assert names(read(yaml, "model.name_or_path=from/words", "data.sources.0.name=words/rows")) == (
        "from/words",
        "words/rows",
    )
    assert names(read(BARE, "model.name_or_path=from/words")) == ("from/words", "environment/rows")


def test_they_fill_in_and_replace_nothing(read: Read, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MODEL_ID", "from/environment")
    monkeypatch.setenv("DATASET", "environment/rows")
    loaded = read(BARE + "model: {revision: v1}\ndata: {max_length: 64}\n")
    assert names(loaded) == ("from/environment", "environment/rows")
    assert (loaded.experiment.model.revision, loaded.experiment.data.max_length) == ("v1", 64)
    random = read(
        BARE + "model: {init: random, config: {model_type: llama}}\ndata: {sources: [{type: csv, path: a}]}\n"
    )
    assert names(random) == (None, None)


def test_secrets_go_to_the_environment_and_nowhere_else(read: Read, lab: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(os.environ, "WANDB_API_KEY", "mine-0123456789")
    monkeypatch.setattr(os, "environ", os.environ.copy())
    (lab / ".env").write_text(
        "HF_TOKEN=canary-0123456789\nWANDB_API_KEY=canary-9876543210\nOTHER=canary\n", encoding="utf-8"
    )
    loaded = read(GOOD)
    assert os.environ["HF_TOKEN"] == "canary-0123456789"
    assert os.environ["WANDB_API_KEY"] == "mine-0123456789"
    assert "OTHER" not in os.environ
    assert "canary" not in repr(loaded)
    assert "canary" not in loaded.experiment.model_dump_json()


def test_no_schema_has_a_place_for_a_secret() -> None:
    from dadeum.config.schema import json_schema

    def names(schema: object) -> Iterator[str]:
        if isinstance(schema, dict):
            yield from schema.get("properties", ())
        for inner in schema.values() if isinstance(schema, dict) else schema if isinstance(schema, list) else ():
            yield from names(inner)

    found = set(names(json_schema()))
    assert "base_url" in found  # of the judge, beside which others ask for a key
    assert not [n for n in found if any(word in n for word in ("api_key", "hf_token", "password", "secret"))]


def test_env_files_that_windows_wrote(lab: Path) -> None:
    (lab / ".env").write_text("MODEL_ID=a/b\r\n", encoding="utf-8-sig")
    assert read_environment(lab)["MODEL_ID"] == "a/b"
    (lab / ".env").write_bytes("# 한글\nMODEL_ID=a/b\n".encode("cp949"))
    with pytest.raises(ConfigError, match=r"^\.env: cannot be read as UTF-8"):
        read_environment(lab)


SECRETS = """name: x
model: {name_or_path: "https://me:canary-in-a-url@hub.example/a/b"}
hf_token: canary-of-a-key
data:
  sources: [{type: csv, path: a.csv}]
  system_prompt: "say canary-0123456789 often"
"""


def test_no_setting_holds_a_secret_and_no_message_shows_it(told: Told, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_TOKEN", "canary-0123456789")
    lines = told(SECRETS, "train.api_key=canary-on-the-line")
    assert len(lines) == 4 and not any("canary" in line for line in lines)
    assert any(line.startswith("a.yaml:2: model.name_or_path: found a password in an address") for line in lines)
    assert any(
        line.startswith("a.yaml:6: data.system_prompt: found the value of HF_TOKEN, expected none") for line in lines
    )
    assert any("hf_token: found an unknown key" in line for line in lines)


def test_secrets_of_the_env_file_are_put_into_the_environment_and_known(
    lab: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from dadeum.core import secrets

    monkeypatch.setattr(secrets, "_learnt", {})
    monkeypatch.setenv("HF_TOKEN", "canary-of-the-shell")
    for name in ("JUDGE_API_KEY", "MLFLOW_TRACKING_USERNAME", "PLAIN"):
        monkeypatch.setenv(name, "")  # so that what is put there is taken out again
        monkeypatch.delenv(name)
    text = "HF_TOKEN=canary-of-the-file\nJUDGE_API_KEY=canary-judge\nMLFLOW_TRACKING_USERNAME=me\nPLAIN=x\n"
    (lab / ".env").write_text(text, encoding="utf-8")
    read_environment(lab)
    assert (os.environ["HF_TOKEN"], os.environ["JUDGE_API_KEY"]) == ("canary-of-the-shell", "canary-judge")
    assert os.environ["MLFLOW_TRACKING_USERNAME"] == "me" and "PLAIN" not in os.environ
    assert secrets.redact("canary-of-the-file, canary-judge") == "<HF_TOKEN>, <JUDGE_API_KEY>"
