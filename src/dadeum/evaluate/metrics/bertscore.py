"""BERTScore (Zhang et al. 2020): precision, recall and F1 of tokens that an encoder finds alike, by torchmetrics.

Unrelated texts have 0.6 to 0.8 without rescaling: read it beside its floor. An answer without any token scores 0 (the
reference implementation gives an empty one 0.77). The signature holds the model, its commit or a hash of its weights, the
layer and the rescaling; scores of unlike encoders are never compared.

The default model is a Korean encoder and is fetched from the Hub once. Of the layers that one is taken which stands three
quarters of the way up, unless `layer` says another.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Literal

from dadeum.core.errors import ConfigError, ModelError
from dadeum.core.language import say
from dadeum.core.settings import MemberSettings, setting
from dadeum.evaluate.metrics import Example, Row, Scored, Sums, Value, text_rows

PACKAGES = ("torchmetrics",)
needs: Literal["answer"] = "answer"
per_token = False
higher_is_better = True
floored = True
unit = "-1 to 1"
keys = {
    "bertscore_f1": ("F1 of tokens that an encoder finds alike", "인코더가 비슷하다고 보는 토큰의 F1"),
    "bertscore_precision": ("how alike the answer's tokens are to the reference", "답의 토큰이 기준 답과 비슷한 정도"),
    "bertscore_recall": ("how alike the reference's tokens are to the answer", "기준 답의 토큰이 답과 비슷한 정도"),
}
ORDER = ("bertscore_precision", "bertscore_recall", "bertscore_f1")


class Settings(MemberSettings):
    """BERTScore."""

    type: Literal["bertscore"] = "bertscore"
    model: str = setting(
        "klue/roberta-base", "Encoder: a Hub id or a folder.", "인코더: Hub 이름이나 폴더.", min_length=1
    )
    revision: str = setting(
        "main", "Branch, tag or commit of a Hub model.", "Hub 모델의 브랜치, 태그 또는 커밋.", min_length=1
    )
    layer: int | None = setting(
        None,
        "Layer that is compared; default: three quarters of the way up.",
        "비교할 층. 기본값은 아래에서 4분의 3 높이.",
        ge=1,
    )
    rescale: str | None = setting(
        None,
        "File of baselines as bert-score has them (LAYER,P,R,F), to rescale by; default: no rescaling.",
        "값을 다시 맞출 기준 파일(bert-score의 LAYER,P,R,F). 기본값은 맞추지 않음.",
        min_length=1,
    )


def ready(settings: Settings) -> None:
    """Raises HubError, ModelError or ConfigError where the encoder or the baselines are not there."""
    from dadeum.core.hub import cached_model, fetch_model, is_local, offline
    from dadeum.core.hub_refusal import offline_error
    from dadeum.model.configuration import read_config
    from dadeum.model.files import weight_files

    if settings.rescale is not None:
        _baseline(settings.rescale, settings.layer)
    if is_local(settings.model):
        place = fetch_model(settings.model, settings.revision, weights=True)
        read_config(place)
        weight_files(place)
    elif offline() and cached_model(settings.model, settings.revision, weights=True) is None:
        raise offline_error("model", settings.model)


def files(settings: Settings) -> list[Path]:
    """The encoder's folder, where it is one, and the baselines. Of a model of the Hub the signature holds the commit."""
    from dadeum.core.hub import is_local

    named = [settings.model if is_local(settings.model) else None, settings.rescale]
    return [Path(name).expanduser() for name in named if name is not None]


