"""What an objective takes of rows that are more than questions and answers."""

import json
from pathlib import Path

import pytest

from dadeum.config.purpose import PRETRAIN, SFT, Purpose, Target
from dadeum.core.errors import DataError
from dadeum.data.cells import FaultyRow
from dadeum.data.formats import Conversation
from dadeum.data.usable import AS_TEXT, LeftOut, usable
from tests.data.small import Data

TALK = ({"role": "user", "content": "질문"}, {"role": "assistant", "content": "답"})
OTHER = (TALK[0], {"role": "assistant", "content": "나쁜 답"})


def test_what_is_trained_goes_through_as_it_is() -> None:
    row = Conversation(TALK, category="c")
    assert usable(SFT, "compare")(row) == usable(PRETRAIN, "compare")(row) == row
    text = Conversation(text="글")
    assert usable(PRETRAIN, "compare")(text) == AS_TEXT(text) == text


def test_no_class_at_all_is_a_label_and_a_blank_cell_is_none() -> None:
    take = usable(Purpose("head", "labels", (Target("h", "class"),)), "compare")
    assert take(Conversation(text="글", labels={"label": []})).labels == {"label": []}
    with pytest.raises(FaultyRow, match="no label: column 'label' is blank"):
        take(Conversation(text="글", labels={"label": " "}))


def test_pairs_wait_for_an_objective_that_compares() -> None:
    row = Conversation(TALK, rejected=OTHER)
    with pytest.raises(
        DataError,
        match=r"pairs of a chosen and a rejected answer, .*sft does not compare; set train.objective=dpo .*or data.preference=chosen",
    ):
        usable(SFT, "compare")(row)
    assert usable(SFT, "chosen")(row) == Conversation(TALK)


def test_rated_answers_are_not_learnt_unasked() -> None:
    good, bad = Conversation(TALK, wanted=True), Conversation(OTHER, wanted=False)
    for row in (good, bad):
        with pytest.raises(
            DataError, match=r"answers rated true or false .* set train.objective=kto, or data.preference=chosen"
        ):
            usable(SFT, "compare")(row)
    assert usable(SFT, "chosen")(good) == Conversation(TALK)
    with pytest.raises(LeftOut, match=r"rated false"):
        usable(SFT, "chosen")(bad)


def test_labels_are_not_predicted_and_their_texts_can_be_pretrained_on() -> None:
    row = Conversation(text="글", labels={"label": 1})
    with pytest.raises(
        DataError,
        match=r"texts with labels \(label\), which train.objective=sft does not predict; take a head such as head=sequence_classification, or write in data.prompt",
    ):
        usable(SFT, "compare")(row)
    assert usable(PRETRAIN, "compare")(row) == Conversation(text="글")


def test_a_pair_of_sentences_is_no_text() -> None:
    for purpose in (SFT, PRETRAIN):
        with pytest.raises(
            DataError, match=rf"pairs of sentences with labels \(label\), which train.objective={purpose.objective}"
        ):
            usable(purpose, "compare")(Conversation(text="가", second="나", labels={"label": 0}))


def test_plain_text_needs_another_objective() -> None:
    with pytest.raises(DataError, match=r"the rows are plain text, train.objective=sft needs questions"):
        usable(SFT, "compare")(Conversation(text="글"))


def test_images_are_the_rows_own_fault() -> None:
    with pytest.raises(
        FaultyRow, match=r"shows 2 image\(s\), and what is trained reads text only; .*data.faulty_rows=drop"
    ):
        usable(SFT, "compare")(Conversation(TALK, images=("a", "b")))


def test_the_true_answers_of_a_set_are_prepared_and_the_false_ones_counted(tmp_path: Path) -> None:
    data = Data(tmp_path)
    rows = [{"prompt": f"질문 {n}", "completion": f"답 {n}", "label": n % 3 > 0} for n in range(30)]
    source = {"type": "jsonl", "path": data.write("kto.jsonl", "\n".join(map(json.dumps, rows)))}
    with pytest.raises(DataError, match=r"rated true or false"):
        data.preprocess(data.settings(source))
    settings = data.settings(source, preference="chosen")
    report = data.report(settings)
    assert report["kept"] == 20 and report["dropped"] == {"rejected answer": 10}
    assert {r["source_row"] for r in data.rows(settings)} == {n for n in range(30) if n % 3}
    bad = {"type": "jsonl", "path": data.write("bad.jsonl", json.dumps({**rows[0], "label": False}))}
    with pytest.raises(DataError, match=r"nothing is left of 1 rows \(left out: {'rejected answer': 1}\)"):
        data.preprocess(data.settings(bad, preference="chosen"))


def test_the_chosen_answers_of_pairs_are_prepared(tmp_path: Path) -> None:
    data = Data(tmp_path)
    rows = [{"prompt": f"질문 {n}", "chosen": f"답 {n}", "rejected": f"나쁜 답 {n}"} for n in range(20)]
    source = {"type": "jsonl", "path": data.write("dpo.jsonl", "\n".join(map(json.dumps, rows)))}
    found = data.rows(data.settings(source, preference="chosen"))
    assert [r["messages"][-1]["content"] for r in found] == [r["chosen"] for r in rows]
    assert not any("나쁜" in json.dumps(r, ensure_ascii=False) for r in found)


def test_what_compares_takes_pairs_and_what_learns_ratings_takes_both() -> None:
    pair, rating, plain = Conversation(TALK, rejected=OTHER), Conversation(TALK, wanted=False), Conversation(TALK)
    dpo, kto = (usable(purpose, "compare") for purpose in (Purpose("dpo", "pair"), Purpose("kto", "rated")))
    assert dpo(pair) == kto(pair) == pair and kto(rating) == rating
    for take, row, said in (
        (dpo, rating, "dpo needs pairs of a chosen and a rejected answer"),
        (dpo, plain, "dpo needs pairs of a chosen and a rejected answer"),
        (kto, plain, "kto needs answers rated true or false"),
    ):
        with pytest.raises(DataError, match=said):
            take(row)
    with pytest.raises(FaultyRow, match=r"the row shows 1 image\(s\)"):
        dpo(pair._replace(images=("a.png",)))
    with pytest.raises(DataError, match=r"data.preference=chosen leaves nothing to compare for train.objective=dpo"):
        usable(Purpose("dpo", "pair"), "chosen")(pair)
