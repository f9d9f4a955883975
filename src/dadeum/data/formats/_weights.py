"""What an answer counts in training, however a data set spells it: `weight: 0`, or `train: false`."""

import math
from collections.abc import Mapping
from typing import Any

from dadeum.core.language import say
from dadeum.data.cells import FaultyRow

KEYS = ("weight", "train")
# Weights of parts of a message, by their characters: nothing reads them.
DETAIL = "train_detail"


def weight_of(given: Mapping[str, Any], place: str) -> float:
    """The product of what the keys say; 1 where none says anything. `place` names the message. Raises FaultyRow."""
    if given.get(DETAIL):
        raise FaultyRow(
            "weights",
            say(
                f"{place}: '{DETAIL}' is not read; weigh the whole message with 'weight' or 'train'",
                f"{place}: '{DETAIL}'은(는) 읽지 않습니다. 'weight'나 'train'으로 메시지 전체의 무게를 정하세요",
            ),
        )
    found = 1.0
    for key in KEYS:
        value = given.get(key)
        if value is None:
            continue
        wanted = (bool,) if key != "weight" else (bool, int, float)
        if not isinstance(value, wanted) or not math.isfinite(value) or value < 0:
            expected = say("a number from 0 on", "0 이상의 수") if key == "weight" else "true, false"
            raise FaultyRow(
                "weights",
                say(
                    f"{place}: '{key}' is {value!r}, expected {expected}",
                    f"{place}: '{key}'이(가) {value!r}입니다. {expected}여야 합니다",
                ),
            )
        found *= float(value)
    return found
