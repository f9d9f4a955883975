"""Files on their way to a head: read as training reads them, without labels; what is wrong is told with its place."""

import json
import unicodedata
from copy import copy
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from dadeum.core.errors import DataError
from dadeum.data.labelled import Texts
from dadeum.generate.label_rows import Asked, Reader, rows, survey
from dadeum.generate.predictor import Predictor
from tests.generate.heads import opened, trained


@pytest.fixture(scope="module")
def predictors(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Predictor]:
    names = ("sequence_classification", "token_classification", "multiple_choice", "reward")
    return opened(trained(tmp_path_factory.mktemp("models"), *names, steps=1))


def asked(predictor: Predictor, path: Path, **columns: str) -> list[Asked]:
    read = Reader(predictor, path, survey(path), columns)
    return [read(row) for row in rows(path)]


def write(path: Path, *values: dict[str, object]) -> Path:
    path.write_text("".join(json.dumps(v, ensure_ascii=False) + "\n" for v in values), encoding="utf-8")
    return path


def test_texts_and_pairs_with_labels_or_without(predictors: dict[str, Predictor], tmp_path: Path) -> None:
    one = predictors["sequence_classification"]
    (tmp_path / "a.csv").write_text("id,document\n1,w5 w6\n2,w7\n", encoding="utf-8")
    assert [a.sequences[0].tolist() for a in asked(one, tmp_path / "a.csv")] == [[5, 6], [7]]
    (tmp_path / "b.csv").write_text("document,label\nw5 w6,\nw7,좋음\n", encoding="utf-8")  # also where it is blank
    assert [a.sequences[0].tolist() for a in asked(one, tmp_path / "b.csv")] == [[5, 6], [7]]
    (tmp_path / "c.txt").write_text("w5 w6\nw8\n", encoding="utf-8")
    assert [a.sequences[0].tolist() for a in asked(one, tmp_path / "c.txt")] == [[5, 6], [8]]
    pair = write(tmp_path / "d.jsonl", {"sentence1": "w5", "sentence2": "w6"})
    assert asked(one, pair)[0].sequences[0].tolist() == one.tokenizer("w5</s>w6")["input_ids"]
    (tmp_path / "e.csv").write_text("본문,등급\nw9 w9,3\n", encoding="utf-8")
    assert asked(one, tmp_path / "e.csv", text="본문")[0].sequences[0].tolist() == [9, 9]


def test_words_are_those_of_the_file_or_parted_by_blanks(predictors: dict[str, Predictor], tmp_path: Path) -> None:
    one = predictors["token_classification"]
    given = asked(one, write(tmp_path / "a.jsonl", {"tokens": ["w5", "w6", "w7"]}))
    (tmp_path / "b.txt").write_text("w5  w6 w7\n", encoding="utf-8")
    parted = asked(one, tmp_path / "b.txt")
    for found in (given, parted):
        assert found[0].sequences[0].tolist() == [5, 6, 7]
        assert found[0].words == [("w5", 0), ("w6", 1), ("w7", 2)]


def test_choices_are_a_sequence_each_and_pairs_are_two(predictors: dict[str, Predictor], tmp_path: Path) -> None:
    one = predictors["multiple_choice"]
    found = asked(one, write(tmp_path / "a.jsonl", {"question": "w5", "choices": ["w6", "w7", "w8"]}))
    assert len(found[0].sequences) == 3 and [ids.tolist()[-1] for ids in found[0].sequences] == [6, 7, 8]
    (tmp_path / "b.csv").write_text("question,A,B\nw5,w6,w7\n", encoding="utf-8")
    assert len(asked(one, tmp_path / "b.csv")[0].sequences) == 2
    judge = predictors["reward"]
    single = asked(judge, write(tmp_path / "c.jsonl", {"question": "w5", "answer": "w6"}))
    assert len(single[0].sequences) == 1
    both = asked(judge, write(tmp_path / "d.jsonl", {"prompt": "w5", "chosen": "w6", "rejected": "w7"}))
    assert len(both[0].sequences) == 2 and np.array_equal(both[0].sequences[0], single[0].sequences[0])


