"""The whole experiment file."""

from typing import Annotated

from pydantic import Field, field_validator

from dadeum.config.data import DataSettings
from dadeum.config.evaluate import EvaluateSettings, Target
from dadeum.config.model import Adapter, Head, ModelSettings, TokenizerSettings
from dadeum.config.track import Sink
from dadeum.config.train import TrainSettings
from dadeum.core.language import say
from dadeum.core.settings import Many, Settings, setting


class Experiment(Settings):
    """All sections of one experiment. Frozen; a derived value is never stored back."""

    name: str = setting(
        ..., "Name of the experiment and of its folders.", "실험과 그 폴더의 이름.", min_length=1, max_length=100
    )
    output_dir: str | None = setting(
        None, "Also put a plain copy of the result here, for other tools.", "결과의 사본을 둘 폴더(다른 도구용)."
    )
    model: ModelSettings = setting({}, "The base model.", "기본 모델.")
    tokenizer: TokenizerSettings = setting({}, "The tokenizer.", "토크나이저.")
    adapter: Adapter = setting(
        "full",
        "What is trained: `lora`, or `full` for every weight.",
        "무엇을 학습할지: `lora`, 또는 모든 가중치 `full`.",
    )
    head: Head = setting(
        "causal_lm",
        "What stands on top: `causal_lm` says the next token; others say labels, scores, numbers.",
        "모델 위에 놓을 것. `causal_lm`은 다음 토큰을, 나머지는 라벨, 점수, 수를 말합니다.",
    )
    data: DataSettings = setting(..., "The data.", "데이터.")
    train: TrainSettings = setting({}, "The training.", "학습.")
    evaluate: EvaluateSettings = setting({}, "The evaluation.", "평가.")
    seeds: Many[Annotated[int, Field(ge=0, lt=2**32)]] = setting(
        (),
        "Seeds to repeat the training with, in place of `train.seed`: `dadeum run` trains one model each and shows how far their "
        "scores spread; the first one's is the result.",
        "`train.seed` 대신 학습을 되풀이할 씨앗들. `dadeum run`이 하나씩 학습해 점수가 얼마나 퍼지는지 보여 줍니다. 결과는 첫 씨앗의 것입니다.",
    )
    export: Many[Target] = setting(("merged",), "What is made of the result.", "결과로 만들 것.")

    track: Many[Sink] = setting(
        (),
        "Trackers that are sent what the run writes into `experiments/`, beside it and never in its way.",
        "실행이 `experiments/`에 쓰는 것을 곁에서 보내 줄 추적 도구. 실행을 막거나 바꾸지 않습니다.",
    )

    @field_validator("seeds")
    @classmethod
    def _unlike(cls, seeds: tuple[int, ...]) -> tuple[int, ...]:
        if seeds and len(set(seeds)) < max(2, len(seeds)):
            raise ValueError(
                say(
                    f"found {list(seeds)}, expected two or more seeds that differ, or none",
                    f"{list(seeds)} 대신 서로 다른 씨앗을 둘 이상 쓰거나 비워 두세요",
                )
            )
        return seeds

    @field_validator("track")
    @classmethod
    def _one_of_a_kind(cls, sinks: tuple[Sink, ...]) -> tuple[Sink, ...]:
        kinds = [sink.type for sink in sinks]
        twice = next((kind for kind in kinds if kinds.count(kind) > 1), None)
        if twice is not None:  # what a tracker has is noted under its name
            raise ValueError(
                say(f"found '{twice}' twice, expected once", f"'{twice}'이(가) 두 번 있습니다. 한 번만 쓰세요")
            )
        return sinks

    @field_validator("export")
    @classmethod
    def _each_once(cls, targets: tuple[Target, ...]) -> tuple[Target, ...]:
        kinds = [target.type for target in targets]
        twice = next((kind for kind in kinds if kinds.count(kind) > 1), None)
        if twice is not None:  # each is written to the folder of its type
            raise ValueError(
                say(
                    f"found '{twice}' twice, expected once; make others with `dadeum export {twice} -o FOLDER`",
                    f"'{twice}'이(가) 두 번 있습니다. 한 번만 쓰고 나머지는 `dadeum export {twice} -o 폴더`로 만드세요",
                )
            )
        return targets
