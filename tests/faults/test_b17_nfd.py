"""B17: Hangul taken apart (NFD, as macOS writes it) is the same text and the same file."""

import unicodedata
from pathlib import Path

from dadeum.core.fingerprint import fingerprint
from dadeum.data import step
from tests.data.small import Data, csv


def nfd(text: str) -> str:
    return unicodedata.normalize("NFD", text)


def test_twin_of_the_data_gives_the_same_conversations_and_is_counted(tmp_path: Path) -> None:
    data = Data(tmp_path)
    found = []
    for text, changed in ((csv(30), 0), (nfd(csv(30)), 30)):
        settings = data.settings({"type": "csv", "path": data.write("qa.csv", text)})
        assert data.report(settings)["nfc_changed"] == changed
        found.append(fingerprint(data.rows(settings)))
    assert found[0] == found[1]


def test_twin_of_the_file_name_is_found_with_the_same_fingerprint(tmp_path: Path) -> None:
    data = Data(tmp_path)
    data.write(nfd("민법 질문.csv"), csv(30))
    inputs = [
        step.inputs(data.settings({"type": "csv", "path": name}), data.workspace)
        for name in ("민법 질문.csv", nfd("민법 질문.csv"))
    ]
    assert inputs[0] == inputs[1] and list(inputs[0]) == ["민법 질문.csv"]
    assert len(data.rows(data.settings({"type": "csv", "path": "민법 질문.csv"}))) == 30


def test_twins_of_rows_columns_and_prompts_are_twins(tmp_path: Path) -> None:
    data = Data(tmp_path)
    text = f"{nfd('질문')},{nfd('답변')}\n안녕하세요,네\n{nfd('안녕하세요')},네\n"
    report = data.report(data.settings({"type": "csv", "path": data.write("qa.csv", text)}))
    assert report["twins"]["train"] == 1 and report["repeated_answers"] == 1


def test_system_prompt_in_nfd_is_asked_as_it_was_trained(tmp_path: Path) -> None:
    from dadeum.data.contract import open_prompt

    data = Data(tmp_path)
    settings = data.settings({"type": "csv", "path": data.write("qa.csv", csv(12))}, system_prompt=nfd("친절하게"))
    system = data.rows(settings)[0]["messages"][0]
    _, contract = open_prompt(data.format(settings) / step.PROMPT)
    assert contract.messages("x")[0] == system == {"role": "system", "content": "친절하게"}
