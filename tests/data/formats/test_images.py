"""Images of a row, and the marks where they stand."""

from typing import Any

import pytest

from dadeum.data.cells import FaultyRow
from dadeum.data.formats import Conversation
from dadeum.data.formats._images import address
from dadeum.data.kinds import Recogniser

ANSWER = {"role": "assistant", "content": "고양이"}


def convert(values: dict[str, Any]) -> Conversation:
    return Recogniser()("f", list(values))[0](values)


@pytest.mark.parametrize(
    "values",
    [
        {"messages": [{"role": "user", "content": "<image>무엇?"}, ANSWER], "images": ["a.png"]},
        {"messages": [{"role": "user", "content": "무엇?"}, ANSWER], "images": ["a.png"]},
        {"messages": [{"role": "user", "content": "<image>무엇?"}, ANSWER], "image": "a.png"},
        {
            "messages": [{"role": "user", "content": "<image>무엇?"}, ANSWER],
            "images": [{"bytes": None, "path": "a.png"}],
        },
        {"query": "<img>a.png</img>무엇?", "response": "고양이"},
        {
            "conversations": [{"from": "human", "value": "<image>무엇?"}, {"from": "gpt", "value": "고양이"}],
            "image": "a.png",
        },
        *(
            {"messages": [{"role": "user", "content": [part, {"type": "text", "text": "무엇?"}]}, ANSWER]}
            for part in (
                {"type": "image", "image": "a.png"},
                {"type": "image", "path": "a.png"},
                {"type": "image_url", "image_url": {"url": "a.png"}},
            )
        ),
        {
            "messages": [{"role": "user", "content": [{"type": "image"}, {"type": "text", "text": "무엇?"}]}, ANSWER],
            "images": ["a.png"],
        },
    ],
)
def test_every_spelling_of_one_image(values: dict[str, Any]) -> None:
    found = convert(values)
    assert found.images == ("a.png",)
    assert found.messages == ({"role": "user", "content": "<image>무엇?"}, ANSWER)


def test_bytes_become_a_data_url() -> None:
    assert address({"bytes": b"PNG", "path": None}) == "data:;base64,UE5H"
    assert address({"bytes": None}) is address(3) is address(" ") is None


def test_a_mark_in_plain_talk_is_text() -> None:
    found = convert({"question": "what does <image> do in SVG?", "answer": "it shows one"})
    assert found.images == () and found.messages[0]["content"] == "what does <image> do in SVG?"


@pytest.mark.parametrize(
    ("values", "reason"),
    [
        ({"question": "<image><image>?", "answer": "a", "images": ["1.png"]}, "2 marks <image>, the row has 1 images"),
        ({"question": "?", "answer": "a", "images": [3]}, "no path or address of an image"),
    ],
)
def test_what_does_not_fit_says_why(values: dict[str, Any], reason: str) -> None:
    with pytest.raises(FaultyRow, match=reason):
        convert(values)
