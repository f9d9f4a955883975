"""What an objective can do with a row: as it is, reduced to what it takes, or not at all, and then what would help.

Pairs of answers, ratings and labels go to the objectives and heads that learn from them; others refuse such rows, and all
refuse images, rather than train on them as something else.
"""

from collections.abc import Callable

from dadeum.config.data import DataSettings
from dadeum.config.purpose import PRETRAIN, Purpose
from dadeum.core.errors import DataError
from dadeum.core.language import say
from dadeum.data.cells import FaultyRow
from dadeum.data.formats import NO_LABELS, Conversation
from dadeum.data.labels import column_of, no_column, said, worded

Usable = Callable[[Conversation], Conversation]


class LeftOut(FaultyRow):
    """A row that is no fault of anybody's: the settings leave it out."""


def usable(purpose: Purpose, preference: str) -> Usable:
    """What `train.objective` takes of each row, under `data.preference`."""
    objective = purpose.objective

    def reduce(row: Conversation) -> Conversation:
        if purpose.targets:
            return _labelled(row, purpose)
        if row.text is not None:
            return _text(row, objective, purpose)
        if purpose.takes in ("pair", "rated"):
            if preference == "chosen":
                raise _no_comparison(objective)
            return _seen_by_all(_judged(row, objective, purpose))
        if (row.rejected or row.wanted is not None) and preference != "chosen":
            raise _unasked(row, objective)
        if row.wanted is False:
            raise LeftOut("rejected answer", say("its answer is rated false", "답이 false로 평가된 행입니다"))
        _seen_by_all(row)
        return row._replace(rejected=(), wanted=None) if row.rejected or row.wanted is not None else row

    return reduce


def _seen_by_all(row: Conversation) -> Conversation:
    """The row, unless it shows what is no text."""
    if row.images:
        count = len(row.images)
        raise FaultyRow(
            "images",
            say(
                f"the row shows {count} image(s), and what is trained reads text only; leave such rows out with data.faulty_rows=drop",
                f"그림이 {count}개 있는 행인데 글만 학습합니다. data.faulty_rows=drop으로 빼세요",
            ),
        )
    return row


def refuse_settings(data: DataSettings, purpose: Purpose) -> None:
    """Raises DataError for settings of the data that go with conversations only."""
    if not purpose.targets:
        return
    if data.overlong == "keep_answer":
        raise DataError(
            say(
                f"data.overlong=keep_answer keeps an answer whole, and rows with labels have none (train.objective={purpose.objective}); "
                "set data.overlong=drop or error",
                f"data.overlong=keep_answer는 답을 온전히 두는 것인데 라벨이 붙은 행에는 답이 없습니다(train.objective={purpose.objective}). "
                "data.overlong=drop이나 error를 쓰세요",
            )
        )
    if data.prompt is not None:
        raise DataError(
            say(
                f"data.prompt writes conversations, and heads (train.objective={purpose.objective}) read texts with labels; "
                "take data.prompt out, and say in data.columns which column is which",
                f"data.prompt는 대화를 만드는데 헤드(train.objective={purpose.objective})는 라벨이 붙은 글을 읽습니다. "
                "data.prompt를 지우고 data.columns에 어느 열이 무엇인지 적으세요",
            )
        )


# What rows must be for what a head takes, and their columns.
NEEDED = {
    "labels": ("texts with labels", "라벨이 붙은 글", "text, label"),
    "words": ("words with a label each", "단어마다 라벨이 붙은 글", "tokens, ner_tags"),
    "choices": ("questions with answers to choose from", "답을 고르는 질문", "question, choices, answer"),
}


def _labelled(row: Conversation, purpose: Purpose) -> Conversation:
    """The row with the labels that heads look at, as far as it has them. Raises DataError, FaultyRow."""
    kind = "words" if row.words else "choices" if row.choices else "labels"
    if row.text is None or kind != purpose.takes:
        english, korean, needed = NEEDED[purpose.takes]
        raise DataError(
            say(
                f"the head (train.objective={purpose.objective}) needs {english} (columns {needed}), and the rows are none; "
                "say in data.columns which column is which, or take another head",
                f"헤드(train.objective={purpose.objective})에는 {korean}이 필요한데(열 {needed}) 행이 그렇지 않습니다. "
                "data.columns에 어느 열이 무엇인지 적거나 다른 헤드를 쓰세요",
            )
        )
    found = [column_of(target, row.labels) for target in purpose.targets]
    columns = {column: row.labels[column] for column in found if column is not None}
    if not columns:
        raise no_column(purpose.targets[0], row.labels)
    # Whether an empty list says something is known when samples are made: these rows serve heads of both kinds.
    if all(said(target._replace(kind="classes"), {"labels": columns}) is None for target in purpose.targets):
        names = ", ".join(columns)
        raise FaultyRow("no label", say(f"no label: column '{names}' is blank", f"'{names}' 열이 비어 라벨이 없습니다"))
    if row.words:
        for column, value in columns.items():
            worded(column, value, row.words)
    return row._replace(labels=columns)


