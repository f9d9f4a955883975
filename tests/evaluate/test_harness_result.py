"""What lm-eval found, in the words of an evaluation: means have rows, groups pool their tasks."""

from types import SimpleNamespace
from typing import Any

import pytest

from dadeum.config.evaluate import TaskChoice
from dadeum.evaluate.harness_metric import Mean
from dadeum.evaluate.harness_result import Asked, result_of
from dadeum.evaluate.statistics import standard_error
from dadeum.evaluate.task import HarnessTask
from tests.evaluate.tasks import asking


def doc(place: int, **metrics: Any) -> dict[str, Any]:
    return {
        "doc_id": place,
        "target": 0,
        "arguments": [("질문", " 답")],
        "filtered_resps": ["답"],
        "filter": metrics.pop("filter", "none"),
        "metrics": list(metrics),
        "doc_hash": f"d{place}",
        "prompt_hash": f"p{place}",
        "target_hash": f"t{place}",
        **metrics,
    }


@pytest.fixture
def asked() -> Asked:
    backend = SimpleNamespace(to_str=lambda: "tokenizer")
    engine: Any = SimpleNamespace(
        name="m",
        device="cpu",
        dtype="torch.float32",
        context=8,
        stop_ids=(2,),
        contract=SimpleNamespace(template_sha256="x"),
        tokenizer=SimpleNamespace(backend_tokenizer=backend),
    )
    return Asked(HarnessTask("lm-eval:g", TaskChoice(task="lm-eval:g"), None), False, engine, asking())


def found(**parts: list[dict[str, Any]]) -> dict[str, Any]:
    means = {
        name: {"acc,none": sum(d["acc"] for d in docs) / len(docs), "acc_stderr,none": "N/A", "alias": name}
        for name, docs in parts.items()
    }
    return {
        "results": means,
        "samples": parts,
        "versions": dict.fromkeys(parts, 1.0),
        "n-shot": dict.fromkeys(parts, 0),
        "higher_is_better": {name: {"acc": True} for name in parts},
        "config": {"limit": None, "random_seed": 0},
    }


def test_a_group_is_the_mean_over_all_documents_of_its_tasks(asked: Asked) -> None:
    values = found(a=[doc(0, acc=1.0), doc(1, acc=0.0)], b=[doc(0, acc=1.0), doc(1, acc=1.0), doc(2, acc=0.0)])
    values["groups"] = {"g": {"acc,none": 0.6, "acc_stderr,none": 0.1}}
    made = result_of(values, asked)
    assert {name: m["value"] for name, m in made.metrics.items()} == {
        "a/acc": 0.5,
        "b/acc": pytest.approx(2 / 3),
        "acc": 0.6,
    }
    assert made.metrics["acc"]["n"] == 5 and [s["statistics"]["acc"][0] for s in made.samples] == [1, 0, 1, 1, 0]
    assert [s["category"] for s in made.samples] == ["a", "a", "b", "b", "b"]
    assert made.environment["task"]["tasks"] == {"a": {"version": 1.0, "shots": 0}, "b": {"version": 1.0, "shots": 0}}


def test_a_group_that_weighs_its_tasks_alike_has_no_rows(asked: Asked) -> None:
    values = found(a=[doc(0, acc=1.0)], b=[doc(0, acc=1.0), doc(1, acc=0.0)])
    values["groups"] = {"g": {"acc,none": 0.75}}
    metric = result_of(values, asked).metrics["acc"]
    assert metric["value"] == 0.75 and metric["interval"] is None


def test_what_is_no_mean_has_a_value_and_says_so(asked: Asked) -> None:
    values = found(a=[doc(0, acc=1.0, f1=(0, 1)), doc(1, acc=0.0, f1=(1, 1))])
    values["results"]["a"]["f1,none"] = 0.33
    made = result_of(values, asked)
    assert made.metrics["f1"]["value"] == 0.33 and made.metrics["f1"]["interval"] is None
    assert len(made.notes) == 1 and made.notes[0].startswith("f1: ")
    assert "f1" not in made.samples[0]["statistics"]


def test_filters_are_keys_of_their_own(asked: Asked) -> None:
    docs = [doc(0, acc=1.0), doc(0, acc=0.0, filter="strict")]
    values = found(a=docs)
    values["results"]["a"] |= {"acc,none": 1.0, "acc,strict": 0.0}
    made = result_of(values, asked)
    assert {name: m["value"] for name, m in made.metrics.items()} == {"acc": 1.0, "acc@strict": 0.0}
    assert len(made.samples) == 1 and made.samples[0]["statistics"] == {"acc": [1.0, 1.0], "acc@strict": [0.0, 1.0]}


def test_standard_errors_are_those_of_lm_eval() -> None:
    from lm_eval.api.metrics import mean_stderr

    values = [1.0, 0.0, 0.0, 1.0, 1.0, 0.5]
    rows = [(value, 1.0) for value in values]
    assert standard_error(rows, Mean(True)) == pytest.approx(mean_stderr(values), abs=1e-15)
    assert standard_error(rows[:1], Mean(True)) is None
