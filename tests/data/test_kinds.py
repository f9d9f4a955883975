"""Which kind the rows are: found, declared, or after columns are named; and every real file of the data folder."""

from pathlib import Path
from typing import Any

import pytest

from dadeum.config.data import DataSettings
from dadeum.config.purpose import SFT
from dadeum.core.errors import DataError
from dadeum.core.progress import Silent
from dadeum.core.workspace import Workspace
from dadeum.data.account import Account
from dadeum.data.kinds import Recogniser
from dadeum.data.maker import Maker
from dadeum.data.prepare import RowReader
from dadeum.data.sources import kind_of

HERE = Workspace(Path())


def said(found: Recogniser, row: dict[str, Any]) -> list[str]:
    return [m["content"] for m in found("f", list(row))[0](row).messages]


def settings(**keys: Any) -> DataSettings:
    return DataSettings.model_validate({"sources": [{"type": "csv", "path": "x.csv"}], **keys})


def recogniser(**keys: Any) -> Recogniser:
    return Recogniser.of(settings(**keys), HERE)


def test_a_declared_format_wins_over_the_columns() -> None:
    row = {"instruction": "i", "input": "", "output": "o", "chosen": "c", "rejected": "r"}
    assert recogniser()("f", list(row))[1] == "preference"
    assert said(recogniser(format="alpaca"), row) == ["i", "o"]
    assert recogniser(format="text")("f", ["text", "label"])[1] == "text"


def test_a_declared_format_that_does_not_fit() -> None:
    with pytest.raises(
        DataError,
        match=r"f: data.format=alpaca expects columns instruction, .* found: question, answer; say in data.columns",
    ):
        recogniser(format="alpaca")("f", ["question", "answer"])


def test_columns_have_our_names() -> None:
    row = {"물음": "질문?", "대답": "답.", "question": "다른 것", "번호": 1}
    named = recogniser(columns={"question": "물음", "answer": "대답"})
    assert said(named, row) == ["질문?", "답."]
    swapped = recogniser(columns={"question": "answer", "answer": "question"})
    assert said(swapped, {"question": "답.", "answer": "질문?"}) == ["질문?", "답."]
    # What was renamed is no longer there under its own name: Alpaca does not match too.
    habit = recogniser(columns={"prompt": "instruction", "response": "output"})
    assert said(habit, {"instruction": "질문?", "output": "답."}) == ["질문?", "답."]
    path = recogniser(columns={"question": "data.q", "answer": "data.a.0"})
    assert said(path, {"data": {"q": "질문?", "a": ["답."]}}) == ["질문?", "답."]
    text = recogniser(columns={"text": "response"})
    assert text("f", ["response"])[0]({"response": "글"}).text == "글"


def test_columns_that_no_source_has() -> None:
    with pytest.raises(DataError, match=r"data.columns: answer: no source has a column '대답'; found: 물음, 답변"):
        recogniser(columns={"question": "물음", "answer": "대답"})("f", ["물음", "답변"])


def test_columns_of_one_source_among_several() -> None:
    found = recogniser(
        columns={"question": "물음", "answer": "대답"},
    )
    found.alone = False
    assert said(found, {"question": "a", "answer": "b"}) == ["a", "b"]
    with pytest.raises(DataError, match=r"no source has a column '대답'"):
        found.finish()
    assert said(found, {"물음": "a", "대답": "b"}) == ["a", "b"]
    found.finish()


def test_names_on_the_left_are_ours() -> None:
    with pytest.raises(DataError, match=r"no format reads 'qestion', .*; did you mean 'question'"):
        recogniser(columns={"qestion": "물음"})
    with pytest.raises(DataError, match=r"no format reads 'chosen', expected our names on the left, one of: "):
        recogniser(format="alpaca", columns={"chosen": "물음"})


def test_settings_that_say_it_twice_or_name_nothing() -> None:
    with pytest.raises(ValueError, match=r"remove data.format and data.columns, or data.prompt"):
        settings(prompt="mrc", columns={"question": "물음"})
    with pytest.raises(ValueError, match=r"found 'alpacca', expected one of: auto, alpaca, .*; did you mean 'alpaca'"):
        settings(format="alpacca")


PEERS, KO, EN = "peer_fixtures", "ko_instruct", "en_instruct"


