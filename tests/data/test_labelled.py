"""Rows with labels to samples, through both stages."""

import json
import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from dadeum.config.purpose import Purpose, Target
from dadeum.core.artifact import read_json
from dadeum.core.errors import DataError
from dadeum.core.progress import Silent
from dadeum.data import step
from dadeum.data.labelled import Texts
from dadeum.data.labels import Head, Labels
from dadeum.data.samples import Samples
from dadeum.tokenizer.load import load_tokenizer
from tests.data.small import Data

CLASS = Purpose("head", "labels", (Target("sequence_classification", "class"),))


class Told(Silent):
    def __init__(self) -> None:
        self.warnings: list[str] = []

    def warn(self, message: str) -> None:
        self.warnings.append(message)


def lines(rows: list[dict[str, Any]]) -> str:
    return "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)


def made(data: Data, rows: list[dict[str, Any]], purpose: Purpose, reporter: Any = None, **keys: Any) -> Path:
    settings = data.settings({"type": "jsonl", "path": data.write("rows.jsonl", lines(rows))}, **keys)
    return data.format(settings, purpose, reporter)


def films(count: int, labels: tuple[Any, ...] = ("neg", "pos")) -> list[dict[str, Any]]:
    return [{"id": i, "document": f"영화 {i}번", "label": labels[i % len(labels)]} for i in range(count)]


def test_a_text_is_what_the_tokenizer_makes_of_it_and_its_class_the_target(tmp_path: Path) -> None:
    data, told = Data(tmp_path, template=None), Told()
    folder = made(data, films(60), CLASS, told)
    labels = Labels.load(folder / step.PROMPT)
    assert labels == Labels((Head("sequence_classification", "class", "label", ("neg", "pos"), 2),))
    tokenizer, samples = load_tokenizer(data.tokenizer), Samples.open(folder / "train.arrow")
    for entry in samples:
        assert entry.input_ids.tolist() == tokenizer(f"영화 {entry.source_row}번")["input_ids"]
        assert entry.targets.tolist() == [entry.source_row % 2]
        assert entry.weights.tolist() == [0.0, *[1.0] * (len(entry.input_ids) - 1)]
    statistics = read_json(folder / step.STATISTICS)
    balance = statistics["labels"]["sequence_classification"]
    assert balance["column"] == "label" and sum(balance["parts"]["train"].values()) == len(samples)
    assert balance["parts"]["train"]["neg"] == sum(entry.targets[0] == 0 for entry in samples)
    asked = [json.loads(line) for line in (folder / step.QUESTIONS).read_text().splitlines()]
    assert asked[0]["labels"] == {"label": "neg" if asked[0]["source_row"] % 2 == 0 else "pos"}
    assert told.warnings == []


def test_a_tokenizer_that_adds_tokens_of_its_own(material: Path) -> None:
    texts = Texts(load_tokenizer(material / "tokenizers" / "klue-roberta-type"))
    tokenizer = texts._tokenizer
    assert texts.separator is None
    assert texts.ids([("안녕", None), ("안녕", "하세요")]) == [
        tokenizer("안녕")["input_ids"],
        tokenizer("안녕", "하세요")["input_ids"],
    ]
    gpt2 = Texts(load_tokenizer(material / "tokenizers" / "gpt2"))
    assert gpt2.separator == "\n"  # this copy names no special token
    (ids,) = gpt2.ids([("a", "b")])
    assert ids == gpt2._tokenizer("a\nb")["input_ids"] and len(ids) == 3


