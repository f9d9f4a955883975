"""What the figures of an export are called where people read them; files keep the keys."""

from dadeum.core.language import say


def word(key: str) -> str:
    """The name of a figure of `export`, or its key in words."""
    english = key.replace("_", " ")
    return say(english, KOREAN.get(key, english))


KOREAN = {
    "dtype": "자료형",
    "prompts": "프롬프트 수",
    "max_logit_difference": "가장 큰 로짓 차이",
    "mean_kl": "평균 KL",
    "same_likeliest_token": "가장 그럴듯한 토큰이 같은 비율",
    "same_greedy_answers": "답이 같은 비율",
    "agreement_on": "견준 글",
    "agreement_tokens": "견준 토큰",
    "agreement_same_likeliest_token": "견준 토큰 가운데 가장 그럴듯한 것이 같은 비율",
    "agreement_max_log_probability_difference": "가장 큰 로그 확률 차이",
    "agreement_mean_kl": "견준 토큰의 평균 KL",
    "weights": "가중치",
    "quantization": "양자화",
    "converter": "변환기",
    "file": "파일",
    "bytes": "바이트",
    "gguf_version": "GGUF 버전",
}
