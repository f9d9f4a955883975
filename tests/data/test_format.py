"""What is too long, and what is counted."""

import json
from pathlib import Path

import pytest

from dadeum.config.purpose import SFT
from dadeum.core import artifact
from dadeum.core.errors import DataError
from dadeum.data import step
from dadeum.data.contract import open_prompt
from dadeum.data.samples import Samples
from tests.data.small import Data


def conversation(*contents: str) -> str:
    roles = ["user", "assistant"] * len(contents)
    return json.dumps({"messages": [{"role": r, "content": c} for r, c in zip(roles, contents, strict=False)]})


@pytest.fixture
def data(tmp_path: Path) -> Data:
    return Data(tmp_path)


def formatted(data: Data, lines: list[str], **keys: object) -> tuple[Samples, dict[str, object], object]:
    path = data.write("m.jsonl", "\n".join(lines))
    settings = data.settings({"type": "jsonl", "path": path}, split={"validation": 0, "test": 0}, **keys)
    folder = data.format(settings)
    tokenizer, _ = open_prompt(folder / step.PROMPT)
    return Samples.open(folder / "train.arrow"), artifact.read_json(folder / step.STATISTICS), tokenizer


def test_keep_answer_cuts_the_question_at_its_front(data: Data) -> None:
    lines = [conversation("짧은 질문", "답"), conversation("x" * 100 + "끝?", "온전한 답")]
    samples, facts, tokenizer = formatted(data, lines, max_length=48, overlong="keep_answer")
    cut = samples[1]
    assert len(cut.input_ids) == 48
    assert tokenizer.decode(cut.input_ids[cut.weights > 0]) == "온전한 답<|im_end|>"  # type: ignore[attr-defined]
    assert tokenizer.decode(cut.input_ids).endswith("xx끝?<|im_end|>\n<|im_start|>assistant\n온전한 답<|im_end|>")  # type: ignore[attr-defined]
    assert facts["overlong"] == {"policy": "keep_answer", "found": 1, "dropped": 0, "cut": 1, "chopped": 0}


def test_keep_answer_trains_only_the_last_answer_when_earlier_ones_are_cut(data: Data) -> None:
    lines = [
        conversation("a", "b" * 60, "c", "마지막 답"),
        conversation("q" * 60, "둘", "c", "셋"),
        conversation("q", "z" * 90),
    ]
    samples, facts, tokenizer = formatted(data, lines, max_length=48, overlong="keep_answer")
    assert [tokenizer.decode(e.input_ids[e.weights > 0]) for e in samples] == [  # type: ignore[attr-defined]
        "마지막 답<|im_end|>",
        "둘<|im_end|>셋<|im_end|>",
    ]
    assert samples[0].answer_bytes == len("마지막 답".encode())
    assert facts["overlong"] == {"policy": "keep_answer", "found": 3, "dropped": 1, "cut": 2, "chopped": 0}
    assert facts["dropped"] == {"overlong": 1}


def test_keep_answer_when_all_is_trained(data: Data) -> None:
    samples, _, tokenizer = formatted(
        data, [conversation("x" * 100, "답")], max_length=40, overlong="keep_answer", train_on="all"
    )
    (only,) = samples
    assert len(only.input_ids) == 40 and (only.weights[1:] == 1).all() and only.weights[0] == 0
    assert tokenizer.decode(only.input_ids).endswith("답<|im_end|>")  # type: ignore[attr-defined]


def test_overlong_test_rows_leave_the_questions_too(data: Data) -> None:
    path = data.write("t.jsonl", conversation("q", "a") + "\n" + conversation("q2", "x" * 200))
    train = data.write("m.jsonl", "\n".join(conversation(f"질문 {n}", "답") for n in range(12)))
    settings = data.settings(
        {"type": "jsonl", "path": path, "part": "test"},
        {"type": "jsonl", "path": train},
        max_length=64,
        overlong="drop",
    )
    folder = data.format(settings)
    questions = (folder / step.QUESTIONS).read_text(encoding="utf-8").splitlines()
    assert len(questions) == len(Samples.open(folder / "test.arrow")) == 1


def test_test_rows_hold_one_sample_each_the_last_answer(data: Data) -> None:
    path = data.write("t.jsonl", conversation("a", "b", "c", "d"))
    train = data.write("m.jsonl", "\n".join(conversation(f"질문 {n}", "답") for n in range(12)))
    settings = data.settings(
        {"type": "jsonl", "path": path, "part": "test"}, {"type": "jsonl", "path": train}, train_on="all"
    )
    folder = data.format(settings)
    tokenizer, _ = open_prompt(folder / step.PROMPT)
    ((ids, weights, _, size, *_),) = Samples.open(folder / "test.arrow")
    assert tokenizer.decode(ids[weights > 0]) == "d<|im_end|>" and size == 1


def test_marks_are_counted_where_the_template_has_them(tmp_path: Path) -> None:
    template = (
        "{% for m in messages %}<|im_start|>{{ m.role }}\n{% if m.role == 'assistant' %}{% generation %}{{ m.content }}<|im_end|>"
        "{% endgeneration %}{% else %}{{ m.content }}<|im_end|>{% endif %}\n{% endfor %}"
        "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
    )
    lines = [conversation(f"질문 {n}", "답") for n in range(80)]
    _, facts, _ = formatted(Data(tmp_path / "marked", template=template), lines)
    assert facts["marks"] == {"compared": 50, "agree": 50}
    _, facts, _ = formatted(Data(tmp_path / "plain"), lines)
    assert facts["marks"] is None


def test_damaged_conversations_are_noticed(data: Data) -> None:
    settings = data.settings({"type": "jsonl", "path": data.write("m.jsonl", conversation("q", "a"))})
    folder = data.preprocess(settings)
    (folder / step.CONVERSATIONS).write_text("[]\n", encoding="utf-8")
    with pytest.raises(artifact.ArtifactError, match="is damaged"):
        step.format_(
            settings,
            preprocessed=folder,
            tokenizer_place=data.tokenizer,
            chat_template=None,
            purpose=SFT,
            workspace=data.workspace,
            fingerprint="0" * 64,
            reporter=step_reporter(),
        )


def step_reporter() -> object:
    from dadeum.core.progress import Silent

    return Silent()


def test_unrendered_rows_follow_faulty_rows(tmp_path: Path) -> None:
    template = "{% for m in messages %}<|im_start|>{{ m.role }}\n{{ m.content.split('</t>')[-1] }}<|im_end|>\n{% endfor %}{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
    data = Data(tmp_path, template=template)
    lines = [*(conversation(f"질문 {n}", "답") for n in range(12)), conversation("q", "생각</t>답")]
    with pytest.raises(
        DataError, match=r"1 of 13 rows cannot be trained, first m\.jsonl:13: .*does not render the whole answer"
    ):
        formatted(data, lines)
    listing = next((data.root / "data/processed").glob("faulty-*.jsonl"))
    assert json.loads(listing.read_text(encoding="utf-8"))["where"] == "m.jsonl:13"
    samples, facts, _ = formatted(data, lines, faulty_rows="drop")
    assert len(samples) == 12 and facts["dropped"] == {"not rendered": 1}