def score(settings: Settings, samples: Sequence[Scored]) -> dict[str, Value]:
    """`bertscore_f1`, `bertscore_precision`, `bertscore_recall`."""
    from dadeum.evaluate.encoder import bert_scores, load_encoder, version

    encoder = load_encoder(settings.model, settings.revision)
    layer = encoder.layer(settings.layer)
    base, named = _baseline(settings.rescale, layer) if settings.rescale is not None else ((0.0, 0.0, 0.0), "no")
    pairs = text_rows(samples)
    scores, cut = bert_scores(encoder, [pair for pair in pairs if pair is not None], layer)
    made = iter(scores)
    rows: list[tuple[float, ...] | None] = [None if pair is None else _rescaled(next(made), base) for pair in pairs]
    about = f"model:{encoder.name}|layer:{layer}/{encoder.layers}|idf:no|rescale:{named}|longest:{encoder.longest}"
    note = (
        ""
        if not cut
        else say(
            f"{cut} texts are longer than the {encoder.longest} tokens that {encoder.name} reads, and were cut",
            f"글 {cut}개가 {encoder.name}이(가) 읽는 {encoder.longest}토큰보다 길어 잘렸습니다",
        )
    )
    found = {}
    for key in keys:
        of_key: tuple[Row | None, ...] = tuple(None if row is None else (row[ORDER.index(key)], 1.0) for row in rows)
        found[key] = Value(of_key, f"{key}|{about}|empty:0|norm:NFC|{version()}|agg:mean", note)
    return found


def _rescaled(row: tuple[float, ...], base: tuple[float, ...]) -> tuple[float, ...]:
    return tuple((one - b) / (1 - b) for one, b in zip(row, base, strict=True)) if any(row) else row


def _baseline(file: str, layer: int | None) -> tuple[tuple[float, ...], str]:
    """P, R and F of the layer in a file `LAYER,P,R,F`, and the name of the file with a hash of it."""
    import csv
    import hashlib

    try:
        raw = Path(file).expanduser().read_bytes()
        lines = list(csv.reader(raw.decode("utf-8").replace("\t", ",").splitlines()))
        found = {int(line[0]): tuple(float(cell) for cell in line[1:4]) for line in lines[1:] if line}
        whole = bool(found) and all(len(row) == 3 and max(row) < 1 for row in found.values())
    except (OSError, ValueError, IndexError) as error:
        raise ConfigError(
            say(
                f"evaluate.metrics: bertscore.rescale: {file}: cannot be read ({error}); expected lines LAYER,P,R,F",
                f"evaluate.metrics: bertscore.rescale: {file}: 읽을 수 없습니다 ({error}). LAYER,P,R,F 줄이어야 합니다",
            )
        ) from None
    if not whole or (layer is not None and layer not in found):
        raise ModelError(
            say(
                f"evaluate.metrics: bertscore.rescale: {file}: holds no baseline below 1 of layer {layer}",
                f"evaluate.metrics: bertscore.rescale: {file}: {layer}층의 기준값(1 미만)이 없습니다",
            )
        )
    row = found[layer] if layer is not None else (0.0, 0.0, 0.0)
    return row, f"{Path(file).name}-{hashlib.sha256(raw).hexdigest()[:8]}"


def combine(sums: Sums) -> Sums:
    """The mean."""
    mean: Sums = sums[..., 0] / sums[..., 1]
    return mean


def examples() -> Sequence[Example]:
    """Worked by hand, with any encoder; what lies between depends on it."""
    import unicodedata

    text, names = "계약을 해제합니다", tuple(keys)
    return [
        Example("identical", "같음", [Scored(text, text)], dict.fromkeys(names, 1.0), 1e-4),
        Example(
            "NFD is NFC",
            "NFD와 NFC",
            [Scored(unicodedata.normalize("NFD", text), text)],
            dict.fromkeys(names, 1.0),
            1e-4,
        ),
        Example("nothing said", "빈 답", [Scored("", text), Scored(" \n", text)], dict.fromkeys(names, 0.0)),
        Example(
            "half of the rows blank",
            "절반이 빈 답",
            [Scored(text, text), Scored("", text)],
            dict.fromkeys(names, 0.5),
            1e-4,
        ),
        Example("blank reference", "빈 기준 답", [Scored(text, " ")], dict.fromkeys(names)),
    ]
