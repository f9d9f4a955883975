"""What the objectives that learn the next token have in common."""

from dadeum.core.settings import MemberSettings, setting


class TokenSettings(MemberSettings):
    """What every objective has that learns the next token; which tokens count was settled when the rows were formatted."""

    label_smoothing: float = setting(
        0.0,
        "So much of each target is shared out among all tokens, in the validation loss too, as in transformers "
        "(`label_smoothing_factor`).",
        "정답의 이만큼을 모든 토큰에 고루 나눕니다. transformers(`label_smoothing_factor`)처럼 검증 손실에도 적용됩니다.",
        ge=0,
        lt=1,
    )
    neftune_noise_alpha: float = setting(
        0.0,
        "NEFTune: uniform noise of at most alpha ÷ √(length · width) on the embeddings of each sample, in training alone; 0: none.",
        "NEFTune: 학습할 때만 샘플마다 임베딩에 최대 alpha ÷ √(길이 · 너비)의 균등 잡음을 더합니다. 0이면 없습니다.",
        ge=0,
    )
