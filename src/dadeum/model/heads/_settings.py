"""Settings that several heads have. Imports no torch."""

from typing import Annotated, Literal

from pydantic import Field, model_validator

from dadeum.core.language import say
from dadeum.core.near import hint, nearest
from dadeum.core.settings import Many, MemberSettings, setting

Pooling = Literal["last", "mean", "attention"]
Amount = Annotated[float, Field(gt=0)]


class Topped(MemberSettings):
    """A linear layer, or an MLP."""

    hidden_sizes: Many[Annotated[int, Field(gt=0)]] = setting(
        (),
        "Widths of the layers between the model and the last one; none: the head is one linear layer.",
        "모델과 마지막 층 사이에 둘 층의 폭들. 없으면 헤드는 선형층 하나입니다.",
    )
    activation: Literal["gelu", "relu", "silu", "tanh"] = setting(
        "gelu", "Between the layers of an MLP.", "MLP의 층 사이에 쓰는 활성화 함수."
    )
    dropout: float = setting(
        0.0, "Dropout before each layer of the head.", "헤드의 각 층 앞에 두는 드롭아웃.", ge=0, lt=1
    )


class Pooled(Topped):
    """One vector of a text."""

    pooling: Pooling = setting(
        "last",
        "The vector of a text: that of its `last` token, the `mean` over its tokens, or a mean that is learnt (`attention`).",
        "글의 벡터: 마지막 토큰(`last`), 토큰들의 평균(`mean`), 학습하는 가중 평균(`attention`).",
    )


class Weighted(Pooled):
    """A head that may stand beside others."""

    weight: float = setting(
        1.0,
        "What its loss is multiplied by: beside other heads in `multi`.",
        "손실에 곱하는 값. `multi`에서 다른 헤드와 함께일 때 씁니다.",
        gt=0,
    )


class Labelled(Topped):
    """One of some classes."""

    column: str | None = setting(
        None,
        "Column of the labels; none: the only one that the rows have.",
        "라벨이 든 열. 없으면 행에 하나뿐인 라벨 열.",
    )
    labels: Many[str] = setting(
        (),
        "The classes by name, in their order; none: those that the training rows have, sorted.",
        "클래스 이름들을 순서대로. 없으면 학습 행에 있는 것을 정렬해 씁니다.",
    )
    class_weights: dict[str, Amount] = setting(
        {},
        "How much a row of each class weighs in the loss; 1 where nothing is said.",
        "클래스마다 그 행이 손실에서 갖는 무게. 적지 않은 클래스는 1.",
    )
    label_smoothing: float = setting(
        0.0,
        "Share of each target that is spread over all classes.",
        "정답의 이만큼을 모든 클래스에 나누어 줍니다.",
        ge=0,
        lt=1,
    )

    @model_validator(mode="after")
    def _known_classes(self) -> "Labelled":
        twice = next((name for name in self.labels if self.labels.count(name) > 1), None)
        if twice is not None:
            raise ValueError(
                say(f"labels: found '{twice}' twice, expected each once", f"labels: '{twice}'이(가) 두 번 있습니다")
            )
        if len(self.labels) == 1:
            raise ValueError(
                say(
                    f"labels: found only '{self.labels[0]}', expected two classes at least",
                    f"labels: '{self.labels[0]}'뿐입니다. 클래스는 둘 이상이어야 합니다",
                )
            )
        if self.labels:
            check_classes("class_weights", self.class_weights, self.labels)
        return self


def check_classes(key: str, given: dict[str, float], names: tuple[str, ...]) -> None:
    """Raises ValueError for a class that there is not."""
    for name in given:
        if name not in names:
            near, listed = hint(nearest(name, names)), ", ".join(names)
            raise ValueError(
                say(
                    f"{key}: found '{name}', expected one of: {listed}{near}",
                    f"{key}: '{name}'은(는) 없는 클래스입니다. 있는 것: {listed}{near}",
                )
            )


def coefficient(part: Weighted | MemberSettings) -> float:
    """What the head's loss is multiplied by."""
    return part.weight if isinstance(part, Weighted) else 1.0