def test_two_sentences_are_parted_and_known_by_both(tmp_path: Path) -> None:
    data = Data(tmp_path)
    rows = [
        {"sentence1": "같다", "sentence2": f"뜻 {i}", "labels": {"label": i / 10, "binary-label": i % 2}}
        for i in range(40)
    ]
    purpose = Purpose("head", "labels", (Target("regression", "numbers", "label"),))
    folder = made(data, rows, purpose, duplicates="drop_exact")
    assert Labels.load(folder / step.PROMPT).separator == "<|im_end|>"
    samples = Samples.open(folder / "train.arrow")
    assert len(samples) == 36
    tokenizer = load_tokenizer(data.tokenizer)
    assert samples[3].input_ids.tolist() == tokenizer(f"같다<|im_end|>뜻 {samples[3].source_row}")["input_ids"]
    assert samples[3].targets[0] == pytest.approx(samples[3].source_row / 10)
    numbers = read_json(folder / step.STATISTICS)["labels"]["regression"]["parts"]["train"]
    assert numbers["rows"] == 36
    assert numbers["mean"] == pytest.approx(np.mean([entry.targets[0] for entry in samples]), abs=1e-5)


def test_several_heads_and_a_row_that_says_nothing_to_one(tmp_path: Path) -> None:
    data = Data(tmp_path)
    rows: list[dict[str, Any]] = [
        {"comments": f"댓글 {i}", "hate": ("hate", "none")[i % 2], "bias": ["gender"] if i % 3 else []}
        for i in range(30)
    ]
    rows[5]["hate"] = None
    purpose = Purpose(
        "head", "labels", (Target("hate", "class", "hate"), Target("bias", "classes", "bias", ("gender", "others")))
    )
    told = Told()
    folder = made(data, rows, purpose, told, split={"validation": 0.0, "test": 0.0})
    samples = {entry.source_row: entry.targets.tolist() for entry in Samples.open(folder / "train.arrow")}
    assert samples[3] == [1, 0, 0] and samples[4] == [0, 1, 0]
    assert math.isnan(samples[5][0]) and samples[5][1:] == [1, 0]
    assert any("head 'bias': no training row is labelled others" in warning for warning in told.warnings)
    facts = read_json(folder / step.STATISTICS)["labels"]
    assert facts["hate"]["parts"]["train"] == {"hate": 15, "none": 14}
    assert facts["bias"]["parts"]["train"] == {"gender": 20, "others": 0}


WORDS = Purpose("head", "words", (Target("token_classification", "class"),))


def test_only_the_first_piece_of_a_word_carries_its_label(tmp_path: Path) -> None:
    data = Data(tmp_path)
    rows = [{"tokens": ["안녕하세요", f"서울{i}", "the"], "ner_tags": ["O", "B-LC", None]} for i in range(20)]
    folder = made(data, rows, WORDS)
    assert Labels.load(folder / step.PROMPT).heads[0] == Head(
        "token_classification", "words", "ner_tags", ("B-LC", "O"), 2
    )
    tokenizer = load_tokenizer(data.tokenizer)
    entry = Samples.open(folder / "train.arrow")[0]
    text = f"안녕하세요 서울{entry.source_row} the"
    whole = tokenizer(text, return_offsets_mapping=True)
    assert entry.input_ids.tolist() == whole["input_ids"] and len(entry.targets) == len(entry.input_ids)
    labelled = [
        (int(label), start)
        for label, (start, end) in zip(entry.targets, whole["offset_mapping"], strict=True)
        if label >= 0
    ]
    assert [label for label, _ in labelled] == [1, 0]
    assert [text[start:].strip()[:2] for _, start in labelled] == ["안녕", "서울"]
    assert entry.targets[0] == 1  # the tokenizer adds nothing before it
    np.testing.assert_array_equal(entry.weights > 0, entry.targets >= 0)
    assert read_json(folder / step.STATISTICS)["labels"]["token_classification"]["parts"]["train"] == {
        "B-LC": 18,
        "O": 18,
    }