@pytest.mark.parametrize(
    ("name", "rows", "kind"),
    [
        ("ko_qa/ChatbotData.csv", 11823, "question_answer"),
        ("ko_qa/civil_law_qa_dataset.csv", 58, "question_answer"),
        ("ko_mrc/KorQuAD_v1.0_dev.json", 5774, "mrc"),
        ("ko_cls/Question_pair_train.csv", 6888, "label"),
        ("ko_cls/nsmc_style_train_8000.txt", 8000, "label"),
        ("ko_cls/klue-nli-v1.1_dev.json", 3000, "label"),
        ("ko_cls/klue-sts-v1.1_dev.json", 519, "label"),
        ("ko_cls/korean_hate_speech_train.tsv", 7896, "label"),
        (f"{KO}/ko_alpaca_data_first12761.json", 12761, "alpaca"),
        (f"{KO}/kullm_user_oriented_eval_ko.jsonl", 252, "alpaca"),
        (f"{EN}/alpaca_seed_tasks.jsonl", 175, "alpaca"),
        (f"{EN}/dolly_finqa_val.jsonl", 796, "alpaca"),
        (f"{EN}/rasbt_instruction-data.json", 1100, "alpaca"),
        (f"{EN}/rasbt_instruction-data-with-preference.json", 1100, "preference"),
        ("en_math/gsm8k_test.jsonl", 1319, "question_answer"),
        (f"{PEERS}/fastchat/dummy_conversation.json", 500, "sharegpt"),
        (f"{PEERS}/llamafactory/alpaca_en_demo.json", 999, "alpaca"),
        (f"{PEERS}/llamafactory/identity.json", 91, "alpaca"),
        (f"{PEERS}/llamafactory/glaive_toolcall_en_demo.json", 300, "sharegpt"),
        (f"{PEERS}/llamafactory/kto_en_demo.json", 300, "messages"),
        (f"{PEERS}/llamafactory/v1_dpo_demo.jsonl", 10, "preference"),
        (f"{PEERS}/ms-swift/alpaca.csv", 3, "alpaca"),
        (f"{PEERS}/ms-swift/alpaca.jsonl", 3, "alpaca"),
        (f"{PEERS}/ms-swift/alpaca2.csv", 3, "alpaca"),
        (f"{PEERS}/ms-swift/chatml.jsonl", 3, "messages"),
        (f"{PEERS}/ms-swift/conversations.jsonl", 3, "sharegpt"),
        (f"{PEERS}/ms-swift/sharegpt.jsonl", 3, "sharegpt"),
        (f"{PEERS}/ms-swift/swift_multi.json", 3, "question_answer"),
        (f"{PEERS}/ms-swift/swift_multi.jsonl", 3, "question_answer"),
        (f"{PEERS}/ms-swift/swift_single.csv", 3, "question_answer"),
        (f"{PEERS}/ms-swift/swift_single.jsonl", 3, "question_answer"),
        (f"{PEERS}/ms-swift/multi_modal_1.jsonl", 3, "question_answer"),
        (f"{PEERS}/ms-swift/multi_modal_2.jsonl", 3, "question_answer"),
        (f"{PEERS}/ms-swift/multi_modal_3.jsonl", 3, "question_answer"),
    ],
)
def test_every_real_file(material: Path, tmp_path: Path, name: str, rows: int, kind: str) -> None:
    """Each row is understood; faulty are the blank answers of KoAlpaca and NSMC's reviews that begin with a lone quote."""
    account = read(material / name, tmp_path)
    assert account.sources[0]["format"] == kind
    assert account.read == rows == account.kept + account.dropped.total()
    faults = {
        "ko_alpaca_data_first12761.json": {"no answer"},
        "nsmc_style_train_8000.txt": {"damaged row"},
        "rasbt_instruction-data-with-preference.json": {"same answers"},
    }
    assert set(account.dropped) == faults.get(name.rpartition("/")[2], set())


@pytest.mark.parametrize("name", ["swift_pre.csv", "swift_pre.jsonl"])
def test_a_real_file_of_answers_alone(material: Path, tmp_path: Path, name: str) -> None:
    """Answers without questions are no conversation; as text they can be read."""
    file = material / PEERS / "ms-swift" / name
    with pytest.raises(DataError, match=r"columns response: no known kind of rows; .* data.columns .*text: review"):
        read(file, tmp_path)
    assert read(file, tmp_path, columns={"text": "response"}).kept == 3


def read(file: Path, aside: Path, **keys: Any) -> Account:
    """All rows of a file, converted, and not rendered nor refused."""
    kind = "csv" if "nsmc" in file.name else kind_of(file)
    data = DataSettings.model_validate({"sources": [{"type": kind, "path": str(file)}], **keys})
    with Account(aside / "kept.jsonl", aside / "faulty.jsonl", seed=0) as account:
        maker = Maker.of(data, SFT, Workspace(file.parent), lambda row: row.text or "")
        maker.usable = lambda row: row
        RowReader(Workspace(file.parent), Silent(), maker, account).read(data.sources)
    return account