def test_texts_are_cleaned_as_for_training(
    predictors: dict[str, Predictor], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Files of macOS hold Hangul in pieces, those of Windows other line ends."""
    seen: list[object] = []
    monkeypatch.setattr(Texts, "ids", lambda _, pairs: seen.extend(pairs) or [[5] for _ in pairs])
    monkeypatch.setattr(Texts, "words", lambda _, rows: seen.extend(rows) or [([5], [0]) for _ in rows])
    apart = unicodedata.normalize("NFD", "각") + "\r\n나"
    asked(predictors["sequence_classification"], write(tmp_path / "a.jsonl", {"text": apart}))
    asked(predictors["multiple_choice"], write(tmp_path / "b.jsonl", {"question": apart, "choices": [apart, "w6"]}))
    asked(predictors["token_classification"], write(tmp_path / "c.jsonl", {"tokens": [apart[:3], "w6"]}))
    assert seen == [("각\n나", None), ("각\n나", "각\n나"), ("각\n나", "w6"), ("각 w6", ("각", "w6"))]


def test_conversations_begin_with_the_system_prompt_of_training(
    predictors: dict[str, Predictor], tmp_path: Path
) -> None:
    judge = copy(predictors["reward"])
    path = write(tmp_path / "a.jsonl", {"prompt": "w5", "chosen": "w6", "rejected": "w6"})
    (plain,) = asked(judge, path)
    judge.contract = replace(judge.contract, system_prompt="w9")
    (told,) = asked(judge, path)
    for with_it, without in zip(told.sequences, plain.sequences, strict=True):
        assert 9 in with_it and 9 not in without and len(with_it) > len(without)


def test_long_texts_are_cut_to_the_context(predictors: dict[str, Predictor], tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("w5 " * 200 + "\nw6\n", encoding="utf-8")
    found = asked(predictors["sequence_classification"], tmp_path / "a.txt")
    assert [(len(a.sequences[0]), a.cut) for a in found] == [(128, True), (1, False)]
    found = asked(predictors["token_classification"], tmp_path / "a.txt")
    assert [at for _, at in found[0].words] == [*range(128), *[None] * 72]


@pytest.mark.parametrize(
    ("name", "text", "sentence"),
    [
        ("none.csv", None, r"none.csv: no such file"),
        ("a.docx", "x", r"a.docx: found '.docx', expected one of: .*\.csv"),
        ("a.csv", "document\n", r"a.csv: holds no row"),
        ("a.jsonl", '{"document": "w5"}\n{"document"\n', r"a.jsonl:2: no JSON"),
        (
            "a.csv",
            "id,other\n1,2\n",
            r"a.csv: found columns id, other, expected text .*; say which is which, such as --column",
        ),
        (
            "a.jsonl",
            '{"tokens": ["w5"], "ner_tags": ["O"]}\n',
            r"a.jsonl: found columns tokens, ner_tags, expected text",
        ),
        ("a.csv", "id,document\n1,w5\n2,\n", r"a.csv:3: column 'document' is blank"),
    ],
)
def test_what_is_wrong_with_a_file_is_told(
    name: str, text: str | None, sentence: str, predictors: dict[str, Predictor], tmp_path: Path
) -> None:
    if text is not None:
        (tmp_path / name).write_text(text, encoding="utf-8")
    with pytest.raises(DataError, match=sentence):
        asked(predictors["sequence_classification"], tmp_path / name)


def test_a_column_that_is_not_there_is_told_with_the_nearest(predictors: dict[str, Predictor], tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("본문,id\nw5,1\n", encoding="utf-8")
    with pytest.raises(DataError, match=r"a.csv: --column: no column 'idd', found: 본문, id; did you mean 'id'\?"):
        asked(predictors["sequence_classification"], tmp_path / "a.csv", text="idd")
    with pytest.raises(DataError, match=r": is a folder, expected a file of rows"):
        survey(tmp_path)