def test_letters_as_words(material: Path) -> None:
    """KLUE-NER: a token takes the label of its first letter; blanks have none."""
    texts = Texts(load_tokenizer(material / "tokenizers" / "bora-ko-32k"))
    text = "나는 서울에 간다"
    ((ids, firsts),) = texts.words([(text, list(text))])
    spans = texts._tokenizer(text, return_offsets_mapping=True)["offset_mapping"]
    assert len(ids) == len(firsts) and sum(first >= 0 for first in firsts) >= 3
    for (start, end), first in zip(spans, firsts, strict=True):
        inside = [i for i in range(start, end) if not text[i].isspace()]
        assert first in (-1, *inside[:1])
    assert text[firsts[[first >= 3 for first in firsts].index(True)]] == "서"


def test_a_choice_is_a_unit_of_all_answers(tmp_path: Path) -> None:
    data = Data(tmp_path)
    rows = [{"question": f"물음 {i}", "A": "가", "B": "나", "C": "다다", "answer": 1 + i % 3} for i in range(30)]
    purpose = Purpose("head", "choices", (Target("multiple_choice", "class"),))
    folder = made(data, rows, purpose)
    assert Labels.load(folder / step.PROMPT) == Labels(
        (Head("multiple_choice", "choice", "answer", None, 1, "1"),), "<|im_end|>"
    )
    samples, tokenizer = Samples.open(folder / "train.arrow"), load_tokenizer(data.tokenizer)
    assert len(samples) == 26
    for entry in samples:
        said = [tokenizer.decode(ids) for ids, _ in entry.sequences]
        assert said == [f"물음 {entry.source_row}<|im_end|>{answer}" for answer in ("가", "나", "다다")]
        assert entry.targets.tolist() == [entry.source_row % 3]
    assert sum(read_json(folder / step.STATISTICS)["labels"]["multiple_choice"]["parts"]["train"].values()) == 26


def test_a_token_alone_counts(tmp_path: Path) -> None:
    data = Data(tmp_path)
    folder = made(
        data,
        [{"document": "ab"[i % 2], "label": i % 2} for i in range(2)] + films(10, (0, 1)),
        CLASS,
        split={"validation": 0, "test": 0},
    )
    first = Samples.open(folder / "train.arrow")[0]
    assert len(first.input_ids) == 1 and first.weights.tolist() == [1]


REFUSED = [
    (
        films(20, ("a", "a")),
        {},
        CLASS,
        r"constant_labels: every training row says 'a' to head 'sequence_classification'.*data.allow=\[constant_labels\]",
    ),
    (
        [*films(20), {"id": 1, "document": "x", "label": "nge"}],
        {},
        Purpose("head", "labels", (Target("sequence_classification", "class", None, ("neg", "pos")),)),
        r"1 of 21 rows cannot be trained, first rows.jsonl:21: column 'label' holds 'nge', .*did you mean 'neg'",
    ),
    (
        films(20, (1, "good")),
        {},
        Purpose("head", "labels", (Target("regression", "numbers"),)),
        "10 of 20 rows cannot be trained.*expected a number",
    ),
    (
        [{**one, "label": None} for one in films(9)],
        {},
        CLASS,
        "none of 9 rows can be used, first rows.jsonl:1: no label",
    ),
    (
        [*films(9), {"id": 1, "document": " ", "label": "neg"}],
        {},
        CLASS,
        "1 of 10 rows cannot be used, first rows.jsonl:10: column 'document' is blank",
    ),
    (
        [{**one, "score": 3} for one in films(9)],
        {},
        CLASS,
        r"several columns of labels \(label, score\).*set head.column to one of them",
    ),
    (
        films(9),
        {},
        Purpose("head", "labels", (Target("h", "class", "labell"),)),
        "head 'h': the rows have no column of labels 'labell', found: label; did you mean 'label'",
    ),
    ([{"tokens": ["a", "b"], "ner_tags": ["O"]}], {}, WORDS, "first rows.jsonl:1: 2 words and 1 labels"),
    (films(9), {}, WORDS, r"needs words with a label each \(columns tokens, ner_tags\), and the rows are none"),
    ([{"question": "q", "answer": "a"}], {}, CLASS, r"needs texts with labels \(columns text, label\)"),
    (
        films(9),
        {"overlong": "keep_answer"},
        CLASS,
        "data.overlong=keep_answer keeps an answer whole, and rows with labels have none",
    ),
    (films(9), {"max_length": 8, "overlong": "error"}, CLASS, "longer than data.max_length=8.*or data.overlong=drop$"),
]


