"""What the lessons say: what is done and why, in a few sentences, and three things to try after each."""

from collections.abc import Callable
from dataclasses import dataclass

from dadeum.core.language import say

ORDER = ("compare", "special-tokens", "preprocess", "explain", "train")


@dataclass(frozen=True)
class Named:
    """What the commands to try are about: model, data, and the experiment's name."""

    model: str
    data: str
    experiment: str
    question: str


@dataclass(frozen=True)
class Words:
    """Of one lesson: its title, its sentences, and commands with what they show."""

    title: tuple[str, str]
    sentences: tuple[tuple[str, str], ...]
    tries: Callable[[Named], list[tuple[str, str, str]]]


WORDS = {
    "compare": Words(
        ("A base model and a taught one", "기본 모델과 가르친 모델"),
        (
            (
                "A base model goes on with a text; a taught one answers. The same questions go to both, under the same prompt and "
                "without any chance, so the answers differ by the weights alone.",
                "기본 모델은 글을 이어 쓰고, 가르친 모델은 답합니다. 같은 질문을 같은 프롬프트로, 우연 없이 두 모델에 던지므로 답의 차이는 "
                "오직 가중치에서 옵니다.",
            ),
            (
                "Numbers beside the answers tell whether one example is luck: each comes with an interval over the questions, and "
                "bits per byte counts the same for every tokenizer.",
                "답 옆의 수치는 한두 예가 운인지 알려 줍니다. 수치마다 질문에 대한 구간이 있고, 바이트당 비트는 토크나이저가 달라도 "
                "견줄 수 있습니다.",
            ),
            (
                "Where there is no taught model yet, it is made first; the last lesson looks at that training.",
                "가르친 모델이 아직 없으면 먼저 만듭니다. 그 학습은 마지막 실습에서 들여다봅니다.",
            ),
        ),
        lambda n: [
            (f'dadeum ask "{n.question}" -m {n.model}', "what the base says", "기본 모델의 답"),
            (f'dadeum ask "{n.question}" -m {n.experiment}', "what the taught one says", "가르친 모델의 답"),
            (f"dadeum runs show {n.experiment}", "the scores, and the curves of the training", "점수와 학습 곡선"),
        ],
    ),
    "special-tokens": Words(
        ("Special tokens", "특수 토큰"),
        (
            (
                "Special tokens mark where a turn begins and ends; no one types them. They must each be one id, stand in the template, "
                "and be learnt, or the model never stops.",
                "특수 토큰은 차례의 시작과 끝을 나타내며 사람이 치는 글자가 아닙니다. 저마다 번호 하나여야 하고, 템플릿에 있어야 하고, "
                "학습되어야 합니다. 아니면 모델이 멈추지 못합니다.",
            ),
            (
                "Below: each token, its id, what it is for, where the template writes it, and how its string is cut when it stands in "
                "plain text.",
                "아래에 토큰마다 번호, 쓰임, 템플릿에서의 자리, 글 속에 그대로 있을 때 잘리는 방식을 보입니다.",
            ),
        ),
        lambda n: [
            (f'dadeum tokens {n.model} --text "{n.question}"', "how this question is cut", "이 질문이 잘리는 방식"),
            (f"dadeum tokens {n.model} --chat-template chatml", "the same under another template", "다른 템플릿에서는"),
            (
                f"dadeum data format {n.experiment} 'tokenizer.add_special_tokens=[\"<|article|>\"]'",
                "with a new token added",
                "새 토큰을 더해서",
            ),
        ],
    ),
    "preprocess": Words(
        ("From rows to what is trained", "행에서 학습할 글까지"),
        (
            (
                "Rows become messages with roles; the model's own chat template turns messages into one text; the tokenizer turns the "
                "text into ids.",
                "행은 역할이 있는 메시지가 되고, 모델의 대화 템플릿이 메시지를 하나의 글로, 토크나이저가 글을 번호로 바꿉니다.",
            ),
            (
                "Only the answers are trained: the painted tokens. The question is read, never learnt, and the end of the turn is "
                "learnt too, so that the model stops.",
                "칠해진 토큰, 곧 답만 학습합니다. 질문은 읽기만 하고, 차례의 끝은 함께 배워야 모델이 멈춥니다.",
            ),
        ),
        lambda n: [
            (f"dadeum data show {n.experiment} -n 5", "five rows, painted", "다섯 행 칠해 보기"),
            (
                f"dadeum data show {n.experiment} data.train_on=all",
                "with the question trained too",
                "질문까지 학습하면",
            ),
            (f"dadeum data check {n.data}", "what is wrong with the rows", "행에서 잘못된 것 찾기"),
        ],
    ),
    "explain": Words(
        ("One training step, taken apart", "학습 한 단계 뜯어보기"),
        (
            (
                "A trainer repeats one step: tokens in, a probability for each next token, the loss, a gradient for every weight, an "
                "update. Here is one such step of your own run, with every number read from it.",
                "학습기는 한 단계를 되풀이합니다. 토큰을 넣고, 다음 토큰의 확률을 얻고, 손실을 재고, 가중치마다 그래디언트를 구해 고칩니다. "
                "아래는 이 실험의 진짜 한 단계이며 모든 수는 거기서 읽은 것입니다.",
            ),
            (
                "The same step by transformers.Trainer stands beside it, with the place where one hooks in to change it.",
                "같은 단계를 transformers.Trainer로도 해 나란히 두고, 바꾸려면 어디를 고치는지 보입니다.",
            ),
        ),
        lambda n: [
            (f"dadeum explain {n.experiment} --html", "as a page", "페이지로 보기"),
            (f"dadeum explain {n.experiment} --step 3 --no-trainer", "a later step", "더 뒤의 단계"),
            (f"dadeum explain {n.experiment} adapter.r=2 --no-trainer", "with a smaller LoRA", "더 작은 LoRA로"),
        ],
    ),
    "train": Words(
        ("Training with LoRA", "LoRA로 학습하기"),
        (
            (
                "LoRA leaves the base as it is and learns two thin matrices beside each of its layers: a few percent of the weights. "
                "For large models that is often enough; one as small as the embedded model learns more with all of them (adapter={type: full}).",
                "LoRA는 기본 모델을 그대로 두고 층마다 얇은 행렬 두 개만 배웁니다. 가중치의 몇 퍼센트입니다. 큰 모델에는 이것으로 충분할 때가 "
                "많고, 들어 있는 모델처럼 작은 것은 모두 배울 때(adapter={type: full}) 더 잘 배웁니다.",
            ),
            (
                "The training is stopped with Ctrl-C and goes on where it was, bit for bit. At the end the adapter and the merged model "
                "lie where other tools find them.",
                "Ctrl-C로 멈춰도 다시 실행하면 그 자리에서 비트까지 같게 이어집니다. 끝나면 어댑터와 병합된 모델이 다른 도구도 찾는 곳에 "
                "놓입니다.",
            ),
        ),
        lambda n: [
            (f'dadeum ask "{n.question}" -m results/final_model', "the result as a plain folder", "결과 폴더에 묻기"),
            (
                f"dadeum train {n.experiment} train.learning_rate=5e-4",
                "another learning rate: a new run",
                "다른 학습률로 새 실행",
            ),
            (f"dadeum reproduce {n.experiment}", "does the same come of it again?", "다시 해도 같은 결과인가?"),
        ],
    ),
}


def spoken(name: str) -> tuple[str, list[str]]:
    """Title and sentences in the reader's language."""
    words = WORDS[name]
    return say(*words.title), [say(*sentence) for sentence in words.sentences]


def tries(name: str, named: Named) -> list[tuple[str, str]]:
    """(command, what it shows) in the reader's language."""
    return [(command, say(english, korean)) for command, english, korean in WORDS[name].tries(named)]
