"""A conversation: its history is what the model is given, its commands do what they say."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from dadeum.core.errors import ArtifactError, ModelError
from dadeum.generate.chat import Chat, Command, command, help_text
from dadeum.generate.engine import Engine
from tests.generate.support import opened, save_small


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Engine:
    return opened(save_small(tmp_path_factory.mktemp("small")))


@pytest.mark.parametrize(
    ("line", "asked"),
    [
        ("안녕?", None),
        ("/home/user 는 무엇인가요?", None),
        ("/help", Command("help")),
        (" /reset ", Command("reset")),
        ("/exit", Command("exit")),
        ("/system  짧게 답하세요 ", Command("system", "짧게 답하세요")),
        ("/system", Command("system")),
        ("/save 내 대화.json", Command("save", "내 대화.json")),
        ("/save", Command("incomplete", "/save PATH")),
        ("/rest", Command("unknown", "/rest")),
    ],
)
def test_commands(line: str, asked: Command | None) -> None:
    assert command(line) == asked


def test_history_is_what_was_said(engine: Engine) -> None:
    chat = Chat(engine, max_new_tokens=6, system="짧게")
    first = "".join(chat.say("안녕?"))
    assert chat.messages("또") == [
        {"role": "system", "content": "짧게"},
        {"role": "user", "content": "안녕?"},
        {"role": "assistant", "content": first},
        {"role": "user", "content": "또"},
    ]
    reply = engine.replies([chat.messages("또")], max_new_tokens=6)[0]
    assert "".join(chat.say("또")) == reply.text
    assert chat.do(Command("reset"))
    assert len(chat.messages("새로")) == 2
    chat.do(Command("system"))
    assert chat.messages("새로") == [{"role": "user", "content": "새로"}]


def test_a_stopped_answer_is_remembered_as_far_as_it_came(engine: Engine) -> None:
    chat = Chat(engine, max_new_tokens=100)
    pieces = chat.say("안녕?")
    while not next(pieces).strip():
        pass
    pieces.close()  # type: ignore[attr-defined]
    assert chat.last is not None and chat.last.new_tokens < 100
    assert chat.exchanges[0][-1] == {"role": "assistant", "content": chat.last.text}


def test_the_oldest_exchanges_make_room(tmp_path: Path) -> None:
    chat = Chat(opened(save_small(tmp_path / "m", max_position_embeddings=128)), max_new_tokens=20)
    for number in range(6):
        "".join(chat.say(f"질문 {number}"))
    assert chat.forgotten > 0
    assert chat.messages("x")[-1]["content"] == "x"
    assert len(chat.exchanges) == 6
    with pytest.raises(ModelError, match="the model's context only 128"):
        list(chat.say("길다 " * 200))
    assert len(chat.exchanges) == 6


def test_a_messages_format_frames_each_turn(engine: Engine) -> None:
    prompt = {
        "training_columns": {"question": "Q", "response": "A"},
        "messages_format": {
            "system_prompt": "법률 상담",
            "messages": [
                {"role": "system", "content": "{system_prompt}"},
                {"role": "user", "content": "물음: {question}"},
                {"role": "assistant", "content": "{response}"},
            ],
        },
    }
    framed = Engine(engine.model, engine.tokenizer, replace(engine.contract, prompt=prompt))
    chat = Chat(framed, max_new_tokens=4)
    "".join(chat.say("가?"))
    roles = [(m["role"], m["content"]) for m in chat.messages("나?")]
    assert roles[0] == ("system", "법률 상담")
    assert roles[1] == ("user", "물음: 가?")
    assert roles[-1] == ("user", "물음: 나?")


def test_saving_writes_messages_and_no_one_elses_file(engine: Engine, tmp_path: Path) -> None:
    chat = Chat(engine, max_new_tokens=4)
    "".join(chat.say("안녕?"))
    path = tmp_path / "대화.json"
    assert str(path) in chat.do(Command("save", str(path)))
    assert json.loads(path.read_text(encoding="utf-8")) == chat.exchanges[0]
    chat.do(Command("save", str(path)))  # its own file, again
    foreign = tmp_path / "foreign.json"
    foreign.write_text("mine", encoding="utf-8")
    with pytest.raises(ArtifactError, match="is there already"):
        chat.do(Command("save", str(foreign)))
    assert foreign.read_text(encoding="utf-8") == "mine"


@pytest.mark.parametrize("name", ["a\0b.json", "~no-such-user-here/a.json", "file/a.json", "x" * 300])
def test_a_name_that_no_file_can_have_is_one_sentence(engine: Engine, tmp_path: Path, name: str) -> None:
    (tmp_path / "file").write_text("", encoding="utf-8")
    chat = Chat(engine)
    place = name if name.startswith("~") else f"{tmp_path}/{name}"
    with pytest.raises(ArtifactError, match="cannot be written"):
        chat.do(Command("save", place))
    assert [f.name for f in tmp_path.iterdir()] == ["file"]


def test_unknown_commands_name_the_known_ones(engine: Engine) -> None:
    said = Chat(engine).do(Command("unknown", "/rest"))
    assert "/reset" in said and "/rest" in said
    assert all(word in help_text() for word in ("/reset", "/system", "/save", "/exit"))