@pytest.mark.parametrize(("rows", "keys", "purpose", "reason"), REFUSED)
def test_bad_rows_and_settings(
    tmp_path: Path, rows: list[dict[str, Any]], keys: dict[str, Any], purpose: Purpose, reason: str
) -> None:
    with pytest.raises(DataError, match=reason) as caught:
        made(Data(tmp_path), rows, purpose, **keys)
    assert "\n" not in str(caught.value)


def test_what_is_allowed_or_dropped_goes_on(tmp_path: Path) -> None:
    data = Data(tmp_path)
    folder = made(data, films(20, ("a", "a")), CLASS, allow=["constant_labels"])
    assert list(read_json(folder / step.STATISTICS)["gate"]["found"]) == ["constant_labels"]
    long = [*films(20), {"id": 9, "document": "길다 " * 50, "label": "neg"}]
    folder = made(data, long, CLASS, max_length=40, overlong="drop")
    found = read_json(folder / step.STATISTICS)
    assert found["overlong"]["dropped"] == 1 and found["gate"]["found"] == {}


def test_a_column_that_no_format_knows_is_read_where_a_head_names_it(tmp_path: Path) -> None:
    rows = [{"text": f"글 {i}", "기분": ("좋다", "싫다", "")[i % 3], "label": 1} for i in range(30)]
    purpose = Purpose("head", "labels", (Target("h", "class", "기분"),))
    folder = made(Data(tmp_path), rows, purpose, faulty_rows="drop")
    assert Labels.load(folder / step.PROMPT).heads[0].names == ("싫다", "좋다")
    assert read_json(folder / step.STATISTICS)["dropped_before"] == {"no label": 10}
    without = [{key: value for key, value in row.items() if key != "label"} for row in rows]
    folder = made(Data(tmp_path), without, purpose, faulty_rows="drop")
    assert Labels.load(folder / step.PROMPT).heads[0].column == "기분"


def test_a_filter_that_changes_words_is_found_out(tmp_path: Path) -> None:
    data = Data(tmp_path)
    rows = [{"tokens": ["010", "1234", "5678", f"번 {i}"], "ner_tags": ["O", "O", "O", "B"]} for i in range(10)]
    with pytest.raises(DataError, match="the text is not made of its words"):
        made(data, rows, WORDS, filters=[{"type": "personal"}])


def test_heads_of_several_sets_each_learn_from_their_own(tmp_path: Path) -> None:
    data = Data(tmp_path)
    hate = [{"text": f"댓글 {i}", "hate": ("n", "y")[i % 2]} for i in range(20)]
    film = [{"text": f"영화 {i}", "stars": i % 5, "label": 0} for i in range(20)]
    sources = [
        {"type": "jsonl", "path": data.write(f"{name}.jsonl", lines(rows))} for name, rows in (("a", hate), ("b", film))
    ]
    purpose = Purpose("head", "labels", (Target("h", "class", "hate"), Target("s", "numbers", "stars")))
    folder = data.format(data.settings(*sources, split={"validation": 0, "test": 0}), purpose)
    found = [entry.targets.tolist() for entry in Samples.open(folder / "train.arrow")]
    assert found[1][0] == 1 and math.isnan(found[1][1])
    assert math.isnan(found[23][0]) and found[23][1] == 3
    with pytest.raises(
        DataError,
        match=r"head 's': the rows have no column of labels 'stras', found: hate; write in head.column which it is",
    ):
        data.format(
            data.settings(sources[0]), purpose._replace(targets=(purpose.targets[0], Target("s", "numbers", "stras")))
        )
