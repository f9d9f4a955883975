"""The experiments with heads that dadeum ships, small: trained, scored beside the baseline, compared."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from dadeum.core.artifact import read_json
from dadeum.core.errors import ArtifactError
from dadeum.core.progress import Silent
from dadeum.run.comparison import compare_named
from tests.architecture.tree import ROOT
from tests.data.small import make_tokenizer
from tests.run.lab import LLAMA, NAME, cli, fine, inside

SMALL = (
    "model.name_or_path=null", "model.init=random", f"model.config={LLAMA}", "tokenizer.name_or_path=tokenizer",
    "data.max_length=128", "train.max_steps=3", "train.total_train_batch_size=8", "evaluate.bootstrap=100", "export=[]",
)  # fmt: skip


def films(count: int) -> str:
    return "id\tdocument\tlabel\n" + "".join(
        f"{i}\t{('좋다', '별로다')[i % 2]} {i}번 영화\t{i % 2}\n" for i in range(count)
    )


def alike(count: int) -> str:
    rows = [
        {
            "sentence1": f"날씨가 {i}",
            "sentence2": f"날씨 {i % 7}",
            "labels": {"label": i % 6 * 0.9, "binary-label": i % 2},
        }
        for i in range(count)
    ]
    return json.dumps(rows, ensure_ascii=False)


def comments(count: int) -> str:
    hate, bias = ("none", "offensive", "hate"), ("none", "gender", "others")
    rows = [f"댓글 {i}\tFalse\t{bias[i % 3]}\t{hate[i % 2]}" for i in range(count)]
    return "comments\tcontain_gender_bias\tbias\thate\n" + "".join(f"{row}\n" for row in rows)


def names(count: int) -> str:
    rows = [
        {"sentence": f"서울 {i}", "tokens": list(f"서울 {i}"), "ner_tags": [2, 3, *[12] * (1 + len(str(i)))]}
        for i in range(count)
    ]
    return "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)


NER = "data.sources=[{type: jsonl, path: data/raw/train.jsonl}, {type: jsonl, path: data/raw/test.jsonl, part: test}]"
Case = tuple[str, Callable[[int], str], tuple[str, str], tuple[str, ...], set[str]]
CASES: list[Case] = [
    (
        "nsmc-sentiment",
        films,
        ("ratings_train.txt", "ratings_test.txt"),
        (),
        {"accuracy", "f1_macro", "f1_micro", "auroc"},
    ),
    ("klue-sts", alike, ("klue-sts-v1.1_train.json", "klue-sts-v1.1_dev.json"), (), {"pearson", "spearman", "mae"}),
    (
        "hate-speech-multi",
        comments,
        ("hate_speech_train.tsv", "hate_speech_dev.tsv"),
        (),
        {f"{head}.{name}" for head in ("hate", "bias") for name in ("accuracy", "f1_macro", "f1_micro", "auroc")},
    ),
    (
        "korean-ner",
        names,
        ("train.jsonl", "test.jsonl"),
        (NER,),
        {"entity_f1", "entity_precision", "entity_recall", "f1_macro", "f1_micro", "accuracy"},
    ),
]


def workspace(root: Path, name: str, made: Callable[[int], str], files: tuple[str, str]) -> Path:
    (root / "configs").mkdir(parents=True)
    (root / "data" / "raw").mkdir(parents=True)
    text = (ROOT / "configs" / f"{name}.yaml").read_text(encoding="utf-8")
    (root / "configs" / f"{name}.yaml").write_text(text, encoding="utf-8")
    for file, count in zip(files, (80, 40), strict=True):
        text = made(count)
        if file == files[1]:  # others than those that are trained
            for word, other in (("영화", "연극"), ("날씨", "기온"), ("댓글", "답글"), ("서울", "부산")):
                text = text.replace(word, other)
        (root / "data" / "raw" / file).write_text(text, encoding="utf-8")
    make_tokenizer(root / "tokenizer", template=None)
    return root


@pytest.mark.parametrize(("name", "made", "files", "more", "metrics"), CASES, ids=[case[0] for case in CASES])
def test_a_shipped_experiment_goes_to_its_comparison(
    tmp_path: Path,
    name: str,
    made: Callable[[int], str],
    files: tuple[str, str],
    more: tuple[str, ...],
    metrics: set[str],
) -> None:
    root = workspace(tmp_path, name, made, files)
    said = fine(root, "run", name, *SMALL, *more)
    (folder,) = (root / "experiments" / name).glob("*/evaluation")
    files_there = {
        "base_model_evaluation.json",
        "finetuned_model_evaluation.json",
        "comparison.html",
        "comparison.json",
        "model_comparison_results.csv",
    }
    assert files_there <= {file.name for file in folder.iterdir()}
    found = read_json(folder / "comparison.json")
    assert {metric["name"] for metric in found["metrics"]} == metrics
    assert all({"base", "tuned"} <= set(metric["values"]) for metric in found["metrics"])
    assert any("reads no text" in note for note in found["notes"])
    assert next(iter(metrics)) in said.out
    with inside(root):  # the run beside itself: nothing differs
        place = next((root / "checkpoints" / name).glob("*/final"))
        out = compare_named([name, str(place)], questions=None, out=None, max_new_tokens=None, reporter=Silent())
    for metric in read_json(out / "comparison.json")["metrics"]:
        (gain,) = metric["differences"].values()
        assert gain["difference"] == gain["low"] == gain["high"] == 0


def test_labels_and_text_are_not_compared(ran: Path, tmp_path: Path) -> None:
    headed = tmp_path / "headed"
    headed.mkdir()
    for name in ("head.json", "config.json"):
        (headed / name).write_text("{}", encoding="utf-8")
    with inside(ran), pytest.raises(ArtifactError, match=r"says labels and 'tiny' writes text: nothing measures both"):
        compare_named([NAME, str(headed)], questions=None, out=None, max_new_tokens=None, reporter=Silent())


@pytest.mark.parametrize(
    ("row", "more", "reason"),
    [
        (
            "9\t좋다\tgreat\n",
            (),
            "1 of 41 rows cannot be trained, first ratings_train.txt:42: column 'label' holds 'great'",
        ),
        (
            "9\t\t1\n",
            ("data.faulty_rows=error",),
            "1 of 41 rows cannot be used, first ratings_train.txt:42: column 'document' is blank",
        ),
        ("", ("head.column=lable",), "head 'sequence_classification': the rows have no column of labels 'lable'"),
        ("", ("head=regression", "evaluate.metrics=[f1]"), "evaluate.metrics: 'f1' cannot be measured"),
        ("", ("head=token_classification",), "needs words with a label each"),
        ("", ("data.overlong=keep_answer",), "data.overlong=keep_answer keeps an answer whole"),
    ],
)
def test_what_cannot_be_learnt_ends_with_one_sentence(
    tmp_path: Path, row: str, more: tuple[str, ...], reason: str
) -> None:
    root = workspace(tmp_path, "nsmc-sentiment", films, ("ratings_train.txt", "ratings_test.txt"))
    (root / "data/raw/ratings_train.txt").write_text(films(40) + row, encoding="utf-8")
    one = "data.sources=[{type: csv, path: data/raw/ratings_train.txt}]"
    said = cli(root, "run", "nsmc-sentiment", *SMALL, one, "data.faulty_rows=error", *more)
    assert said.code == 2 and len(said.errors) == 1 and "Traceback" not in said.err
    assert reason in said.errors[0]
