"""A text file that is missing is written from the Hub or from a shipped text, once, and says where it came from."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from dadeum.config.purpose import PRETRAIN
from dadeum.core.errors import DataError, HubError
from dadeum.core.progress import Silent
from dadeum.data import fallback, step
from dadeum.data.formats import Conversation
from dadeum.data.sources import text
from tests.data.small import Data
from tests.hub_server import COMMIT, Hub, serve

NAME = "owner/dialogues"
ROWS = [
    {"instruction": "사용자: 안녕\n상담사: 네\n사용자: \\n은 줄바꿈?", "output": f"맞아요 {n}", "source": "multi_2"}
    for n in range(20)
]
FILE = "data/processed/korean_train.txt"


class Notes(Silent):
    def __init__(self) -> None:
        self.said: list[str] = []

    def note(self, text: str) -> None:
        self.said.append(text)

    warn = note


@pytest.fixture
def hub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Hub]:
    rows = "".join(
        json.dumps(row, ensure_ascii=False) + "\n" for row in [*ROWS, {"instruction": "빈 답", "output": ""}]
    )
    held = json.dumps({"instruction": "시험", "output": "답"}, ensure_ascii=False) + "\n"
    files = {"train.jsonl": rows.encode(), "test.jsonl": held.encode()}
    with serve(Hub({f"datasets/{NAME}": files})) as served:
        monkeypatch.setenv("HF_ENDPOINT", served.url)
        monkeypatch.setenv("HF_HOME", str(tmp_path / "home"))
        for name in ("HF_HUB_OFFLINE", "HF_TOKEN", "HUGGING_FACE_HUB_TOKEN"):
            monkeypatch.delenv(name, raising=False)
        yield served


def test_a_missing_file_is_written_from_the_hub_one_dialogue_a_line(hub: Hub, tmp_path: Path) -> None:
    data, told = Data(tmp_path), Notes()
    settings = data.settings({"type": "text", "path": FILE, "fallback": NAME})
    assert step.inputs(settings, data.workspace) == {FILE: None}
    assert step.download(settings, data.workspace, told) == [tmp_path / FILE]
    lines = (tmp_path / FILE).read_text(encoding="utf-8").splitlines()
    assert len(lines) == len(ROWS)
    assert lines[0] == "질문: 사용자: 안녕\\n상담사: 네\\n사용자: \\\\n은 줄바꿈?\\n답변: 맞아요 0"
    assert told.said[0] == f"{FILE} is missing; written from {NAME}"
    assert f"1 rows of {NAME} left out, first train.jsonl:21" in told.said[-1]
    hub.requests.clear()
    assert step.download(settings, data.workspace, told) == [] and hub.requests == []
    told.said.clear()
    folder = data.preprocess(settings, PRETRAIN, told)
    assert f"{FILE}: written from hub:{NAME}@{COMMIT}" in told.said
    (source,) = json.loads((folder / step.REPORT).read_text(encoding="utf-8"))["sources"]
    assert source["origin"] == f"written from hub:{NAME}@{COMMIT}" and source["rows"] == 20
    first = data.rows(settings, PRETRAIN)[0]["text"]
    assert first == f"질문: {ROWS[0]['instruction']}\n답변: 맞아요 0"


def test_a_file_that_is_there_is_the_users_own(hub: Hub, tmp_path: Path) -> None:
    data, told = Data(tmp_path), Notes()
    (tmp_path / FILE).parent.mkdir(parents=True)
    (tmp_path / FILE).write_text("".join(f"내 글 {n}\n" for n in range(12)), encoding="utf-8")
    settings = data.settings({"type": "text", "path": FILE, "fallback": NAME})
    assert step.download(settings, data.workspace, told) == [] and hub.requests == []
    data.preprocess(settings, PRETRAIN, told)
    assert f"{FILE}: a file of your own" in told.said


def test_what_was_written_and_then_changed_is_the_users_own(tmp_path: Path) -> None:
    path = tmp_path / "eval.txt"
    fallback.write("korean_eval", path, "test", Data(tmp_path / "lab").workspace, Silent())
    assert fallback.origin(path) == "written from the built-in samples 'korean_eval'"
    path.write_text(path.read_text(encoding="utf-8") + "더\n", encoding="utf-8")
    assert fallback.origin(path) == "a file of your own"


def test_rows_of_the_part_that_the_source_has(hub: Hub, tmp_path: Path) -> None:
    data = Data(tmp_path)
    fallback.write(f"{NAME}@{COMMIT}", tmp_path / "held.txt", "test", data.workspace, Silent())
    assert (tmp_path / "held.txt").read_text(encoding="utf-8") == "질문: 시험\\n답변: 답\n"
    with pytest.raises(DataError, match="has no rows of the part 'validation'"):
        fallback.write(NAME, tmp_path / "none.txt", "validation", data.workspace, Silent())
    assert not (tmp_path / "none.txt").exists()


def test_the_built_in_samples_are_read_whole(tmp_path: Path) -> None:
    data = Data(tmp_path)
    settings = data.settings(
        {"type": "text", "path": "eval.txt", "fallback": "korean_eval", "part": "test"},
        {"type": "text", "path": data.write("train.txt", "".join(f"글 {n}\n" for n in range(20)))},
    )
    step.download(settings, data.workspace, Silent())
    report = data.report(settings, PRETRAIN)
    assert report["parts"]["test"] == 20 and report["dropped"] == {}
    assert sum("\n답변: " in row["text"] for row in data.rows(settings, PRETRAIN) if row["part"] == "test") == 12


def test_what_cannot_be_had_leaves_nothing(hub: Hub, tmp_path: Path) -> None:
    data = Data(tmp_path)
    with pytest.raises(DataError, match=r"found 'korean_evl', .* did you mean 'korean_eval'\?"):
        fallback.write("korean_evl", tmp_path / "a.txt", None, data.workspace, Silent())
    hub.status = 500
    with pytest.raises(HubError, match="error 500"):
        fallback.write(NAME, tmp_path / "a.txt", None, data.workspace, Silent())
    assert not list(tmp_path.glob("*a.txt*"))


def test_settings_without_a_fallback_read_as_before() -> None:
    """What was made by an experiment from before there was one stays fresh."""
    assert text.Settings(path="a").model_dump(mode="json") == {"type": "text", "path": "a", "part": None}
    assert text.Settings(path="a", fallback="b/c").model_dump()["fallback"] == "b/c"


def test_plain_text_stays_as_it_is() -> None:
    assert fallback.dialogue(Conversation(text="그대로")) == "그대로"
    messages = (
        {"role": "system", "content": "규칙"},
        {"role": "user", "content": "가"},
        {"role": "assistant", "content": "나"},
    )
    assert fallback.dialogue(Conversation(messages=messages)) == "규칙\n질문: 가\n답변: 나"
