"""Images of a row: addresses beside the messages, and a mark where each stands in a text."""

import base64
import re
from collections.abc import Mapping, Sequence
from typing import Any

from dadeum.core.language import say
from dadeum.data.cells import FaultyRow
from dadeum.data.formats import IMAGE, Message

COLUMNS = ("images", "image")
PARTS = ("image", "image_url", "input_image")
# Qwen-VL's first way: the address in the text.
WRITTEN = re.compile(r"<img>([^<>\n]+)</img>")


def address(value: Any) -> str | None:
    """Where an image lies: a path, an address, or its bytes as a data URL; None for what is none of these."""
    if isinstance(value, Mapping):
        named = next((value[k] for k in ("url", "path", "image", "image_url") if value.get(k)), None)
        return address(value.get("bytes") if named is None else named)
    if isinstance(value, bytes):
        return "data:;base64," + base64.b64encode(value).decode()
    return value if isinstance(value, str) and value.strip() else None


def of_column(values: Mapping[str, Any]) -> list[str]:
    """The images of the row's own column."""
    value = next((values[name] for name in COLUMNS if values.get(name) not in (None, "", [], "[]")), None)
    if value is None:
        return []
    found = [address(one) for one in (value if isinstance(value, list | tuple) else [value])]
    if None in found:
        raise FaultyRow(
            "images",
            say(
                "column 'images' holds something that is no path or address of an image",
                "'images' 열에 그림의 경로나 주소가 아닌 것이 있습니다",
            ),
        )
    return [one for one in found if one is not None]


def placed(messages: Sequence[Message], images: list[str]) -> tuple[list[Message], tuple[str, ...]]:
    """The messages with a mark for each image, and all images in the order of the marks. Raises FaultyRow."""
    if not images and not any("images" in m or "<img>" in m["content"] for m in messages):
        return list(messages), ()
    found: list[str] = []
    marked: list[Message] = []
    for message in messages:
        found += [*message.get("images", ()), *WRITTEN.findall(message["content"])]
        kept = {key: value for key, value in message.items() if key != "images"}
        marked.append({**kept, "content": WRITTEN.sub(IMAGE, message["content"])})
    every = [*found, *images]
    marks = sum(message["content"].count(IMAGE) for message in marked)
    if not every or marks == len(every):
        return marked, tuple(every)
    if not marks:
        first = next((i for i, m in enumerate(marked) if m["role"] == "user"), 0)
        marked[first] = {**marked[first], "content": IMAGE * len(every) + marked[first]["content"]}
        return marked, tuple(every)
    raise FaultyRow(
        "images",
        say(
            f"the messages have {marks} marks {IMAGE}, the row has {len(every)} images",
            f"메시지의 {IMAGE} 표시는 {marks}개인데 그림은 {len(every)}개입니다",
        ),
    )