# For text that is written from rows, whatever they are.
AS_TEXT = usable(PRETRAIN, "chosen")


def _unasked(row: Conversation, objective: str) -> DataError:
    if row.rejected:
        return DataError(
            say(
                f"the rows are pairs of a chosen and a rejected answer, which train.objective={objective} does not compare; "
                "set train.objective=dpo (or orpo, simpo, cpo), or data.preference=chosen to train on the chosen answers alone",
                f"행이 나은 답(chosen)과 못한 답(rejected)의 쌍인데 train.objective={objective}은(는) 둘을 비교하지 않습니다. "
                "train.objective=dpo(또는 orpo, simpo, cpo)를 쓰거나, 나은 답만 학습하려면 data.preference=chosen을 쓰세요",
            )
        )
    return DataError(
        say(
            f"the rows are answers rated true or false (column label), and train.objective={objective} would learn the false ones too; "
            "set train.objective=kto, or data.preference=chosen to train on the true ones alone",
            f"행이 참·거짓으로 평가된 답(label 열)인데 train.objective={objective}은(는) 거짓인 답도 배웁니다. "
            "train.objective=kto를 쓰거나, 참인 답만 학습하려면 data.preference=chosen을 쓰세요",
        )
    )


def _no_comparison(objective: str) -> DataError:
    return DataError(
        say(
            f"data.preference=chosen leaves nothing to compare for train.objective={objective}; take one of the two out",
            f"data.preference=chosen이면 train.objective={objective}이(가) 비교할 것이 없습니다. 둘 가운데 하나를 지우세요",
        )
    )


def _judged(row: Conversation, objective: str, purpose: Purpose) -> Conversation:
    """A pair for what compares pairs; for what learns from ratings a rated answer, or a pair, which is two of them."""
    pair = purpose.takes == "pair"
    if row.rejected or (row.wanted is not None and not pair):
        return row
    needed, korean = (
        (
            "pairs of a chosen and a rejected answer (columns chosen, rejected)",
            "나은 답과 못한 답의 쌍(chosen, rejected 열)",
        )
        if pair
        else ("answers rated true or false (column label)", "참·거짓으로 평가된 답(label 열)")
    )
    raise DataError(
        say(
            f"train.objective={objective} needs {needed}, and the rows are none; take other data, or train.objective=sft",
            f"train.objective={objective}에는 {korean}이 필요한데 행이 그렇지 않습니다. 다른 데이터나 train.objective=sft를 쓰세요",
        )
    )


def _text(row: Conversation, objective: str, purpose: Purpose) -> Conversation:
    """Plain text, with labels or without: what is pretrained on is the text."""
    if purpose.pretrain and row.second is None:
        return row._replace(labels=NO_LABELS, words=(), choices=())
    if not row.labels:
        raise DataError(
            say(
                f"the rows are plain text, train.objective={objective} needs questions and answers; "
                "set train.objective=pretrain, or say in data.prompt which columns hold them",
                f"행이 그냥 글인데 train.objective={objective}에는 질문과 답이 필요합니다. "
                "train.objective=pretrain으로 바꾸거나 data.prompt에 열을 적으세요",
            )
        )
    names = ", ".join(row.labels)
    what = say("pairs of sentences", "문장 쌍") if row.second is not None else say("texts", "글")
    head = "token_classification" if row.words else "multiple_choice" if row.choices else "sequence_classification"
    raise DataError(
        say(
            f"the rows are {what} with labels ({names}), which train.objective={objective} does not predict; take a head such as "
            f"head={head}, or write in data.prompt how a label is asked for and answered in words",
            f"행이 라벨({names})이 붙은 {what}인데 train.objective={objective}은(는) 라벨을 예측하지 않습니다. head={head} 같은 헤드를 "
            "쓰거나 data.prompt에 라벨을 묻고 답하는 말을 적으세요",
        )
    )
